"""Decode and encode pictures: bytes <-> float32 [H, W, 3] in 0..1, sRGB.

A file may come from anybody. Its decoders' time and memory are bounded: formats whose decoders are quick for every file
within the limits (decoding.py) are decoded here, the others in a new process each (decoder_process.py). What serves
many people has the quick ones decoded in one other process, too: `apart`.
"""

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from nst.errors import Busy, ImageError, InputError, NotAnImage, TooLarge
from nst.pictures.color_modes import Array as Array
from nst.pictures.decoder_process import Decoder
from nst.pictures.decoding import FORMATS, MAX_PIXELS, decode
from nst.pictures.decoding import MIN_SIDE as MIN_SIDE
from nst.pictures.decoding import Picture as Picture

MAX_BYTES = 30 * 2**20  # of a picture file; body_limit.py and the choosers of the page have their limits from it
FRAME_QUALITY = 88  # JPEG, of the frames of a run; its result is PNG
PNG_LEVEL = 2  # of compression: a quarter of the time of the default level, and files 7 % larger
QUICK_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
SLOW_FORMATS = tuple(format for format in FORMATS if format not in QUICK_FORMATS)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")  # of the pictures in a folder


class WaitingLine:
    """Lets one thread at a time through, and up to `most` wait for their turn or be through."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._free, self._first = threading.BoundedSemaphore(most), threading.Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn. Raises Busy if too many wait."""
        if not self._free.acquire(blocking=False):
            raise Busy(f"{self.most} pictures are being read already: try again in a moment")
        try:
            with self._first:
                yield
        finally:
            self._free.release()


# A thread that waits is one that the pages lack. Slow pictures must not keep quick ones waiting.
quick_line, slow_line = WaitingLine(12), WaitingLine(4)
_decoders: list[Decoder] = []  # for pictures of quick formats; the last one is used


@contextmanager
def apart() -> Iterator[None]:
    """A context in which `read` decodes quick formats in another process, which a fault in a decoder ends alone.

    At its end that process is ended at once; a picture that it decodes then fails.
    """
    with Decoder() as decoder:
        _decoders.append(decoder)
        try:
            yield
        finally:
            _decoders.remove(decoder)


def read(
    data: bytes,
    name: str = "image",
    long_side: int | None = None,
    least: int = MIN_SIDE,
    most_bytes: int = MAX_BYTES,
    most_pixels: int = MAX_PIXELS,
) -> Picture:
    """Decode the picture in `data`, which may come from anybody; of an animation the first frame.

    Args:
        data: the bytes of a file.
        name: how errors call it.
        long_side: px that are needed; a larger picture may be reduced while decoding, but not below that.
        least: px that each side must have.
        most_bytes: limit of the file.
        most_pixels: limit of the picture.

    Raises:
        NotAnImage: empty, damaged, truncated, or in no format of `FORMATS`.
        TooLarge: over `most_bytes`, `most_pixels`, or a limit of decoding.py or decoder_process.py, or memory has no
            room for it.
        ImageError: a side under `least`.
        Busy: many pictures are being read.
    """
    _check_bytes(len(data), name, most_bytes)
    if _begins_like(data, SLOW_FORMATS):
        with slow_line.take(), Decoder() as decoder:
            return decoder.decode(data, name, long_side, least, most_pixels, SLOW_FORMATS)
    with quick_line.take():
        decode_quick = _decoders[-1].decode if _decoders else decode
        return decode_quick(data, name, long_side, least, most_pixels, QUICK_FORMATS)


def _begins_like(data: bytes, formats: tuple[str, ...]) -> bool:
    """Whether a decoder of `formats` would try `data`."""
    Image.init()  # registers the decoders
    accepts = (Image.OPEN[format][1] for format in formats if format in Image.OPEN)
    return any(accept(data[:16]) for accept in accepts if accept)


def read_file(path: Path | str, long_side: int | None = None) -> Picture:
    """Decode the picture in a file of one's own, in this process. Raises ImageError, also if it cannot be read."""
    return decode(read_bytes(path), Path(path).name, long_side)


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


def fit_within(height: int, width: int, side: int) -> tuple[int, int]:
    """(height, width) of the same aspect ratio within `side` x `side` px, never enlarged."""
    return fit(height, width, min(side, max(height, width)))


def encode_jpeg(rgb: Array, quality: int = 90, comment: str = "") -> bytes:
    """`rgb` ([H, W, 3], 0..1) as JPEG, with a comment in the file; chroma at full resolution from quality 90 on."""
    buffer = io.BytesIO()
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    _to_8_bit(rgb).save(buffer, "JPEG", quality=quality, subsampling=subsampling, comment=comment.encode())
    return buffer.getvalue()


def reduced_jpeg(rgb: Array, side: int, quality: int) -> bytes:
    """`rgb` ([H, W, 3], 0..1) as JPEG within `side` x `side` px, never enlarged."""
    height, width = rgb.shape[:2]
    return encode_jpeg(resize(rgb, *fit_within(height, width, side)), quality)


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


def _to_8_bit(array: Array) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8))
