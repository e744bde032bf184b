"""Pictures: bytes <-> float32 [H, W, 3] in 0..1, sRGB. Whatever is wrong with a picture is one line of ImageError.

Only the formats in `FORMATS` are ever tried, so that no decoder for documents or fonts meets a stranger's bytes, and
the header is checked before a pixel is decoded. This module does not know how large a painting should be.
"""

import io
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from nst.errors import ImageError, InputError, NotAnImage, TooLarge

Array = NDArray[np.float32]

MAX_BYTES = 30 * 2**20
MAX_PIXELS = 120 * 10**6
MIN_SIDE = 16  # px
LEVEL = 2  # of a PNG's compression: a quarter of the usual level's time, for 7 % more bytes of a painting
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")  # that a folder is searched for
READS = "PNG, JPEG, WebP, GIF, BMP, TIFF"  # what we tell people, who rarely meet the others

TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_one_decoder = threading.Lock()  # warnings can only be silenced for all threads; and large pictures decode one by one


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and in sRGB."""

    rgb: Array  # [H, W, 3], 0..1; under transparency the visible colours' mean, which gives a network nothing to see
    alpha: Array | None  # [H, W], 0..1; None when opaque
    width: int  # of the original after the EXIF turn, px, before any reduction
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
    """The picture in `data`; of an animation the first frame.

    Args:
        data: a file's bytes.
        name: what errors call it.
        least: px that each side must have.
        long_side: px that are needed; a larger picture may be reduced while decoding, but never below that.
        most_bytes: that the file may have.
        most_pixels: that the picture may have.

    Raises:
        NotAnImage: empty, damaged, cut off, or no format that we read.
        TooLarge: over `most_bytes` or `most_pixels`.
        ImageError: a side under `least`.
    """
    _check_bytes(len(data), name, most_bytes)
    try:
        with _one_decoder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, name, long_side, least, most_pixels)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise NotAnImage(f"{name!r} must be a picture ({READS}), got {_guess(data)}") from None
    except Image.DecompressionBombError:
        seen = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise TooLarge(f"{name!r} must have at most {MAX_PIXELS // 10**6} megapixels, got over {seen}") from None
    except MemoryError:
        raise TooLarge(f"{name!r} does not fit into memory") from None
    except Exception:  # Pillow's decoders raise whatever their parsing stumbles on
        raise NotAnImage(f"{name!r} is damaged or cut off: it begins like a picture but cannot be decoded") from None


def read_file(path: Path | str, long_side: int | None = None) -> Picture:
    """The picture in a file; see `read`. Raises ImageError also where there is no readable file."""
    return read(read_bytes(path), Path(path).name, long_side)


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a picture file, checked to be no more than `MAX_BYTES`. Raises ImageError."""
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
    if not np.issubdtype(picture.dtype, np.floating):
        raise InputError(f"{rule}, got {picture.dtype}")
    if not (picture.min() >= 0 and picture.max() <= 1):  # NaN is neither
        raise InputError(f"{rule}, got {picture.min():g} to {picture.max():g}")


def resize(array: Array, height: int, width: int) -> Array:
    """`array` ([H, W] or [H, W, 3], 0..1) at `height` x `width` px: Lanczos, antialiased, clipped to 0..1."""
    if array.shape[:2] == (height, width):
        return np.clip(array, 0, 1, dtype=np.float32)
    if array.ndim == 3:
        return np.stack([resize(channel, height, width) for channel in np.moveaxis(array, -1, 0)], axis=-1)
    plane = Image.fromarray(np.ascontiguousarray(array, np.float32)).resize((width, height), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(plane), 0, 1)


def encode_jpeg(rgb: Array, quality: int = 90, comment: str = "") -> bytes:
    """`rgb` ([H, W, 3], 0..1) as JPEG; colours at full resolution from quality 90 on. `comment` is kept in the file."""
    buffer = io.BytesIO()
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    _to_8_bit(rgb).save(buffer, "JPEG", quality=quality, subsampling=subsampling, comment=comment.encode())
    return buffer.getvalue()


def encode_png(rgb: Array, alpha: Array | None = None, text: Mapping[str, str] | None = None) -> bytes:
    """`rgb` ([H, W, 3], 0..1) as 8-bit sRGB PNG.

    Args:
        rgb: the picture.
        alpha: [h, w], 0..1, of any size; put back over the whole picture.
        text: keyword -> text, kept in the file beside the picture.
    """
    picture = _to_8_bit(rgb)
    if alpha is not None:
        picture.putalpha(_to_8_bit(resize(alpha, *rgb.shape[:2])))
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\x00")  # rendering intent: perceptual
    for keyword, value in (text or {}).items():
        chunks.add_text(keyword, value)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=chunks, compress_level=LEVEL)
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


def _decode(data: bytes, name: str, long_side: int | None, least: int, most_pixels: int) -> Picture:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        _check_size(width, height, name, least, most_pixels)
        if long_side and long_side < max(width, height):
            share = long_side / max(width, height)
            opened.draft(None, (max(1, int(width * share)), max(1, int(height * share))))  # JPEG: 1/2, 1/4 or 1/8
        opened.load()
        profile = opened.info.get("icc_profile")
        orientation = _orientation(opened)
        image = _plain(opened)
        if long_side and (factor := max(image.size) // long_side) > 1:
            image = image.reduce(factor)
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    if orientation >= 5:
        width, height = height, width
    alpha = np.asarray(image.getchannel("A"), np.float32) / np.float32(255) if image.mode == "RGBA" else None
    rgb = _to_rgb(image, profile)
    if alpha is not None and alpha.min() < 1:
        rgb = _cover_hidden(rgb, alpha)
    else:
        alpha = None
    return Picture(rgb, alpha, width, height, "JPEG" if opened.format == "MPO" else str(opened.format))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1..8; damaged EXIF counts as upright."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # the parser meets whatever a camera wrote
        return 1
    return orientation if orientation in TURNS else 1


def _plain(image: Image.Image) -> Image.Image:
    """The picture in one of five modes: L, RGB, RGBA, CMYK, or F (deep grey) in 0..1."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_deep_grey(np.asarray(image, np.float32), image.mode))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, lab, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _deep_grey(values: Array, mode: str) -> Array:
    """0..1 of numbers whose range the file does not tell, except for 16 bit: the smallest usual one that holds them."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    top = float(values.max())
    white = (
        65535.0 if mode.startswith("I;16") else next((usual for usual in (1.0, 255.0, 65535.0) if top <= usual), top)
    )
    return np.clip(values / white, 0, 1)


def _to_rgb(image: Image.Image, profile: bytes | None) -> Array:
    """float32 [H, W, 3] in 0..1, sRGB, without alpha."""
    if image.mode == "F":
        return np.repeat(np.asarray(image)[..., None], 3, axis=-1)
    if image.mode == "RGBA":
        image = image.convert("RGB")
    if profile:
        image = _to_srgb(image, profile)
    return np.asarray(image.convert("RGB"), np.float32) / np.float32(255)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture with its ICC profile applied; untouched if the profile is damaged or meant for other channels."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _cover_hidden(rgb: Array, alpha: Array) -> Array:
    """`rgb` over the mean of its visible colours: what transparency hides can be anything, and would be painted."""
    cover = alpha[..., None]
    visible = float(alpha.sum(dtype=np.float64))
    mean = (rgb * cover).sum((0, 1), dtype=np.float64) / visible if visible else np.full(3, 0.5)
    return (mean + cover * (rgb - mean)).astype(np.float32)


def _to_8_bit(array: Array) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8))


def _guess(data: bytes) -> str:
    """What bytes that are no picture of ours seem to be, in words."""
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
    return "something else"


def fit(height: int, width: int, long_side: int) -> tuple[int, int]:
    """(height, width) of the same aspect ratio with the long side given; at least 1 px."""
    factor = long_side / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))
