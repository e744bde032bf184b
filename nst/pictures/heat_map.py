"""Numbers as colors: dark for the lowest, over red and orange to a light yellow for the highest."""

import numpy as np

from nst.pictures.color_modes import Array
from nst.pictures.images import resize

ANCHORS = ((0, 0, 8), (66, 16, 96), (150, 38, 98), (222, 82, 48), (252, 166, 40), (252, 250, 176))  # RGB, 0..255
MAP_SIDE = 64  # px to which a larger matrix is reduced
LIGHTEST = 0.98  # of the entries of a matrix: larger ones have the lightest color, too


def heat_map(values: Array) -> Array:
    """Colors [H, W, 3] in 0..1 for `values` [H, W] in 0..1."""
    levels = np.linspace(0.0, 1.0, len(ANCHORS))
    anchors = np.array(ANCHORS, np.float32) / 255
    channels = [np.interp(values, levels, anchors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def matrix_heat_map(matrix: Array, reference: Array) -> Array:
    """Colors [h, w, 3] of a matrix, h and w at most `MAP_SIDE`: the square root of its absolute values.

    The lightest color stands for a large entry of `reference`, which is the same for matrices that are to be compared.
    """
    highest = max(float(np.quantile(np.abs(reference), LIGHTEST)), 1e-30)
    found = heat_map(np.clip(np.sqrt(np.abs(matrix) / highest), 0.0, 1.0).astype(np.float32))
    return resize(found, min(MAP_SIDE, found.shape[0]), min(MAP_SIDE, found.shape[1]))


def plane_heat_map(plane: Array, height: int, width: int) -> Array:
    """Colors [height, width, 3] of values that are not negative, [h, w]; the highest hundredth is all light."""
    highest = float(np.quantile(plane, 0.99)) or 1.0
    return np.clip(resize(heat_map(np.clip(plane / highest, 0.0, 1.0)), height, width), 0.0, 1.0)
