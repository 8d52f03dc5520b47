"""Makes small pictures in many file formats, and what transformers' load_image and Pillow's resize make of them.

    python test/reference/make_pictures.py OUT

pictures.json: by file, `width`, `height` and `sha256` of the RGB bytes that load_image gives, or null where it fails.
resizes.json: `from` and `to` ([width, height]) and `sha256` of the RGB bytes of Pillow's bicubic resize; the source has
the bytes of the generator x -> (1103515245 x + 12345) mod 2^31 from x = 1, each the state's bits 16 to 23.
targets.json: `from` and `to` ([height, width]) of smart_resize with patches of 14, merged by 2, within LIMITS.
"""

import hashlib
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms
from transformers.image_utils import load_image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

WIDTH, HEIGHT = 29, 19


def png(values, colour_type, bits, chunks=b""):
    """PNGs that Pillow does not write: 16 bits a channel, less than 8 bits of grey."""
    height, width = values.shape[:2]
    rows = []
    for row in values.reshape(height, -1):
        if bits == 16:
            rows.append(b"\0" + row.astype(">u2").tobytes())
        else:
            text = "".join(format(int(value), f"0{bits}b") for value in row)
            text += "0" * (-len(text) % 8)
            rows.append(b"\0" + int(text, 2).to_bytes(len(text) // 8, "big"))
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunks
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def make(out):
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [127 + 100 * np.sin(x / 7 + k) * np.cos(y / (5 + k)) for k in range(4)]
    values = (np.stack(planes, axis=-1) + generator.normal(0, 8, (HEIGHT, WIDTH, 4))).clip(0, 255).astype(np.uint8)
    rgb, rgba = Image.fromarray(values[..., :3]), Image.fromarray(values)
    wide = values.astype(np.uint16) * 253 + generator.integers(0, 200, values.shape).astype(np.uint16)
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=200)

    rgb.save(out / "rgb.png")
    rgba.save(out / "rgba.png")
    rgb.convert("L").save(out / "grey.png")
    rgba.convert("LA").save(out / "grey-alpha.png")
    rgb.convert("1").save(out / "black-white.png")
    rgb.convert("L").save(out / "grey-transparent.png", transparency=100)
    rgb.save(out / "rgb-transparent.png", transparency=tuple(int(value) for value in values[0, 0, :3]))
    palette.save(out / "palette.png")
    palette.save(out / "palette-transparent.png", transparency=3)
    palette.save(out / "palette-alpha.png", transparency=bytes(range(200)))
    rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=11).save(out / "palette-4-bits.png", bits=4)
    (out / "rgb-16-bits.png").write_bytes(png(wide[..., :3], 2, 16))
    (out / "rgba-16-bits.png").write_bytes(png(wide, 6, 16))
    (out / "grey-16-bits.png").write_bytes(png(wide[..., 0] // 100, 0, 16))
    (out / "grey-alpha-16-bits.png").write_bytes(png(wide[..., :2], 4, 16))
    (out / "grey-2-bits.png").write_bytes(png(values[..., 0] // 64, 0, 2))
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    (out / "gamma.png").write_bytes(png(values[..., :3], 2, 8, gamma))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb.save(out / "profile.png", icc_profile=profile)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[274] = orientation
        rgb.save(out / f"orientation-{orientation}.{'png' if orientation % 2 == 0 else 'jpg'}", exif=exif)
    for quality, subsampling in ((20, 2), (75, 1), (95, 0)):
        rgb.save(out / f"quality-{quality}.jpg", quality=quality, subsampling=subsampling)
    rgb.save(out / "progressive.jpg", progressive=True)
    rgb.convert("L").save(out / "grey.jpg")
    rgb.convert("CMYK").save(out / "inks.jpg")
    rgb.save(out / "lossy.webp", quality=50)
    rgba.save(out / "lossless.webp", lossless=True)
    rgb.save(out / "animation.gif", save_all=True, append_images=[rgb.rotate(180)])
    rgb.save(out / "lzw.tif", compression="tiff_lzw")

    # broken ones
    whole = (out / "rgb.png").read_bytes()
    (out / "cut.png").write_bytes(whole[: len(whole) // 2])
    (out / "wrong-checksum.png").write_bytes(whole[:-20] + bytes([whole[-20] ^ 255]) + whole[-19:])
    whole = (out / "quality-95.jpg").read_bytes()
    (out / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (out / "no-image.png").write_text("This is not an image.\n")
    (out / "empty.png").write_bytes(b"")
    huge = struct.pack(">IIBBBBB", 60000, 60000, 1, 0, 0, 0, 0)
    (out / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", huge) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


def describe(file):
    try:
        image = load_image(str(file))
    except Exception:
        return None
    return {"width": image.width, "height": image.height, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}


SIZES = [
    ((40, 30), (80, 60)), ((40, 30), (56, 28)), ((41, 33), (28, 28)), ((100, 7), (28, 28)), ((7, 100), (28, 28)),
    ((64, 64), (64, 56)), ((64, 64), (56, 64)), ((64, 64), (64, 64)), ((300, 200), (84, 56)), ((13, 11), (112, 84)),
    ((57, 91), (56, 84)), ((91, 57), (84, 56)), ((30, 60), (28, 56)), ((30, 60), (29, 58)), ((30, 60), (29, 57)),
    ((1, 1), (56, 56)), ((2, 3), (1, 1)), ((640, 20), (560, 28)), ((29, 257), (28, 252)),
]  # fmt: skip


# fewest and most pixels
LIMITS = (56 * 56, 28 * 28 * 16)


def source(width, height):
    state, values = 1, bytearray()
    for _ in range(width * height * 3):
        state = (1103515245 * state + 12345) % 2**31
        values.append((state >> 16) & 255)
    return Image.frombytes("RGB", (width, height), bytes(values))


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    make(out)
    files = sorted(file for file in out.iterdir() if file.suffix != ".json")
    pictures = {file.name: describe(file) for file in files}
    write(out / "pictures.json", [f'"{name}": {json.dumps(found)}' for name, found in pictures.items()], "{}")
    resizes = []
    for start, end in SIZES:
        result = source(*start).resize(end, Image.Resampling.BICUBIC)
        digest = hashlib.sha256(result.tobytes()).hexdigest()
        resizes.append(json.dumps({"from": start, "to": end, "sha256": digest}))
    write(out / "resizes.json", resizes, "[]")
    generator = np.random.default_rng(1)
    shapes = [(14, 42), (42, 70), (98, 126), (70, 70), (2000, 20)]
    shapes += [tuple(int(side) for side in generator.integers(14, limit, 2)) for limit in (60, 300, 3000) for _ in range(30)]
    targets = [json.dumps({"from": shape, "to": smart_resize(*shape, 28, *LIMITS)}) for shape in shapes if max(shape) < 200 * min(shape)]
    write(out / "targets.json", targets, "[]")


def write(file, lines, brackets):
    file.write_text(f"{brackets[0]}\n " + ",\n ".join(lines) + f"\n{brackets[1]}\n")


if __name__ == "__main__":
    main()
