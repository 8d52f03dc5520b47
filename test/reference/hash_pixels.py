"""Hashes what the Pillow image processor makes of the pictures below a folder: python hash_pixels.py DATA OUT.json

At most 40 of each folder below DATA, evenly; `sha256` of the float32 pixels by path, with the processor's defaults.
"""

import hashlib
import json
import sys
from pathlib import Path

from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil


def main():
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    processor = Qwen2VLImageProcessorPil()
    hashes = {}
    for folder in sorted(child for child in data.iterdir() if child.is_dir()):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp"))
        for file in files[:: max(1, len(files) // 40)]:
            pixels = processor(images=[str(file)], return_tensors="np")["pixel_values"]
            hashes[str(file.relative_to(data))] = hashlib.sha256(pixels.tobytes()).hexdigest()
    out.write_text(json.dumps(hashes, indent=1))


if __name__ == "__main__":
    main()
