"""The text under a keyword in a file: a text of a PNG, or the comment of a JPEG. A file may come from anybody."""

import io
from collections.abc import Collection
from typing import BinaryIO

from PIL.JpegImagePlugin import MARKER, JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from nst.errors import ImageError, NoSettings

MAX_LENGTH = 64 * 2**10  # of the text, in characters
MOST_PARTS = 1000  # chunks of a PNG, or segments of a JPEG, before the pixels; Pillow reads each of them in Python
PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"


def read_text(file: BinaryIO, name: str, keywords: Collection[str]) -> tuple[str, str]:
    """(one of the keywords, the text under it) in a file, which errors call `name`.

    Pillow reads only what comes before the pixels, decompresses at most a megabyte of a text, and keeps both kinds of
    text in `info`. Raises NoSettings, and ImageError for a text of over `MAX_LENGTH` or a file of too many parts.
    """
    head = file.read(len(PNG_START))
    if head != PNG_START and not head.startswith(JPEG_START):
        raise NoSettings(f"{name!r} must be a PNG or a JPEG that this program painted")
    is_regular = _check_parts(file, name, is_png=head == PNG_START)
    file.seek(0)
    try:
        info = (PngImageFile if head == PNG_START else JpegImageFile)(file).info if is_regular else {}
    except Exception:  # Pillow's decoders raise errors of many kinds on damaged files
        info = {}
    keyword, _, comment = info.get("comment", b"").decode(errors="replace").partition("\0")
    for known in keywords:
        text = comment if keyword == known else info.get(known)
        if isinstance(text, str):
            if len(text) > MAX_LENGTH:
                raise ImageError(f"the settings in {name!r} must take at most {MAX_LENGTH} bytes, got {len(text)}")
            return known, text
    raise NoSettings(f"{name!r} carries no settings of this program")


def _check_parts(file: BinaryIO, name: str, is_png: bool) -> bool:
    """Whether the parts before the pixels follow each other by their lengths. Raises ImageError for too many of them.

    Pillow would go byte by byte through what is between the segments of a JPEG.
    """
    file.seek(len(PNG_START if is_png else JPEG_START))
    for _ in range(MOST_PARTS):
        if is_png:
            length, kind = int.from_bytes(file.read(4)), file.read(4)
            rest = length + 4  # a checksum
        else:
            kind, length = file.read(2), int.from_bytes(file.read(2))
            rest = length - 2
            if kind and (MARKER.get(int.from_bytes(kind), ("", "", None))[2] is None or rest < 0):
                return False
        if kind in (b"IDAT", b"\xff\xda", b""):
            return True
        file.seek(rest, io.SEEK_CUR)
    kinds = "chunks" if is_png else "segments"
    raise ImageError(f"{name!r} must have at most {MOST_PARTS} {kinds} before its pixels, got more")
