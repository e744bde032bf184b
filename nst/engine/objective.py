"""The objective: targets and live weights make one loss of an image, and its parts.

E = content_weight * sum_l a_l C_l + style_weight * sum_l b_l S_l + tv_weight * TV, with layer weights a and b.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nst.engine.backend import ops, tf
from nst.engine.extractors import Extractor
from nst.engine.losses import content_loss, linear_gram, moments, style_loss, tv_loss
from nst.errors import OptionError
from nst.options.option_field import did_you_mean, shown
from nst.options.style_options import StyleOptions
from nst.runs.events import Losses

Tensor = Any
MOST = 8.0  # times that content and smoothness weigh more on the first of several scales


@dataclass(frozen=True)
class Targets:
    """What the image is compared with: activations of the content, Gram matrices of the style."""

    content: dict[str, Tensor]  # layer -> [1, h, w, C]
    style: dict[str, Tensor]  # layer -> [C, C] float32


@dataclass
class LiveWeights:
    """The weights in force at full size; `on_scale` says what they are on coarser scales.

    Assign to them between two steps of a running optimisation: the next step reads them.
    """

    content: float
    style: float
    tv: float
    content_layers: tuple[float, ...]
    style_layers: tuple[float, ...]
    learning_rate: float

    @classmethod
    def of(cls, options: StyleOptions, extractor: str) -> "LiveWeights":
        """The weights that `options` start with on `extractor`."""
        w = options.weights
        content, style = options.layers(extractor)
        layers = tuple(weight for _, weight in content), tuple(weight for _, weight in style)
        return cls(w.content, w.style, w.tv, *layers, options.learning_rate)

    def on_scale(self, coarseness: float, left: float, normalisation: str) -> "LiveWeights":
        """These weights on a scale `coarseness` times smaller than the finished picture.

        Content and smoothness count for `MOST` times more on the first scale, for nothing more on the last: large forms
        and their light are to be the content's, and what is grain there would be enlarged to a weave. `left` is the
        share of the climb that is still to come, 1 to 0. The sum over positions that `gatys` takes is brought to that
        of the full size.
        """
        more = MOST**left
        content = self.content * more * (coarseness**2 if normalisation == "gatys" else 1.0)
        return replace(self, content=content, tv=self.tv * more)


def positions(first: Any, last: Any, stride: int) -> tuple[Any, Any]:
    """(first, last) of the positions, `stride` px apart, that overlap `first` to `last` px; the last excluded."""
    return first // stride, -(-last // stride)


def within(features: Tensor, place: Sequence[Sequence[Any]], stride: int) -> Tensor:
    """The positions of `features` [1, h, w, C], `stride` px apart, that overlap `place`: (first, last) row and column.

    In px, the last excluded; numbers or tensors.
    """
    (top, bottom), (left, right) = (positions(first, last, stride) for first, last in place)
    return _crop(features, top, bottom, left, right)


def _crop(features: Tensor, top: Any, bottom: Any, left: Any, right: Any) -> Tensor:
    """`features[:, top:bottom, left:right]`, its gradient a padding: TensorFlow's own for a slice uses one core."""

    @ops.custom_gradient
    def crop(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        height, width = ops.shape(x)[1:3]

        def gradient(upstream: Tensor) -> Tensor:
            rows, columns = (top, height - top - ops.shape(upstream)[1]), (left, width - left - ops.shape(upstream)[2])
            return tf.pad(upstream, [(0, 0), rows, columns, (0, 0)])

        return x[:, top:bottom, left:right], gradient

    return crop(features)


class Comparison:
    """What is compared on which layers of an extractor, on any backend.

    Raises OptionError if the extractor has no such layer.
    """

    def __init__(
        self, extractor: Extractor, content_layers: Sequence[str], style_layers: Sequence[str], normalisation: str
    ) -> None:
        known = extractor.architecture.layers
        for option, layers in (("content_layers", content_layers), ("style_layers", style_layers)):
            for layer in layers:
                if layer not in known:
                    hint = did_you_mean(layer, known) or f"; it has {', '.join(known)}"
                    raise OptionError(
                        f"`{option}`: the {extractor.architecture.name} network has no layer {shown(layer)}{hint}",
                        option,
                    )
        self.extractor = extractor
        self.content_layers = tuple(content_layers)
        self.style_layers = tuple(style_layers)
        self.style_sources = tuple(sorted({extractor.architecture.source(layer) for layer in style_layers}))
        self.normalisation = normalisation

    @property
    def layers(self) -> set[str]:
        """The layers whose activations `parts` wants."""
        return {*self.content_layers, *self.style_sources}

    def parts(self, found: dict[str, Tensor], image: Tensor, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
        """Unweighted losses: content per layer [len(content_layers)], style per layer [len(style_layers)], TV [].

        Of an `image` [1, H, W, 3] in 0..1, or of the mean of some; `found` holds its activations of `layers`.
        """
        matrices = self.summary(found)
        content = [content_loss(found[n], targets.content[n], self.normalisation) for n in self.content_layers]
        style = [style_loss(matrices[n], targets.style[n], self.normalisation) for n in self.style_layers]
        return ops.stack(content), ops.stack(style), tv_loss(image)

    def summary(self, found: dict[str, Tensor]) -> dict[str, Tensor]:
        """Gram matrix of each style layer, from the activations of `style_sources`."""
        return self.matrices({source: moments(found[source]) for source in self.style_sources})

    def matrices(self, moments: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """Gram matrix of each style layer, from the (Gram matrix, mean) of each of `style_sources`, float32.

        A linear head's follows from the narrower layer it reads; nobody needs its activations.
        """
        architecture, matrices = self.extractor.architecture, {}
        for layer in self.style_layers:
            matrix, vector = moments[architecture.source(layer)]
            is_head = layer in architecture.heads
            matrices[layer] = linear_gram(matrix, vector, *self.extractor.head(layer)) if is_head else matrix
        return matrices


class Objective(Comparison):
    """The loss of an image in TensorFlow, traced once for every size and every weight.

    Pictures are given with `margin` px more all round, or a little more. Convolutions and total variation see it, but
    content and style are those of the positions within, so that they are those of what is left once it is cropped.

    Raises OptionError if the extractor has no such layer.
    """

    def __init__(
        self,
        extractor: Extractor,
        content_layers: Sequence[str],
        style_layers: Sequence[str],
        normalisation: str,
        margin: int = 0,
    ) -> None:
        super().__init__(extractor, content_layers, style_layers, normalisation)
        self.margin = margin
        self._trace()

    def _trace(self) -> None:
        """Declare the graphs with every side unknown: one trace serves all sizes, and TensorFlow keeps every trace."""
        channels = {layer: shape[3] for layer, shape in self.extractor.architecture.shapes().items()}
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        dtype = self.extractor.dtype
        content = {n: tf.TensorSpec([1, None, None, channels[n]], dtype) for n in self.content_layers}
        style = {n: tf.TensorSpec([channels[n], channels[n]], tf.float32) for n in self.style_layers}
        main, per_content, per_style = (
            tf.TensorSpec([n], tf.float32) for n in (3, len(self.content_layers), len(self.style_layers))
        )
        self._content_activations = tf.function(self._activate, input_signature=[picture])
        self._style_matrices = tf.function(self._summarise, input_signature=[picture])
        self._value_and_gradient = tf.function(
            self._differentiate, input_signature=[picture, content, style, main, per_content, per_style]
        )

    def targets(self, content: Tensor, style: Tensor) -> Targets:
        """Targets from the two pictures, [1, H, W, 3] float32 in 0..1, not necessarily of one size."""
        return Targets(self._content_activations(content), self._style_matrices(style))

    def evaluate(self, image: Tensor, targets: Targets, weights: LiveWeights) -> tuple[Losses, Tensor]:
        """(losses, gradient) at `image` [1, H, W, 3] float32 in 0..1; the gradient has the image's shape."""
        values, gradient = self._value_and_gradient(
            image,
            targets.content,
            targets.style,
            tf.constant([weights.content, weights.style, weights.tv], tf.float32),
            tf.constant(weights.content_layers, tf.float32),
            tf.constant(weights.style_layers, tf.float32),
        )
        return Losses(*values.numpy().tolist()), gradient

    def _activate(self, image: Tensor) -> dict[str, Tensor]:
        return self._see(image, self.content_layers)

    def _summarise(self, image: Tensor) -> dict[str, Tensor]:
        return self.summary(self._see(image, self.style_sources))

    def _see(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Activations of `layers` at the positions that count."""
        place = [(self.margin, side - self.margin) for side in tf.unstack(tf.shape(image)[1:3])]
        architecture = self.extractor.architecture
        return {n: within(f, place, architecture.stride(n)) for n, f in self.extractor(image, layers).items()}

    def _differentiate(
        self, image: Tensor, content: dict, style: dict, main: Tensor, per_content: Tensor, per_style: Tensor
    ) -> tuple[Tensor, Tensor]:
        """([total, content, style, tv], gradient)."""
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = self._see(image, self.layers)
            content_parts, style_parts, tv = self.parts(found, image, Targets(content, style))
            weighted = main * tf.stack(
                [tf.reduce_sum(per_content * content_parts), tf.reduce_sum(per_style * style_parts), tv]
            )
            total = tf.reduce_sum(weighted)
        gradient = tape.gradient(total, image)
        total += 0.0 * tf.reduce_sum(gradient)  # a gradient that is not finite shows in the loss, before it is used
        return tf.concat([total[None], weighted], axis=0), gradient
