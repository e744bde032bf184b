"""The losses of the field, each as its authors publish it, and where its layers are on a network of ours.

Features are [1, h, w, N]; M = h w; images are [1, H, W, 3] in 0..1. A `Formula` says what pulls at an image; how it is
followed is the matter of `published_loops.py`. Published layers are those of VGG; `compact` predicts relu5_1 in place
of relu5_2.

The numbers are meant for one of two sizes of activations: those of VGG on 0..255 inputs, which are also ours, or those
of a network whose inputs or filters were normalized to about one, which are a hundred times smaller (torchvision's
VGG, Gatys' normalized VGG). A loss says which.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.losses import gram
from nst.options.layer_presets import nearest_layer

Tensor = Any

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
NORMALIZED = 0.01  # activations of a normalized network, over those of Keras' VGG


def layer_of(network: str, published: str) -> str:
    """Our name on `network` for VGG's layer "relu4_2"."""
    block, conv = published.removeprefix("relu").split("_")
    return nearest_layer(f"block{block}_conv{conv}", network)


def style_layers_of(network: str) -> tuple[str, ...]:
    """Our names on `network` for relu1_1 to relu5_1."""
    return tuple(layer_of(network, published) for published in STYLE)


def gram_matrix(features: Tensor, size: float = 1.0) -> Tensor:
    """F^T F / M of features `size` times as large, [N, N]."""
    return size**2 * gram(features)


def mean_and_covariance(features: Tensor, size: float) -> Tensor:
    """Means [1, N] above covariance [N, N] of the channels of features `size` times as large: [1 + N, N]."""
    flat = size * tf.cast(tf.reshape(features, (-1, features.shape[-1])), tf.float32)
    mean = tf.reduce_mean(flat, axis=0, keepdims=True)
    covariance = tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)
    return tf.concat([mean, covariance - tf.matmul(mean, mean, transpose_a=True)], axis=0)


def squares(difference: Tensor) -> Tensor:
    return tf.reduce_sum(tf.square(tf.cast(difference, tf.float32)))


def mean_squares(difference: Tensor) -> Tensor:
    return tf.reduce_mean(tf.square(tf.cast(difference, tf.float32)))


@dataclass(frozen=True)
class Formula:
    """A published loss: content + the styles of five layers + smoothness, weights included."""

    content_layer: str  # as published
    content: Callable[[Tensor], Tensor]  # of F - P; quadratic
    # of a summary, the target, its layer's number from 0 to 4, and M over the number of pixels
    style: Callable[[Tensor, Tensor, int, Tensor], Tensor]
    smoothness: Callable[[Tensor], Tensor] = lambda image: tf.constant(0.0)
    summary: Callable[[Tensor, float], Tensor] = gram_matrix
    target: Callable[[Tensor], Tensor] = tf.identity  # of the style picture's summary, once
    normalized: bool = False  # the activations its numbers are meant for
    stretched: bool = False  # the style picture takes the content's sides, whatever its own


def _down_and_right(image: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next row and to the next column, both [1, H - 1, W - 1, 3]."""
    corner = image[:, :-1, :-1]
    return image[:, 1:, :-1] - corner, image[:, :-1, 1:] - corner


def squared_variation(image: Tensor) -> Tensor:
    """1/2 sum (dx^2 + dy^2) of 0..255 values: what jcjohnson's TVLoss has as its gradient."""
    down, right = _down_and_right(255.0 * image)
    return (squares(down) + squares(right)) / 2


def powered_variation(image: Tensor) -> Tensor:
    """sum (dx^2 + dy^2)^1.25 of 0..255 values, as in the Keras example."""
    down, right = _down_and_right(255.0 * image)
    return tf.reduce_sum(tf.pow(tf.square(down) + tf.square(right), 1.25))


def nine_point_variation(image: Tensor) -> Tensor:
    """Mean squared differences to the eight neighbors, straight ones four times as heavy, edges replicated."""
    padded = tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    middle = padded[:, 1:-1, 1:-1]
    straight = mean_squares(padded[:, 1:-1, 2:] - middle) + mean_squares(padded[:, 2:, 1:-1] - middle)
    slanted = mean_squares(padded[:, 1:, 1:] - padded[:, :-1, :-1])
    slanted += mean_squares(padded[:, 1:, :-1] - padded[:, :-1, 1:])
    return 2 * (straight / 3 + slanted / 12)


RIDGE = 1e-4  # on the diagonal of both covariances: a silent channel makes them singular
ROOT_STEPS = 12  # of Newton and Schulz


def square_root(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """(A^1/2, A^-1/2) of a positive definite matrix [N, N], by the coupled iteration of Newton and Schulz."""
    norm = tf.norm(matrix)
    eye = tf.eye(matrix.shape[1])

    def improve(root: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
        step = (3.0 * eye - inverse @ root) / 2.0
        return root @ step, step @ inverse

    root, inverse = tf.while_loop(lambda *_: True, improve, (matrix / norm, eye), maximum_iterations=ROOT_STEPS)
    return root * tf.sqrt(norm), inverse / tf.sqrt(norm)


@tf.custom_gradient
def trace_of_root(matrix: Tensor) -> Tensor:
    """tr A^1/2, with its gradient A^-1/2 / 2, which the iteration brings along: no way back through its steps."""
    root, inverse = square_root(matrix)
    return tf.linalg.trace(root), lambda upstream: upstream * (inverse + tf.transpose(inverse)) / 4.0


def mean_and_root(found: Tensor) -> Tensor:
    """The target for `wasserstein`: means [1, N] above the root of the covariance [N, N]."""
    root, _ = square_root(found[1:] + RIDGE * tf.eye(found.shape[-1]))
    return tf.concat([found[:1], root], axis=0)


def wasserstein(found: Tensor, target: Tensor) -> Tensor:
    """Squared Wasserstein-2 distance of two normal distributions, over N: `mean_and_covariance`, `mean_and_root`."""
    channels = found.shape[-1]
    here, root = found[1:] + RIDGE * tf.eye(channels), target[1:]
    spread = tf.linalg.trace(here) + squares(root) - 2.0 * trace_of_root(root @ here @ root)
    return (squares(found[0] - target[0]) + spread) / channels


TENSORFLOW = Formula(
    content_layer="relu5_2",
    content=lambda d: 1e4 * mean_squares(d),
    style=lambda g, a, *_: 1e-2 / 5 * mean_squares(g - a),  # D / (N^2 M^2)
    smoothness=lambda x: 30.0 * tf.reduce_sum(tf.image.total_variation(x)),
)
KERAS = Formula(
    content_layer="relu5_2",
    content=lambda d: 2.5e-8 * squares(d),
    style=lambda g, a, _, share: 1e-6 / 5 * squares(g - a) * share**2 / (4 * 3**2),  # D / (4 * 9 * (H W)^2)
    smoothness=lambda x: 1e-6 * powered_variation(x),
    stretched=True,
)
YARDSTICK = Formula(  # what judge.py measures
    content_layer="relu4_2",
    content=lambda d: 5.0 * mean_squares(d),
    style=lambda g, a, *_: 100.0 * mean_squares(g - a) / g.shape[-1] ** 2,  # D / (N^4 M^2)
)
JCJOHNSON = replace(YARDSTICK, smoothness=lambda x: 1e-3 * squared_variation(x))
GATYS = Formula(  # as in the notebook he published: content over style 1e-3, the paper's 1/4 and 1/5 left out
    content_layer="relu4_2",
    content=mean_squares,
    style=lambda g, a, *_: 1e3 * mean_squares(g - a) / g.shape[-1] ** 2,
    normalized=True,
)
CROWSONKB_LAYERS = (256, 64, 16, 4, 1)
CROWSONKB = Formula(
    content_layer="relu4_2",
    content=lambda d: 0.015 * mean_squares(d),
    style=lambda found, target, i, _: CROWSONKB_LAYERS[i] / sum(CROWSONKB_LAYERS) * wasserstein(found, target),
    smoothness=lambda x: 2.0 * nine_point_variation(x),
    summary=mean_and_covariance,
    target=mean_and_root,
    normalized=True,
)


class Pull:
    """A formula on an extractor: loss and gradient at an image. Traced once, for every size."""

    def __init__(self, extractor: Extractor, formula: Formula) -> None:
        architecture = extractor.architecture
        self.formula = formula
        self._extractor = extractor
        self._size = NORMALIZED if formula.normalized else 1.0
        self._content = layer_of(architecture.name, formula.content_layer)
        self._styles = style_layers_of(architecture.name)
        picture = tf.TensorSpec([1, None, None, 3], tf.float32)
        channels = {layer: architecture.channels(layer) for layer in architecture.layers}
        content = tf.TensorSpec([1, None, None, channels[self._content]], extractor.dtype)
        styles = [tf.TensorSpec([None, channels[layer]], tf.float32) for layer in self._styles]
        self._look = tf.function(self._activations, input_signature=[picture])
        self._summarize = tf.function(self._summaries, input_signature=[picture])
        self._differentiate = tf.function(self._both, input_signature=[picture, content, styles])

    def targets(self, content: Tensor, style: Tensor) -> tuple[Tensor, list[Tensor]]:
        """What the image is pulled to, from the two pictures [1, H, W, 3] and [1, h, w, 3]."""
        return self._look(content), self._summarize(style)

    def __call__(self, image: Tensor, targets: tuple[Tensor, list[Tensor]]) -> tuple[Tensor, Tensor]:
        """(loss [], gradient [1, H, W, 3]) at `image` [1, H, W, 3]."""
        return self._differentiate(image, *targets)

    def _activations(self, image: Tensor) -> Tensor:
        return self._extractor(image, [self._content])[self._content]

    def _summaries(self, image: Tensor) -> list[Tensor]:
        found = self._extractor(image, self._styles)
        return [self.formula.target(self.formula.summary(found[layer], self._size)) for layer in self._styles]

    def _both(self, image: Tensor, content: Tensor, styles: list[Tensor]) -> tuple[Tensor, Tensor]:
        formula, pixels = self.formula, tf.cast(tf.shape(image)[1] * tf.shape(image)[2], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = self._extractor(image, {self._content, *self._styles})
            difference = tf.cast(found[self._content], tf.float32) - tf.cast(content, tf.float32)
            loss = self._size**2 * formula.content(difference) + formula.smoothness(image)
            for i, (layer, target) in enumerate(zip(self._styles, styles, strict=True)):
                shape = tf.shape(found[layer])
                share = tf.cast(shape[1] * shape[2], tf.float32) / pixels
                loss += formula.style(formula.summary(found[layer], self._size), target, i, share)
        return loss, tape.gradient(loss, image)
