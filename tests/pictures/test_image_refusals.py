"""Pictures that cannot be used, and damaged files, are refused in one line."""

import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nst.errors import ImageError, NotAnImage, TooLarge
from nst.pictures.decoding import DECODER_COPIES, MAX_DECODED_BYTES, MAX_PIXELS, decode
from nst.pictures.images import read
from tests.pictures.picture_files import ALPHAS, OPAQUE, PALETTE, RAMP, encoded, png

README = Path(__file__).parents[2] / "README.md"

modest = settings(max_examples=50, deadline=None, derandomize=True)


def header(width: int, height: int) -> bytes:
    return png(width, height, 8, 2, b"\0" * height)


BOX = b"\0\0\0\x18ftyp"


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated until there are `count`."""
    data = encoded(RAMP, "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + data[-2:]


def resized(data: bytes, width: int, height: int, frame: bytes = b"\xff\xc2") -> bytes:
    """A JPEG, progressive unless `frame` is another marker, with another size in its header."""
    at = data.index(frame) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def by_component(data: bytes) -> bytes:
    """A baseline JPEG of three components whose first scan has one of them, as if others would follow."""
    at = data.index(b"\xff\xda")
    return data[:at] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + data[at + 14 :]


REFUSED = {
    "zero bytes": (b"", NotAnImage, "'my picture' must be a picture, got an empty file (0 bytes)"),
    "text": (b"hello there", NotAnImage, "must be a picture (PNG, JPEG, WebP, GIF, BMP, TIFF), got a text file"),
    "SVG": (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="a"/>', NotAnImage, "got an SVG drawing; export it as PNG"),
    "SVG with a mark": (b'\xef\xbb\xbf  <svg xmlns="a">', NotAnImage, "got an SVG drawing; export it as PNG"),
    "a web page": (b"<!DOCTYPE html><html><body><svg/>", NotAnImage, "got "),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", NotAnImage, "got a PDF document; export the page as PNG"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", NotAnImage, "got a text file"),
    "HEIC": (BOX + b"heic\0\0\0\0mif1heic", NotAnImage, "got a HEIC photo; save it as JPEG first"),
    "a video": (BOX + b"isom\0\0\0\0isomavc1", NotAnImage, "got a video"),
    "a truncated PNG": (encoded(RAMP, "PNG")[:-60], NotAnImage, "is damaged or cut off"),
    "a truncated JPEG": (encoded(RAMP, "JPEG")[:-200], NotAnImage, "is damaged or cut off"),
    "a truncated WebP": (encoded(RAMP, "WEBP")[:-50], NotAnImage, "'my picture' "),
    "a truncated GIF": (encoded(PALETTE, "GIF")[:-300], NotAnImage, "is damaged or cut off"),
    "a truncated BMP": (encoded(RAMP, "BMP")[:-300], NotAnImage, "is damaged or cut off"),
    "a truncated TIFF": (encoded(RAMP, "TIFF")[:-300], NotAnImage, "is damaged or cut off"),
    "a PNG of its name alone": (b"\x89PNG\r\n\x1a\n", NotAnImage, "'my picture' "),
    "a narrow picture": (
        encoded(RAMP.resize((15, 90)), "PNG"),
        ImageError,
        "at least 16 px wide and high, got 15 x 90",
    ),
    "a flat picture": (encoded(RAMP.resize((90, 1)), "PNG"), ImageError, "at least 16 px wide and high, got 90 x 1"),
    "121 megapixels": (header(11_000, 11_000), TooLarge, "at most 120 megapixels, got 121.0 (11000 x 11000 px)"),
    "a bomb": (header(60_000, 60_000), TooLarge, "at most 120 megapixels, got over 178"),
    "a JPEG of too many scans": (scans(101), TooLarge, "at most 100 scans, got 101: save it as an ordinary JPEG"),
    "a small file of a large WebP": (
        encoded(Image.new("RGB", (6000, 6000)), "WEBP", lossless=True, method=0),
        TooLarge,
        "at most 400 MB when it is decoded, got 432 (6000 x 6000 px): save it as an ordinary JPEG",
    ),
    "a large progressive JPEG": (
        resized(encoded(RAMP, "JPEG", progressive=True, subsampling=0), 9000, 9000),
        TooLarge,
        "at most 400 MB when it is decoded, got 486 (9000 x 9000 px): save it as an ordinary JPEG",
    ),
    "a large baseline JPEG of several scans": (
        resized(by_component(encoded(RAMP, "JPEG", subsampling=0)), 9000, 9000, b"\xff\xc0"),
        TooLarge,
        "at most 400 MB when it is decoded, got 486 (9000 x 9000 px): save it as an ordinary JPEG",
    ),
    "an upload over the limit": (b"\xff" * (30 * 2**20 + 99_999), TooLarge, "must be at most 30 MB, got 30.1 MB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_picture_that_cannot_be_used_is_refused_in_one_line(case):
    data, kind, words = REFUSED[case]
    for use in (lambda: read(data, "my picture"), lambda: read(data, "my picture", 64)):
        with pytest.raises(kind) as caught:
            use()
        assert type(caught.value) is kind
        assert words in str(caught.value)
        assert "my picture" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", ["RGBA", "progressive", *DECODER_COPIES])
def test_the_readme_names_the_most_megapixels_of_formats_that_take_more_memory(format):
    bytes_per_pixel = {"RGBA": 4, "progressive": 6}.get(format) or 4 * DECODER_COPIES[format]
    words = {"RGBA": "transparency", "WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(format, format)
    limits = re.search(r"\*\*Honest files\*\*.*?;", README.read_text(), re.DOTALL)[0]
    assert re.search(rf"{words}[^,]* {MAX_DECODED_BYTES // bytes_per_pixel // 10**6}\b", limits)
    assert f"{MAX_PIXELS // 10**6} megapixels" in limits


def test_an_avif_that_cannot_be_read_is_refused():
    with pytest.raises(NotAnImage):
        read(BOX + b"avif\0\0\0\0mif1avif")


def test_a_name_with_a_line_break_stays_one_line():
    with pytest.raises(NotAnImage) as caught:
        read(b"", "a\nb.png")
    assert "\n" not in str(caught.value)


def test_a_progressive_jpeg_of_a_hundred_scans_is_read():
    assert read(scans(100)).rgb.shape == read(scans(10)).rgb.shape


def test_sixteen_pixels_are_enough():
    assert read(encoded(RAMP.resize((16, 16)), "PNG")).rgb.shape == (16, 16, 3)


SEEDS = [data for data, *_ in OPAQUE.values()] + list(ALPHAS.values())


@settings(modest, max_examples=150)
@given(st.sampled_from(SEEDS), st.data())
def test_damage_anywhere_gives_a_picture_or_one_line_and_no_warning(seed, draw):
    data = bytearray(seed)
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, min(400, len(data) - 1)))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(1, len(data)))] if draw.draw(st.booleans()) else data
    try:
        picture = decode(bytes(data), "image", 32)
    except ImageError as error:
        message = str(error)
    else:
        message = ""
        assert np.isfinite(picture.rgb).all()
        assert picture.rgb.min() >= 0
        assert picture.rgb.max() <= 1
    assert "\n" not in message


def test_a_picture_of_a_hundred_megapixels_gives_no_warning():
    with pytest.raises(NotAnImage, match="damaged or cut off"):
        read(header(10_000, 10_000)[:60])


def test_threads_may_read_at_once():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(OPAQUE["JPEG"][0]).rgb, range(16)))
    assert all(np.array_equal(rgb, found[0]) for rgb in found)
