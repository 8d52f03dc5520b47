"""Loads a folder that Triphase saved with transformers: python check_saved.py SOURCE SAVED FACTOR

SAVED must hold the parameters of SOURCE times FACTOR, in float32 and under names that leave nothing over, and must have
its tokenizer, chat template and image processor.
"""

import sys

import numpy as np
import torch
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


def load(folder):
    # without a dtype, so that the one that config.json names is taken
    model, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
    assert not any(info.values()), info
    return model


def main():
    source, saved, factor = sys.argv[1], sys.argv[2], float(sys.argv[3])
    before, after = load(source), load(saved)
    assert after.dtype == torch.float32, after.dtype
    old, new = before.state_dict(), after.state_dict()
    assert old.keys() == new.keys()
    for name, value in old.items():
        assert torch.equal(value.float() * factor, new[name]), name
    tied = after.lm_head.weight.data_ptr() == after.get_input_embeddings().weight.data_ptr()
    assert tied == before.config.tie_word_embeddings

    words = "Größe 東京 <|im_end|>"
    tokenizers = [AutoTokenizer.from_pretrained(folder) for folder in (source, saved)]
    assert tokenizers[0](words)["input_ids"] == tokenizers[1](words)["input_ids"]
    assert tokenizers[0].chat_template == tokenizers[1].chat_template
    image = np.arange(60 * 60 * 3, dtype=np.uint8).reshape(60, 60, 3)
    pixels = [Qwen2VLImageProcessorPil.from_pretrained(f)(images=[image])["pixel_values"] for f in (source, saved)]
    assert np.array_equal(*pixels)
    assert before.generation_config.eos_token_id == after.generation_config.eos_token_id
    print(f"{len(new)} tensors agree")


if __name__ == "__main__":
    main()
