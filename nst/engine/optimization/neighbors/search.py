"""The search for the neighbors of a content in the paintings."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.optimization.neighbors.hypercolumns import Hypercolumns, Parts, Vectors
from nst.runs.estimates import MOST_CANDIDATES, NEIGHBOR_STRIDE, PROJECTED, QUARTER_TURNS

MOST_SCORES = 2**24  # cosines that are held at once
LENGTH_EPSILON = 1e-8  # added to squared lengths


def quarter_turns(painting: Tensor) -> list[Tensor]:
    """A painting [1, H, W, 3] as it is, and turned by one, two and three quarters."""
    return [tf.image.rot90(painting[0], turn)[None] for turn in range(QUARTER_TURNS)]


@dataclass(frozen=True)
class Neighbors:
    """The neighbors of a content in one painting."""

    vectors: Vectors  # of the painting, among which they are
    means: dict[str, Tensor]  # of these, layer -> [C]
    powers: dict[str, Tensor]  # mean squared lengths of these, layer -> []
    indices: Tensor  # of the neighbor of each hypercolumn, [1, h, w, 1] int32

    @property
    def count(self) -> int:
        """How many vectors of the painting there are."""
        return len(_first(self.vectors))


def find_in_paintings(
    hypercolumns: Callable[[Tensor], Parts], contents: Sequence[Tensor], paintings: Sequence[Tensor], dtype: str
) -> list[Neighbors]:
    """The neighbors of a content in each of several paintings.

    Args:
        hypercolumns: returns those of a picture [1, H, W, 3].
        contents: the content in the colors of each painting.
        paintings: [1, H, W, 3] each.
        dtype: of the search.
    """
    found = []
    for content, painting in zip(contents, paintings, strict=True):
        turns = [hypercolumns(turn) for turn in quarter_turns(painting)]
        pixels = QUARTER_TURNS * math.prod(painting.shape[1:3])
        found.append(find_neighbors(hypercolumns(content), turns, pixels, dtype))
    return found


def find_neighbors(content: Parts, turns: Sequence[Parts], pixels: float, dtype: str) -> Neighbors:
    """The neighbors of a content in a painting.

    Args:
        content: of the content, in the painting's colors.
        turns: of the painting, in each of its turns.
        pixels: of all turns together.
        dtype: of the search.
    """
    share = min(1.0, MOST_CANDIDATES * NEIGHBOR_STRIDE**2 / pixels)
    vectors = concatenated(
        [_sample(_vectors(part()), share, number) for number, part in enumerate(itertools.chain(*map(_all, turns)))]
    )
    means = {layer: tf.reduce_mean(each, axis=0) for layer, each in vectors.items()}
    powers = {layer: tf.reduce_mean(squared_lengths(each)) for layer, each in vectors.items()}
    scales = layer_scales(powers)
    candidates = _project(vectors, means, scales, dtype)
    if sum(map(len, content)) == 1:  # evaluated once, if that is no more to hold
        hypercolumns = content[0][0]()
        content = [[lambda: hypercolumns]]
    own_means = _mean_vectors(content)

    def nearest(part: Callable[[], Hypercolumns]) -> Tensor:
        hypercolumns = part()
        found = _most_similar(_project(_vectors(hypercolumns), own_means, scales, dtype), candidates)
        return tf.reshape(found, [*_first(hypercolumns).shape[:3], 1])

    rows = [tf.concat([nearest(part) for part in row], axis=2) for row in content]
    return Neighbors(vectors, means, powers, tf.concat(rows, axis=1))


def _most_similar(vectors: Tensor, candidates: Tensor) -> Tensor:
    """For each of `vectors` [n, C] the index of the one of `candidates` [m, C] with the largest product, [n] int32."""
    rows_at_once = max(1, MOST_SCORES // len(candidates))
    found = []
    for first in range(0, len(vectors), rows_at_once):
        scores = tf.matmul(vectors[first : first + rows_at_once], candidates, transpose_b=True)
        found.append(tf.argmax(scores, axis=-1, output_type=tf.int32))
    return tf.concat(found, axis=0)


def _all(parts: Parts) -> Iterator[Callable[[], Hypercolumns]]:
    return (part for row in parts for part in row)


def _first(of_layers: Mapping[str, Tensor]) -> Tensor:
    return next(iter(of_layers.values()))


def _vectors(hypercolumns: Hypercolumns) -> Vectors:
    return {layer: tf.reshape(each, [-1, each.shape[-1]]) for layer, each in hypercolumns.items()}


def _sample(vectors: Vectors, share: float, seed: int) -> Vectors:
    """Choose a `share` of the vectors at random; `seed` says which."""
    count = len(_first(vectors))
    taken = np.random.default_rng(seed).permutation(count)[: max(1, int(share * count))]
    return {layer: tf.gather(each, np.sort(taken)) for layer, each in vectors.items()} if share < 1 else vectors


def concatenated(vectors: Sequence[Vectors]) -> Vectors:
    """All of several `vectors`."""
    return {layer: tf.concat([each[layer] for each in vectors], axis=0) for layer in vectors[0]}


def _mean_vectors(parts: Parts) -> dict[str, Tensor]:
    """The mean of all hypercolumns, by layer, [C]."""
    sums: dict[str, Tensor] = {}
    count = 0
    for part in _all(parts):
        vectors = _vectors(part())
        count += len(_first(vectors))
        sums = {layer: sums.get(layer, 0.0) + tf.reduce_sum(each, axis=0) for layer, each in vectors.items()}
    return {layer: each / count for layer, each in sums.items()}


def layer_scales(powers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """1 over the root of the mean squared length of each layer's vectors."""
    return {layer: tf.math.rsqrt(power + LENGTH_EPSILON) for layer, power in powers.items()}


def squared_lengths(vectors: Tensor) -> Tensor:
    """The squared length of each vector: the sum over the last axis."""
    return tf.reduce_sum(tf.square(vectors), axis=-1)


def unit_vectors(vectors: Vectors, centers: Mapping[str, Tensor], scales: Mapping[str, Tensor]) -> Vectors:
    """`vectors`, centered and scaled; all layers of a hypercolumn together have length 1."""
    squares = sum(scales[layer] ** 2 * squared_lengths(each - centers[layer]) for layer, each in vectors.items())
    shrink = tf.math.rsqrt(squares + LENGTH_EPSILON)[:, None]
    return {layer: shrink * scales[layer] * (each - centers[layer]) for layer, each in vectors.items()}


def _project(vectors: Vectors, centers: Mapping[str, Tensor], scales: Mapping[str, Tensor], dtype: str) -> Tensor:
    """The vectors of all layers side by side, centered, scaled and of length 1, [n, ...].

    More numbers than `PROJECTED` are projected at random. Centers are subtracted after that, which takes fewer passes.
    """
    channels = [each.shape[-1] for each in vectors.values()]
    count = sum(channels)
    matrix = tf.random.stateless_normal([count, PROJECTED], (0, 0)) if count > PROJECTED else tf.eye(count)
    of_layers = dict(zip(vectors, tf.split(matrix, channels), strict=True))
    products = [
        tf.matmul(each, scales[layer] * of_layers[layer])
        - tf.linalg.matvec(of_layers[layer], scales[layer] * centers[layer], transpose_a=True)
        for layer, each in vectors.items()
    ]
    projected = tf.add_n(products)
    return tf.cast(projected * tf.math.rsqrt(squared_lengths(projected) + LENGTH_EPSILON)[:, None], dtype)
