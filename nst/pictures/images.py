"""Decode and encode pictures: bytes <-> float32 [H, W, 3] in 0..1, sRGB.

A file may come from anybody. Only the decoders of `FORMATS` are tried, none for documents or fonts; the header's size
is checked before a pixel is decoded; every failure is one line of ImageError.
"""

import io
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from nst.errors import ImageError, InputError, NotAnImage, TooLarge
from nst.pictures.color_modes import Array as Array
from nst.pictures.color_modes import in_plain_mode, over_mean_color, to_rgb

MAX_BYTES = 30 * 2**20
MAX_PIXELS = 120 * 10**6
MAX_SCANS = 100  # of a JPEG: each passes over all coefficients, and 300 kB can hold twenty thousand
MAX_DECODED_BYTES = 400 * 10**6  # of the pixels as the decoder holds them: 4 kB of WebP can become two gigabytes
DECODER_COPIES = {"WEBP": 3, "GIF": 2, "AVIF": 2, "JPEG2000": 4}  # RGBA pictures that a decoder holds at once
MIN_SIDE = 16  # px
PNG_LEVEL = 2  # of compression: a quarter of the time of the default level, and files 7 % larger
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")  # of the pictures in a folder
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


def read(
    data: bytes,
    name: str = "image",
    long_side: int | None = None,
    least: int = MIN_SIDE,
    most_bytes: int = MAX_BYTES,
    most_pixels: int = MAX_PIXELS,
) -> Picture:
    """Decode the picture in `data`; of an animation the first frame.

    Args:
        data: the bytes of a file.
        name: how errors call it.
        long_side: px that are needed; a larger picture may be reduced while decoding, but not below that.
        least: px that each side must have.
        most_bytes: limit of the file.
        most_pixels: limit of the picture.

    Raises:
        NotAnImage: empty, damaged, truncated, or in no format of `FORMATS`.
        TooLarge: over `most_bytes`, `most_pixels`, `MAX_SCANS` or `MAX_DECODED_BYTES`, or memory has no room for it.
        ImageError: a side under `least`.
    """
    _check_bytes(len(data), name, most_bytes)
    try:
        with _decoding, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, name, long_side, least, most_pixels)
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


def read_file(path: Path | str, long_side: int | None = None) -> Picture:
    """Decode the picture in a file, like `read`. Raises ImageError also if the file cannot be read."""
    return read(read_bytes(path), Path(path).name, long_side)


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a file of at most `MAX_BYTES`. Raises ImageError."""
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(f"{str(path)!r} must be a picture, got a folder")
        if path.exists() and not path.is_file():
            raise ImageError(f"{str(path)!r} must be a picture, got a device")
        _check_bytes(path.stat().st_size, path.name)
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no file {str(path)!r}") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def check_array(picture: Any, name: str) -> None:
    """Raise InputError unless `picture`, called `name`, is an array [H, W, 3] of floats in 0..1."""
    rule = f"`{name}` must be an array [H, W, 3] of floating-point numbers in 0..1"
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise InputError(f"{rule}, got {getattr(picture, 'shape', type(picture).__name__)}")
    _check_values(picture, rule)


def check_plane(plane: Any, name: str) -> None:
    """Raise InputError unless `plane`, called `name`, is an array [H, W] of floats in 0..1."""
    rule = f"`{name}` must be an array [H, W] of floating-point numbers in 0..1"
    if not isinstance(plane, np.ndarray) or plane.ndim != 2 or not plane.size:
        raise InputError(f"{rule}, got {getattr(plane, 'shape', type(plane).__name__)}")
    _check_values(plane, rule)


def _check_values(picture: np.ndarray, rule: str) -> None:
    if not np.issubdtype(picture.dtype, np.floating):
        raise InputError(f"{rule}, got {picture.dtype}")
    if not (picture.min() >= 0 and picture.max() <= 1):  # false for NaN, too
        raise InputError(f"{rule}, got {picture.min():g} to {picture.max():g}")


def resize(array: Array, height: int, width: int) -> Array:
    """`array` ([H, W] or [H, W, 3], 0..1) at `height` x `width` px, by antialiased Lanczos, clipped to 0..1."""
    if array.shape[:2] == (height, width):
        return np.clip(array, 0, 1, dtype=np.float32)
    if array.ndim == 3:
        return np.stack([resize(channel, height, width) for channel in np.moveaxis(array, -1, 0)], axis=-1)
    plane = Image.fromarray(np.ascontiguousarray(array, np.float32)).resize((width, height), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(plane), 0, 1)


def fit(height: int, width: int, long_side: int) -> tuple[int, int]:
    """(height, width) of the same aspect ratio with the long side given; at least 1 px."""
    factor = long_side / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))


def encode_jpeg(rgb: Array, quality: int = 90, comment: str = "") -> bytes:
    """`rgb` ([H, W, 3], 0..1) as JPEG, with a comment in the file; chroma at full resolution from quality 90 on."""
    buffer = io.BytesIO()
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    _to_8_bit(rgb).save(buffer, "JPEG", quality=quality, subsampling=subsampling, comment=comment.encode())
    return buffer.getvalue()


def encode_png(rgb: Array, alpha: Array | None = None, text: Mapping[str, str] | None = None) -> bytes:
    """`rgb` ([H, W, 3], 0..1) as 8-bit sRGB PNG.

    Args:
        rgb: the picture.
        alpha: [h, w], 0..1; resized to the picture.
        text: keyword -> text, written before the pixels.
    """
    picture = _to_8_bit(rgb)
    if alpha is not None:
        picture.putalpha(_to_8_bit(resize(alpha, *rgb.shape[:2])))
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\x00")  # rendering intent: perceptual
    for keyword, value in (text or {}).items():
        chunks.add_text(keyword, value)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=chunks, compress_level=PNG_LEVEL)
    return buffer.getvalue()


def thumbnail(data: bytes, side: int) -> bytes:
    """A JPEG preview of at most `side` x `side` px, transparency shown as a checkerboard. Raises as `read` does."""
    picture = read(data, long_side=side)
    rgb = picture.rgb
    if picture.alpha is not None:
        y, x = np.indices(picture.alpha.shape) * 24 // max(picture.alpha.shape)  # 24 squares along the long side
        board = np.where((x + y) % 2, 0.75, 0.9).astype(np.float32)[..., None]
        rgb = board + picture.alpha[..., None] * (rgb - board)
    preview = _to_8_bit(rgb)
    preview.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    preview.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _check_bytes(count: int, name: str, most: int = MAX_BYTES) -> None:
    if count == 0:
        raise NotAnImage(f"{name!r} must be a picture, got an empty file (0 bytes)")
    if count > most:
        raise TooLarge(f"{name!r} must be at most {most / 2**20:.0f} MB, got {count / 2**20:.1f} MB")


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
        return  # decoded row by row, and reduced on the way
    copies = DECODER_COPIES.get(str(opened.format), 1)
    pixel = 4 * copies if copies > 1 else len(opened.getbands()) * (2 if "16" in opened.mode else 1)
    size = opened.width * opened.height * pixel
    if size > MAX_DECODED_BYTES:
        rule = f"must take at most {MAX_DECODED_BYTES / 1e6:.0f} MB when it is decoded"
        raise TooLarge(f"{name!r} {rule}, got {size / 1e6:.0f} ({opened.width} x {opened.height} px)")


def _decode(data: bytes, name: str, long_side: int | None, least: int, most_pixels: int) -> Picture:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
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


def _to_8_bit(array: Array) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8))


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
