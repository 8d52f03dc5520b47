"""Loads an adapter that Triphase saved: python check_adapter.py SAVED MERGED LOGITS

peft must find every parameter of SAVED and no other, compute the LOGITS of its base's cases, and merge it as MERGED is;
transformers must load SAVED by itself.
"""

import json
import sys
from pathlib import Path

import torch
from make_models import forward_inputs, encode, load_processor
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import Qwen2_5_VLForConditionalGeneration

torch.set_num_threads(1)


def load(folder):
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def main():
    saved, merged, logits = sys.argv[1:4]
    source = Path(PeftConfig.from_pretrained(saved).base_model_name_or_path)
    model = PeftModel.from_pretrained(load(source), saved).eval()
    disk = load_file(f"{saved}/adapter_model.safetensors")
    own = get_peft_model_state_dict(model)
    assert own.keys() == disk.keys(), own.keys() ^ disk.keys()
    for name, value in disk.items():
        assert torch.equal(own[name], value), name
    through = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        saved, dtype=torch.float32, attn_implementation="eager"
    ).eval()

    processor = load_processor(source)
    expected = load_file(logits)
    for case in json.loads((source / "reference" / "cases.json").read_text()):
        _, inputs = encode(processor, case["messages"], [source / "reference" / image for image in case["images"]])
        for loaded in (model, through):
            core = loaded.base_model.model if loaded is model else loaded
            core.model.rope_deltas = None
            with torch.no_grad():
                actual = loaded(**forward_inputs(inputs), use_cache=False).logits[0]
            difference = (actual - expected[case["name"]]).abs().max().item()
            assert difference < 1e-4, f"{case['name']}: {difference}"

    ours, theirs = load(merged).state_dict(), model.merge_and_unload().state_dict()
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert (ours[name] - value).abs().max() <= 1e-6 * max(1.0, value.abs().max()), name
    print(f"{len(disk)} tensors agree")


if __name__ == "__main__":
    main()
