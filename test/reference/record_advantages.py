"""Runs the advantage functions of four engines on a few batches of rewards, and writes down inputs and outputs.

    python test/reference/record_advantages.py TRL VERL EASYR1 OPENRLHF > test/reference/advantages.json

The arguments are clones of huggingface/trl, verl-project/verl, hiyouga/EasyR1 and OpenRLHF/OpenRLHF. Nothing of them is
installed or copied: the functions, and where there is no function the statements, are taken from their files by name,
compiled and run.
"""

import ast
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

torch.set_num_threads(1)
# so that formulas are compared and not the rounding of float32, in which a small spread drowns
torch.set_default_dtype(torch.float64)

# by prompt the rewards of its completions, and by prompt their lengths in tokens
BATCHES = [
    {
        "rewards": [[1.0, 0.0, 0.0, 0.1], [0.9, 0.9, 1.0, 0.0], [0.1, 1.0, 0.5, 0.25]],
        "lengths": [[3, 7, 2, 5], [1, 4, 6, 2], [5, 5, 9, 1]],
    },
    {
        # a group that is all wrong, one that is all right, one that differs by little
        "rewards": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.501], [-2.0, 3.0, 0.125]],
        "lengths": [[4, 2, 8], [1, 1, 3], [2, 6, 2], [7, 3, 5]],
    },
    {
        "rewards": [[1.0, 0.0], [0.0, 1.0], [0.75, 0.25], [2.5, -1.5], [1.0, 0.5]],
        "lengths": [[2, 4], [9, 1], [3, 3], [5, 2], [1, 6]],
    },
]


def commit(repository):
    return subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def source(repository, path):
    """The file as it was committed; a clone may have no work tree."""
    command = ["git", "-C", str(repository), "show", f"HEAD:{path}"]
    return ast.parse(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def functions(tree, names, scope):
    """Compiles functions of a file, by name, without what decorates and types them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            node.decorator_list, node.returns = [], None
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
            exec(compile(ast.Module([node], []), "engine", "exec"), scope)
    return scope


def block(tree, first, last):
    """The statements of one body from that whose text begins with `first` to that whose text begins with `last`."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        texts = [ast.unparse(s) for s in body] if isinstance(body, list) and hasattr(node, "name") else []
        starts = [i for i, text in enumerate(texts) if text.startswith(first)]
        if starts:
            end = next(i for i in range(starts[0], len(texts)) if texts[i].startswith(last))
            return compile(ast.Module(body[starts[0] : end + 1], []), "engine", "exec")
    raise SystemExit(f"no statement begins with {first}")


def flat(batch):
    rewards = torch.tensor(list(itertools.chain.from_iterable(batch["rewards"])))
    lengths = torch.tensor(list(itertools.chain.from_iterable(batch["lengths"])))
    size = len(batch["rewards"][0])
    index = np.repeat(np.arange(len(batch["rewards"])), size)
    mask = (torch.arange(int(lengths.max()))[None] < lengths[:, None]).double()
    return rewards, mask, index, size


def first_token(advantages):
    """One number a completion: these estimators give every token of a completion the same advantage."""
    return advantages[:, 0].double().tolist()


def trl(repository):
    scope = functions(source(repository, "trl/trainer/utils.py"), {"nanstd"}, {"torch": torch})
    grpo = block(
        source(repository, "trl/trainer/grpo_trainer.py"),
        "if self.multi_objective_aggregation == 'sum_then_normalize'",
        "advantages = torch.nan_to_num",
    )
    rloo = block(source(repository, "trl/trainer/rloo_trainer.py"), "grouped_rewards =", "advantages = torch.nan_to_num")

    def run_grpo(scale):
        def run(batch):
            rewards, _, _, size = flat(batch)
            trainer = SimpleNamespace(
                multi_objective_aggregation="sum_then_normalize",
                scale_rewards=scale,
                reward_weights=torch.ones(1),
            )
            names = {
                **scope,
                "self": trainer,
                "device": "cpu",
                "num_generations": size,
                "rewards_per_func": rewards[:, None].clone(),
                "unscorable_mask": torch.zeros_like(rewards).bool(),
            }
            exec(grpo, names)
            return names["advantages"].double().tolist()

        return run

    def run_rloo(normalise):
        def run(batch):
            rewards, _, _, size = flat(batch)
            names = {
                **scope,
                "self": SimpleNamespace(normalize_advantages=normalise),
                "num_generations": size,
                "rewards": rewards.clone(),
            }
            exec(rloo, names)
            return names["advantages"].double().tolist()

        return run

    return {
        "trl": run_grpo("group"),
        "trl_batch": run_grpo("batch"),
        "trl_dr_grpo": run_grpo("none"),
        "trl_rloo": run_rloo(False),
    }


def verl(repository):
    helpers = functions(
        source(repository, "verl/utils/torch_functional.py"),
        {"masked_sum", "masked_mean", "masked_var", "masked_whiten"},
        {"torch": torch},
    )
    names = {
        "compute_grpo_outcome_advantage",
        "compute_rloo_outcome_advantage",
        "compute_reinforce_plus_plus_baseline_outcome_advantage",
    }
    scope = functions(
        source(repository, "verl/trainer/ppo/core_algos.py"),
        names,
        {"torch": torch, "np": np, "defaultdict": defaultdict, "verl_F": SimpleNamespace(**helpers)},
    )

    def run(name, **options):
        def advantages(batch):
            rewards, mask, index, _ = flat(batch)
            by_token = torch.zeros_like(mask)
            by_token[:, 0] = rewards
            return first_token(scope[name](by_token, mask, index, **options)[0])

        return advantages

    return {
        "verl": run("compute_grpo_outcome_advantage"),
        "verl_dr_grpo": run("compute_grpo_outcome_advantage", norm_adv_by_std_in_grpo=False),
        "verl_rloo": run("compute_rloo_outcome_advantage"),
        "verl_reinforce_baseline": run("compute_reinforce_plus_plus_baseline_outcome_advantage"),
    }


def easyr1(repository):
    scope = functions(
        source(repository, "verl/trainer/core_algos.py"),
        {"compute_grpo_outcome_advantage", "compute_rloo_outcome_advantage"},
        {"torch": torch, "defaultdict": defaultdict},
    )

    def run(name):
        def advantages(batch):
            rewards, mask, index, _ = flat(batch)
            by_token = torch.zeros_like(mask)
            by_token[:, 0] = rewards
            return first_token(scope[name](by_token, mask, index)[0])

        return advantages

    return {"easyr1": run("compute_grpo_outcome_advantage"), "easyr1_rloo": run("compute_rloo_outcome_advantage")}


def openrlhf(repository):
    scope = functions(
        source(repository, "openrlhf/models/utils.py"), {"compute_reward"}, {"torch": torch, "Optional": None}
    )
    scope |= {"itertools": itertools, "apply_length_penalties": lambda experiences, args: None, "logger": None}
    functions(
        source(repository, "openrlhf/trainer/ppo_utils/experience_maker.py"),
        {"compute_advantages_and_returns", "get_cumulative_returns"},
        scope,
    )

    def run(estimator):
        def advantages(batch):
            rewards, mask, _, size = flat(batch)
            experience = SimpleNamespace(
                index=list(range(len(rewards))),
                rewards=rewards.clone(),
                action_mask=mask,
                kl=torch.zeros_like(mask),
                info={},
            )
            maker = SimpleNamespace(
                strategy=SimpleNamespace(
                    args=SimpleNamespace(
                        rollout=SimpleNamespace(n_samples_per_prompt=size),
                        reward=SimpleNamespace(clip_range=None),
                        algo=SimpleNamespace(
                            advantage=SimpleNamespace(estimator=estimator, gamma=1.0, no_std_norm=False)
                        ),
                    )
                ),
                kl_ctl=SimpleNamespace(value=0.0),
                advantage_estimator=estimator,
            )
            maker.get_cumulative_returns = lambda *a: scope["get_cumulative_returns"](maker, *a)
            scope["compute_advantages_and_returns"](maker, [experience])
            return first_token(experience.advantages)

        return advantages

    return {
        "openrlhf": run("group_norm"),
        "openrlhf_rloo": run("rloo"),
        "openrlhf_dr_grpo": run("dr_grpo"),
        "openrlhf_reinforce_baseline": run("reinforce_baseline"),
    }


ENGINES = {
    "huggingface/trl": trl,
    "verl-project/verl": verl,
    "hiyouga/EasyR1": easyr1,
    "OpenRLHF/OpenRLHF": openrlhf,
}


def main():
    engines = []
    for (name, presets), folder in zip(ENGINES.items(), sys.argv[1:], strict=True):
        repository = Path(folder)
        engines.append(
            {
                "repository": name,
                "commit": commit(repository),
                "presets": {
                    preset: [run(batch) for batch in BATCHES] for preset, run in presets(repository).items()
                },
            }
        )
    # nine figures
    text = json.dumps({"batches": BATCHES, "engines": engines}, indent=1)
    print(json.dumps(json.loads(text, parse_float=lambda x: float(f"{float(x):.9g}"))))


if __name__ == "__main__":
    main()
