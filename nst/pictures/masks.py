"""Masks: pictures whose gray values say where a run keeps the content, or how it is painted there."""

import numpy as np

from nst.errors import OptionError
from nst.pictures import images
from nst.pictures.colors import luma
from nst.pictures.images import Array, Picture

STRETCH = 0.02  # by how much the mask's ratio of sides may differ from the content's: it is stretched over it
UNIFORM = 1 / 255  # difference of values up to which a mask has one value

EFFECTS = {  # of a mask with the value 1 all over, by `mask_use`
    "protect": "of the content is kept everywhere",
    "styles": "of the style is the first painting's everywhere",
    "strength": "of the style's strength is used everywhere",
}


def read_mask(data: bytes, long_side: int, content: tuple[int, int]) -> Array:
    """The mask in a picture's file, [h, w] float32: 1 where it is white, 0 where it is black or transparent.

    Args:
        data: the bytes of the file.
        long_side: px that are needed.
        content: (height, width) of the content, px.

    Raises:
        ImageError: it cannot be read. OptionError: its shape is not the content's.
    """
    picture = images.read(data, "mask", long_side)
    check_mask_shape((picture.height, picture.width), content)
    return _values(picture)


def check_mask_shape(mask: tuple[int, int], content: tuple[int, int]) -> None:
    """Raise OptionError unless a mask has about the content's ratio of sides; both are (height, width), px."""
    (height, width), (rows, columns) = mask, content
    if abs(width * rows / (height * columns) - 1) > STRETCH + 1 / min(height, rows):  # sides are rounded to whole px
        rule = f"`mask` must have the shape of the content, {columns} x {rows} px or in proportion"
        raise OptionError(f"{rule}, got {width} x {height}", "mask")


def describe_uniform(mask: Array, use: str) -> str:
    """What a mask of one value does, as a sentence; "" for any other mask. `use` is `mask_use`."""
    if mask.max() - mask.min() > UNIFORM:
        return ""
    return f"The mask has one value all over: {mask.mean():.0%} {EFFECTS[use]}."


def _values(picture: Picture) -> Array:
    gray = np.clip(luma(picture.rgb), 0, 1)
    return gray if picture.alpha is None else gray * picture.alpha
