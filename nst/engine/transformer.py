"""The image transformation network: a picture goes in, the same picture in a style comes out, in one pass.

Johnson, Alahi and Fei-Fei 2016: down by strided convolutions, residual blocks, up again, with reflection padding; up by
nearest-neighbour enlargement and a convolution (Odena et al. 2016), which leaves no checkerboard. Every convolution but
the last is followed by conditional instance normalisation (Dumoulin, Shlens and Kudlur 2017): the kernels are shared,
and a style is a vector of scales and offsets. Styles are mixed by mixing their vectors.

Strength is ours. At 0 nothing is normalised: channels pass with scales and offsets that are the network's `own`,
trained to leave a picture as it is. In between, both maps are weighted at every layer.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nst.engine.backend import NORM_EPSILON, convolve, instance_norm, keras, ops
from nst.styles.network_plan import Plan, Unit
from nst.styles.style_file import Style, StyleFile

Tensor = Any

GRAIN = 1021  # px, side of the field of noise; a prime, so that no grid of ours meets it at the same places again
# Rows and columns of a 3x3 kernel that meet the same pixel before enlargement: [phase, tap of the small kernel, tap].
FOLD = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], np.float32)


class Transformer(keras.layers.Layer):
    """A network of `plan` with `styles` styles, randomly initialised (He et al. 2015) from `seed`."""

    def __init__(self, plan: Plan, styles: int, seed: int = 0) -> None:
        super().__init__()
        self.plan = plan
        random = np.random.default_rng(seed)
        self.kernels = {unit.name: self._weight(unit.name, _he_normal(unit, random)) for unit in plan.units}
        self.own = self._weight("own", plan.neutral())
        self.styles = self._weight("styles", np.tile(plan.neutral(), (styles, 1)))

    @classmethod
    def of(cls, file: StyleFile) -> "Transformer":
        """The network of a style file, its styles in the file's order."""
        network = cls(file.plan, len(file.styles))
        for name, kernel in file.kernels.items():
            network.kernels[name].assign(kernel.astype(np.float32))
        network.own.assign(file.identity_vector)
        network.styles.assign(np.stack([style.vector for style in file.styles.values()]))
        return network

    def file(self, styles: Mapping[str, Style]) -> StyleFile:
        """What it has learned; `styles` say in its order what its styles are, but for their vectors."""
        kernels = {name: np.asarray(kernel).astype(np.float16) for name, kernel in self.kernels.items()}
        learned = zip(styles.items(), np.asarray(self.styles), strict=True)
        return StyleFile(
            self.plan,
            kernels,
            np.asarray(self.own),
            {name: replace(style, vector=vector) for (name, style), vector in learned},
        )

    def _weight(self, name: str, value: np.ndarray) -> Any:
        weight = self.add_weight(shape=value.shape, name=name, initializer="zeros")
        weight.assign(value)
        return weight

    def call(self, pictures: Tensor, mix: Tensor, strength: Tensor | None = None) -> Tensor:
        """Paint.

        Args:
            pictures: [N, H, W, 3], 0..1, any size from 16 px.
            mix: [N, styles], weights of the styles, of sum 1.
            strength: [N], 0..1; None is 1, and quicker.

        Returns:
            [N, H, W, 3], 0..1.
        """
        return self.paint(pictures, ops.matmul(mix, self.styles), strength)

    def paint(self, pictures: Tensor, style: Tensor, strength: Tensor | None = None) -> Tensor:
        """As `call`, in styles given as vectors [N, plan.length]."""
        condition = Condition(self.plan, style, self.own, strength)
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
        return condition.colors(self.plan.end, convolved(x, self.plan.end, self.kernels["end"]))

    def _apply(self, unit: Unit, x: Tensor, condition: "Condition", sides: Any = None) -> Tensor:
        x = condition.normalise(unit, convolved(x, unit, self.kernels[unit.name], sides))
        return ops.relu(x) if unit.relu else x


class Condition:
    """What the styles of N pictures make of each unit: scales and offsets, [N, C]."""

    def __init__(self, plan: Plan, style: Tensor, own: Tensor, strength: Tensor | None) -> None:
        """`style` is [N, plan.length], `own` [plan.length], `strength` [N]; None is 1."""
        self._places = plan.slices
        self._normal = self._sum = style  # of what is normalised; that and the rest
        self._passed: Tensor | None = None  # of what passes by the normalisation
        if strength is not None:
            self._normal, self._passed = strength[:, None] * style, (1.0 - strength[:, None]) * own
            self._sum = self._normal + self._passed

    def normalise(self, unit: Unit, x: Tensor) -> Tensor:
        """Conditional instance normalisation of `x` [N, h, w, C], which `unit` gave out."""
        scale, offset = self._places[f"{unit.name}/scale"], self._places[f"{unit.name}/offset"]
        normal = instance_norm(x, self._normal[:, scale], self._sum[:, offset])
        return normal if self._passed is None else normal + self._passed[:, None, None, scale] * x

    def affine(self, unit: Unit, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """(scale, offset), [1, 1, 1, C], by which `normalise` maps one picture's channels of these [C] moments."""
        scale, offset = self._places[f"{unit.name}/scale"], self._places[f"{unit.name}/offset"]
        normal = self._normal[0, scale] * ops.rsqrt(variance + NORM_EPSILON)
        total = normal if self._passed is None else normal + self._passed[0, scale]
        return total[None, None, None], (self._sum[0, offset] - normal * mean)[None, None, None]

    def skip(self, level: int) -> Tensor:
        """The scale [N, 1, 1, C] of what `level` had on the way down."""
        return self._sum[:, None, None, self._places[f"skip{level}/scale"]]

    def colors(self, unit: Unit, x: Tensor) -> Tensor:
        """`x` [N, H, W, 3] of the last unit as colours in 0..1."""
        scale, offset = self._places[f"{unit.name}/scale"], self._places[f"{unit.name}/offset"]
        return ops.sigmoid(x * self._sum[:, None, None, scale] + self._sum[:, None, None, offset])


def prepared(pictures: Tensor, plan: Plan, top: Any = 0) -> Tensor:
    """What the first unit takes: `pictures` [N, H, W, 3] in -1..1, and grain in -1..1 if the plan wants it.

    `top` is the row of a larger picture at which these begin; the same place has the same grain.
    """
    x = pictures * 2.0 - 1.0
    if not plan.grain:
        return x
    count, height, width, _ = ops.shape(x)
    rows, columns = (top + ops.arange(height)) % GRAIN, ops.arange(width) % GRAIN
    field = ops.take(ops.take(_grain(), rows, axis=0), columns, axis=1)
    return ops.concatenate([x, ops.broadcast_to(field[None, :, :, None], (count, height, width, 1))], axis=-1)


@functools.cache
def _grain() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.0, 1.0, (GRAIN, GRAIN)).astype(np.float32)


def convolved(x: Tensor, unit: Unit, kernel: Tensor, sides: Any = None) -> Tensor:
    """`x` [N, h, w, C] after the convolution of `unit`, edges reflected; if it enlarges, cropped to `sides` (H, W)."""
    if unit.upsamples:  # reflected after the enlargement is edges repeated before it
        return enlarged(padded(x, 1, "symmetric"), kernel)[:, : sides[0], : sides[1]]
    return convolve(padded(x, unit.side // 2, "reflect"), kernel, stride=unit.stride)


def padded(x: Tensor, edge: int, mode: str) -> Tensor:
    """`x` [N, h, w, C] with `edge` more positions all round."""
    return ops.pad(x, [[0, 0], [edge, edge], [edge, edge], [0, 0]], mode=mode)


def enlarged(x: Tensor, kernel: Tensor) -> Tensor:
    """The inside of `x` [N, h + 2, w + 2, C] enlarged to twice its size and convolved, [N, 2 h, 2 w, D].

    Of the enlarged picture a 3x3 `kernel` [3, 3, C, D] meets no more than 2x2 different positions. So four small
    kernels, one for each phase, do the same at the smaller size with 4/9 of the products.
    """
    inputs, outputs = kernel.shape[2:]
    small = ops.reshape(ops.einsum("aui,bvj,ijcd->uvcabd", FOLD, FOLD, kernel), (2, 2, inputs, 4 * outputs))
    phases = ops.split(convolve(x, small), 4, axis=-1)
    ends = slice(None, -1), slice(1, None)
    placed = [phases[2 * a + b][:, ends[a], ends[b]] for a in (0, 1) for b in (0, 1)]
    return ops.depth_to_space(ops.concatenate(placed, axis=-1), 2)


def _he_normal(unit: Unit, random: np.random.Generator) -> np.ndarray:
    gain = 2.0 if unit.relu else 1.0
    return random.normal(0, math.sqrt(gain / math.prod(unit.shape[:3])), unit.shape).astype(np.float32)
