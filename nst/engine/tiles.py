"""The objective of a picture too large to be differentiated at once: by overlapping tiles, exact in meaning.

The losses are functions of sums over positions: of products of activations (style) and of squared errors (content). A
first pass, forward over the tiles, adds these sums up; from them come the losses and what they change with the sums. A
second pass, forward and back, holds that fixed: the loss of a tile is the sum over layers of <dE/dG, its share of the
Gram matrix G>, plus its share of the content loss, and the gradients of the tiles add up to that of the whole picture.

Each tile is a core, whose positions count, within a halo as wide as the receptive fields, whose positions do not: no
position counts twice, and none that counts sees a cut.
"""

import functools
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nst.engine.backend import tf
from nst.engine.extractors import Architecture
from nst.engine.losses import EPSILON, moments, style_loss, tv_loss
from nst.engine.objective import LiveWeights, Objective, Targets, positions, within
from nst.runs.events import Losses

Tensor = Any
Moments = dict[str, tuple[Tensor, Tensor]]  # convolution -> (Gram matrix [C, C], mean [C]), float32


@dataclass(frozen=True)
class Span:
    """One side of a tile: its core is first..last, with the halo it is start..stop; px, ends excluded."""

    start: int
    first: int
    last: int
    stop: int


@dataclass(frozen=True)
class Tile:
    """A tile of a picture."""

    rows: Span
    columns: Span

    def cut(self, image: Tensor) -> Tensor:
        """Its part of `image` [1, H, W, C], halo included."""
        return image[:, self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def core(self, features: Tensor, stride: int, margin: int) -> Tensor:
        """The core's part of `features` [1, h, w, C] of all that counts, whose positions are `stride` px apart."""
        origin = margin // stride * stride
        place = [(span.first - origin, span.last - origin) for span in (self.rows, self.columns)]
        return within(features, place, stride)

    @property
    def place(self) -> Tensor:
        """The core's first and last row, and first and last column, within the tile, int32 [2, 2]."""
        return tf.constant([[span.first - span.start, span.last - span.start] for span in (self.rows, self.columns)])


def grid(architecture: Architecture) -> int:
    """What the edges of tiles are multiples of, px, so that they pool as the picture does."""
    return 2 ** (len(architecture.depths) - 1)


def halo(architecture: Architecture, layers: Iterable[str]) -> int:
    """How far `layers` see, px, rounded up to the grid: each 3x3 convolution adds one of its strides to either side."""
    deepest = max(architecture.convolutions.index(architecture.source(layer)) for layer in layers)
    reach = sum(architecture.stride(layer) for layer in architecture.convolutions[: deepest + 1])
    return _up(reach, grid(architecture))


def spans(length: int, side: int, halo: int, grid: int, margin: int) -> list[Span]:
    """A side of `length` px, less a margin at both ends, in cores of about equal length, none longer than `side`."""
    core = _up(-(-length // -(-length // side)), grid)
    return [
        Span(
            max(0, first - halo),
            max(margin, first),
            min(length - margin, first + core),
            min(length, first + core + halo),
        )
        for first in range(0, length - margin, core)
    ]


class TiledObjective:
    """What `whole` says of a picture, found tile by tile where the picture is too large to be taken whole.

    Args:
        whole: the objective; it takes pictures of no more pixels than the largest tile has itself.
        side: longest side of a tile's core, px, a multiple of `grid`.
    """

    def __init__(self, whole: Objective, side: int) -> None:
        architecture = whole.extractor.architecture
        layers = (*whole.content_layers, *whole.style_layers)
        self._whole = whole
        self._side, self._halo, self._grid = side, halo(architecture, layers), grid(architecture)
        self._strides = {n: architecture.stride(n) for n in {*layers, *self._whole.style_sources}}
        self._trace()

    def _trace(self) -> None:
        """Declare the graphs of a tile with every side unknown: one trace serves all tiles of all pictures."""
        channels = {layer: shape[3] for layer, shape in self._whole.extractor.architecture.shapes().items()}
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        place = tf.TensorSpec([2, 2], tf.int32)
        dtype = self._whole.extractor.dtype
        content = {n: tf.TensorSpec([1, None, None, channels[n]], dtype) for n in self._whole.content_layers}
        per_content = tf.TensorSpec([len(content)], tf.float32)
        pull = {
            n: (tf.TensorSpec([channels[n], channels[n]], tf.float32), tf.TensorSpec([channels[n]], tf.float32))
            for n in self._whole.style_sources
        }
        self._content_of = tf.function(self._activate, input_signature=[picture, place])
        self._moments_of = tf.function(self._summarise, input_signature=[picture, place])
        self._sums_of = tf.function(self._measure, input_signature=[picture, place, content])
        self._gradient_of = tf.function(
            self._differentiate, input_signature=[picture, place, content, per_content, pull]
        )

    def targets(self, content: Tensor, style: Tensor) -> Targets:
        """Targets from the two pictures, [1, H, W, 3] float32 in 0..1, not necessarily of one size."""
        rows, columns = self._spans(content)
        parts = [
            [self._content_of(tile.cut(content), tile.place) for tile in (Tile(r, c) for c in columns)] for r in rows
        ]
        activations = {
            layer: tf.concat([tf.concat([part[layer] for part in row], 2) for row in parts], 1)
            for layer in self._whole.content_layers
        }
        moments = _total(self._moments_of(tile.cut(style), tile.place) for tile in self._tiles(style))
        return Targets(activations, self._whole.matrices(self._means(moments, style)))

    def evaluate(self, image: Tensor, targets: Targets, weights: LiveWeights) -> tuple[Losses, Tensor]:
        """(losses, gradient) at `image` [1, H, W, 3] float32 in 0..1; the gradient has the image's shape."""
        tiles = self._tiles(image)
        if len(tiles) == 1:
            return self._whole.evaluate(image, targets, weights)
        sums = (self._sums_of(tile.cut(image), tile.place, self._content(targets, tile)) for tile in tiles)
        moments, errors, norms = _total(sums)
        style, pull = self._style(self._means(moments, image), targets, weights)
        per_content = weights.content * tf.constant(weights.content_layers, tf.float32)
        per_content /= norms + EPSILON if self._whole.normalisation == "relative" else 2.0
        content = float(tf.reduce_sum(per_content * errors))
        tv, tv_gradient = _smoothness(image)

        gradient = weights.tv * tv_gradient.numpy()
        pull = self._means(pull, image)
        for tile in tiles:
            part = self._gradient_of(tile.cut(image), tile.place, self._content(targets, tile), per_content, pull)
            tile.cut(gradient)[...] += part.numpy()
        tv = weights.tv * float(tv)
        # a gradient that is not finite shows in the loss, before it is used
        total = content + style + tv + 0.0 * float(gradient.sum())
        return Losses(total, content, style, tv), tf.convert_to_tensor(gradient)

    def _spans(self, picture: Tensor) -> tuple[list[Span], list[Span]]:
        """(rows, columns) of the tiles of `picture` [1, H, W, 3]: a single one of each if it need not be cut."""
        height, width = picture.shape[1:3]
        margin = self._whole.margin
        if height * width <= (self._side + 2 * self._halo) ** 2:
            rows, columns = ([Span(0, margin, length - margin, length)] for length in (height, width))
        else:
            rows, columns = (spans(length, self._side, self._halo, self._grid, margin) for length in (height, width))
        return rows, columns

    def _tiles(self, picture: Tensor) -> list[Tile]:
        return [Tile(*sides) for sides in itertools.product(*self._spans(picture))]

    def _content(self, targets: Targets, tile: Tile) -> dict[str, Tensor]:
        """What the core of `tile` is compared with."""
        return {
            layer: tile.core(found, self._strides[layer], self._whole.margin)
            for layer, found in targets.content.items()
        }

    def _means(self, sums: Moments, picture: Tensor) -> Moments:
        """Each layer's sums over its number of positions in `picture` [1, H, W, 3]."""
        return {
            n: (matrix / self._count(n, picture), vector / self._count(n, picture))
            for n, (matrix, vector) in sums.items()
        }

    def _count(self, layer: str, picture: Tensor) -> int:
        """How many positions of `layer` count in `picture`."""
        margin = self._whole.margin
        sides = (positions(margin, side - margin, self._strides[layer]) for side in picture.shape[1:3])
        return math.prod(last - first for first, last in sides)

    def _style(self, moments: Moments, targets: Targets, weights: LiveWeights) -> tuple[float, Moments]:
        """(weighted style loss, its derivative by the moments)."""
        with tf.GradientTape() as tape:
            tape.watch(moments)
            matrices = self._whole.matrices(moments)
            loss = sum(
                weight * style_loss(matrices[layer], targets.style[layer], self._whole.normalisation)
                for layer, weight in zip(self._whole.style_layers, weights.style_layers, strict=True)
            )
            loss *= weights.style
        return float(loss), tape.gradient(loss, moments, unconnected_gradients="zero")

    def _features(self, tile: Tensor, place: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Activations of `layers` at the positions of a tile's core."""
        sides = [tf.unstack(side) for side in tf.unstack(place)]
        return {n: within(f, sides, self._strides[n]) for n, f in self._whole.extractor(tile, layers).items()}

    def _activate(self, tile: Tensor, place: Tensor) -> dict[str, Tensor]:
        return self._features(tile, place, self._whole.content_layers)

    def _summarise(self, tile: Tensor, place: Tensor) -> Moments:
        return self._sums(self._features(tile, place, self._whole.style_sources))

    def _sums(self, features: dict[str, Tensor]) -> Moments:
        """Sums over the positions, of products and of activations."""
        sums = {}
        for layer in self._whole.style_sources:
            count = tf.cast(tf.size(features[layer][0, :, :, 0]), tf.float32)
            matrix, vector = moments(features[layer])
            sums[layer] = count * matrix, count * vector
        return sums

    def _errors(self, features: dict[str, Tensor], content: dict[str, Tensor]) -> Tensor:
        """Squared errors of each content layer, summed over the positions, [len(content_layers)]."""
        pairs = [(features[n], content[n]) for n in self._whole.content_layers]
        return tf.stack([tf.reduce_sum(tf.square(_float(found) - _float(wanted))) for found, wanted in pairs])

    def _measure(self, tile: Tensor, place: Tensor, content: dict[str, Tensor]) -> tuple[Moments, Tensor, Tensor]:
        """What a tile adds to (moments, squared errors, squared norms of the targets)."""
        features = self._features(tile, place, {*self._whole.content_layers, *self._whole.style_sources})
        norms = tf.stack([tf.reduce_sum(tf.square(_float(content[n]))) for n in self._whole.content_layers])
        return self._sums(features), self._errors(features, content), norms

    def _differentiate(
        self, tile: Tensor, place: Tensor, content: dict[str, Tensor], per_content: Tensor, pull: Moments
    ) -> Tensor:
        """What a tile adds to the gradient, of its own shape; `pull` is dE by the sums that `_measure` found."""
        with tf.GradientTape() as tape:
            tape.watch(tile)
            features = self._features(tile, place, {*self._whole.content_layers, *self._whole.style_sources})
            loss = tf.reduce_sum(per_content * self._errors(features, content))
            for layer, found in self._sums(features).items():
                loss += sum(tf.reduce_sum(by * total) for by, total in zip(pull[layer], found, strict=True))
        return tape.gradient(loss, tile)


def _total(parts: Iterable[Any]) -> Any:
    """The sum of equal structures of tensors."""
    return functools.reduce(functools.partial(tf.nest.map_structure, tf.add), parts)


@tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])
def _smoothness(image: Tensor) -> tuple[Tensor, Tensor]:
    """(total variation, its gradient)."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = tv_loss(image)
    return loss, tape.gradient(loss, image)


def _float(features: Tensor) -> Tensor:
    return tf.cast(features, tf.float32)


def _up(length: int, grid: int) -> int:
    """The next multiple of `grid`."""
    return -(-length // grid) * grid
