"""The image transformation network: it paints a picture in a style in one pass.

Its shape is that of Johnson, Alahi and Fei-Fei 2016: strided convolutions reduce the picture, residual blocks follow,
and convolutions after a nearest-neighbor enlargement (Odena et al. 2016), which leaves no checkerboard, restore its
size. Edges are reflected. Each convolution but the last is followed by conditional instance normalization (Dumoulin,
Shlens and Kudlur 2017): all styles share the kernels, and a style is a vector of scales and offsets. A mix of styles is
a mix of their vectors.

The strength is an addition to these papers. At strength 0 nothing is normalized: each channel gets a scale and an
offset of `identity_vector`, which is trained to leave a picture as it is. At strength t, each layer takes t times the
map of the style plus 1 - t times this one.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nst.engine.backend import Tensor, keras, ops
from nst.engine.operations import NORM_EPSILON, as_one_picture, convolve, instance_norm
from nst.styles.network_plan import Plan, Unit
from nst.styles.style_file import Style, StyleFile

NOISE_SIDE = 1021  # px, of the field of noise; a prime, so that no stride of the network repeats its phase
# Which rows (or columns) of a 3x3 kernel read the same pixel before enlargement: [phase, row of the 2x2 kernel, row].
FOLD = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], np.float32)


class Transformer(keras.layers.Layer):
    """A network of the shape `plan` for `styles` styles.

    Kernels are random (He et al. 2015) and depend on `seed`; all style vectors are neutral, scales 1 and offsets 0.
    `precision` is that of the convolutions, "float32" or "bfloat16"; all else is float32.
    """

    def __init__(self, plan: Plan, styles: int, seed: int = 0, precision: str = "float32") -> None:
        super().__init__()
        self._precision = precision
        self.plan = plan
        random = np.random.default_rng(seed)
        self.kernels = {unit.name: self._weight(unit.name, _he_normal(unit, random)) for unit in plan.units}
        self.identity_vector = self._weight("identity_vector", plan.neutral())  # of strength 0
        self.styles = self._weight("styles", np.tile(plan.neutral(), (styles, 1)))

    @classmethod
    def of(cls, file: StyleFile) -> "Transformer":
        """The network of a style file, with its styles in the order of the file."""
        network = cls(file.plan, len(file.styles))
        for name, kernel in file.kernels.items():
            network.kernels[name].assign(kernel.astype(np.float32))
        network.identity_vector.assign(file.identity_vector)
        network.styles.assign(np.stack([style.vector for style in file.styles.values()]))
        return network

    def file(self, styles: Mapping[str, Style]) -> StyleFile:
        """The network as a style file; `styles` name and describe its styles in order, their vectors are filled in."""
        kernels = {name: np.asarray(kernel).astype(np.float16) for name, kernel in self.kernels.items()}
        learned = zip(styles.items(), np.asarray(self.styles), strict=True)
        return StyleFile(
            self.plan,
            kernels,
            np.asarray(self.identity_vector),
            {name: replace(style, vector=vector) for (name, style), vector in learned},
        )

    def _weight(self, name: str, value: np.ndarray) -> Any:
        weight = self.add_weight(shape=value.shape, name=name, initializer="zeros")
        weight.assign(value)
        return weight

    def call(self, pictures: Tensor, mix: Tensor, strength: Tensor | None = None, pooled: bool = False) -> Tensor:
        """Paint pictures in mixes of the network's styles.

        Args:
            pictures: [N, H, W, 3] in 0..1, sides of at least 16 px.
            mix: [N, styles], weights of sum 1.
            strength: [N] in 0..1; None is 1, and faster.
            pooled: normalize all pictures by the moments of all, as parts of one, with one mix [1, styles] and strength
                [1]: crops are painted as they are within a picture that has their variety.

        Returns:
            [N, H, W, 3] in 0..1.
        """
        return self.paint(pictures, ops.matmul(mix, self.styles), strength, pooled)

    def paint(self, pictures: Tensor, style: Tensor, strength: Tensor | None = None, pooled: bool = False) -> Tensor:
        """Paint pictures like `call`, in styles that are given as vectors [N, plan.length], or [1, ...] if `pooled`."""
        condition = Condition(self.plan, style, self.identity_vector, strength, pooled)
        x, passed = prepared(pictures, self.plan), []
        for unit in self.plan.down:
            x = self._apply(unit, x, condition)
            passed.append(x)
        for first, second in self.plan.middle:
            x = x + self._apply(second, self._apply(first, x, condition), condition)
        for level, unit in zip(range(len(passed) - 2, -1, -1), self.plan.up, strict=True):
            x = self._apply(unit, x, condition, ops.shape(passed[level])[1:3])
            if level in self.plan.skips:
                x = x + condition.skip(level) * passed[level]
        return condition.colors(self.plan.end, self._convolve(self.plan.end, x))

    def _apply(self, unit: Unit, x: Tensor, condition: "Condition", sides: Any = None) -> Tensor:
        x = condition.normalize(unit, self._convolve(unit, x, sides))
        return ops.relu(x) if unit.relu else x

    def _convolve(self, unit: Unit, x: Tensor, sides: Any = None) -> Tensor:
        x, kernel = (ops.cast(each, self._precision) for each in (x, self.kernels[unit.name]))
        return ops.cast(convolved(x, unit, kernel, sides), "float32")


class Condition:
    """Scales and offsets of each unit, [N, C], for N pictures in their styles at their strengths.

    Args:
        plan: the network's shape.
        style: style vectors, [N, plan.length].
        identity_vector: that of strength 0, [plan.length].
        strength: [N]; None is 1.
        pooled: all pictures are normalized by the moments of all; N is 1 for `style` and `strength` then.
    """

    def __init__(
        self, plan: Plan, style: Tensor, identity_vector: Tensor, strength: Tensor | None, pooled: bool = False
    ) -> None:
        self._slices, self._pooled = plan.slices, pooled  # where parameters lie in a vector, by name
        self._of_normalized = self._sum = style  # factors of the normalized activations; the sum of both kinds
        self._of_unnormalized: Tensor | None = None  # factors of the activations as they are; None at strength 1
        if strength is not None:
            self._of_normalized = strength[:, None] * style
            self._of_unnormalized = (1.0 - strength[:, None]) * identity_vector
            self._sum = self._of_normalized + self._of_unnormalized

    def normalize(self, unit: Unit, x: Tensor) -> Tensor:
        """Conditional instance normalization of `x` [N, h, w, C], the output of the convolution of `unit`."""
        scale, offset = self._slices[f"{unit.name}/scale"], self._slices[f"{unit.name}/offset"]
        pictures = as_one_picture(x) if self._pooled else x
        normal = instance_norm(pictures, self._of_normalized[:, scale], self._sum[:, offset])
        normal = ops.reshape(normal, ops.shape(x)) if self._pooled else normal
        return normal if self._of_unnormalized is None else normal + self._of_unnormalized[:, None, None, scale] * x

    def affine(self, unit: Unit, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """(scale, offset) [1, 1, 1, C] that `normalize` amounts to for one picture with these moments [C]."""
        scale, offset = self._slices[f"{unit.name}/scale"], self._slices[f"{unit.name}/offset"]
        normal = self._of_normalized[0, scale] * ops.rsqrt(variance + NORM_EPSILON)
        total = normal if self._of_unnormalized is None else normal + self._of_unnormalized[0, scale]
        return total[None, None, None], (self._sum[0, offset] - normal * mean)[None, None, None]

    def skip(self, level: int) -> Tensor:
        """The scale [N, 1, 1, C] of the skip connection at `level`."""
        return self._sum[:, None, None, self._slices[f"skip{level}/scale"]]

    def colors(self, unit: Unit, x: Tensor) -> Tensor:
        """Colors in 0..1 from `x` [N, H, W, 3], the output of the last convolution."""
        scale, offset = self._slices[f"{unit.name}/scale"], self._slices[f"{unit.name}/offset"]
        return ops.sigmoid(x * self._sum[:, None, None, scale] + self._sum[:, None, None, offset])


def prepared(pictures: Tensor, plan: Plan, top: Any = 0) -> Tensor:
    """The input of the first unit: `pictures` [N, H, W, 3], scaled from 0..1 to -1..1, and noise if the plan has grain.

    `top` is the row at which they begin in a larger picture: the noise, in -1..1, depends on the position in that one.
    """
    x = pictures * 2.0 - 1.0
    if not plan.grain:
        return x
    count, height, width, _ = ops.shape(x)
    rows, columns = (top + ops.arange(height)) % NOISE_SIDE, ops.arange(width) % NOISE_SIDE
    field = ops.take(ops.take(_noise(), rows, axis=0), columns, axis=1)
    return ops.concatenate([x, ops.broadcast_to(field[None, :, :, None], (count, height, width, 1))], axis=-1)


@functools.cache
def _noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.0, 1.0, (NOISE_SIDE, NOISE_SIDE)).astype(np.float32)


def convolved(x: Tensor, unit: Unit, kernel: Tensor, sides: Any = None) -> Tensor:
    """`x` [N, h, w, C] after the convolution of `unit`, edges reflected; if it enlarges, cropped to `sides`, (H, W)."""
    if unit.upsamples:  # repeating the edges before the enlargement is reflecting them after it
        return upsample_and_convolve(padded(x, 1, "symmetric"), kernel)[:, : sides[0], : sides[1]]
    return convolve(padded(x, unit.side // 2, "reflect"), kernel, stride=unit.stride)


def padded(x: Tensor, edge: int, mode: str) -> Tensor:
    """`x` [N, h, w, C] with `edge` more positions on every side."""
    return ops.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]], mode=mode)


def upsample_and_convolve(x: Tensor, kernel: Tensor) -> Tensor:
    """The inside of `x` [N, h + 2, w + 2, C], enlarged to twice its size and convolved, [N, 2 h, 2 w, D].

    In the enlarged picture, a 3x3 `kernel` [3, 3, C, D] reads 2x2 different positions of `x`. Four 2x2 kernels, one for
    each phase, therefore give the same at the smaller size with 4/9 of the products.
    """
    inputs, outputs = kernel.shape[2:]
    fold = ops.cast(FOLD, kernel.dtype)
    small = ops.reshape(ops.einsum("aui,bvj,ijcd->uvcabd", fold, fold, kernel), (2, 2, inputs, 4 * outputs))
    phases = ops.split(convolve(x, small), 4, axis=-1)
    ends = slice(None, -1), slice(1, None)
    shifted = [phases[2 * a + b][:, ends[a], ends[b]] for a in (0, 1) for b in (0, 1)]
    return ops.depth_to_space(ops.concatenate(shifted, axis=-1), 2)


def _he_normal(unit: Unit, random: np.random.Generator) -> np.ndarray:
    gain = 2.0 if unit.relu else 1.0
    return random.normal(0, math.sqrt(gain / math.prod(unit.shape[:3])), unit.shape).astype(np.float32)
