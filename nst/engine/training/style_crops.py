"""Crops of a style's picture, whose Gram matrices are what crops of photos in training are compared with.

Deep layers read the zeros beyond the edges of a picture: in a crop of 160 px, block5_conv1 of VGG19 has ten by ten
positions, and the zeros reach most of them. There, the relative style loss, sum (G - A)^2 / sum A^2, between a whole
painting and all its own crops of that size is 0.6 (median of nine paintings): a loss that no picture could avoid. So
crops are compared with crops.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def crops_of(picture: Array, side: int) -> Array:
    """Square crops of `picture` that cover it, half a side apart or less.

    Args:
        picture: [H, W, 3].
        side: of a crop, px; where the picture has less, crops are as high or as wide as it.

    Returns:
        [n, min(H, side), min(W, side), 3], in order.
    """
    rows, columns = (_starts(length, side) for length in picture.shape[:2])
    return np.stack([picture[row : row + side, column : column + side] for row in rows for column in columns])


def _starts(length: int, side: int) -> list[int]:
    """Where crops begin along an edge of `length` px."""
    last = max(0, length - side)
    return np.linspace(0, last, 1 + -(-2 * last // side)).round().astype(int).tolist()
