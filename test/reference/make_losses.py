"""Makes the losses of policies and their gradients with respect to the logits, by plain PyTorch.

    python test/reference/make_losses.py OUT         writes OUT, committed as test/reference/losses.json
    python test/reference/make_losses.py OUT --trl   also holds each loss that TRL has against TRL's own _compute_loss

The formulas are those of TRL's grpo_trainer.py (1.10), of verl's clip_ratio_c and of Schulman's estimators of the KL
divergence. One batch of completions with made-up logits is under all of them, so that gradients can be compared.
"""

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import torch

torch.set_num_threads(1)

GROUPS, SAMPLES, LENGTH, VOCABULARY = 2, 2, 5, 6
TEMPERATURE = 0.8
MAX_TOKENS = 7
LENGTHS = [5, 3, 1, 4]
ADVANTAGES = [1.3, -0.7, 0.4, -1.1]


def batch():
    generator = torch.Generator().manual_seed(5)
    shape = (GROUPS * SAMPLES, LENGTH)
    logits = torch.randn(*shape, VOCABULARY, generator=generator) * 1.5
    targets = torch.randint(0, VOCABULARY, shape, generator=generator)
    mask = (torch.arange(LENGTH)[None] < torch.tensor(LENGTHS)[:, None]).float()
    current = torch.log_softmax(logits / TEMPERATURE, -1).gather(-1, targets[..., None])[..., 0]
    # ratios from 0.3 to 3.7: on both sides of every bound below
    old = current - (torch.rand(shape, generator=generator) * 2.5 - 1.2)
    ref = current + torch.randn(shape, generator=generator) * 0.4
    correction = torch.exp(torch.randn(shape, generator=generator) * 0.5)
    return SimpleNamespace(
        logits=logits,
        targets=targets,
        mask=mask,
        advantages=torch.tensor(ADVANTAGES),
        old=old * mask,
        ref=ref * mask,
        correction=correction * mask,
    )


DEFAULTS = {
    "surrogate": "clip",
    "ratio": "token",
    "aggregation": "token",
    "epsilon": 0.2,
    "epsilonHigh": 0.2,
    "beta": 0.0,
    "kl": "k3",
    "onPolicy": False,
    "entropy": 0.0,
    "correction": False,
}
# by name: what differs from the defaults, and TRL's loss_type where TRL has the loss
VARIANTS = {
    "grpo": ({"aggregation": "sequence"}, "grpo"),
    "grpo, with KL": ({"aggregation": "sequence", "beta": 0.04}, "grpo"),
    "bnpo": ({"aggregation": "micro_batch"}, "bnpo"),
    "dr_grpo": ({"aggregation": "constant"}, "dr_grpo"),
    "dapo": ({}, "dapo"),
    "dapo, on policy": ({"onPolicy": True}, "dapo"),
    "dapo, asymmetric": ({"epsilonHigh": 0.28, "beta": 0.1}, "dapo"),
    "dapo, two-sided": ({"delta": 1.5, "epsilonHigh": 0.6}, "dapo"),
    "dapo, corrected": ({"correction": True, "beta": 0.1}, "dapo"),
    "dapo, entropy bonus": ({"entropy": 0.01}, "dapo"),
    "dapo, KL corrected": ({"beta": 0.2, "klCorrected": True}, "dapo"),
    "gspo, KL corrected": ({"beta": 0.2, "klCorrected": True, "ratio": "sequence", "aggregation": "sequence"}, "grpo"),
    "dapo, k1": ({"beta": 0.2, "kl": "k1"}, None),
    "dapo, k2": ({"beta": 0.2, "kl": "k2"}, None),
    "dual clip": ({"dualClip": 1.3}, None),
    "limits": ({"logRatioLimit": 0.5, "klLimit": 0.05, "beta": 0.5, "epsilon": 0.9, "epsilonHigh": 9.0}, None),
    "gspo": ({"ratio": "sequence", "aggregation": "sequence"}, "grpo"),
    "gspo, by token": ({"ratio": "sequence", "epsilon": 3e-1, "epsilonHigh": 4e-1, "beta": 0.04}, "dapo"),
    "gspo, on policy": ({"ratio": "sequence", "aggregation": "sequence", "onPolicy": True}, "grpo"),
    "cispo": ({"surrogate": "cispo", "cispoMax": 1.4}, "cispo"),
    "cispo, both bounds": ({"surrogate": "cispo", "cispoMin": 0.7, "cispoMax": 1.3}, None),
    "cispo, by sequence": ({"surrogate": "cispo", "cispoMax": 1.05, "ratio": "sequence"}, "cispo"),
    "sapo": ({"surrogate": "sapo", "positive": 1.0, "negative": 1.05, "aggregation": "sequence"}, "sapo"),
    "sapo, with KL": ({"surrogate": "sapo", "positive": 2.0, "negative": 3.0, "aggregation": "sequence", "beta": 0.04}, "sapo"),
    "sequence_sum": ({"aggregation": "sequence_sum"}, None),
}  # fmt: skip


def loss(b, logits, v):
    log_softmax = torch.log_softmax(logits / TEMPERATURE, -1)
    p = log_softmax.gather(-1, b.targets[..., None])[..., 0]
    entropy = -(log_softmax.exp() * log_softmax).sum(-1)
    m, a = b.mask, b.advantages[:, None]
    log_ratio = p - (p.detach() if v["onPolicy"] else b.old)
    if v["ratio"] == "sequence":
        log_ratio = ((log_ratio * m).sum(-1) / m.sum(-1).clamp(min=1))[:, None].expand_as(p)
    if "logRatioLimit" in v:
        log_ratio = log_ratio.clamp(-v["logRatioLimit"], v["logRatioLimit"])
    r = log_ratio.exp()
    if v["surrogate"] == "clip":
        clipped = r.clamp(1 - v["epsilon"], 1 + v["epsilonHigh"])
        bounded = r.clamp(max=v["delta"]) if "delta" in v else r
        token = -torch.min(bounded * a, clipped * a)
        if "dualClip" in v:
            token = torch.where(a < 0, torch.min(-v["dualClip"] * a, token), token)
    elif v["surrogate"] == "cispo":
        token = -r.clamp(v.get("cispoMin"), v["cispoMax"]).detach() * a * p
    else:
        tau = torch.where(a > 0, v["positive"], v["negative"])
        token = -torch.sigmoid(tau * (r - 1)) * 4 / tau * a
    if v["correction"]:
        token = token * b.correction
    if v["beta"]:
        d = b.ref - p
        kl = {"k1": -d, "k2": d * d / 2, "k3": d.exp() - d - 1}[v["kl"]]
        if "klLimit" in v:
            kl = kl.clamp(-v["klLimit"], v["klLimit"])
        token = token + v["beta"] * (kl * r if v.get("klCorrected") else kl)
    token = token * m
    total = {
        "token": lambda: token.sum() / m.sum(),
        "sequence": lambda: (token.sum(-1) / m.sum(-1)).mean(),
        # one prompt a micro-batch
        "micro_batch": lambda: torch.stack(
            [
                token[i : i + SAMPLES].sum() / m[i : i + SAMPLES].sum()
                for i in range(0, GROUPS * SAMPLES, SAMPLES)
            ]
        ).mean(),
        "constant": lambda: token.sum() / (GROUPS * SAMPLES * MAX_TOKENS),
        "sequence_sum": lambda: token.sum(-1).mean(),
    }[v["aggregation"]]()
    return total - v["entropy"] * (entropy * m).sum() / m.sum(), p, entropy


def dpo(b, logits, beta, smoothing):
    """The completions of a group are a pair, the preferred one first."""
    p = torch.log_softmax(logits / TEMPERATURE, -1).gather(-1, b.targets[..., None])[..., 0]
    gain = ((p - b.ref) * b.mask).sum(-1).view(GROUPS, 2)
    margin = beta * (gain[:, 0] - gain[:, 1])
    right, wrong = torch.nn.functional.logsigmoid(margin), torch.nn.functional.logsigmoid(-margin)
    return -((1 - smoothing) * right + smoothing * wrong).mean()


def scorer():
    """Scores, labels and what binary cross-entropy makes of them: each token has a loss of its own."""
    z = torch.tensor([-120.0, -3.0, -0.5, 0.0, 0.25, 2.0, 95.0], requires_grad=True)
    y = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.3, 1.0, 0.0])
    losses = torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
    losses.sum().backward()
    return {
        "scores": numbers(z.detach()),
        "labels": numbers(y),
        "loss": numbers(losses.detach().sum())[0],
        "logProbs": numbers(torch.nn.functional.logsigmoid(z.detach())),
        "gradient": numbers(z.grad),
    }


def trl_loss(b, v, loss_type):
    """TRL's own, on these logits: its method, with a stand-in for the trainer."""
    from collections import defaultdict

    from trl.trainer.grpo_trainer import GRPOTrainer

    logits = b.logits.clone().requires_grad_()
    log_softmax = torch.log_softmax(logits / TEMPERATURE, -1)
    p = log_softmax.gather(-1, b.targets[..., None])[..., 0]
    entropy = -(log_softmax.exp() * log_softmax).sum(-1)
    # bnpo is a mean over micro-batches, which TRL calls one by one
    parts = [slice(0, SAMPLES), slice(SAMPLES, None)] if loss_type == "bnpo" else [slice(None)]
    args = SimpleNamespace(
        delta=v.get("delta"),
        use_bias_correction_kl=v.get("klCorrected", False),
        steps_per_generation=len(parts),
        sapo_temperature_pos=v.get("positive"),
        sapo_temperature_neg=v.get("negative"),
    )
    total = 0
    for part in parts:
        trainer = SimpleNamespace(
            _get_per_token_logps_and_entropies=lambda *_, **__: (p[part], entropy[part], None),
            aux_loss_enabled=False,
            top_entropy_quantile=1.0,
            off_policy_mask_threshold=None,
            importance_sampling_level=v["ratio"],
            beta=v["beta"],
            loss_type=loss_type,
            epsilon_low=v["epsilon"],
            epsilon_high=v["cispoMax"] if loss_type == "cispo" else v["epsilonHigh"],
            args=args,
            use_vllm=v["correction"],
            vllm_importance_sampling_correction=v["correction"],
            current_gradient_accumulation_steps=len(parts),
            max_completion_length=MAX_TOKENS,
            accelerator=SimpleNamespace(num_processes=1, gather=lambda x: x, reduce=lambda x, **_: x, sync_gradients=False),
            model=SimpleNamespace(training=True),
            _entropy_bonus_enabled=v["entropy"] != 0,
            use_adaptive_entropy=False,
            entropy_coef=v["entropy"],
            _metrics={"train": defaultdict(list)},
        )
        inputs = {
            "prompt_ids": torch.zeros(len(p[part]), 1, dtype=torch.long),
            "prompt_mask": torch.ones(len(p[part]), 1),
            "completion_ids": b.targets[part],
            "completion_mask": b.mask[part],
            "advantages": b.advantages[part],
            "ref_per_token_logps": b.ref[part],
            "importance_sampling_ratio": b.correction[part],
            "num_items_in_batch": b.mask.sum(),
        }
        if not v["onPolicy"]:
            inputs["old_per_token_logps"] = b.old[part]
        total = total + GRPOTrainer._compute_loss(trainer, None, inputs)
    total.backward()
    return total.item(), logits.grad


def trl_dpo_loss(b, beta):
    """TRL's own DPO, with a model that gives these logits."""
    from collections import defaultdict

    from trl.trainer.dpo_trainer import DPOTrainer

    logits = b.logits.clone().requires_grad_()
    # preferred completions come first, and a first token that is not one of the completion
    order = [*range(0, GROUPS * 2, 2), *range(1, GROUPS * 2, 2)]
    padded = torch.cat([logits, torch.zeros(GROUPS * 2, 1, VOCABULARY)], dim=1)[order] / TEMPERATURE
    before = torch.zeros(GROUPS * 2, 1, dtype=torch.long)
    ref = (b.ref * b.mask).sum(-1)[order]
    keep = {"gather": lambda x: x, "gather_for_metrics": lambda x: x}
    trainer = SimpleNamespace(
        model=SimpleNamespace(training=True),
        accelerator=SimpleNamespace(device="cpu", **keep),
        aux_loss_enabled=False,
        ld_alpha=None,
        precompute_ref_logps=True,
        f_divergence_type="reverse_kl",
        loss_types=["sigmoid"],
        loss_weights=[1.0],
        beta=beta,
        use_weighting=False,
        _total_train_tokens=0,
        _tp_size=1,
        _metrics={"train": defaultdict(list)},
    )
    inputs = {
        "input_ids": torch.cat([before, b.targets], dim=1)[order],
        "attention_mask": torch.ones(GROUPS * 2, LENGTH + 1),
        "completion_mask": torch.cat([before.float(), b.mask], dim=1)[order],
        "ref_chosen_logps": ref[:GROUPS],
        "ref_rejected_logps": ref[GROUPS:],
    }
    total = DPOTrainer._compute_loss(trainer, lambda **_: SimpleNamespace(logits=padded), inputs, False)
    total.backward()
    return total.item(), logits.grad


def numbers(x):
    return [float(f"{value:.9g}") for value in x.double().flatten().tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trl", action="store_true")
    arguments = parser.parse_args()
    b = batch()
    runs = []
    for name, (difference, loss_type) in VARIANTS.items():
        v = {**DEFAULTS, **difference}
        logits = b.logits.clone().requires_grad_()
        total, p, entropy = loss(b, logits, v)
        total.backward()
        runs.append({"name": name, **v, "loss": numbers(total.detach())[0], "gradient": numbers(logits.grad)})
        if arguments.trl and loss_type is not None:
            theirs, gradient = trl_loss(b, v, loss_type)
            apart = max(abs(theirs - total.item()), (gradient - logits.grad).abs().max().item())
            print(f"{name}: {apart:.2g} from TRL's {loss_type}")
            assert apart < 1e-6, name
    preferences = []
    for beta, smoothing in ((0.1, 0.0), (0.7, 0.0), (0.5, 0.2)):
        logits = b.logits.clone().requires_grad_()
        total = dpo(b, logits, beta, smoothing)
        total.backward()
        if arguments.trl and smoothing == 0:
            theirs, gradient = trl_dpo_loss(b, beta)
            apart = max(abs(theirs - total.item()), (gradient - logits.grad).abs().max().item())
            print(f"dpo, beta {beta}: {apart:.2g} from TRL's")
            assert apart < 1e-6
        preferences.append(
            {
                "beta": beta,
                "labelSmoothing": smoothing,
                "loss": numbers(total.detach())[0],
                "gradient": numbers(logits.grad),
            }
        )
    log_softmax = torch.log_softmax(b.logits / TEMPERATURE, -1)
    content = {
        "groups": GROUPS,
        "samples": SAMPLES,
        "length": LENGTH,
        "vocabulary": VOCABULARY,
        "temperature": TEMPERATURE,
        "maxTokens": MAX_TOKENS,
        "lengths": LENGTHS,
        "advantages": ADVANTAGES,
        "logits": numbers(b.logits),
        "targets": b.targets.flatten().tolist(),
        "oldLogProbs": numbers(b.old),
        "refLogProbs": numbers(b.ref),
        "correction": numbers(b.correction),
        "logProbs": numbers(log_softmax.gather(-1, b.targets[..., None])),
        "runs": runs,
        "dpo": preferences,
        "scorer": scorer(),
    }
    arguments.out.write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
