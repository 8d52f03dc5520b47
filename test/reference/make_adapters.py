"""Adapters that peft makes beside the tiny models, and what peft, transformers and PyTorch compute with them.

    python test/reference/make_adapters.py MODELS OUT          the adapters that are committed in test/reference/adapters
    python test/reference/make_adapters.py MODELS OUT --more   further ones, beside the models of make_models.py --more

README.md beside this file describes what is written.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from make_models import CASES, completed, encode, forward_inputs, load_processor, log_probabilities, random_completion
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import Qwen2_5_VLForConditionalGeneration

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

LANGUAGE = ".*visual.*"
VARIANTS = {
    "tied-default": {
        "model": "tied",
        "config": {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "exclude_modules": LANGUAGE},
    },
    "published-all": {
        "model": "published",
        "config": {"r": 3, "lora_alpha": 6, "target_modules": "all-linear", "use_rslora": True},
    },
}
MORE = {
    "tied-mlp": {
        "model": "tied",
        "config": {"r": 2, "lora_alpha": 1, "target_modules": ["gate_proj", "up_proj", "down_proj"], "exclude_modules": LANGUAGE},
    },
    "tied-both-towers": {
        "model": "tied",
        "config": {"r": 5, "lora_alpha": 5, "target_modules": ["gate_proj", "down_proj", "o_proj"]},
    },
    # by whole names, in one layer alone
    "all-heads-one-layer": {
        "model": "all-heads",
        "config": {
            "r": 8,
            "lora_alpha": 16,
            "target_modules": ["k_proj", "o_proj"],
            "layers_to_transform": [1],
            "layers_pattern": "language_model.layers",
            "use_rslora": True,
        },
    },
    "one-kv-head-language": {
        "model": "one-kv-head",
        "config": {"r": 1, "lora_alpha": 3, "target_modules": "all-linear", "exclude_modules": LANGUAGE},
    },
    # the base in float16 on disk, the vision tower alone
    "merge-three-vision": {
        "model": "merge-three",
        "config": {"r": 6, "lora_alpha": 4, "target_modules": ["qkv", "attn.proj", "mlp.0", "mlp.2"]},
    },
    "odd-sizes-all": {"model": "odd-sizes", "config": {"r": 7, "lora_alpha": 2, "target_modules": "all-linear"}},
}  # fmt: skip


class Masked(torch.nn.Module):
    """Dropout by a mask that is given and not drawn."""

    def __init__(self, share, masks, name):
        super().__init__()
        self.share, self.masks, self.name = share, masks, name

    def forward(self, x):
        mask = self.masks.setdefault(self.name, (torch.rand(x.shape[-2:]) >= self.share).to(torch.uint8))
        return x * mask / (1 - self.share)


def trained(model):
    return {
        name.replace("base_model.model.", "", 1).replace(".default.", "."): parameter
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def loss_of(model, cases, batch):
    base = model.base_model.model
    return torch.cat([-log_probabilities(base, cases[item["case"]][1], item["completionIds"]) for item in batch]).mean()


def make(models, out, name, variant, seed):
    source = models / variant["model"]
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "reference").mkdir(parents=True)
    torch.manual_seed(seed)
    base = Qwen2_5_VLForConditionalGeneration.from_pretrained(source, dtype=torch.float32, attn_implementation="eager")
    model = get_peft_model(base.eval(), LoraConfig(task_type="CAUSAL_LM", **variant["config"])).eval()
    generator = torch.Generator().manual_seed(seed)
    for key, parameter in trained(model).items():
        # a change that is seen, and does not outweigh the model: errors would grow with it
        size = (0.25 if ".lora_B." in key else 1.0) / parameter.shape[1] ** 0.5
        parameter.data.copy_(size * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(folder)
    # the base by a path that holds wherever both folders are
    settings = folder / "adapter_config.json"
    written = json.loads(settings.read_text())
    written["base_model_name_or_path"] = f"../../models/{variant['model']}"
    for key in ("target_modules", "exclude_modules"):
        # peft writes sets, in no order
        if isinstance(written[key], list):
            written[key] = sorted(written[key])
    settings.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)

    processor = load_processor(source)
    cases = {
        case: encode(processor, messages, [source / "reference" / image for image in images])
        for case, (messages, images) in CASES.items()
    }
    reference = folder / "reference"
    logits = {}
    with torch.no_grad():
        for case, (_, inputs) in cases.items():
            base.model.rope_deltas = None
            logits[case] = model(**forward_inputs(inputs), use_cache=False).logits[0]
    save_file(logits, reference / "logits.safetensors")

    end = 2
    batch = [
        {"case": case, "completionIds": random_completion(generator, length, end)}
        for case, length in (("text", 6), ("one", 5), ("two", 4))
    ]
    loss = loss_of(model, cases, batch)
    loss.backward()
    save_file({key: p.grad.clone() for key, p in trained(model).items()}, reference / "gradients.safetensors")
    run = {"loss": loss.item(), "batch": batch}

    if variant["model"] in ("tied", "published"):
        # one sequence, so that rows of masks are its tokens
        share, masks = 0.25, {}
        for key, module in model.named_modules():
            if key.endswith(".lora_dropout"):
                own = key.replace("base_model.model.", "", 1).replace(".lora_dropout", "")
                # no images: the vision tower is not run
                module["default"] = Masked(share, masks, own)
        model.zero_grad()
        item = batch[0]
        dropped = loss_of(model, cases, [item])
        dropped.backward()
        save_file(masks, reference / "masks.safetensors")
        save_file(
            {key: p.grad.clone() for key, p in trained(model).items() if p.grad is not None and "visual" not in key},
            reference / "dropout.safetensors",
        )
        run["dropout"] = {"share": share, "loss": dropped.item(), **item}
        for key, module in model.named_modules():
            if key.endswith(".lora_dropout"):
                module["default"] = torch.nn.Identity()

    # ten steps of AdamW over A and B alone
    options = {"learningRate": 2e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weightDecay": 0.1, "maxGradNorm": 1.0}
    optimizer = torch.optim.AdamW(
        trained(model).values(),
        lr=options["learningRate"],
        betas=tuple(options["betas"]),
        eps=options["eps"],
        weight_decay=options["weightDecay"],
    )
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = loss_of(model, cases, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained(model).values(), options["maxGradNorm"])
        losses.append(loss.item())
        optimizer.step()
    run["updates"] = {**options, "losses": losses}
    save_file({key: p.detach().clone() for key, p in trained(model).items()}, reference / "updated.safetensors")
    (reference / "run.json").write_text(json.dumps(run) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--more", action="store_true")
    arguments = parser.parse_args()
    for seed, (name, variant) in enumerate({**VARIANTS, **(MORE if arguments.more else {})}.items()):
        make(arguments.models, arguments.out, name, variant, 300 + seed)
        print(name, flush=True)


if __name__ == "__main__":
    main()
