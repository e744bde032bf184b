"""The objective: the loss of an image, its parts and its gradient, from targets and weights.

E = content_weight * sum_l a_l C_l + style_weight * sum_l b_l S_l + tv_weight * TV + neighbor_weight * N, with layer
weights a and b, and N of the folder neighbors.
"""

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.canvas import crop_features, inner_region
from nst.engine.optimization.layer_losses import LayerLosses, Targets
from nst.engine.optimization.losses import tv_loss
from nst.engine.optimization.neighbors.hypercolumns import (
    Cells,
    Hypercolumns,
    Parts,
    cell_sides,
    hypercolumn_count,
    neighbor_layers,
    to_cells,
    to_hypercolumns,
)
from nst.engine.optimization.neighbors.loss import NO_GOALS, Goals, goals_spec, neighbor_error
from nst.options.style_options import StyleOptions
from nst.runs.estimates import MOST_EARLY_PIXELS
from nst.runs.events import Losses

# Of the weights of content and neighbors, and of smoothness, on the first of several scales.
FIRST_SCALE_CONTENT, FIRST_SCALE_SMOOTHNESS = 24.0, 5.0


@dataclass
class LiveWeights:
    """The weights of the losses at full size, and the learning rate; `on_scale` gives those of a coarser scale.

    They are mutable: a caller may set them between two steps of `stylize`, and the next step uses them.
    """

    content: float
    style: float
    tv: float
    content_layers: tuple[float, ...]
    style_layers: tuple[float, ...]
    learning_rate: float
    styles: tuple[float, ...] = (1.0,)  # share of each painting in the mix, of sum 1
    neighbors: float = 0.0

    @classmethod
    def of(cls, options: StyleOptions, extractor: str, paintings: int = 1) -> "LiveWeights":
        """The weights of `options` for the network named `extractor`. Raises OptionError, see `style_shares`."""
        w = options.weights
        content, style = options.layers(extractor)
        layers = tuple(weight for _, weight in content), tuple(weight for _, weight in style)
        shares = options.style_shares(paintings)
        return cls(w.content, w.style, w.tv, *layers, options.learning_rate, shares, w.neighbors)

    def on_scale(self, coarseness: float, scales_left: float, normalization: str) -> "LiveWeights":
        """The weights on a coarser scale.

        On the first scale content and neighbors weigh `FIRST_SCALE_CONTENT` times more, smoothness
        `FIRST_SCALE_SMOOTHNESS` times, and less on each later one, in equal ratios: coarse scales fix large forms and
        the light, which are to be the content's, and grain that forms on them would become a visible pattern when it is
        enlarged. `gatys` sums the content loss over positions; its weight is scaled so that the sum counts as on the
        full size.

        Args:
            coarseness: how many times smaller than the result the scale is.
            scales_left: the share of the scales after the first that is still to come, 1 on the first, 0 on the last.
            normalization: "relative" or "gatys".
        """
        positions = coarseness**2 if normalization == "gatys" else 1.0
        more = FIRST_SCALE_CONTENT**scales_left
        return replace(
            self,
            content=self.content * more * positions,
            tv=self.tv * FIRST_SCALE_SMOOTHNESS**scales_left,
            neighbors=self.neighbors * more,
        )


class TargetTensors(NamedTuple):
    """`Targets` as a graph of TensorFlow takes them."""

    content: dict[str, Tensor]
    style: dict[str, Tensor]
    guidance: dict[str, Tensor]
    regions: Tensor  # empty without regions
    goals: Goals  # of the loss of neighbors


class WeightTensors(NamedTuple):
    """`LiveWeights` as a graph of TensorFlow takes them."""

    losses: Tensor  # of content, style, total variation and neighbors, [4]
    content_layers: Tensor
    style_layers: Tensor


class Objective(LayerLosses):
    """The loss of an image and its gradient in TensorFlow, traced once for all sizes and all weights.

    With a `margin`, px, images are canvases whose margins are as wide, or wider. Convolutions and total variation read
    them, but positions in the outer `margin` px do not count in content and style. If `regions` is not 0, it is their
    number, and targets have guidance. With `with_neighbors`, the loss of neighbors is a part; its layers are style
    layers. Without such layers it is 0.

    Raises OptionError if the extractor has no such layer.
    """

    def __init__(
        self,
        extractor: Extractor,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        normalization: str,
        margin: int = 0,
        regions: int = 0,
        with_neighbors: bool = False,
    ) -> None:
        super().__init__(extractor, content_layers, style_layers, normalization)
        self.margin, self.regions = margin, regions
        self.neighbor_layers = neighbor_layers(extractor.architecture, self.style_layers) if with_neighbors else ()
        self.cell_sides = cell_sides(extractor.architecture, self.neighbor_layers)
        self._trace()

    def _trace(self) -> None:
        """Declare the graphs with unknown sides, so that one trace serves all sizes: TensorFlow never drops a trace."""
        channels = {layer: self.extractor.architecture.channels(layer) for layer in self.layers}
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        dtype = self.extractor.dtype
        content = {n: tf.TensorSpec([1, None, None, channels[n]], dtype) for n in self.content_layers}
        several = [self.regions] if self.regions else []
        style = {n: tf.TensorSpec([*several, channels[n], channels[n]], tf.float32) for n in self.style_layers}
        guided = self.style_layers if self.regions else ()
        guidance = {n: tf.TensorSpec([1, None, None, self.regions], tf.float32) for n in guided}
        goals = goals_spec({n: channels[n] for n in self.neighbor_layers}, self.cell_sides)
        counts = (self.regions, 4, len(self.content_layers), len(self.style_layers))
        per_region, main, per_content, per_style = (tf.TensorSpec([n], tf.float32) for n in counts)
        self._content_of = tf.function(self._content_only, input_signature=[picture])
        self._style_matrices = tf.function(self._summarize, input_signature=[picture])
        self._hypercolumns_of = tf.function(self._hypercolumns, input_signature=[picture])
        targets = TargetTensors(content, style, guidance, per_region, goals)
        signature = [picture, targets, WeightTensors(main, per_content, per_style)]
        self._value_and_gradient = {  # by whether the picture is large
            large: tf.function(functools.partial(self._differentiate, large), input_signature=signature)
            for large in (False, True)
        }

    def targets(self, content: Tensor, style: Tensor) -> Targets:
        """Targets from the two pictures, [1, H, W, 3] float32 in 0..1; their sizes may differ."""
        return Targets(self.content_activations(content), self.style_matrices(style))

    def content_activations(self, content: Tensor) -> dict[str, Tensor]:
        """Activations of each content layer for the content, [1, H, W, 3] float32 in 0..1."""
        return self._content_of(content)

    def style_matrices(self, style: Tensor) -> dict[str, Tensor]:
        """Gram matrix of each style layer for a painting, [1, H, W, 3] float32 in 0..1."""
        return self._style_matrices(style)

    def hypercolumns(self, picture: Tensor) -> Parts:
        """What neighbors are found by, for a canvas [1, H, W, 3] float32 in 0..1: one part."""
        return [[lambda: self._hypercolumns_of(picture)]]

    def evaluate(self, image: Tensor, targets: Targets, weights: LiveWeights) -> tuple[Losses, Tensor]:
        """(losses, gradient) at `image` [1, H, W, 3] float32 in 0..1; the gradient has the image's shape."""
        compared = TargetTensors(
            targets.content,
            targets.style,
            targets.guidance,
            tf.zeros([0]) if targets.regions is None else targets.regions,
            targets.neighbors.goals if targets.neighbors else NO_GOALS,
        )
        weighed = WeightTensors(
            tf.constant([weights.content, weights.style, weights.tv, weights.neighbors], tf.float32),
            tf.constant(weights.content_layers, tf.float32),
            tf.constant(weights.style_layers, tf.float32),
        )
        large = math.prod(image.shape[1:3]) > MOST_EARLY_PIXELS
        values, gradient = self._value_and_gradient[large](image, compared, weighed)
        return Losses(*values.numpy().tolist()), gradient

    def _content_only(self, image: Tensor) -> dict[str, Tensor]:
        return self._activations(image, self.content_layers)

    def _summarize(self, image: Tensor) -> dict[str, Tensor]:
        return self.gram_matrices(self._activations(image, self.style_layers))

    def _hypercolumns(self, image: Tensor) -> Hypercolumns:
        found = self._activations(image, self.neighbor_layers)
        return to_hypercolumns(self.cells(found), self.cell_sides)

    def cells(self, found: dict[str, Tensor]) -> Cells:
        """What the loss of neighbors reads of activations: of `neighbor_layers`, as many of them as are there."""
        return to_cells(found, [n for n in self.neighbor_layers if n in found], self.extractor.architecture)

    def _activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Activations of `layers` at the positions that count."""
        crop = self._crop(image)
        return {layer: crop(layer, found) for layer, found in self.extractor(image, layers).items()}

    def _crop(self, image: Tensor) -> Callable[[str, Tensor], Tensor]:
        """What crops activations of a layer for `image` to the positions that count."""
        region = inner_region(tf.unstack(tf.shape(image)[1:3]), self.margin)
        stride = self.extractor.architecture.stride
        return lambda layer, found: crop_features(found, region, stride(layer))

    def _differentiate(
        self, large: bool, image: Tensor, compared: TargetTensors, weights: WeightTensors
    ) -> tuple[Tensor, Tensor]:
        """([total, content, style, tv, neighbors], gradient); of a `large` picture in less memory and more time."""
        targets = Targets(compared.content, compared.style, compared.guidance, compared.regions)
        crop = self._crop(image)

        def read(layer: str, found: Tensor) -> tuple[dict[str, Tensor], Cells]:
            features = crop(layer, found)
            return self.layer_losses(layer, features, targets), self.cells({layer: features})

        with tf.GradientTape() as tape:
            tape.watch(image)
            if large:
                found = self.extractor.read(image, self.layers, read)
            else:
                found = {layer: read(layer, each) for layer, each in self.extractor(image, self.layers).items()}
            content_parts, style_parts = self.stacked({layer: losses for layer, (losses, _) in found.items()})
            content_part, style_part = (
                tf.reduce_sum(weights.content_layers * content_parts),
                tf.reduce_sum(weights.style_layers * style_parts),
            )
            neighbors = self._neighbor_loss({n: found[n][1][n] for n in self.neighbor_layers}, compared.goals)
            weighted = weights.losses * tf.stack([content_part, style_part, tv_loss(image), neighbors])
            total = tf.reduce_sum(weighted)
        gradient = tape.gradient(total, image)
        total += 0.0 * tf.reduce_sum(gradient)  # a gradient that is not finite shows in the loss, before it is used
        return tf.concat([total[None], weighted], axis=0), gradient

    def _neighbor_loss(self, cells: Cells, goals: Goals) -> Tensor:
        return neighbor_error(cells, goals) / hypercolumn_count(cells) if cells else tf.constant(0.0)
