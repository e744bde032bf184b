"""One judge for every loop: what a picture loses on the yardstick.

5 MSE(relu4_2) + sum over relu1_1..relu5_1 of 100 D / (N^4 M^2): jcjohnson's formula without total variation, on the
clipped 8-bit picture at full size. It does not know which loop a picture comes from, nor what that loop aims at.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from benchmarks.formulas import YARDSTICK, gram_matrix, layer_of, style_layers_of
from benchmarks.squeezenet import CELL, STYLE_LAYERS, SqueezeNet
from nst.engine.networks.extractors import Extractor
from nst.pictures.images import fit, resize

Tensor = Any
Picture = NDArray[np.float32]

TEACHER_CONTENT_LAYER = "fire3"


class Verdict(NamedTuple):
    """Weighted losses of a picture; total = content + style."""

    total: float
    content: float
    style: float


class Judge:
    """The yardstick for one pair of pictures on one network.

    Args:
        see: [1, H, W, 3] in 0..1 -> {layer: activations}.
        content_layer, style_layers: names that `see` gives.
        content: [H, W, 3] in 0..1, sides multiples of `CELL`; what is judged is brought to this size.
        style: [h, w, 3] in 0..1, any size.
    """

    def __init__(
        self,
        see: Callable[[Tensor], dict[str, Tensor]],
        content_layer: str,
        style_layers: tuple[str, ...],
        content: Picture,
        style: Picture,
    ) -> None:
        self._sides = content.shape[:2]
        self._layers = content_layer, style_layers
        self._look = tf.function(lambda image: self._summarize(see(image)))
        self._content, _ = self._seen(content)
        _, self._styles = self._seen(resize(style, *on_grid(*fit(*style.shape[:2], max(self._sides)))))
        self._judge = tf.function(self._losses)

    def __call__(self, picture: Picture) -> Verdict:
        """The losses of `picture`, [h, w, 3], not necessarily clipped; a smaller one is judged as seen enlarged."""
        content, style = self._judge(*self._seen(as_seen(picture, *self._sides)))
        return Verdict(float(content + style), float(content), float(style))

    def _seen(self, picture: Picture) -> tuple[Tensor, list[Tensor]]:
        return self._look(tf.constant(picture[None], tf.float32))

    def _summarize(self, found: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
        content, styles = self._layers
        return found[content], [gram_matrix(found[layer]) for layer in styles]

    def _losses(self, content: Tensor, styles: list[Tensor]) -> tuple[Tensor, Tensor]:
        style = [YARDSTICK.style(g, a, i, 0.0) for i, (g, a) in enumerate(zip(styles, self._styles, strict=True))]
        return YARDSTICK.content(content - self._content), tf.add_n(style)


def judge_by(extractor: Extractor, content: Picture, style: Picture) -> Judge:
    """The judge who looks through the extractor that the loops use."""
    network = extractor.architecture.name
    content_layer, style_layers = layer_of(network, YARDSTICK.content_layer), style_layers_of(network)
    layers = {content_layer, *style_layers}
    return Judge(
        lambda image: extractor(image, layers),
        content_layer,
        style_layers,
        content,
        style,
    )


def teacher_judge(file: Path, content: Picture, style: Picture) -> Judge:
    """The judge who looks through SqueezeNet, which no loop sees.

    Its activations are of the size of VGG's as they are: both see 0..255 values.
    """
    return Judge(SqueezeNet(file), TEACHER_CONTENT_LAYER, STYLE_LAYERS, content, style)


def on_grid(height: int, width: int) -> tuple[int, int]:
    """The sides rounded to multiples of `CELL`, at least one."""
    return max(1, round(height / CELL)) * CELL, max(1, round(width / CELL)) * CELL


def as_seen(picture: Picture, height: int, width: int) -> Picture:
    """`picture` as a person would see it at `height` x `width` px: clipped, in 8 bits, enlarged bicubically."""
    shown = Image.fromarray(np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8))
    if shown.size != (width, height):
        shown = shown.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(shown, np.float32) / 255
