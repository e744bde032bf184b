"""Color transfer: the colors of a picture brought near those of paintings, by optimal transport.

Transport is entropic (Cuturi 2013, "Sinkhorn distances") and unbalanced (Chizat et al. 2018, "Scaling algorithms for
unbalanced optimal transport problems"): a color that the picture has no use for may stay unused, so that each object
gets a color near its own, rather than one that was left over. The map is extended to all colors by the entropic map of
Pooladian and Niles-Weed 2021, "Entropic estimation of optimal transport maps", and kept as a table of colors.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from nst.lru_cache import LruCache
from nst.pictures.color_modes import Array
from nst.pictures.colors import LUMA

MATCHED_PIXELS = 768  # pixels of either side that are matched
TABLE_SIDE = 17  # colors along each axis of a table
# Of squared distances of colors in 0..1: how much the matching is blurred, and what a color costs that stays unused.
# Without blur a gradient of the picture breaks into steps; if unused colors cost more, a tiger becomes all yellow.
BLUR, UNUSED_COST = 0.0015, 0.06
FIRST_BLUR, ROUNDS, LAST_ROUNDS = 0.25, 5, 15  # of the blur, halved until it is `BLUR`, and the rounds at each
LUMA_SHARE = 0.5  # of the change of luma: with all of it light and dark objects lose their contrast
LUMA_AXIS = 1.4  # how much more a difference of luma costs than one of the two other axes
# From red, green and blue to luma and the differences of red and of blue from it (ITU-R BT.601).
_OPPONENT = np.array([LUMA_AXIS * LUMA, [0.5, -0.4187, -0.0813], [-0.1687, -0.3313, 0.5]])
MOST_TABLES = 4  # that are kept


class ColorTransfer:
    """Brings the colors of a content near those of a mix of paintings.

    Args:
        content: [H, W, 3] float32 in 0..1.
        styles: the paintings, [h, w, 3] float32 in 0..1 each.
        amount: 0 leaves colors as they are, 1 gives them those of the paintings.
    """

    def __init__(self, content: Array, styles: Sequence[Array], amount: float) -> None:
        self._content = _samples(content, MATCHED_PIXELS)
        self._styles = [_samples(style, MATCHED_PIXELS) for style in styles]
        self.amount = amount
        self._tables: LruCache[tuple[float, ...], ImageFilter.Color3DLUT] = LruCache(MOST_TABLES)

    def apply(self, picture: Array, shares: Sequence[float]) -> Array:
        """`picture` [h, w, 3] in 0..1, the content at any size, with new colors; in steps of 1/255.

        `shares` are those of the paintings in their mix, of sum 1.
        """
        if not self.amount:
            return picture
        table = self._tables.get_or_make(tuple(shares), lambda: self._table(shares))
        image = Image.fromarray(np.round(255 * picture).astype(np.uint8))
        return np.asarray(image.filter(table), np.float32) / np.float32(255)

    def _table(self, shares: Sequence[float]) -> ImageFilter.Color3DLUT:
        counts = np.round(MATCHED_PIXELS * np.asarray(shares)).astype(int)
        palette = np.concatenate([style[:count] for style, count in zip(self._styles, counts, strict=True)])
        grid = _grid()
        found = transported(self._content, palette, grid)
        found += (1 - LUMA_SHARE) * ((grid - found) @ LUMA)[:, None]
        colors = grid + self.amount * (np.clip(found, 0, 1) - grid)
        return ImageFilter.Color3DLUT(TABLE_SIDE, colors.astype(np.float32).ravel())


def transported(source: Array, target: Array, colors: Array) -> Array:
    """Where the transport from the colors `source` [n, 3] to `target` [m, 3] takes `colors` [k, 3]; all in 0..1.

    Each result is a mean of colors of `target`.
    """
    x, y, points = (each @ _OPPONENT.T.astype(np.float32) for each in (source, target, colors))
    costs = _squared_distances(x, y)
    used, blur = np.zeros(len(y), np.float32), FIRST_BLUR  # dual potentials of the targets
    while True:
        damped = UNUSED_COST / (UNUSED_COST + blur)
        for _ in range(ROUNDS if blur > BLUR else LAST_ROUNDS):
            moved = -blur * _log_mean_exp((used - costs) / blur, axis=1)
            used = -blur * damped * _log_mean_exp((moved[:, None] - costs) / blur, axis=0)
        if blur == BLUR:
            break
        blur = max(BLUR, blur / 2)
    scores = (used - _squared_distances(points, y)) / BLUR
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights @ target / weights.sum(axis=1, keepdims=True)


def _samples(picture: Array, count: int) -> Array:
    """`count` colors of random pixels, always the same ones, [count, 3]."""
    colors = picture.reshape(-1, 3)
    return colors[np.random.default_rng(0).integers(0, len(colors), count)]


def _grid() -> Array:
    """The colors of a table, [TABLE_SIDE^3, 3]; red changes first."""
    axis = np.linspace(0, 1, TABLE_SIDE, dtype=np.float32)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1).reshape(-1, 3)


def _squared_distances(x: Array, y: Array) -> Array:
    """[n, m] from [n, 3] and [m, 3]."""
    return np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * x @ y.T


def _log_mean_exp(values: Array, axis: int) -> Array:
    highest = values.max(axis=axis, keepdims=True)
    return np.log(np.exp(values - highest).mean(axis=axis)) + highest.squeeze(axis)
