"""Decode a picture file in this process: bytes -> float32 [H, W, 3] in 0..1, sRGB.

The header's size is checked before a pixel is decoded; every failure is one line of ImageError.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin, UnidentifiedImageError

from nst.errors import ImageError, NotAnImage, TooLarge
from nst.pictures.color_modes import Array, in_plain_mode, over_mean_color, to_rgb

MAX_PIXELS = 120 * 10**6  # of a picture file
MAX_SCANS = 100  # of a JPEG: each passes over all coefficients, and 300 kB can hold twenty thousand
MAX_DECODED_BYTES = 400 * 10**6  # of the pixels as the decoder holds them: 4 kB of WebP can become two gigabytes
DECODER_COPIES = {"WEBP": 3, "GIF": 2, "AVIF": 2, "JPEG2000": 4}  # RGBA pictures that a decoder holds at once
MIN_SIDE = 16  # px
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")  # none for documents or fonts
USUAL_FORMATS = "PNG, JPEG, WebP, GIF, BMP, TIFF"  # in messages

TRANSPOSES = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# One picture is decoded at a time: warnings can only be silenced for all threads, and large pictures take much memory.
_decoding = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and in sRGB."""

    rgb: Array  # [H, W, 3], 0..1; over the mean of the visible colors where it is transparent
    alpha: Array | None  # [H, W], 0..1; None if opaque
    width: int  # px, of the upright original, before any reduction
    height: int
    format: str  # "JPEG"


def decode(
    data: bytes,
    name: str,
    long_side: int | None = None,
    least: int = MIN_SIDE,
    most_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = FORMATS,
) -> Picture:
    """Decode the picture in `data`, of one of `formats`. Arguments and errors as of `nst.pictures.images.read`."""
    with _plain_errors(data, name), _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _decode(data, name, long_side, least, most_pixels, formats)


@contextmanager
def _plain_errors(data: bytes, name: str) -> Iterator[None]:
    """Raise an ImageError of one line in the place of what Pillow raises."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise NotAnImage(f"{name!r} must be a picture ({USUAL_FORMATS}), got {_guess(data)}") from None
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise TooLarge(f"{name!r} must have at most {MAX_PIXELS // 10**6} megapixels, got over {limit}") from None
    except MemoryError:
        raise TooLarge(f"{name!r} does not fit into memory") from None
    except Exception:  # Pillow's decoders raise errors of many kinds on damaged files
        raise NotAnImage(f"{name!r} is damaged or cut off: it begins like a picture but cannot be decoded") from None


def _check_size(width: int, height: int, name: str, least: int, most: int) -> None:
    if width * height > most:
        limit = f"{most // 10**6} megapixels"
        raise TooLarge(f"{name!r} must have at most {limit}, got {width * height / 1e6:.1f} ({width} x {height} px)")
    if min(width, height) < least:
        raise ImageError(f"{name!r} must be at least {least} px wide and high, got {width} x {height} px")


def _check_decoding(opened: Image.Image, data: bytes, name: str) -> None:
    """Refuse a file whose decoding takes much longer, or much more memory, than its size suggests."""
    if opened.format in ("JPEG", "MPO"):
        # Within the coded pixels 0xFF is never followed by 0xDA, so only headers of scans are counted.
        scans = data.count(b"\xff\xda")
        if scans > MAX_SCANS:
            raise TooLarge(f"{name!r} must have at most {MAX_SCANS} scans, got {scans}: save it as an ordinary JPEG")
    size = opened.width * opened.height * _bytes_per_pixel(opened, data)
    if size > MAX_DECODED_BYTES:
        rule = f"must take at most {MAX_DECODED_BYTES / 1e6:.0f} MB when it is decoded"
        got = f"{size / 1e6:.0f} ({opened.width} x {opened.height} px)"
        raise TooLarge(f"{name!r} {rule}, got {got}: save it as an ordinary JPEG")


def _bytes_per_pixel(opened: Image.Image, data: bytes) -> float:
    """Bytes that the decoder holds at once for each pixel."""
    if isinstance(opened, JpegImagePlugin.JpegImageFile):
        if "progressive" not in opened.info and _is_one_scan(data, len(opened.layer)):
            return 0.0  # decoded row by row, and reduced on the way
        samples = [across * down for _, across, down, _ in opened.layer]  # of each component, chroma may have fewer
        return 2 * sum(samples) / max(samples)  # all coefficients, of 16 bits
    copies = DECODER_COPIES.get(str(opened.format), 1)
    return 4 * copies if copies > 1 else len(opened.getbands()) * (2 if "16" in opened.mode else 1)


def _is_one_scan(data: bytes, components: int) -> bool:
    """Whether the first scan of a JPEG has all its components; False where the segments before it are unusual."""
    at = 2  # of a marker, after that of the start
    while data[at : at + 1] == b"\xff":
        marker = data[at + 1]
        if marker == 0xDA:  # a scan: its length in two bytes, then how many components it has
            return data[at + 4] == components
        if marker == 0xFF:  # which may fill up
            at += 1
        elif marker < 0xC0 or 0xD0 <= marker <= 0xD9:  # without a length
            return False
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False


def _decode(
    data: bytes, name: str, long_side: int | None, least: int, most_pixels: int, formats: tuple[str, ...]
) -> Picture:
    with Image.open(io.BytesIO(data), formats=formats) as opened:
        width, height = opened.size
        _check_size(width, height, name, least, most_pixels)
        _check_decoding(opened, data, name)
        if long_side and long_side < max(width, height):
            share = long_side / max(width, height)
            opened.draft(None, (max(1, int(width * share)), max(1, int(height * share))))  # JPEG: 1/2, 1/4 or 1/8
        opened.load()
        profile = opened.info.get("icc_profile")
        orientation = _orientation(opened)
        image = in_plain_mode(opened)
        if long_side and (factor := max(image.size) // long_side) > 1:
            image = image.reduce(factor)
    if orientation in TRANSPOSES:
        image = image.transpose(TRANSPOSES[orientation])
    if orientation >= 5:
        width, height = height, width
    alpha = np.asarray(image.getchannel("A"), np.float32) / np.float32(255) if image.mode == "RGBA" else None
    rgb = to_rgb(image, profile)
    if alpha is not None and alpha.min() < 1:
        rgb = over_mean_color(rgb, alpha)
    else:
        alpha = None
    return Picture(rgb, alpha, width, height, "JPEG" if opened.format == "MPO" else str(opened.format))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1..8; 1, upright, if it is damaged or missing."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # cameras write EXIF of many kinds
        return 1
    return orientation if orientation in TRANSPOSES else 1


def _guess(data: bytes) -> str:
    """What bytes in no format of `FORMATS` seem to be, and what to do, for a message."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<") and b"<svg" in data[:16384].lower():
        return "an SVG drawing; export it as PNG first"
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if b"%pdf-" in head:
        return "a PDF document; export the page as PNG first"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
            return "a HEIC photo; save it as JPEG first"
        return "an AVIF picture; save it as JPEG first" if brand in (b"avif", b"avis") else "a video"
    return "a text file" if _is_text(data[:1024]) else "something else"


def _is_text(head: bytes) -> bool:
    """Whether bytes are lines of text in UTF-8; the last character may be cut off."""
    text = head.decode("utf-8", "ignore")
    return len(text.encode()) > len(head) - 4 and all(each.isprintable() or each.isspace() for each in text)
