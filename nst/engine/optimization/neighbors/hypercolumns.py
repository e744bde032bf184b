"""Hypercolumns: the activations of several layers at one position of a picture, every `NEIGHBOR_STRIDE` px."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.runs.estimates import NEIGHBOR_STRIDE

DEEPEST_STRIDE = 8  # of the layers that are joined: those of block 5 see objects, not strokes

Hypercolumns = dict[str, Tensor]  # layer -> its part of each hypercolumn, [1, h, w, C] float32
# layer -> its activations at each cell, [1, h, w, C] float32. A cell has one hypercolumn, or the `side` x `side`
# ones that a position of a coarser layer covers; at the lower and right edge some of these may be outside the picture.
Cells = dict[str, Tensor]
Vectors = dict[str, Tensor]  # layer -> its part of hypercolumns in any order, [n, C]
Parts = Sequence[Sequence[Callable[[], Hypercolumns]]]  # of a picture: rows of tiles, each computes its own when called


def neighbor_layers(architecture: Architecture, layers: Iterable[str]) -> tuple[str, ...]:
    """The layers of `layers` whose activations are joined; none unless one of them is as fine as the hypercolumns."""
    joined = [layer for layer in layers if architecture.stride(layer) <= DEEPEST_STRIDE]
    return tuple(joined) if any(architecture.stride(layer) <= NEIGHBOR_STRIDE for layer in joined) else ()


def cell_sides(architecture: Architecture, layers: Iterable[str]) -> dict[str, int]:
    """The side of the cells of each layer, hypercolumns."""
    return {layer: max(1, architecture.stride(layer) // NEIGHBOR_STRIDE) for layer in layers}


def to_cells(found: Mapping[str, Tensor], layers: Iterable[str], architecture: Architecture) -> Cells:
    """The activations of `layers` at each cell: the mean of finer ones, coarser ones as they are.

    `found` has activations [1, h, w, C] of a region whose first pixel is a multiple of `DEEPEST_STRIDE`.
    """
    return {layer: tf.cast(_pool(found[layer], architecture.stride(layer)), tf.float32) for layer in layers}


def to_hypercolumns(cells: Cells, sides: Mapping[str, int]) -> Hypercolumns:
    """The hypercolumns: activations of a cell are repeated for each of its own."""
    height, width = grid_sides(cells)
    hypercolumns = {}
    for layer, each in cells.items():
        for axis in (1, 2) if sides[layer] > 1 else ():
            each = tf.repeat(each, sides[layer], axis)
        hypercolumns[layer] = each[:, :height, :width]
    return hypercolumns


def grid_sides(cells: Cells) -> tuple[Tensor, Tensor]:
    """(rows, columns) of the hypercolumns: the cells of the finest layers."""
    rows, columns = tf.unstack(tf.reduce_max([tf.shape(each)[1:3] for each in cells.values()], axis=0))
    return rows, columns


def hypercolumn_count(cells: Cells) -> Tensor:
    """How many hypercolumns there are, float32."""
    return tf.cast(tf.reduce_prod(grid_sides(cells)), tf.float32)


def by_cell(values: Tensor, side: int) -> Tensor:
    """`values` [1, H, W, P] of hypercolumns as [1, h, w, side^2, P] of cells, 0 for those outside the picture."""
    if side > 1:
        below, right = (-length % side for length in tf.unstack(tf.shape(values)[1:3]))
        values = tf.nn.space_to_depth(tf.pad(values, [(0, 0), (0, below), (0, right), (0, 0)]), side)
    return tf.reshape(values, [*tf.unstack(tf.shape(values)[:3]), side**2, -1])


def from_cells(values: Tensor, side: int, shape: Tensor) -> Tensor:
    """`values` [1, h, w, side^2] of cells as [1, H, W] of the hypercolumns; `shape` is [1, H, W, ...]."""
    if side > 1:
        return tf.nn.depth_to_space(values, side)[:, : shape[1], : shape[2], 0]
    return values[..., 0]


def _pool(features: Tensor, stride: int) -> Tensor:
    while stride < NEIGHBOR_STRIDE:
        features, stride = tf.nn.avg_pool2d(features, 2, 2, "SAME"), 2 * stride
    return features
