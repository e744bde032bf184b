"""The objective of a picture too large for one backward pass: by overlapping tiles, with the gradient of the whole.

The losses are functions of sums over positions: of products of activations (style) and of squared errors (content). A
first pass, forward over the tiles, adds up these sums; the losses and their derivatives by the sums follow. A second
pass, forward and backward, treats these derivatives as constants: the loss of a tile is <dE/dG, its share of the Gram
matrix G>, summed over the layers, plus its shares of the losses of content and neighbors, and the gradients of the
tiles add up to the gradient of the whole.

Positions of a tile's core count, those of its halo do not: each position counts once, and the receptive field of none
that counts is cut off.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

from nst.engine.backend import Tensor, tf
from nst.engine.optimization.canvas import (
    Span,
    Tile,
    crop_features,
    edge_multiple,
    halo,
    inner_region,
    positions,
    spans,
)
from nst.engine.optimization.layer_losses import Targets
from nst.engine.optimization.losses import EPSILON, content_divisor, gram, guided_gram, tv_loss
from nst.engine.optimization.neighbors.hypercolumns import Cells, Hypercolumns, Parts, to_hypercolumns
from nst.engine.optimization.neighbors.loss import NO_GOALS, Goals, goals_spec, neighbor_error
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.runs.estimates import NEIGHBOR_STRIDE
from nst.runs.events import Losses

Matrices = dict[str, Tensor]  # style layer -> Gram matrix [C, C], or [R, C, C] of R regions, or its sums, float32


class TiledObjective:
    """The values and gradients of the objective `whole`, computed by tiles.

    Args:
        whole: the objective; a picture of no more pixels than the largest tile has is left to it.
        side: longest side of a tile's core, px, a multiple of `edge_multiple`.
    """

    def __init__(self, whole: Objective, side: int) -> None:
        architecture = whole.extractor.architecture
        layers = (*whole.content_layers, *whole.style_layers)
        self._whole = whole
        self._side, self._halo, self._edge_multiple = side, halo(architecture, layers), edge_multiple(architecture)
        self._strides = {n: architecture.stride(n) for n in layers}
        self._trace()

    def _trace(self) -> None:
        """Declare the graphs of a tile with unknown sides, so that one trace serves all tiles of all pictures."""
        channels = {layer: self._whole.extractor.architecture.channels(layer) for layer in self._whole.layers}
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        core = tf.TensorSpec([2, 2], tf.int32)
        dtype, regions = self._whole.extractor.dtype, self._whole.regions
        content = {n: tf.TensorSpec([1, None, None, channels[n]], dtype) for n in self._whole.content_layers}
        per_content = tf.TensorSpec([len(content)], tf.float32)
        several, layers = [regions] if regions else [], self._whole.style_layers
        derivatives = {n: tf.TensorSpec([*several, channels[n], channels[n]], tf.float32) for n in layers}
        guided = {n: tf.TensorSpec([1, None, None, regions], tf.float32) for n in (layers if regions else ())}
        goals = goals_spec({n: channels[n] for n in self._whole.neighbor_layers}, self._whole.cell_sides)
        per_hypercolumn = tf.TensorSpec([], tf.float32)
        self._content_of = tf.function(self._content_features, input_signature=[picture, core])
        self._hypercolumns_of = tf.function(self._hypercolumns, input_signature=[picture, core])
        self._style_sums_of = tf.function(self._style_sums, input_signature=[picture, core])
        self._sums_of = tf.function(self._measure, input_signature=[picture, core, content, guided, goals])
        self._gradient_of = tf.function(
            self._differentiate,
            input_signature=[picture, core, content, guided, goals, per_content, per_hypercolumn, derivatives],
        )

    @property
    def neighbor_layers(self) -> tuple[str, ...]:
        """The layers that neighbors are found by."""
        return self._whole.neighbor_layers

    def targets(self, content: Tensor, style: Tensor) -> Targets:
        """Targets from the two pictures, [1, H, W, 3] float32 in 0..1; their sizes may differ."""
        return Targets(self.content_activations(content), self.style_matrices(style))

    def content_activations(self, content: Tensor) -> dict[str, Tensor]:
        """Activations of each content layer for the content, [1, H, W, 3] float32 in 0..1."""
        rows, columns = self._spans(content)
        parts = [
            [self._content_of(tile.cut(content), tile.core) for tile in (Tile(r, c) for c in columns)] for r in rows
        ]
        return {
            layer: tf.concat([tf.concat([part[layer] for part in row], 2) for row in parts], 1)
            for layer in self._whole.content_layers
        }

    def hypercolumns(self, picture: Tensor) -> Parts:
        """What neighbors are found by, for a canvas [1, H, W, 3] float32 in 0..1, tile by tile."""

        def part(tile: Tile) -> Callable[[], Hypercolumns]:
            return lambda: self._hypercolumns_of(tile.cut(picture), tile.core)

        rows, columns = self._spans(picture)
        return [[part(Tile(row, column)) for column in columns] for row in rows]

    def style_matrices(self, style: Tensor) -> dict[str, Tensor]:
        """Gram matrix of each style layer for a painting, [1, H, W, 3] float32 in 0..1."""
        sums = _total(self._style_sums_of(tile.cut(style), tile.core) for tile in self._tiles(style))
        return self._per_position(sums, style, {})

    def evaluate(self, image: Tensor, targets: Targets, weights: LiveWeights) -> tuple[Losses, Tensor]:
        """(losses, gradient) at `image` [1, H, W, 3] float32 in 0..1; the gradient has the image's shape."""
        tiles = self._tiles(image)
        if len(tiles) == 1:
            return self._whole.evaluate(image, targets, weights)
        sums = (self._sums_of(tile.cut(image), tile.core, *self._in_tile(targets, tile)) for tile in tiles)
        matrices, errors, norms, neighbor_errors = _total(sums)
        style, derivatives = self._style_loss(self._per_position(matrices, image, targets.guidance), targets, weights)
        per_content = weights.content * tf.constant(weights.content_layers, tf.float32)
        per_content /= content_divisor(norms, self._whole.normalization)
        content = float(tf.reduce_sum(per_content * errors))
        per_hypercolumn = tf.constant(weights.neighbors / max(1, self._count(NEIGHBOR_STRIDE, image)), tf.float32)
        neighbors = float(per_hypercolumn * neighbor_errors)
        tv, tv_gradient = _total_variation(image)

        gradient = weights.tv * tv_gradient.numpy()
        by_sums = self._per_position(derivatives, image, targets.guidance)
        for tile in tiles:
            part = self._gradient_of(
                tile.cut(image), tile.core, *self._in_tile(targets, tile), per_content, per_hypercolumn, by_sums
            )
            tile.cut(gradient)[...] += part.numpy()
        tv = weights.tv * float(tv)
        # a gradient that is not finite shows in the loss, before it is used
        total = content + style + tv + neighbors + 0.0 * float(gradient.sum())
        return Losses(total, content, style, tv, neighbors), tf.convert_to_tensor(gradient)

    def _spans(self, picture: Tensor) -> tuple[list[Span], list[Span]]:
        """(rows, columns) of the tiles of `picture` [1, H, W, 3]: one of each if it is no larger than a tile."""
        height, width = picture.shape[1:3]
        margin, multiple = self._whole.margin, self._edge_multiple
        if height * width <= (self._side + 2 * self._halo) ** 2:
            rows, columns = ([Span(0, margin, length - margin, length)] for length in (height, width))
        else:
            rows, columns = (spans(length, self._side, self._halo, multiple, margin) for length in (height, width))
        return rows, columns

    def _tiles(self, picture: Tensor) -> list[Tile]:
        return [Tile(*sides) for sides in itertools.product(*self._spans(picture))]

    def _in_tile(self, targets: Targets, tile: Tile) -> tuple[dict[str, Tensor], dict[str, Tensor], Goals]:
        """(content targets, guidance, goals of the loss of neighbors) of the core of `tile`."""
        content, guidance = (
            {layer: tile.crop_core(each, self._strides[layer], self._whole.margin) for layer, each in found.items()}
            for found in (targets.content, targets.guidance)
        )
        if targets.neighbors is None:
            return content, guidance, NO_GOALS
        of_all = (targets.neighbors.indices, targets.neighbors.weights)
        local = (tile.crop_core(each, NEIGHBOR_STRIDE, self._whole.margin) for each in of_all)
        return content, guidance, targets.neighbors.goals_at(*local)

    def _per_position(self, matrices: Matrices, picture: Tensor, guidance: dict[str, Tensor]) -> Matrices:
        """Each layer's matrices divided by its number of positions that count in `picture` [1, H, W, 3].

        Sums become Gram matrices, and derivatives by Gram matrices become derivatives by sums. With
        guidance, those of each region are divided by the sum of its weights.
        """
        counts = {
            n: tf.maximum(_weights(guidance[n]), EPSILON)
            if guidance
            else tf.constant(float(self._count(self._strides[n], picture)))
            for n in matrices
        }
        return {n: matrix / counts[n][..., None, None] for n, matrix in matrices.items()}

    def _count(self, stride: int, picture: Tensor) -> int:
        """How many positions, `stride` px apart, count in `picture`."""
        region = inner_region(picture.shape[1:3], self._whole.margin)
        sides = (positions(first, last, stride) for first, last in region)
        return math.prod(last - first for first, last in sides)

    def _style_loss(self, matrices: Matrices, targets: Targets, weights: LiveWeights) -> tuple[float, Matrices]:
        """(weighted style loss, its derivatives by the matrices)."""
        with tf.GradientTape() as tape:
            tape.watch(matrices)
            loss = sum(
                weight * self._whole.layer_style_loss(layer, matrices[layer], targets)
                for layer, weight in zip(self._whole.style_layers, weights.style_layers, strict=True)
            )
            loss *= weights.style
        return float(loss), tape.gradient(loss, matrices, unconnected_gradients="zero")

    def _features(self, tile: Tensor, core: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Activations of `layers` at the positions of a tile's core."""
        found = self._whole.extractor(tile, layers)
        return {layer: self._crop(layer, features, core) for layer, features in found.items()}

    def _crop(self, layer: str, features: Tensor, core: Tensor) -> Tensor:
        """The activations of `layer` at the positions of a tile's core."""
        return crop_features(features, [tf.unstack(side) for side in tf.unstack(core)], self._strides[layer])

    def _content_features(self, tile: Tensor, core: Tensor) -> dict[str, Tensor]:
        return self._features(tile, core, self._whole.content_layers)

    def _hypercolumns(self, tile: Tensor, core: Tensor) -> Hypercolumns:
        cells = self._whole.cells(self._features(tile, core, self._whole.neighbor_layers))
        return to_hypercolumns(cells, self._whole.cell_sides)

    def _style_sums(self, tile: Tensor, core: Tensor) -> Matrices:
        return self._sums(self._features(tile, core, self._whole.style_layers), {})

    def _sums(self, features: dict[str, Tensor], guidance: dict[str, Tensor]) -> Matrices:
        """Sums of products over the positions, of each style layer."""
        return {n: _products(features[n], guidance.get(n)) for n in self._whole.style_layers}

    def _measure(
        self,
        tile: Tensor,
        core: Tensor,
        content: dict[str, Tensor],
        guidance: dict[str, Tensor],
        goals: Goals,
    ) -> tuple[Matrices, Tensor, Tensor, Tensor]:
        """A tile's share of the sums: of products, squared errors, squared norms of the content targets, neighbors."""
        features = self._features(tile, core, self._whole.layers)
        layers = self._whole.content_layers
        errors = tf.stack([_squares(_float(features[n]) - _float(content[n])) for n in layers])
        norms = tf.stack([_squares(_float(content[n])) for n in layers])
        return self._sums(features, guidance), errors, norms, neighbor_error(self._whole.cells(features), goals)

    def _differentiate(
        self,
        tile: Tensor,
        core: Tensor,
        content: dict[str, Tensor],
        guidance: dict[str, Tensor],
        goals: Goals,
        per_content: Tensor,
        per_hypercolumn: Tensor,
        by_sums: Matrices,
    ) -> Tensor:
        """A tile's share of the gradient, in the tile's shape; `by_sums` is dE by the sums that `_measure` returns."""
        whole = self._whole
        of_content = dict(zip(whole.content_layers, tf.unstack(per_content), strict=True))

        def read(layer: str, found: Tensor) -> tuple[Tensor, Cells]:
            features = self._crop(layer, found, core)
            loss = tf.constant(0.0)
            if layer in of_content:
                loss += of_content[layer] * _squares(_float(features) - _float(content[layer]))
            if layer in by_sums:
                loss += tf.reduce_sum(by_sums[layer] * _products(features, guidance.get(layer)))
            return loss, whole.cells({layer: features})

        with tf.GradientTape() as tape:
            tape.watch(tile)
            found = whole.extractor.read(tile, whole.layers, read)
            cells = {n: found[n][1][n] for n in whole.neighbor_layers}
            loss = tf.add_n([loss for loss, _ in found.values()]) + per_hypercolumn * neighbor_error(cells, goals)
        return tape.gradient(loss, tile)


def _products(features: Tensor, guidance: Tensor | None) -> Tensor:
    """Sums of products of activations over the positions; with guidance, weighted sums of each region."""
    if guidance is None:
        return tf.cast(tf.size(features[0, :, :, 0]), tf.float32) * gram(features)
    return _weights(guidance)[..., None, None] * guided_gram(features, guidance)


def _squares(x: Tensor) -> Tensor:
    return tf.reduce_sum(tf.square(x))


def _weights(guidance: Tensor) -> Tensor:
    """The sum of the weights of each region, [R]."""
    return tf.reduce_sum(guidance, axis=(0, 1, 2))


def _total(parts: Iterable[Any]) -> Any:
    """The sum of equal structures of tensors."""
    return functools.reduce(functools.partial(tf.nest.map_structure, tf.add), parts)


@tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])
def _total_variation(image: Tensor) -> tuple[Tensor, Tensor]:
    """(total variation, its gradient)."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = tv_loss(image)
    return loss, tape.gradient(loss, image)


def _float(features: Tensor) -> Tensor:
    return tf.cast(features, tf.float32)
