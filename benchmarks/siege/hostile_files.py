"""Files that were made to stop a program that opens them."""

import io
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from nst.pictures.decoding import FORMATS
from nst.styles.style_library import SHIPPED

DAMAGES = 6  # damaged copies of each picture
SIDE = 96  # px of the pictures that are damaged


def hostile_pictures(random: random.Random) -> Iterator[tuple[str, bytes]]:
    """Damaged pictures, and what only says that it is one, each with a name."""
    texts = b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n", b"PK\3\4" + bytes(99)
    yield from ((f"no picture {n}", text) for n, text in enumerate(texts))
    for kind in FORMATS:
        whole = encoded(_noise(random), kind)
        for n in range(DAMAGES):
            yield f"damaged {kind} {n}", damaged(whole, random)


def hostile_masks(random: random.Random) -> Iterator[tuple[str, bytes]]:
    """Masks of the shape of `picture` that are damaged, each with a name."""
    whole = encoded(_noise(random).convert("LA"), "PNG")
    for n in range(DAMAGES):
        yield f"damaged mask {n}", damaged(whole, random)


def picture(random: random.Random) -> bytes:
    """A whole picture of the size of the damaged ones."""
    return encoded(_noise(random), "PNG")


def hostile_settings_files() -> Iterator[tuple[str, bytes]]:
    """Pictures in which hostile text stands in place of the settings of a painting, each with a name."""
    for name, text in hostile_texts():
        yield name, png_file(16, 16, bytes(49 * 16), text_chunk(text))


def hostile_texts() -> Iterator[tuple[str, bytes]]:
    """What stands in a PNG in place of the settings of a painting, by a name."""
    yield "no JSON", b"{" * 1000
    yield "deep", b"[" * 200_000
    yield "long number", b'{"options": {"seed": ' + b"9" * 100_000 + b"}}"
    yield "not finite", b'{"options": {"strength": NaN, "epochs": Infinity}}'
    yield "20 MB of text", json.dumps({"options": {"extractor": "x" * 20_000_000}}).encode()
    yield "other types", b'{"options": [], "steered": {"a": 1}, "styles": 7}'


def hostile_styles(random: random.Random) -> Iterator[tuple[str, bytes]]:
    """Style files that are damaged, and what is none, each with a name."""
    whole = SHIPPED.read_bytes()
    yield "empty", b""
    yield "text", b"a style"
    for share in (0.01, 0.5, 0.99):
        yield f"cut off at {share:.0%}", whole[: int(share * len(whole))]
    for n in range(DAMAGES):
        yield f"damaged {n}", damaged(whole, random)


def damaged(data: bytes, random: random.Random) -> bytes:
    """A copy in which some bytes are others; every second one is cut off, too."""
    copy = bytearray(data)
    for _ in range(random.randint(1, 20)):
        copy[random.randrange(len(copy))] = random.randrange(256)
    return bytes(copy[: random.randint(1, len(copy))] if random.random() < 0.5 else copy)


def png_file(width: int, height: int, rows: bytes, *chunks: bytes) -> bytes:
    """A PNG of RGB with this header and this image data, before compression."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), *chunks, _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def text_chunk(text: bytes) -> bytes:
    """A compressed text chunk with the key under which results keep their settings."""
    return _chunk(b"zTXt", b"nst\0\0" + zlib.compress(text))


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    data = encoded(Image.new("RGB", (256, 256)), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _many_frames(count: int) -> bytes:
    first, *others = (Image.new("L", (64, 64), n % 256) for n in range(count))
    return encoded(first, "GIF", save_all=True, append_images=others)


# Small files of much content, by a name; each takes a second to make.
LARGE: dict[str, Callable[[], bytes]] = {
    "header of 60,000 x 60,000 px": lambda: png_file(60_000, 60_000, b""),
    "10,000 x 10,000 px in 300 kB": lambda: png_file(10_000, 10_000, bytes(30_001 * 10_000)),
    "image data of 400 MB for 16 x 16 px": lambda: png_file(16, 16, bytes(400 * 10**6)),
    "20,000 scans": lambda: many_scans(20_000),
    "small WebP of 36 megapixels": lambda: encoded(Image.new("RGB", (6000, 6000)), "WEBP", lossless=True, method=0),
    "2,000 frames": lambda: _many_frames(2000),
}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _noise(random: random.Random) -> Image.Image:
    values = np.random.default_rng(random.randrange(2**32)).integers(256, size=(SIDE, SIDE, 3), dtype=np.uint8)
    return Image.fromarray(values)
