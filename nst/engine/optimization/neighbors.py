"""The nearest-neighbor loss: places of the picture are drawn to places of the paintings that are like the content's.

After Kolkin et al. 2022, "Neural Neighbor Style Transfer", section 3. At each place, `PLACE` px apart, the activations
of several layers are joined to one vector. Each vector of the content has a neighbor in a painting: of the vectors of
the painting, as it hangs and turned by quarter turns, the one with the highest cosine; the content's vectors are
centered by their mean, the painting's by theirs. The loss of a place is 1 less the cosine of the picture's vector with
that neighbor. Gram matrices know how often a stroke occurs and not where; this loss knows where.

Unlike there, neighbors are found once for a scale and for the content alone, in the colors of that painting: they
depend neither on the picture so far nor on the weights of a mix, so a run that goes on from a checkpoint has the same
ones. Of a large painting a random sample of vectors is searched, in a random projection.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.engine.optimization.canvas import crop_features
from nst.runs.estimates import MOST_CANDIDATES, PLACE, PROJECTED, QUARTER_TURNS

DEEPEST_STRIDE = 8  # of the layers that are joined: those of block 5 see objects, not strokes
MOST_SCORES = 2**24  # cosines that are held at once
EPSILON = 1e-8  # added to squared lengths

Places = dict[str, Tensor]  # layer -> its activations at each place, [1, h, w, C] float32
Vectors = dict[str, Tensor]  # the same of places in any order, [n, C]
Parts = Sequence[Sequence[Callable[[], Places]]]  # of a picture: rows of tiles, each gives its places when it is called


@dataclass(frozen=True)
class NeighborTargets:
    """What the vectors of a picture are compared with; empty where they are not.

    The target of a place is the mean of its neighbors in the paintings by `weights`: where these differ, it is shorter
    than the sum of the weights.
    """

    vectors: Vectors = field(default_factory=dict)  # of all paintings; joined, each is centered and has length 1
    centers: dict[str, Tensor] = field(default_factory=dict)  # layer -> [C]: subtracted from a picture's activations,
    scales: dict[str, Tensor] = field(default_factory=dict)  # layer -> []: then each layer is multiplied with these
    indices: Tensor | None = None  # neighbors of each place, one in each of P paintings, [1, h, w, P] int32
    weights: Tensor | None = None  # of these, [1, h, w, P] float32

    def as_tuple(self) -> tuple[Any, ...]:
        """The fields, as a graph takes them."""
        if self.indices is None or self.weights is None:
            return {}, {}, {}, tf.zeros([1, 0, 0, 1], tf.int32), tf.zeros([1, 0, 0, 1])
        return self.vectors, self.centers, self.scales, self.indices, self.weights

    @staticmethod
    def spec(channels: Mapping[str, int]) -> tuple[Any, ...]:
        """What `as_tuple` returns for layers of so many channels, as the signature of a graph of TensorFlow."""
        return (
            {layer: tf.TensorSpec([None, count], tf.float32) for layer, count in channels.items()},
            {layer: tf.TensorSpec([count], tf.float32) for layer, count in channels.items()},
            {layer: tf.TensorSpec([], tf.float32) for layer in channels},
            tf.TensorSpec([1, None, None, None], tf.int32),
            tf.TensorSpec([1, None, None, None], tf.float32),
        )


def neighbor_layers(architecture: Architecture, layers: Iterable[str]) -> tuple[str, ...]:
    """Those of `layers` whose activations are joined; none unless one of them is as fine as the places."""
    joined = [layer for layer in layers if architecture.stride(layer) <= DEEPEST_STRIDE]
    return tuple(joined) if any(architecture.stride(layer) <= PLACE for layer in joined) else ()


def to_places(found: Mapping[str, Tensor], layers: Iterable[str], architecture: Architecture) -> Places:
    """The activations of `layers` at each place: the mean of finer ones, repeated coarser ones.

    `found` has activations [1, h, w, C] of a region whose first pixel is a multiple of `DEEPEST_STRIDE`.
    """
    resized = {layer: _resize(found[layer], architecture.stride(layer)) for layer in layers}
    sides = [tf.shape(each)[1:3] for each in resized.values()]
    rows, columns = tf.unstack(tf.reduce_min(sides, axis=0)) if sides else (0, 0)
    region = ((0, rows), (0, columns))
    return {layer: tf.cast(crop_features(each, region, 1), tf.float32) for layer, each in resized.items()}


def _resize(features: Tensor, stride: int) -> Tensor:
    while stride < PLACE:
        features, stride = tf.nn.avg_pool2d(features, 2, 2, "SAME"), 2 * stride
    if stride > PLACE:
        features = tf.repeat(tf.repeat(features, stride // PLACE, axis=1), stride // PLACE, axis=2)
    return features


def neighbor_error(places: Places, targets: NeighborTargets) -> Tensor:
    """The loss, summed over the places: |t| - <x, t> / |x| of each, with x the picture's vector and t its target's."""
    assert targets.weights is not None
    weights = targets.weights[..., None]
    goals = [tf.reduce_sum(weights * tf.gather(table, targets.indices), axis=3) for table in targets.vectors.values()]
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

    return lengths - products(
        *(targets.scales[layer] * (places[layer] - targets.centers[layer]) for layer in targets.vectors)
    )


def place_count(places: Places) -> Tensor:
    """How many places there are, float32."""
    return tf.cast(tf.size(next(iter(places.values()))[0, :, :, 0]), tf.float32)


def quarter_turns(painting: Tensor) -> list[Tensor]:
    """A painting [1, H, W, 3] as it is, and turned by one, two and three quarters."""
    return [tf.image.rot90(painting[0], turn)[None] for turn in range(QUARTER_TURNS)]


@dataclass(frozen=True)
class Neighbors:
    """The neighbors of a content in one painting."""

    vectors: Vectors  # of the painting, among which they are
    indices: Tensor  # of the neighbor of each place, [1, h, w, 1] int32


def find_neighbors(content: Parts, turns: Sequence[Parts], pixels: float, dtype: str) -> Neighbors:
    """The neighbors of a content in a painting.

    Args:
        content: of the content, in the painting's colors.
        turns: of the painting, in each of its turns.
        pixels: of all turns together.
        dtype: of the search.
    """
    share = min(1.0, MOST_CANDIDATES * PLACE**2 / pixels)
    parts = [part for turn in turns for part in _all(turn)]
    samples = [_sample(_vectors(part()), share, number) for number, part in enumerate(parts)]
    vectors = {layer: tf.concat([sample[layer] for sample in samples], axis=0) for layer in samples[0]}
    centers, scales = _statistics([vectors], [1.0])
    candidates = _project(_joined(vectors, centers, scales), dtype)
    own_centers = _mean_vectors(content)

    def nearest(part: Callable[[], Places]) -> Tensor:
        places = part()
        query = _project(_joined(_vectors(places), own_centers, scales), dtype)
        return tf.reshape(_most_similar(query, candidates), [*_first(places).shape[:3], 1])

    rows = [tf.concat([nearest(part) for part in row], axis=2) for row in content]
    return Neighbors(vectors, tf.concat(rows, axis=1))


def mix_neighbors(found: Sequence[Neighbors], shares: Sequence[float], weights: Tensor) -> NeighborTargets:
    """The targets of a mix of paintings.

    Args:
        found: the neighbors in each painting.
        shares: of the paintings, of sum 1: vectors are centered and scaled by the mean over the mix.
        weights: of the neighbors, [1, h, w, P], or [P] for the same ones everywhere.
    """
    centers, scales = _statistics([each.vectors for each in found], shares)
    joined = tf.concat([_joined(each.vectors, centers, scales) for each in found], axis=0)
    parts = tf.split(joined, [center.shape[0] for center in centers.values()], axis=-1)
    firsts = np.cumsum([0, *(len(_first(each.vectors)) for each in found[:-1])])  # row of each painting's first vector
    indices = tf.concat([each.indices + first for each, first in zip(found, firsts.tolist(), strict=True)], axis=-1)
    everywhere = tf.broadcast_to(tf.cast(weights, tf.float32), indices.shape)
    return NeighborTargets(dict(zip(centers, parts, strict=True)), centers, scales, indices, everywhere)


def _all(parts: Parts) -> Iterator[Callable[[], Places]]:
    return (part for row in parts for part in row)


def _first(of_layers: Mapping[str, Tensor]) -> Tensor:
    return next(iter(of_layers.values()))


def _vectors(places: Places) -> Vectors:
    return {layer: tf.reshape(each, [-1, each.shape[-1]]) for layer, each in places.items()}


def _sample(vectors: Vectors, share: float, seed: int) -> Vectors:
    """That share of the vectors, chosen at random."""
    count = len(_first(vectors))
    taken = np.random.default_rng(seed).permutation(count)[: max(1, int(share * count))]
    return {layer: tf.gather(each, np.sort(taken)) for layer, each in vectors.items()} if share < 1 else vectors


def _mean_vectors(parts: Parts) -> dict[str, Tensor]:
    """The mean of each layer over all places, [C]."""
    sums: dict[str, Tensor] = {}
    count = 0
    for part in _all(parts):
        vectors = _vectors(part())
        count += len(_first(vectors))
        sums = {layer: sums.get(layer, 0.0) + tf.reduce_sum(each, axis=0) for layer, each in vectors.items()}
    return {layer: each / count for layer, each in sums.items()}


def _statistics(found: Sequence[Vectors], shares: Sequence[float]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(mean of each layer, 1 over the root of its mean squared length), both over the mix of paintings."""

    def mean(of: Callable[[Tensor], Tensor], layer: str) -> Tensor:
        return sum(share * tf.reduce_mean(of(each[layer]), axis=0) for share, each in zip(shares, found, strict=True))

    centers = {layer: mean(tf.identity, layer) for layer in found[0]}
    return centers, {layer: tf.math.rsqrt(mean(_squares, layer) + EPSILON) for layer in centers}


def _squares(vectors: Tensor) -> Tensor:
    return tf.reduce_sum(tf.square(vectors), axis=-1)


def _joined(vectors: Vectors, centers: Mapping[str, Tensor], scales: Mapping[str, Tensor]) -> Tensor:
    """The vectors of all layers, centered and scaled, side by side and of length 1, [n, C]."""
    return _unit(tf.concat([scales[layer] * (each - centers[layer]) for layer, each in vectors.items()], axis=-1))


def _unit(vectors: Tensor) -> Tensor:
    return vectors * tf.math.rsqrt(_squares(vectors) + EPSILON)[:, None]


def _project(vectors: Tensor, dtype: str) -> Tensor:
    """`vectors` [n, C] in a random projection to `PROJECTED` numbers, if they have more, of length 1 again."""
    if vectors.shape[-1] > PROJECTED:
        vectors = _unit(vectors @ tf.random.stateless_normal([vectors.shape[-1], PROJECTED], (0, 0)))
    return tf.cast(vectors, dtype)


def _most_similar(query: Tensor, candidates: Tensor) -> Tensor:
    """Of each vector of `query` [n, C], which of `candidates` [m, C] has the highest cosine, [n]; all have length 1."""
    rows = max(1, MOST_SCORES // len(candidates))
    parts = [query[first : first + rows] for first in range(0, len(query), rows)]
    found = [tf.argmax(tf.matmul(part, candidates, transpose_b=True), -1, tf.int32) for part in parts]
    return tf.concat(found, axis=0)
