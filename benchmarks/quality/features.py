"""What a network says of a picture: style and content errors, and how its places match the style's.

Both networks work in float32 whatever was painted in. The errors are the relative losses of
`nst/engine/optimization/losses.py`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import squeezenet
from benchmarks.formulas import layer_of, style_layers_of
from nst.engine.networks import weights as weight_files
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.optimization.losses import content_loss, gram, style_loss
from nst.pictures.images import resize

Tensor = Any
Picture = NDArray[np.float32]
PATCHES = 2  # the style layer whose positions are matched: relu3_1, whose positions see 24 x 24 px
ROWS = 1024  # positions whose similarities are held at once


class Seen(NamedTuple):
    """A picture as a network sees it."""

    grams: list[Tensor]  # of the style layers, [C, C]
    content: Tensor  # [1, h, w, C]
    patches: NDArray[np.float32]  # [positions, C]


class FeatureJudge:
    """The errors of pictures as one network sees them.

    Args:
        see: [1, H, W, 3] in 0..1 -> {layer: activations [1, h, w, C]}.
        style_layers, content_layer: names that `see` gives.
        cell: px that the sides must be multiples of; pictures are brought to the nearest.
    """

    def __init__(
        self,
        see: Callable[[Tensor], Mapping[str, Tensor]],
        style_layers: tuple[str, ...],
        content_layer: str,
        cell: int = 1,
    ) -> None:
        self._cell = cell
        self._layers = style_layers, content_layer
        self._see = tf.function(
            lambda image: self._summarize(see(image)), input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)]
        )

    def look(self, picture: Picture) -> Seen:
        """`picture` [H, W, 3] in 0..1 as the network sees it."""
        height, width = (max(1, round(side / self._cell)) * self._cell for side in picture.shape[:2])
        grams, content, patches = self._see(tf.constant(resize(picture, height, width)[None]))
        return Seen(grams, content, patches.numpy())

    def _summarize(self, found: Mapping[str, Tensor]) -> tuple[list[Tensor], Tensor, Tensor]:
        style_layers, content_layer = self._layers
        patches = found[style_layers[PATCHES]]
        flat = tf.reshape(patches, (-1, patches.shape[-1]))
        return [gram(found[layer]) for layer in style_layers], found[content_layer], flat


def style_error(seen: Seen, style: Seen) -> float:
    """Mean over the style layers of ||G - A||^2 / ||A||^2 (Frobenius), G and A = F^T F / positions."""
    pairs = zip(seen.grams, style.grams, strict=True)
    return float(np.mean([float(style_loss(here, there, "relative")) for here, there in pairs]))


def content_error(seen: Seen, content: Seen) -> float:
    """||F - P||^2 / ||P||^2 at the content layer."""
    return float(content_loss(seen.content, content.content, "relative"))


def patch_distances(result: NDArray[np.float32], style: NDArray[np.float32]) -> tuple[float, float]:
    """(how far the result's places are from the style, how far the style's places are from the result), each 0..2.

    `result` [n, C] and `style` [m, C] are activations. Both are centered by the style's mean; a distance is 1 less the
    cosine to the most similar of the other's places, and its mean over the places is told (as NNST matches, Kolkin et
    al. 2022). A picture that repeats one piece of the style is near by the first and far by the second.
    """
    mean = style.mean(axis=0)
    here, there = _unit(result - mean), _unit(style - mean)
    nearest = np.empty(len(here), np.float32)
    back = np.full(len(there), -1, np.float32)
    for at in range(0, len(here), ROWS):
        similar = here[at : at + ROWS] @ there.T
        nearest[at : at + ROWS] = similar.max(axis=1)
        np.maximum(back, similar.max(axis=0), out=back)
    return float(np.mean(1 - nearest)), float(np.mean(1 - back))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def vgg19_judge() -> FeatureJudge | None:
    """VGG19 on relu1_1 to relu5_1 and relu4_2; None where its weights are not. Raises WeightsError if damaged."""
    if weight_files.locate("vgg19") is None:
        return None
    extractor, style, content = load_extractor("vgg19"), style_layers_of("vgg19"), layer_of("vgg19", "relu4_2")
    return FeatureJudge(lambda image: extractor(image, {*style, content}), style, content)


def squeezenet_judge() -> FeatureJudge | None:
    """SqueezeNet, which nothing here paints with; None where its weights are not."""
    file = squeezenet.squeezenet_file()
    if file is None:
        return None
    return FeatureJudge(squeezenet.SqueezeNet(file), squeezenet.STYLE_LAYERS, squeezenet.CONTENT_LAYER, squeezenet.CELL)
