"""Pictures for runs whose subject does not matter."""

import random

import numpy as np

from nst.pictures.images import encode_png


def soft_colors(choose: random.Random, ratio: float = 4 / 3) -> bytes:
    """A PNG of soft colors, of some height; its width is `ratio` times that."""
    height = choose.randrange(400, 900)
    width = round(height * ratio)
    coarse = np.random.default_rng(choose.randrange(2**32)).random((8, 8, 3), np.float32)
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    return encode_png(coarse[rows][:, columns])
