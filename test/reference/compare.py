"""Holds a fresh output against the committed one, two folders or two files: python compare.py COMMITTED FRESH"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

# rounding differs between processors; made-up weights, pixels and ids do not
TOLERANCE = {"logits": 2e-5, "grpo-token": 1e-4, "grpo-sequence": 1e-4, "sft": 1e-4, "gradients": 1e-4, "dropout": 1e-4, "updated": 1e-4}


def close(a, b, tolerance):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(close(a[k], b[k], tolerance) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, float) or isinstance(b, float):
        return abs(a - b) <= tolerance * max(1.0, abs(a))
    return a == b


def differences(committed, fresh):
    if committed.suffix == ".safetensors":
        old, new = load_file(committed), load_file(fresh)
        if old.keys() != new.keys():
            yield "other tensors"
        tolerance = TOLERANCE.get(committed.stem, 0.0)
        for name in old.keys() & new.keys():
            scale = max(1.0, float(np.abs(old[name]).max()))
            if old[name].shape != new[name].shape:
                yield f"{name}: other shape"
            elif float(np.abs(old[name] - new[name]).max()) > tolerance * scale:
                yield f"{name}: {np.abs(old[name] - new[name]).max():.3g} apart"
    elif committed.suffix == ".json":
        if not close(json.loads(committed.read_text()), json.loads(fresh.read_text()), 1e-4):
            yield "other content"
    elif committed.read_bytes() != fresh.read_bytes():
        yield "other bytes"


def main():
    committed, fresh = Path(sys.argv[1]), Path(sys.argv[2])
    faults = []
    files = [committed] if committed.is_file() else sorted(file for file in committed.rglob("*") if file.is_file())
    for file in files:
        other = fresh if file == committed else fresh / file.relative_to(committed)
        found = list(differences(file, other)) if other.exists() else ["not made"]
        faults += [f"{file.relative_to(committed)}: {fault}" for fault in found]
    print("\n".join(faults) or f"{len(files)} files agree")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
