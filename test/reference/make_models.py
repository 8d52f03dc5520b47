"""Makes tiny Qwen2.5-VL models with random weights, and what transformers and PyTorch compute with them.

    python test/reference/make_models.py OUT          the models that are committed in test/reference/models
    python test/reference/make_models.py OUT --more   further models: other head counts, sizes and file layouts

README.md beside this file describes what is written. Everything is float32 on one thread, and every random number
comes from a fixed seed, so that two runs agree within rounding.
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy as np
import torch
from companions import CHAT_TEMPLATE, VOCABULARY, write_companions, write_json
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor, Qwen2Tokenizer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def text(words):
    return {"type": "text", "text": words}


IMAGE = {"type": "image"}
CASES = {
    "text": ([{"role": "user", "content": [text("How many?")]}], []),
    "one": ([{"role": "user", "content": [IMAGE, text("What is it?")]}], ["wide.png"]),
    "two": (
        [
            {"role": "system", "content": [text("Count.")]},
            {"role": "user", "content": [text("Left"), IMAGE, text(" or "), IMAGE, text("? 東京 🙂")]},
        ],
        ["tall.png", "small.png"],
    ),
}
# sizes in merged patches (rows, columns): the pixels follow from the patch size, off by a few so that all are resized
IMAGES = {"wide.png": (3, 5), "tall.png": (3, 2), "small.png": (1, 2)}


def image_ids(ids):
    return {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }


def randomise(model, seed):
    """Scales at which every tensor matters: biases too, and norm weights away from one."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1 and name.endswith("bias"):
            value = 0.3 * torch.randn(parameter.shape, generator=generator)
        elif parameter.dim() == 1:
            value = 0.6 + 0.8 * torch.rand(parameter.shape, generator=generator)
        elif "embed_tokens" in name:
            value = 0.5 * torch.randn(parameter.shape, generator=generator)
        else:
            fan_in = parameter[0].numel()
            value = torch.randn(parameter.shape, generator=generator) / math.sqrt(fan_in)
        parameter.data.copy_(value)


def make_images(folder, pixels_per_token, seed):
    """Smooth colours with an edge and some noise, at sizes that are no multiple of a token."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    for name, (rows, columns) in IMAGES.items():
        height, width = rows * pixels_per_token + 3, columns * pixels_per_token - 2
        y, x = np.mgrid[0:height, 0:width]
        channels = [
            127 + 100 * np.sin(x / 7 + k) * np.cos(y / (5 + k)) + 60 * (x + y * (k + 1) > width) for k in range(3)
        ]
        values = np.stack(channels, axis=-1) + generator.normal(0, 8, (height, width, 3))
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(folder / name)


class Processor(Qwen2_5_VLProcessor):
    """Without a video processor, which would need torchvision."""

    def check_argument_for_proper_class(self, name, argument):
        return None if argument is None else super().check_argument_for_proper_class(name, argument)


def load_processor(folder):
    # the Pillow image processor by name: with torchvision installed AutoProcessor would take the other one
    tokenizer = Qwen2Tokenizer.from_pretrained(folder)
    return Processor(
        Qwen2VLImageProcessorPil.from_pretrained(folder), tokenizer, None, chat_template=CHAT_TEMPLATE
    )


def encode(processor, messages, files):
    prompt = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    images = [Image.open(file) for file in files]
    return prompt, processor(text=[prompt], images=images or None, return_tensors="pt")


def forward_inputs(inputs):
    return {key: value for key, value in inputs.items() if key != "attention_mask"}


def completed(inputs, completion):
    """The inputs with the completion behind the prompt; completions hold no image tokens."""
    tail = torch.tensor([completion])
    return {
        **forward_inputs(inputs),
        "input_ids": torch.cat([inputs["input_ids"], tail], dim=1),
        "mm_token_type_ids": torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(tail)], dim=1),
    }


def write_forward(model, folder, cases):
    reference = folder / "reference"
    rows, logits, pixels = [], {}, {}
    for name, (prompt, inputs) in cases.items():
        messages, images = CASES[name]
        grids = inputs.get("image_grid_thw")
        positions, delta = model.model.get_rope_index(inputs["input_ids"], inputs["mm_token_type_ids"], grids)
        with torch.no_grad():
            model.model.rope_deltas = None
            logits[name] = model(**forward_inputs(inputs), use_cache=False).logits[0]
        if grids is not None:
            pixels[name] = inputs["pixel_values"].contiguous()
        rows.append(
            {
                "name": name,
                "messages": messages,
                "images": images,
                "prompt": prompt,
                "inputIds": inputs["input_ids"][0].tolist(),
                "grids": [] if grids is None else grids.tolist(),
                "positions": positions[:, 0].tolist(),
                "ropeDelta": delta.item(),
            }
        )
    reference.mkdir(exist_ok=True)
    (reference / "cases.json").write_text(
        "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8"
    )
    save_file(logits, reference / "logits.safetensors")
    save_file(pixels, reference / "pixels.safetensors")


def log_probabilities(model, inputs, completion, temperature=1.0):
    """[completion tokens], of each token of the completion given all before it."""
    model.model.rope_deltas = None
    whole = completed(inputs, completion)
    logits = model(**whole, use_cache=False).logits[0] / temperature
    start = inputs["input_ids"].shape[1]
    rows = torch.log_softmax(logits[start - 1 : -1], dim=-1)
    return rows[torch.arange(len(completion)), torch.tensor(completion)]


def random_completion(generator, length, end):
    return torch.randint(0, 280, (length - 1,), generator=generator).tolist() + [end]


def write_gradients(model, folder, cases, end, aggregations):
    """GRPO: clipped ratio to given old log-probabilities, KL (low-variance estimate) to given reference ones."""
    generator = torch.Generator().manual_seed(7)
    plan = [("text", 6, 1.1), ("text", 3, -0.7), ("one", 5, -1.3), ("one", 7, 0.9), ("two", 4, 0.6), ("two", 6, -0.4)]
    sequences = []
    for case, length, advantage in plan:
        completion = random_completion(generator, length, end)
        sequences.append({"case": case, "completionIds": completion, "advantage": advantage})
    settings = {
        "token": {"temperature": 1.0, "epsilon": 0.2, "epsilonHigh": 0.28, "beta": 0.05},
        "sequence": {"temperature": 0.8, "epsilon": 0.2, "epsilonHigh": 0.2, "beta": 0.1},
    }
    runs = []
    for aggregation in aggregations:
        options = settings[aggregation]
        low, high = 1 - options["epsilon"], 1 + options["epsilonHigh"]
        model.zero_grad()
        per_sequence, rows, clipped = [], [], 0
        for sequence in sequences:
            current = log_probabilities(
                model, cases[sequence["case"]][1], sequence["completionIds"], options["temperature"]
            )
            size = current.shape
            # ratios from 0.6 to 1.65, none within 0.01 of a bound, where rounding would decide the branch
            ratio = torch.exp(torch.rand(size, generator=generator) - 0.5)
            for bound in (low, high):
                ratio = torch.where((ratio - bound).abs() < 0.01, torch.full(size, bound + 0.02), ratio)
            old = (current.detach() - ratio.log()).detach()
            ref = (current.detach() + torch.randn(size, generator=generator) * 0.4).detach()
            ratio = torch.exp(current - old)
            advantage = sequence["advantage"]
            surrogate = torch.minimum(ratio * advantage, ratio.clamp(low, high) * advantage)
            kl = torch.exp(ref - current) - (ref - current) - 1
            per_sequence.append(-surrogate + options["beta"] * kl)
            clipped += int((ratio.clamp(low, high) * advantage < ratio * advantage).sum())
            rows.append(
                {
                    **sequence,
                    "logProbs": current.detach().double().tolist(),
                    "oldLogProbs": old.double().tolist(),
                    "refLogProbs": ref.double().tolist(),
                    "loss": per_sequence[-1].detach().double().tolist(),
                }
            )
        if aggregation == "token":
            loss = torch.cat(per_sequence).mean()
        else:
            loss = torch.stack([row.mean() for row in per_sequence]).mean()
        loss.backward()
        assert clipped > 2, "the clip must be seen"
        gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        save_file(gradients, folder / "reference" / f"grpo-{aggregation}.safetensors")
        runs.append(
            {"aggregation": aggregation, **options, "clippedTokens": clipped, "loss": loss.item(), "sequences": rows}
        )
    write_json(folder / "reference" / "grpo.json", runs)


def write_updates(model, folder, cases, end, limit):
    """Ten steps of AdamW on the mean negative log-likelihood of all completion tokens."""
    generator = torch.Generator().manual_seed(11)
    batches = [
        [
            {"case": case, "completionIds": random_completion(generator, length, end)}
            for case, length in ([("text", 5), ("one", 3)] if step % 2 == 0 else [("two", 4), ("one", 6)])
        ]
        for step in range(10)
    ]
    # eps is large enough that a gradient of pure rounding does not become a full step
    options = {"learningRate": 2e-3, "betas": [0.9, 0.95], "eps": 1e-6, "weightDecay": 0.1, "maxGradNorm": limit}
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=options["learningRate"],
        betas=tuple(options["betas"]),
        eps=options["eps"],
        weight_decay=options["weightDecay"],
    )
    losses, norms = [], []
    for batch in batches:
        optimizer.zero_grad()
        terms = [-log_probabilities(model, cases[item["case"]][1], item["completionIds"]) for item in batch]
        loss = torch.cat(terms).mean()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), options["maxGradNorm"]).item())
        losses.append(loss.item())
        optimizer.step()
    assert min(norms) < limit < max(norms), f"no norms on both sides of the limit: {norms}"
    save_file({name: p.detach().clone() for name, p in model.named_parameters()}, folder / "reference" / "sft.safetensors")
    write_json(
        folder / "reference" / "sft.json", {**options, "losses": losses, "gradientNorms": norms, "batches": batches}
    )


def vision(hidden, heads, depth, patch, window, full, out, merge=2):
    return {
        "depth": depth, "hidden_size": hidden, "num_heads": heads, "intermediate_size": hidden + 8,
        "patch_size": patch, "window_size": window, "fullatt_block_indexes": full, "out_hidden_size": out,
        "spatial_merge_size": merge,
    }  # fmt: skip


def language(hidden, heads, kv_heads, layers, sections, theta=1e6, eps=1e-6):
    return {
        "hidden_size": hidden, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "num_hidden_layers": layers, "intermediate_size": hidden + 16, "vocab_size": VOCABULARY, "rms_norm_eps": eps,
        "bos_token_id": None, "eos_token_id": None, "max_position_embeddings": 4096,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta, "mrope_section": sections},
    }  # fmt: skip


VARIANTS = {
    # grouped queries, tied, as transformers 5 writes it
    "tied": {
        "text": language(32, 4, 2, 2, [1, 1, 2]),
        "vision": vision(16, 2, 3, 8, 32, [1], 32),
        "tied": True,
        "layout": "transformers5",
        "template": "chat_template.jinja",
        "processor": {"size": {"shortest_edge": 256, "longest_edge": 10240}},
        "gradients": ["token", "sequence"],
        "updates": 13.0,  # the norm at which gradients are clipped
    },
    # untied, as published: flat fields, fields left out where the class default holds
    "published": {
        "text": language(48, 6, 2, 2, [2, 1, 1], theta=10000.0, eps=1e-5),
        "vision": vision(16, 1, 4, 14, 56, [1, 3], 48),
        "tied": False,
        "layout": "published",
        "template": "chat_template.json",
        "processor": {"min_pixels": 784, "max_pixels": 15680},
        "gradients": ["token"],
    },
}
MORE = {
    "all-heads": {
        "text": language(64, 4, 4, 3, [2, 3, 3]),
        "vision": vision(32, 2, 4, 8, 48, [2], 64),
        "tied": False,
        "layout": "transformers5",
        "template": "tokenizer_config.json",
        "processor": {"min_pixels": 1024, "max_pixels": 15360},
        "gradients": ["token", "sequence"],
        "updates": 5.5,
    },
    # one key/value head, tied, published layout, an odd window, in several files of bfloat16
    "one-kv-head": {
        "text": language(64, 8, 1, 2, [1, 1, 2]),
        "vision": vision(24, 3, 3, 14, 70, [0, 2], 64),
        "tied": True,
        "layout": "published",
        "template": "chat_template.jinja",
        "processor": {"size": {"shortest_edge": 784, "longest_edge": 784 * 40}},
        "gradients": ["sequence"],
        "files": "bfloat16 shards",
    },
    "merge-three": {
        "text": language(48, 4, 2, 2, [2, 2, 2]),
        "vision": vision(16, 2, 3, 6, 36, [], 48, merge=3),
        "tied": True,
        "layout": "transformers5",
        "template": "chat_template.jinja",
        "processor": {"min_pixels": 324, "max_pixels": 12960},
        "gradients": [],
        "files": "float16",
    },
    # three heads of 12, windows of a single token, one frame a patch
    "odd-sizes": {
        "text": language(36, 3, 1, 1, [2, 2, 2], theta=5e5),
        "vision": {**vision(12, 3, 2, 4, 8, [1], 36), "temporal_patch_size": 1, "intermediate_size": 7},
        "tied": False,
        "layout": "published",
        "template": "chat_template.jinja",
        "processor": {"min_pixels": 64, "max_pixels": 2560, "temporal_patch_size": 1},
        "gradients": ["token"],
    },
}


def published_config(config, variant):
    """config.json as the published models have it."""
    language, tower = variant["text"], variant["vision"]
    rope = language["rope_parameters"]
    flat = {key: value for key, value in language.items() if key != "rope_parameters" and value is not None}
    flat["rope_theta"] = rope["rope_theta"]
    if flat["rms_norm_eps"] == 1e-5:
        del flat["rms_norm_eps"]  # the class default
    if rope["rope_theta"] == 1e6:
        del flat["rope_theta"]
    tower = {**tower, "in_chans": 3, "spatial_patch_size": tower["patch_size"], "tokens_per_second": 2}
    if tower["patch_size"] == 14:
        del tower["patch_size"]
    if tower["spatial_merge_size"] == 2:
        del tower["spatial_merge_size"]
    return {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        "model_type": "qwen2_5_vl",
        **{key: config[key] for key in ("image_token_id", "video_token_id")},
        **{key: config[key] for key in ("vision_start_token_id", "vision_end_token_id")},
        **flat,
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
        "sliding_window": 32768,
        "max_window_layers": 70,
        "use_sliding_window": False,
        **({"tie_word_embeddings": True} if variant["tied"] else {}),
        "torch_dtype": "float32",
        "transformers_version": "4.41.2",
        "use_cache": True,
        "vision_config": tower,
    }


def make(out, name, variant, seed):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tower = variant["vision"]
    ids = write_companions(
        folder, tower["patch_size"], tower["spatial_merge_size"], variant["template"], variant["processor"]
    )
    config = Qwen2_5_VLConfig(
        text_config=dict(variant["text"]),
        vision_config=dict(tower),
        tie_word_embeddings=variant["tied"],
        **image_ids(ids),
    )
    config._attn_implementation = "eager"
    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(config)
    randomise(model, seed)
    files = variant.get("files", "float32")
    narrow = {"float32": None, "float16": torch.float16, "bfloat16 shards": torch.bfloat16}[files]
    if narrow is not None:
        # the reference is computed in float32 with the values that the file can hold
        for parameter in model.parameters():
            parameter.data.copy_(parameter.data.to(narrow).float())
    keep = {file.name: file.read_bytes() for file in folder.iterdir()}
    saved = model if narrow is None else Qwen2_5_VLForConditionalGeneration(config).to(narrow)
    if narrow is not None:
        saved.load_state_dict(model.state_dict())
    saved.save_pretrained(folder, max_shard_size="100KB" if "shards" in files else "5GB")
    for file, content in keep.items():
        (folder / file).write_bytes(content)
    if variant["layout"] == "published":
        write_json(folder / "config.json", published_config(json.loads((folder / "config.json").read_text()), variant))
    (folder / "reference").mkdir()

    # the reference is of the folder as it stands, loaded as anyone would
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    make_images(folder / "reference", tower["patch_size"] * tower["spatial_merge_size"], seed)
    processor = load_processor(folder)
    cases = {
        case: encode(processor, messages, [folder / "reference" / image for image in images])
        for case, (messages, images) in CASES.items()
    }
    write_forward(model, folder, cases)
    if variant["gradients"]:
        write_gradients(model, folder, cases, ids["<|im_end|>"], variant["gradients"])
    if variant.get("updates"):
        write_updates(model, folder, cases, ids["<|im_end|>"], variant["updates"])


def make_twin(out, name, source):
    """The model of another folder in the other layout of config.json, under the other tensor names."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(out / source, folder)
    weights = load_file(folder / "model.safetensors")
    config = Qwen2_5_VLConfig.from_pretrained(folder)
    config.save_pretrained(folder)
    renamed = {}
    for key, value in weights.items():
        key = key.replace("visual.", "model.visual.", 1) if key.startswith("visual.") else key
        renamed[key.replace("model.", "model.language_model.", 1) if key.startswith(("model.l", "model.e", "model.n")) else key] = value
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--more", action="store_true")
    arguments = parser.parse_args()
    for seed, (name, variant) in enumerate({**VARIANTS, **(MORE if arguments.more else {})}.items()):
        make(arguments.out, name, variant, 100 + seed)
        print(name, flush=True)
    if arguments.more:
        make_twin(arguments.out, "published-twin", "published")


if __name__ == "__main__":
    main()
