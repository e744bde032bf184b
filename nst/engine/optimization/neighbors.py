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

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.engine.optimization.canvas import crop_features
from nst.runs.estimates import MOST_CANDIDATES, PLACE, PROJECTED, QUARTER_TURNS

DEEPEST_STRIDE = 8  # of the layers that are joined: those of block 5 see objects, not strokes
MOST_SCORES = 2**24  # cosines that are held at once
ROWS_AT_ONCE = 2**12  # vectors whose intermediate results are held at once
EPSILON = 1e-8  # added to squared lengths

Places = dict[str, Tensor]  # layer -> its activations at each place, [1, h, w, C] float32
Vectors = dict[str, Tensor]  # the same of places in any order, [n, C]
# What the vectors of places are compared with: (layer -> [1, h, w, C], centers, scales), the latter of NeighborTargets.
Goals = tuple[Places, dict[str, Tensor], dict[str, Tensor]]
NO_GOALS: Goals = {}, {}, {}
Parts = Sequence[Sequence[Callable[[], Places]]]  # of a picture: rows of tiles, each gives its places when it is called


@dataclass(frozen=True)
class NeighborTargets:
    """What the vectors of a picture are compared with: at each place the mean of its neighbors, by `weights`."""

    vectors: Vectors  # of all paintings; joined, each is centered and has length 1
    centers: dict[str, Tensor]  # layer -> [C]: subtracted from a picture's activations,
    scales: dict[str, Tensor]  # layer -> []: then each layer is multiplied with these
    indices: Tensor  # neighbors of each place, one in each of P paintings, [1, h, w, P] int32
    weights: Tensor  # of these, [1, h, w, P] float32

    @functools.cached_property
    def goals(self) -> Goals:
        """The goals of all places."""
        return self.goals_at(self.indices, self.weights)

    def goals_at(self, indices: Tensor, weights: Tensor) -> Goals:
        """The goals of some places, whose `indices` and `weights` are parts of the fields of that name."""
        mixed = {
            layer: tf.reduce_sum(weights[..., None] * tf.gather(table, indices), axis=3)
            for layer, table in self.vectors.items()
        }
        return mixed, self.centers, self.scales


def goals_spec(channels: Mapping[str, int]) -> Goals:
    """The signature of goals, for a graph of TensorFlow: of layers of so many channels."""
    return (
        {layer: tf.TensorSpec([1, None, None, count], tf.float32) for layer, count in channels.items()},
        {layer: tf.TensorSpec([count], tf.float32) for layer, count in channels.items()},
        {layer: tf.TensorSpec([], tf.float32) for layer in channels},
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
    rows, columns = tf.unstack(tf.reduce_min(sides, axis=0))
    region = ((0, rows), (0, columns))
    return {layer: tf.cast(crop_features(each, region, 1), tf.float32) for layer, each in resized.items()}


def _resize(features: Tensor, stride: int) -> Tensor:
    while stride < PLACE:
        features, stride = tf.nn.avg_pool2d(features, 2, 2, "SAME"), 2 * stride
    if stride > PLACE:
        features = tf.repeat(tf.repeat(features, stride // PLACE, axis=1), stride // PLACE, axis=2)
    return features


def neighbor_error(places: Places, goals: Goals) -> Tensor:
    """The loss, summed over the places: |t| - <x, t> / |x| of each, with x the picture's vector and t its goal."""
    wanted, centers, scales = goals
    targets = list(wanted.values())
    lengths = tf.reduce_sum(tf.sqrt(sum(map(_squares, targets))))

    @tf.custom_gradient
    def products(*vectors: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor]]]:
        """The sum of <x, t> / |x|. TensorFlow's own gradient goes over the vectors twice as often."""
        along = sum(tf.reduce_sum(x * t, axis=-1) for x, t in zip(vectors, targets, strict=True))
        shrink = tf.math.rsqrt(sum(map(_squares, vectors)) + EPSILON)

        def gradient(upstream: Tensor) -> list[Tensor]:
            by_target, by_vector = (upstream * factor[..., None] for factor in (shrink, along * shrink**3))
            return [by_target * t - by_vector * x for x, t in zip(vectors, targets, strict=True)]

        return tf.reduce_sum(along * shrink), gradient

    return lengths - products(*(scales[layer] * (places[layer] - centers[layer]) for layer in wanted))


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


def find_in_paintings(
    places: Callable[[Tensor], Parts], contents: Sequence[Tensor], paintings: Sequence[Tensor], dtype: str
) -> list[Neighbors]:
    """The neighbors of a content in each of several paintings.

    Args:
        places: those of a picture [1, H, W, 3].
        contents: the content in the colors of each painting.
        paintings: [1, H, W, 3] each.
        dtype: of the search.
    """
    found = []
    for content, painting in zip(contents, paintings, strict=True):
        turns = [places(turn) for turn in quarter_turns(painting)]
        pixels = QUARTER_TURNS * math.prod(painting.shape[1:3])
        found.append(find_neighbors(places(content), turns, pixels, dtype))
    return found


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
    candidates = tf.concat([_project(_joined(sample, centers, scales), dtype) for sample in samples], axis=0)
    own_centers, rows_at_once = _mean_vectors(content), max(1, MOST_SCORES // len(candidates))

    def nearest(part: Callable[[], Places]) -> Tensor:
        places = part()
        vectors, found = _vectors(places), []
        for first in range(0, len(_first(vectors)), rows_at_once):
            some = {layer: each[first : first + rows_at_once] for layer, each in vectors.items()}
            query = _project(_joined(some, own_centers, scales), dtype)
            found.append(tf.argmax(tf.matmul(query, candidates, transpose_b=True), axis=-1, output_type=tf.int32))
        return tf.reshape(tf.concat(found, axis=0), [*_first(places).shape[:3], 1])

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
    """The vectors of all layers, centered and scaled, side by side and of length 1, [n, C]; some rows at a time."""
    blocks = []
    for first in range(0, len(_first(vectors)), ROWS_AT_ONCE):
        rows = {layer: each[first : first + ROWS_AT_ONCE] for layer, each in vectors.items()}
        blocks.append(_unit(tf.concat([scales[layer] * (rows[layer] - centers[layer]) for layer in rows], axis=-1)))
    return tf.concat(blocks, axis=0)


def _unit(vectors: Tensor) -> Tensor:
    return vectors * tf.math.rsqrt(_squares(vectors) + EPSILON)[:, None]


def _project(vectors: Tensor, dtype: str) -> Tensor:
    """`vectors` [n, C] in a random projection to `PROJECTED` numbers, if they have more, of length 1 again."""
    if vectors.shape[-1] > PROJECTED:
        vectors = _unit(vectors @ tf.random.stateless_normal([vectors.shape[-1], PROJECTED], (0, 0)))
    return tf.cast(vectors, dtype)
