"""Extractors: networks that map an image to activations by layer.

The three networks consist of blocks of 3x3 convolutions with ReLU, with a 2x2 pooling between blocks. `vgg16` and
`vgg19` (Simonyan and Zisserman 2014) are those of Keras Applications, with its names of layers. `compact` is a small
student of VGG19 (see distillation.py), with linear 1x1 heads that predict activations of VGG19 and have the names of
its layers. This module knows neither the losses nor where weights come from.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.engine.backend import convolve, ops

Tensor = Any  # a backend tensor; Keras has no public name for it
Weights = Mapping[str, tuple[Any, Any]]  # layer -> (kernel [kh, kw, in, out], bias [out])

PADDING = [[0, 0], [1, 1], [1, 1], [0, 0]]  # of an image before a 3x3 convolution that keeps its size
IMAGENET_BGR_MEAN = (103.939, 116.779, 123.68)  # of values in 0..255; blue, green, red, as VGG was trained


@dataclass(frozen=True)
class Architecture:
    """Blocks of 3x3 convolutions, and linear 1x1 heads on some of these."""

    name: str
    widths: tuple[int, ...]  # channels of the convolutions, by block
    depths: tuple[int, ...]  # number of convolutions, by block
    pooling: str  # that the weights were trained with: "max" or "average"
    padding: str  # that the weights were trained with: "zero" or "reflect"
    heads: Mapping[str, tuple[str, int]]  # name -> (the convolution it reads, its channels)
    unit: float = 1.0  # that inputs in 0..255 are divided by, after the mean is subtracted
    block: str = "block"  # first part of the convolutions' names; "block" as in Keras Applications

    def convolution(self, block: int, number: int) -> str:
        """The name of a convolution; block and number count from 1."""
        return f"{self.block}{block}_conv{number}"

    @property
    def convolutions(self) -> tuple[str, ...]:
        """The names of the convolutions, in order."""
        return tuple(self.convolution(b, c) for b, depth in enumerate(self.depths, 1) for c in range(1, depth + 1))

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of all layers: heads and convolutions."""
        return (*self.heads, *self.convolutions)

    def source(self, layer: str) -> str:
        """The convolution that a head reads; of a convolution, itself."""
        return self.heads[layer][0] if layer in self.heads else layer

    def stride(self, layer: str) -> int:
        """Distance of two neighbouring positions of `layer`, px."""
        block = self.source(layer).removeprefix(self.block).partition("_")[0]
        return 2 ** (int(block) - 1)

    def shapes(self) -> dict[str, tuple[int, int, int, int]]:
        """Kernel shape of each layer, [kh, kw, in, out]."""
        shapes, channels = {}, 3
        for block, (width, depth) in enumerate(zip(self.widths, self.depths, strict=True), 1):
            for conv in range(1, depth + 1):
                shapes[self.convolution(block, conv)] = (3, 3, channels, width)
                channels = width
        for head, (source, width) in self.heads.items():
            shapes[head] = (1, 1, shapes[source][3], width)
        return shapes


VGG_WIDTHS = (64, 128, 256, 512, 512)
ARCHITECTURES = {
    "vgg19": Architecture("vgg19", VGG_WIDTHS, (2, 2, 4, 4, 4), "max", "zero", {}),
    "vgg16": Architecture("vgg16", VGG_WIDTHS, (2, 2, 3, 3, 3), "max", "zero", {}),
    "compact": Architecture(
        "compact",
        (32, 48, 96, 192, 256),
        (1, 3, 3, 4, 4),
        "average",
        "reflect",
        {  # layer of VGG19 -> (convolution of the student at the same resolution, channels of VGG19's layer)
            "block1_conv1": ("stage1_conv1", 64),
            "block2_conv1": ("stage2_conv2", 128),
            "block3_conv1": ("stage3_conv2", 256),
            "block4_conv1": ("stage4_conv2", 512),
            "block4_conv2": ("stage4_conv4", 512),
            "block5_conv1": ("stage5_conv4", 512),
        },
        unit=58.0,  # gives inputs of about unit variance, as the training from random weights needs them
        block="stage",
    ),
}


def he_normal(architecture: Architecture, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Random weights, float32: normal kernels (He et al. 2015), of half that variance for linear heads; zero biases."""
    random = np.random.default_rng(seed)
    weights = {}
    for layer, shape in architecture.shapes().items():
        gain = 1.0 if layer in architecture.heads else 2.0
        kernel = random.normal(0, math.sqrt(gain / math.prod(shape[:3])), shape).astype(np.float32)
        weights[layer] = (kernel, np.zeros(shape[3], np.float32))
    return weights


class Extractor:
    """A network with its weights.

    Args:
        architecture: its shape.
        weights: {layer: (kernel [kh, kw, in, out], bias [out])}: arrays, or backend variables, which stay trainable.
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
        self._weights = {
            layer: tuple(ops.cast(w, "float32" if layer in architecture.heads else dtype) for w in pair)
            if isinstance(pair[0], np.ndarray)
            else pair
            for layer, pair in weights.items()
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
        wanted = set(layers)
        heads = wanted & set(self.architecture.heads)
        remaining = {self.architecture.source(name) for name in wanted}

        found: dict[str, Tensor] = {}
        x = self._preprocess(image)
        for block, depth in enumerate(self.architecture.depths, 1):
            if block > 1:
                x = self._pool(x)
            for conv in range(1, depth + 1):
                layer = self.architecture.convolution(block, conv)
                x = self._convolve(x, layer)
                if layer in wanted:
                    found[layer] = x
                for head in heads:
                    if self.architecture.source(head) == layer:
                        found[head] = self._read(x, head)
                remaining.discard(layer)
                if not remaining:
                    return found
        return found

    def head(self, name: str) -> tuple[Tensor, Tensor]:
        """(kernel [C, D], bias [D]) of a linear head, float32."""
        kernel, bias = self._weights[name]
        return ops.cast(kernel[0, 0], "float32"), ops.cast(bias, "float32")

    def _preprocess(self, image: Tensor) -> Tensor:
        """The input of the first convolution from RGB in 0..1: BGR in 0..255, less the ImageNet mean, over the unit."""
        x = ops.flip(image, axis=-1) * 255.0 - ops.convert_to_tensor(IMAGENET_BGR_MEAN, "float32")
        return ops.cast(x / self.architecture.unit, self.dtype)

    def _convolve(self, x: Tensor, layer: str) -> Tensor:
        """A 3x3 convolution with its ReLU, in the dtype of `x`."""
        kernel, bias = (ops.cast(w, x.dtype) for w in self._weights[layer])
        is_first = layer == self.architecture.convolution(1, 1)
        padding = "valid"
        if self.architecture.padding == "reflect":
            x = ops.pad(x, PADDING, mode="reflect")
        elif is_first:  # zeros beyond the edge, as in the training of VGG, would lead to a coloured frame
            x = ops.pad(x, PADDING, mode="symmetric")
        else:
            padding = "same"
        return ops.relu(convolve(x, kernel, bias, padding=padding))

    def _read(self, x: Tensor, head: str) -> Tensor:
        """The output of a linear head on the activations `x`."""
        kernel, bias = self._weights[head]
        return ops.conv(x, ops.cast(kernel, x.dtype), padding="valid") + ops.cast(bias, x.dtype)

    def _pool(self, x: Tensor) -> Tensor:
        if self.pooling == "max":
            return ops.max_pool(x, 2, 2, padding="same")
        x = ops.average_pool(x, 2, 2, padding="same")
        # crowsonkb, style-transfer-pytorch: a mean of ReLU outputs is about half their maximum
        return x * 2.0 if self.architecture.pooling == "max" else x
