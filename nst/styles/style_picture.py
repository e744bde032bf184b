"""A painting whose style is predicted: read, checked and reduced, and made a style of the shipped network."""

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst import __version__
from nst.errors import ImageError
from nst.pictures import images
from nst.pictures.images import MAX_BYTES, Array, check_array, reduced_jpeg, resize
from nst.styles.style_file import Style, check_title, name_of

LEAST = 64  # px, each side
SIDE = 512  # px, long side of the copy that the style is predicted from; its short side is at least `LEAST`
DECODED_SIDE = 2 * SIDE  # px, long side to which a larger file may be reduced while it is decoded
COPY_QUALITY = 90  # JPEG, of the copy
MOST_IMAGE_BYTES = 2**30  # of a PIL image, which is in memory already
LEAST_RANGE = 2 / 255  # of a channel; below it the picture has one color
ORIGIN = "predicted from a painting"  # in the provenance of a style


@dataclass(frozen=True, eq=False)
class StylePicture:
    """A painting, reduced to what a prediction needs."""

    rgb: Array  # [h, w, 3], 0..1
    sha256: str  # of its file, or of its pixels where it has none

    @classmethod
    def read(cls, data: bytes, name: str, most_bytes: int = MAX_BYTES) -> Self:
        """The painting in a picture file, which errors call `name`.

        Raises ImageError: no picture, sides under `LEAST`, or a picture of one color.
        """
        found = images.read(data, name, DECODED_SIDE, LEAST, most_bytes)
        if min(found.rgb.shape[:2]) < LEAST:  # a long strip, of which more px are needed
            long_side = math.ceil(LEAST * max(found.width, found.height) / min(found.width, found.height))
            found = images.read(data, name, long_side, LEAST, most_bytes)
        return cls(_reduced(found.rgb, name), hashlib.sha256(data).hexdigest())

    @classmethod
    def read_file(cls, path: Path | str) -> Self:
        """The painting in the file `path`. Raises ImageError."""
        return cls.read(images.read_bytes(path), Path(path).name)

    @classmethod
    def of(cls, picture: Array | Image.Image, name: str = "style") -> Self:
        """The painting in an array [H, W, 3] of floats in 0..1, or in a PIL image. Raises InputError."""
        if isinstance(picture, Image.Image):
            file = io.BytesIO()
            picture.save(file, "TIFF")  # which has every mode of PIL
            return cls.read(file.getvalue(), name, MOST_IMAGE_BYTES)
        check_array(picture, name)
        if min(picture.shape[:2]) < LEAST:
            raise ImageError(f"`{name}` must have sides of at least {LEAST} px, got {picture.shape[:2]}")
        return cls(_reduced(np.asarray(picture, np.float32), name), hashlib.sha256(picture.tobytes()).hexdigest())

    @property
    def png(self) -> bytes:
        """The reduced painting as a PNG file, from which `read` makes the same again."""
        return images.encode_png(self.rgb)

    @property
    def copy(self) -> bytes:
        """A JPEG of at most `SIDE` x `SIDE` px."""
        return reduced_jpeg(self.rgb, SIDE, COPY_QUALITY)

    def name_for(self, title: str) -> str:
        """The name of its style under a title, or made of its hash if the title has no Latin letters and no digits."""
        return name_of(title) or f"painting-{self.sha256[:8]}"

    def style(self, title: str, vector: NDArray[np.float32]) -> Style:
        """The style of a predicted `vector`, with the copy. Raises StyleError for the title."""
        provenance = {"origin": ORIGIN, "picture": self.sha256, "nst": __version__}
        return Style(check_title(title), vector, provenance, self.copy)


def _reduced(rgb: Array, name: str) -> Array:
    """`rgb` in 8 bits, at most `SIDE` px long unless a side would be under `LEAST`. Raises ImageError for one color."""
    height, width = rgb.shape[:2]
    factor = min(1.0, max(SIDE / max(height, width), LEAST / min(height, width)))
    small = resize(rgb, round(height * factor), round(width * factor))
    if np.ptp(small, axis=(0, 1)).max() < LEAST_RANGE:
        raise ImageError(f"{name!r} must have more than one color to be a style")
    return np.asarray(np.rint(small * 255) / 255, np.float32)  # as its PNG file has it
