"""Extractors: networks that map an image to activations by layer.

The three networks consist of blocks of 3x3 convolutions with ReLU, with a 2x2 pooling between blocks. `vgg16` and
`vgg19` (Simonyan and Zisserman 2014) are those of Keras Applications, with its names of layers. `compact` is VGG19 up
to block5_conv1 with a kernel of low rank in place of each but the first: a product of two or three smaller kernels
(Zhang et al. 2015; Kim et al. 2016), which tools/low_rank.py fits. This module knows neither the losses nor where
weights come from.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nst.engine.backend import Tensor, ops
from nst.engine.operations import convolve, convolve_fixed, gradient_kernel, max_pool, read_beside
from nst.options.layer_presets import DEPTHS, SHIPPED_NETWORK, layer_names

Weights = Mapping[str, tuple[Any, ...]]  # layer -> its kernels [kh, kw, in, out], then its bias [out]

FIRST = "block1_conv1"  # the layer that sees the picture itself
PADDING = [[0, 0], [1, 1], [1, 1], [0, 0]]  # of an image before a 3x3 convolution that keeps its size
IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)  # of values in 0..255; blue, green, red, as VGG was trained


@dataclass(frozen=True)
class Architecture:
    """Blocks of 3x3 convolutions, each with a bias and a ReLU.

    A layer in `ranks` has up to three kernels, one applied after the other: a 1x1 kernel to the first of its two
    numbers of channels, a 3x3 kernel to the second, and a 1x1 kernel to the layer's width. Without a first number (0)
    there is no first kernel.
    """

    name: str
    widths: tuple[int, ...]  # channels of the convolutions, by block
    depths: tuple[int, ...]  # number of convolutions, by block
    pooling: str = "max"  # that the weights were trained with: "max" or "average"
    ranks: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers, in order, as in Keras Applications."""
        return layer_names(self.depths)

    def stride(self, layer: str) -> int:
        """Distance of two neighboring positions of `layer`, px."""
        return 2 ** (_block(layer) - 1)

    def channels(self, layer: str) -> int:
        """The number of channels of `layer`."""
        return self.widths[_block(layer) - 1]

    def shapes(self) -> dict[str, tuple[tuple[int, int, int, int], ...]]:
        """Shapes of the kernels of each layer, [kh, kw, in, out]."""
        shapes, inputs = {}, 3
        for layer in self.layers:
            outputs = self.channels(layer)
            before, after = self.ranks.get(layer, (0, 0))
            first = ((1, 1, inputs, before),) if before else ()
            last = ((1, 1, after, outputs),) if after else ()
            shapes[layer] = (*first, (3, 3, before or inputs, after or outputs), *last)
            inputs = outputs
        return shapes


def _block(layer: str) -> int:
    return int(layer.removeprefix("block").partition("_")[0])


VGG_WIDTHS = (64, 128, 256, 512, 512)
# The ranks of a layer balance what it costs with the error of its activations, see docs/quality.md.
COMPACT_RANKS = {
    "block1_conv2": (0, 16),
    "block2_conv1": (0, 32),
    "block2_conv2": (48, 48),
    "block3_conv1": (64, 64),
    "block3_conv2": (80, 80),
    "block3_conv3": (64, 64),
    "block3_conv4": (64, 64),
    "block4_conv1": (96, 112),
    "block4_conv2": (128, 128),
    "block4_conv3": (144, 144),
    "block4_conv4": (160, 160),
    "block5_conv1": (192, 192),
}
ARCHITECTURES = {
    name: Architecture(name, VGG_WIDTHS, depths, ranks=COMPACT_RANKS if name == SHIPPED_NETWORK else {})
    for name, depths in DEPTHS.items()
}


class Extractor:
    """A network with its weights.

    Args:
        architecture: its shape.
        weights: {layer: (kernel [kh, kw, in, out], ..., bias [out])}.
        pooling: "max" or "average"; None is that of the training. If average replaces maximum, activations are doubled
            after each pooling, so that deeper layers get inputs about as large as in their training.
        dtype: of the convolutions, and of the activations that are returned.
    """

    def __init__(
        self, architecture: Architecture, weights: Weights, pooling: str | None = None, dtype: str = "float32"
    ) -> None:
        self.architecture = architecture
        self.pooling = pooling or architecture.pooling
        self.dtype = dtype
        self._weights = {layer: tuple(ops.cast(array, dtype) for array in arrays) for layer, arrays in weights.items()}
        # max(ReLU(x)) = ReLU(max(x)): the last ReLU of a block comes after the pooling, at a quarter of the positions.
        ends = {f"block{block}_conv{depth}" for block, depth in enumerate(architecture.depths, 1)}
        self._rectified_later = ends if self.pooling == "max" else set()
        self._back = {  # block1_conv1 has padding of its own, and TensorFlow's own gradient
            layer: [gradient_kernel(kernel) for kernel in arrays[:-1]]
            for layer, arrays in self._weights.items()
            if layer != FIRST
        }

    def __call__(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Activations of `layers` for `image`; nothing beyond the deepest of them is computed.

        Args:
            image: [N, H, W, 3] float32 in 0..1, RGB.
            layers: names from `architecture.layers`.

        Returns:
            {layer: [N, h, w, C]} in the extractor's dtype; h and w are H and W divided by the layer's stride, rounded
            up.
        """
        return self._visit(image, layers, lambda _, x: (x, x))

    def read(self, image: Tensor, layers: Iterable[str], reader: Callable[[str, Tensor], Any]) -> dict[str, Any]:
        """What `reader(layer, activations)` returns for each of `layers`: structures of tensors.

        On TensorFlow alone. Gradients of what is read are computed from the deepest layer up, see `read_beside`.
        """
        return self._visit(image, layers, lambda layer, x: read_beside(functools.partial(reader, layer), x))

    def _visit(
        self, image: Tensor, layers: Iterable[str], visit: Callable[[str, Tensor], tuple[Tensor, Any]]
    ) -> dict[str, Any]:
        """Run the network; `visit` gets each of `layers` and its activations.

        It returns those that the network goes on with, and what is returned for the layer.
        """
        wanted = set(layers)
        found: dict[str, Any] = {}
        x = self._preprocess(image)
        for layer in self.architecture.layers:
            if layer.endswith("_conv1") and _block(layer) > 1:
                x = self._pool(x)
            x = self._convolve(x, layer, rectify=layer in wanted or layer not in self._rectified_later)
            if layer in wanted:
                x, found[layer] = visit(layer, x)
                if len(found) == len(wanted):
                    break
        return found

    def _preprocess(self, image: Tensor) -> Tensor:
        """The input of the first convolution from RGB in 0..1: BGR in 0..255, less the ImageNet mean."""
        x = ops.flip(image, axis=-1) * 255.0 - ops.convert_to_tensor(IMAGENET_BGR_MEAN, "float32")
        return ops.cast(x, self.dtype)

    def _convolve(self, x: Tensor, layer: str, rectify: bool) -> Tensor:
        """The kernels of `layer` one after the other, its bias and, if `rectify`, its ReLU, in the dtype of `x`."""
        *kernels, bias = (ops.cast(array, x.dtype) for array in self._weights[layer])
        if layer == FIRST:  # zeros beyond the edge, as in the training of VGG, would lead to a colored frame
            x = convolve(ops.pad(x, PADDING, mode="symmetric"), kernels[0], bias)
            return ops.relu(x) if rectify else x
        backs = [ops.cast(array, x.dtype) for array in self._back[layer]]
        for kernel, back in zip(kernels[:-1], backs[:-1], strict=True):
            x = convolve_fixed(x, kernel, back)
        return convolve_fixed(x, kernels[-1], backs[-1], bias, rectify)

    def _pool(self, x: Tensor) -> Tensor:
        if self.pooling == "max":
            return ops.relu(max_pool(x))
        x = ops.average_pool(x, 2, 2, padding="same")
        # crowsonkb, style-transfer-pytorch: a mean of ReLU outputs is about half their maximum
        return x * 2.0 if self.architecture.pooling == "max" else x
