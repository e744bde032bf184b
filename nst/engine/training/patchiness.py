"""The cost of patches: of differences between the mean colors of neighboring blocks where a photo has none.

A network meets the Gram matrices of a painting with many colors most easily by patches of them across skies and faces.
Strokes are finer than blocks, and cost nothing.
"""

from nst.engine.backend import Tensor, ops

BLOCK, BLOCK_STRIDE = 16, 4  # px: blocks overlap, or their edges would show in the pictures as a grid
SAME_COLOR = 0.06  # distance of colors in 0..1 above which two blocks of a photo may differ


def patchiness(painted: Tensor, photos: Tensor) -> Tensor:
    """Mean squared distance between the mean colors of neighboring blocks where those of the photos are alike, [].

    Blocks of `BLOCK` px begin every `BLOCK_STRIDE` px; neighbors are `BLOCK` px apart.

    Args:
        painted: [N, H, W, 3] in 0..1, sides of at least 2 `BLOCK` px.
        photos: what was painted, the same shape; weighs pairs of blocks by exp(-d^2 / SAME_COLOR^2), d the distance of
            the photo's colors.
    """
    total = weights = 0.0
    blocks = [ops.average_pool(pictures, BLOCK, BLOCK_STRIDE, padding="valid") for pictures in (painted, photos)]
    for axis in (1, 2):
        found, given = (ops.sum(ops.square(_differences(each, axis)), axis=-1) for each in blocks)
        weight = ops.exp(-given / SAME_COLOR**2)
        total += ops.sum(weight * found)
        weights += ops.sum(weight)
    return total / (weights + 1e-6)


def _differences(blocks: Tensor, axis: int) -> Tensor:
    """Between neighbors along `axis`, 1 or 2, of the means `blocks` [N, H, W, C]."""
    apart = BLOCK // BLOCK_STRIDE
    return blocks[:, apart:] - blocks[:, :-apart] if axis == 1 else blocks[:, :, apart:] - blocks[:, :, :-apart]
