"""Writes what transformers' logits processors make of some logits, in the order in which its generate applies them.

    python test/reference/make_warping.py MODEL OUT.json

The list of processors is the one that generate itself builds, for a model folder of make_models.py.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import GenerationConfig, Qwen2_5_VLForConditionalGeneration

VOCABULARY = 48
CASES = [
    {"temperature": 0.7},
    {"temperature": 1.3, "topK": 5},
    {"temperature": 1.0, "topK": 3, "ties": True},
    {"temperature": 1.0, "topP": 0.6},
    {"temperature": 2.5, "topP": 0.95},
    {"temperature": 1.0, "topP": 0.5, "ties": True},
    {"temperature": 1.0, "topP": 0.001},
    {"temperature": 1.0, "minP": 0.1},
    {"temperature": 1.7, "minP": 0.6},
    {"temperature": 1.0, "repetitionPenalty": 1.3},
    {"temperature": 0.6, "repetitionPenalty": 0.8},
    {"temperature": 0.9, "topK": 12, "topP": 0.9, "minP": 0.05, "repetitionPenalty": 1.2},
    {"temperature": 3.0, "topK": 30, "topP": 0.8, "minP": 0.3, "repetitionPenalty": 2.0},
    {"temperature": 0, "topK": 3, "topP": 0.5, "minP": 0.5, "repetitionPenalty": 1.5},
]


def processors(model, case):
    config = GenerationConfig(
        do_sample=case["temperature"] > 0,
        temperature=float(case["temperature"] or 1.0),
        top_k=case.get("topK", 0),
        top_p=case.get("topP", 1.0),
        min_p=case.get("minP"),
        repetition_penalty=case.get("repetitionPenalty", 1.0),
    )
    return model._get_logits_processor(config, input_ids_seq_length=8, device="cpu", model_kwargs={})


def main():
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(sys.argv[1])
    generator = torch.Generator().manual_seed(11)
    rows = []
    for case in CASES:
        logits = 2.5 * torch.randn(VOCABULARY, generator=generator)
        if case.pop("ties", False):
            logits = logits.round()
        # the prompt, and a completion that repeats itself
        seen = torch.randint(0, VOCABULARY, (8,), generator=generator).tolist()
        seen += seen[-3:]
        scores = processors(model, case)(torch.tensor([seen]), logits[None].clone())[0]
        values = [None if value == -float("inf") else value for value in scores.tolist()]
        rows.append({"warping": case, "logits": logits.tolist(), "seen": seen, "scores": values})
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    Path(sys.argv[2]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
