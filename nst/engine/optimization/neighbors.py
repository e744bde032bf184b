"""The nearest-neighbor loss: places of the picture are drawn to places of the paintings that are like the content's.

After Kolkin et al. 2022, "Neural Neighbor Style Transfer", section 3. At each place, 4 px apart, the activations of
several layers are joined to one vector. Each vector of the content has a neighbor: that vector of the paintings, also
turned by quarter turns, whose cosine with it is the highest, both less their mean. The loss of a place is 1 less the
cosine of the picture's vector with that neighbor. Gram matrices know how often a stroke occurs and not where; this loss
knows where. Unlike there, neighbors are found once for a scale and for the content alone, so that a run that goes on
from a checkpoint has the same ones, and L-BFGS has a fixed objective.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.runs.estimates import MOST_CANDIDATES, PLACE, PROJECTED, QUARTER_TURNS

DEEPEST_STRIDE = 8  # of the layers that are joined: those of block 5 see objects, not strokes
MOST_SCORES = 2**24  # cosines that are held at once
EPSILON = 1e-8  # added to squared lengths

Places = dict[str, Tensor]  # layer -> [1, h, w, C] float32, a position for each place


@dataclass(frozen=True)
class NeighborTargets:
    """What the places of a picture are compared with; empty if they are not."""

    directions: Places = field(default_factory=dict)  # joined, a vector's length is the weight of its place, or less
    centers: dict[str, Tensor] = field(default_factory=dict)  # layer -> [C], subtracted from its activations ...
    scales: dict[str, Tensor] = field(default_factory=dict)  # layer -> [], which are multiplied with this

    def as_tuple(self) -> tuple[Places, dict[str, Tensor], dict[str, Tensor]]:
        """The fields, as a graph takes them."""
        return self.directions, self.centers, self.scales

    @staticmethod
    def spec(channels: Mapping[str, int]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """What `as_tuple` returns for layers of so many channels, as the signature of a graph of TensorFlow."""
        return (
            {layer: tf.TensorSpec([1, None, None, count], tf.float32) for layer, count in channels.items()},
            {layer: tf.TensorSpec([count], tf.float32) for layer, count in channels.items()},
            {layer: tf.TensorSpec([], tf.float32) for layer in channels},
        )


def neighbor_layers(architecture: Architecture, layers: Iterable[str]) -> tuple[str, ...]:
    """Those of `layers` whose activations are joined."""
    return tuple(layer for layer in layers if architecture.stride(layer) <= DEEPEST_STRIDE)


def to_places(found: Mapping[str, Tensor], layers: Iterable[str], architecture: Architecture) -> Places:
    """The activations of `layers` at each place: the mean of finer ones, repeated coarser ones.

    `found` has activations [1, h, w, C] of a region whose first pixel is a multiple of `DEEPEST_STRIDE`.
    """
    resized = {layer: _resize(found[layer], architecture.stride(layer)) for layer in layers}
    sides = [tf.shape(each)[1:3] for each in resized.values()]
    rows, columns = tf.unstack(tf.reduce_min(sides, axis=0)) if sides else (0, 0)
    return {layer: tf.cast(each[:, :rows, :columns], tf.float32) for layer, each in resized.items()}


def _resize(features: Tensor, stride: int) -> Tensor:
    while stride < PLACE:
        features, stride = tf.nn.avg_pool2d(features, 2, 2, "SAME"), 2 * stride
    if stride > PLACE:
        features = tf.repeat(tf.repeat(features, stride // PLACE, axis=1), stride // PLACE, axis=2)
    return features


def neighbor_error(places: Places, targets: NeighborTargets) -> Tensor:
    """The loss, summed over the places: |t| - <x, t> / |x| of each, with x the picture's vector and t its target's."""
    goals = list(targets.directions.values())
    scales = [targets.scales[layer] for layer in targets.directions]
    lengths = tf.reduce_sum(tf.sqrt(sum(_squares(goal) for goal in goals)))

    @tf.custom_gradient
    def products(*vectors: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        """The sum of <x, t> / |x|. TensorFlow's own gradient goes over the vectors twice as often."""
        along = sum(tf.reduce_sum(x * goal, axis=-1) for x, goal in zip(vectors, goals, strict=True))
        shrink = tf.math.rsqrt(sum(map(_squares, vectors)) + EPSILON)

        def gradient(upstream: Tensor) -> list[Tensor]:
            by_goal, by_vector = (upstream * factor[..., None] for factor in (shrink, along * shrink**3))
            return [by_goal * goal - by_vector * x for x, goal in zip(vectors, goals, strict=True)]

        return tf.reduce_sum(along * shrink), gradient

    centered = [places[layer] - targets.centers[layer] for layer in targets.directions]
    return lengths - products(*(scale * each for scale, each in zip(scales, centered, strict=True)))


def place_count(places: Places) -> Tensor:
    """How many places there are, float32."""
    return tf.cast(tf.size(next(iter(places.values()))[0, :, :, 0]), tf.float32)


def quarter_turns(painting: Tensor) -> list[Tensor]:
    """A painting [1, H, W, 3] as it is, and turned by one, two and three quarters."""
    return [tf.image.rot90(painting[0], turn)[None] for turn in range(QUARTER_TURNS)]


def find_neighbors(
    content: Places, paintings: Sequence[Sequence[Places]], shares: Sequence[float], dtype: str
) -> list[NeighborTargets]:
    """The neighbors of the content's places in each painting, as targets with a weight of 1 everywhere.

    Args:
        content: of the content.
        paintings: of each painting, of all its turns.
        shares: of the paintings, of sum 1: activations are centered and scaled by their mean over the mix.
        dtype: of the search.
    """
    vectors = [_candidates(turns) for turns in paintings]

    def mean(of: Callable[[Tensor], Tensor], layer: str) -> Tensor:
        return sum(share * tf.reduce_mean(of(each[layer]), axis=0) for share, each in zip(shares, vectors, strict=True))

    centers = {layer: mean(tf.identity, layer) for layer in content}
    scales = {layer: tf.math.rsqrt(mean(_squares, layer) + EPSILON) for layer in content}
    flat = {layer: _flat(each) for layer, each in content.items()}
    query = _joined(flat, {layer: tf.reduce_mean(each, axis=0) for layer, each in flat.items()}, scales)
    shapes = {layer: each.shape for layer, each in content.items()}
    found = []
    for candidates in (_joined(each, centers, scales) for each in vectors):
        nearest = tf.gather(candidates, _most_similar(query, candidates, dtype))
        parts = tf.split(nearest, [shape[-1] for shape in shapes.values()], axis=-1)
        directions = {layer: tf.reshape(part, shapes[layer]) for layer, part in zip(shapes, parts, strict=True)}
        found.append(NeighborTargets(directions, centers, scales))
    return found


def mix_neighbors(found: Sequence[NeighborTargets], weights: Sequence[Tensor | float]) -> NeighborTargets:
    """The targets of a mix of paintings; the weight of each is a number, or one for each place, [1, h, w, 1]."""
    directions = {
        layer: sum(weight * each.directions[layer] for each, weight in zip(found, weights, strict=True))
        for layer in found[0].directions
    }
    return replace(found[0], directions=directions)


def _candidates(turns: Sequence[Places]) -> dict[str, Tensor]:
    """The vectors of a painting in all its turns, by layer [n, C]; at most `MOST_CANDIDATES`, always the same ones."""
    flat = {layer: tf.concat([_flat(each[layer]) for each in turns], axis=0) for layer in turns[0]}
    count = next(iter(flat.values())).shape[0]
    if count <= MOST_CANDIDATES:
        return flat
    taken = np.sort(np.random.default_rng(0).choice(count, MOST_CANDIDATES, replace=False))
    return {layer: tf.gather(each, taken) for layer, each in flat.items()}


def _flat(features: Tensor) -> Tensor:
    return tf.reshape(features, [-1, features.shape[-1]])


def _squares(vectors: Tensor) -> Tensor:
    return tf.reduce_sum(tf.square(vectors), axis=-1)


def _joined(vectors: Mapping[str, Tensor], centers: Mapping[str, Tensor], scales: Mapping[str, Tensor]) -> Tensor:
    """The vectors of all layers less their centers, side by side, of length 1, [n, C]."""
    return _unit(tf.concat([scales[layer] * (each - centers[layer]) for layer, each in vectors.items()], axis=-1))


def _unit(vectors: Tensor) -> Tensor:
    return vectors * tf.math.rsqrt(_squares(vectors) + EPSILON)[:, None]


def _most_similar(query: Tensor, candidates: Tensor, dtype: str) -> Tensor:
    """Of each vector of `query` [n, C], which of `candidates` [m, C] has the highest cosine, [n]; all have length 1."""
    if query.shape[-1] > PROJECTED:
        projection = tf.random.stateless_normal([query.shape[-1], PROJECTED], (0, 0))
        query, candidates = _unit(query @ projection), _unit(candidates @ projection)
    query, candidates = tf.cast(query, dtype), tf.cast(candidates, dtype)
    rows = max(1, MOST_SCORES // candidates.shape[0])
    parts = [query[first : first + rows] for first in range(0, query.shape[0], rows)]
    return tf.concat([tf.argmax(tf.matmul(part, candidates, transpose_b=True), axis=-1) for part in parts], axis=0)
