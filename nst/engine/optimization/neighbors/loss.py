"""The loss of neighbors, and what it compares a picture with."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.optimization.neighbors.hypercolumns import Cells, Vectors, by_cell, from_cells, grid_sides
from nst.engine.optimization.neighbors.search import (
    LENGTH_EPSILON,
    Neighbors,
    concatenated,
    layer_scales,
    squared_lengths,
    unit_vectors,
)


class Goals(NamedTuple):
    """What the hypercolumns of a region are compared with."""

    scaled: dict[str, Tensor]  # layer -> goals of each cell, times the layer's scale, [1, h, w, side^2, C]
    lengths: Tensor  # of all goals together, []
    centers: dict[str, Tensor]  # see NeighborTargets
    scales: dict[str, Tensor]


NO_GOALS = Goals({}, 0.0, {}, {})


@dataclass(frozen=True)
class NeighborTargets:
    """What the hypercolumns of a picture are compared with: each with the mean of its neighbors, by `weights`."""

    vectors: Vectors  # of all paintings; joined, each is centered and has length 1
    centers: dict[str, Tensor]  # layer -> [C]: subtracted from a picture's activations,
    scales: dict[str, Tensor]  # layer -> []: then each layer is multiplied with these
    sides: Mapping[str, int]  # layer -> side of its cells, hypercolumns
    indices: Tensor  # neighbors of each hypercolumn, one in each of P paintings, [1, h, w, P] int32
    weights: Tensor  # of these, [1, h, w, P] float32

    @functools.cached_property
    def goals(self) -> Goals:
        """The goals of all hypercolumns."""
        return self.goals_at(self.indices, self.weights)

    def goals_at(self, indices: Tensor, weights: Tensor) -> Goals:
        """The goals of some hypercolumns, whose `indices` and `weights` are parts of the fields of that name."""
        scaled, squares = {}, 0.0
        for layer, table in self.vectors.items():
            side = self.sides[layer]
            goals = _mean_of(table, by_cell(indices, side), by_cell(weights, side))
            squares += from_cells(squared_lengths(goals), side, tf.shape(indices))
            scaled[layer] = self.scales[layer] * goals
        return Goals(scaled, tf.reduce_sum(tf.sqrt(squares)), self.centers, self.scales)


def goals_spec(channels: Mapping[str, int], sides: Mapping[str, int]) -> Goals:
    """The signature of goals, for a graph of TensorFlow: of layers of so many channels and cells of such sides."""
    return Goals(
        {
            layer: tf.TensorSpec([1, None, None, sides[layer] ** 2, count], tf.float32)
            for layer, count in channels.items()
        },
        tf.TensorSpec([], tf.float32),
        {layer: tf.TensorSpec([count], tf.float32) for layer, count in channels.items()},
        {layer: tf.TensorSpec([], tf.float32) for layer in channels},
    )


def mix_neighbors(
    found: Sequence[Neighbors], shares: Sequence[float], weights: Tensor, sides: Mapping[str, int]
) -> NeighborTargets:
    """The targets of a mix of paintings.

    Args:
        found: the neighbors in each painting.
        shares: of the paintings, of sum 1: vectors are centered and scaled by the mean over the mix.
        weights: of the neighbors, [1, h, w, P], or [P] for the same ones everywhere.
        sides: of the cells of each layer, hypercolumns.
    """
    centers, powers = (
        {layer: sum(share * of[layer] for share, of in zip(shares, of_each, strict=True)) for layer in sides}
        for of_each in ([each.means for each in found], [each.powers for each in found])
    )
    scales = layer_scales(powers)
    vectors = concatenated([unit_vectors(each.vectors, centers, scales) for each in found])
    counts = [each.count for each in found]
    firsts = np.cumsum([0, *counts[:-1]])  # row of each painting's first vector
    indices = tf.concat([each.indices + first for each, first in zip(found, firsts.tolist(), strict=True)], axis=-1)
    everywhere = tf.broadcast_to(tf.cast(weights, tf.float32), indices.shape)
    return NeighborTargets(vectors, centers, scales, sides, indices, everywhere)


def neighbor_error(cells: Cells, goals: Goals) -> Tensor:
    """The loss, summed over the hypercolumns: |t| - <x, t> / |x| of each, with x the hypercolumn and t its goal.

    Without layers it is 0.

    Layers are never joined, and what all hypercolumns of a cell share is computed once for the cell: all hypercolumns
    as vectors would take more memory than the network.
    """
    layers = tuple(goals.scaled)
    if not layers:
        return tf.constant(0.0)
    sides = [math.isqrt(goals.scaled[layer].shape[3]) for layer in layers]
    rows, columns = grid_sides(cells)
    shape = tf.stack([1, rows, columns, 1])

    @tf.custom_gradient
    def products(*activations: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        """The sum of <x, t> / |x|."""
        centered = [each - goals.centers[layer] for layer, each in zip(layers, activations, strict=True)]
        along, squares = 0.0, LENGTH_EPSILON
        for layer, side, x in zip(layers, sides, centered, strict=True):
            along += from_cells(_dot(x, goals.scaled[layer]), side, shape)
            of_cells = goals.scales[layer] ** 2 * squared_lengths(x)
            squares += from_cells(tf.repeat(of_cells[..., None], side**2, axis=3), side, shape)
        shrink = tf.math.rsqrt(squares)
        by_goal, by_vector = shrink[..., None], (along * shrink**3)[..., None]

        def gradient(upstream: Tensor) -> list[Tensor]:
            by_layer = []
            for layer, side, x in zip(layers, sides, centered, strict=True):
                factors = by_cell(upstream * by_goal, side)[..., 0]
                own = upstream * goals.scales[layer] ** 2 * tf.reduce_sum(by_cell(by_vector, side), axis=3)
                by_layer.append(_weighted_sum(factors, goals.scaled[layer]) - own * x)
            return by_layer

        return tf.reduce_sum(along * shrink), gradient

    return goals.lengths - products(*(cells[layer] for layer in layers))


def _dot(x: Tensor, goals: Tensor) -> Tensor:
    """<x, g> of each hypercolumn of each cell, [1, h, w, S]; `x` is [1, h, w, C], `goals` [1, h, w, S, C]."""
    if goals.shape[3] == 1:  # a matrix product of single rows is slower
        return tf.reduce_sum(x * goals[..., 0, :], axis=-1, keepdims=True)
    return tf.matmul(goals, x[..., None])[..., 0]


def _weighted_sum(weights: Tensor, goals: Tensor) -> Tensor:
    """The sum over the hypercolumns of a cell, [1, h, w, C]; `weights` are [1, h, w, S], `goals` [1, h, w, S, C]."""
    if goals.shape[3] == 1:
        return weights * goals[..., 0, :]
    return tf.matmul(weights[..., None, :], goals)[..., 0, :]


def _mean_of(table: Tensor, indices: Tensor, weights: Tensor) -> Tensor:
    """The sum of rows of `table` [n, C] by `weights`, [..., C]; `indices` and `weights` are [..., P]."""
    return tf.add_n([weights[..., p, None] * tf.gather(table, indices[..., p]) for p in range(indices.shape[-1])])
