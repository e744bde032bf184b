"""Places of a picture, `PLACE` px apart, and the activations of several layers there."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.runs.estimates import PLACE

DEEPEST_STRIDE = 8  # of the layers that are joined: those of block 5 see objects, not strokes

Places = dict[str, Tensor]  # layer -> its activations at each place, [1, h, w, C] float32
# layer -> its activations at each cell, [1, h, w, C] float32. A cell is a place, or the `side` x `side` places that one
# position of a coarser layer covers; at the lower and right edge some of these may be outside the picture.
Cells = dict[str, Tensor]
Vectors = dict[str, Tensor]  # layer -> activations at places in any order, [n, C]
Parts = Sequence[Sequence[Callable[[], Places]]]  # of a picture: rows of tiles, each gives its places when it is called


def neighbor_layers(architecture: Architecture, layers: Iterable[str]) -> tuple[str, ...]:
    """Those of `layers` whose activations are joined; none unless one of them is as fine as the places."""
    joined = [layer for layer in layers if architecture.stride(layer) <= DEEPEST_STRIDE]
    return tuple(joined) if any(architecture.stride(layer) <= PLACE for layer in joined) else ()


def cell_sides(architecture: Architecture, layers: Iterable[str]) -> dict[str, int]:
    """The side of the cells of each layer, places."""
    return {layer: max(1, architecture.stride(layer) // PLACE) for layer in layers}


def to_cells(found: Mapping[str, Tensor], layers: Iterable[str], architecture: Architecture) -> Cells:
    """The activations of `layers` at each cell: the mean of finer ones, coarser ones as they are.

    `found` has activations [1, h, w, C] of a region whose first pixel is a multiple of `DEEPEST_STRIDE`.
    """
    return {layer: tf.cast(_pool(found[layer], architecture.stride(layer)), tf.float32) for layer in layers}


def to_places(cells: Cells, sides: Mapping[str, int]) -> Places:
    """The activations at each place: those of a cell are repeated."""
    height, width = place_sides(cells)
    places = {}
    for layer, each in cells.items():
        for axis in (1, 2) if sides[layer] > 1 else ():
            each = tf.repeat(each, sides[layer], axis)
        places[layer] = each[:, :height, :width]
    return places


def place_sides(cells: Cells) -> tuple[Tensor, Tensor]:
    """(rows, columns) of the places: the cells of the finest layers."""
    rows, columns = tf.unstack(tf.reduce_max([tf.shape(each)[1:3] for each in cells.values()], axis=0))
    return rows, columns


def place_count(cells: Cells) -> Tensor:
    """How many places there are, float32."""
    return tf.cast(tf.reduce_prod(place_sides(cells)), tf.float32)


def places_of_cells(values: Tensor, side: int) -> Tensor:
    """`values` [1, H, W, P] of places as [1, h, w, side^2, P] of cells, 0 for places outside the picture."""
    if side > 1:
        below, right = (-length % side for length in tf.unstack(tf.shape(values)[1:3]))
        values = tf.nn.space_to_depth(tf.pad(values, [(0, 0), (0, below), (0, right), (0, 0)]), side)
    return tf.reshape(values, [*tf.unstack(tf.shape(values)[:3]), side**2, -1])


def at_places(values: Tensor, side: int, shape: Tensor) -> Tensor:
    """`values` [1, h, w, side^2] of cells as [1, H, W] of the places; `shape` is [1, H, W, ...]."""
    if side > 1:
        return tf.nn.depth_to_space(values, side)[:, : shape[1], : shape[2], 0]
    return values[..., 0]


def _pool(features: Tensor, stride: int) -> Tensor:
    while stride < PLACE:
        features, stride = tf.nn.avg_pool2d(features, 2, 2, "SAME"), 2 * stride
    return features
