"""The image transformation network on a picture too large for one pass: in strips, with the statistics of the whole.

Instance normalization needs the mean and variance of each channel over the whole picture before the next convolution
can begin. The network is therefore computed unit by unit, each unit in strips of rows. The output of a unit is kept,
except at full resolution, where it is largest: there it is computed twice, once for its statistics and once for the
unit that reads it. The result is that of `Transformer.paint`, up to rounding.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nst.engine.backend import ops
from nst.engine.feed_forward.transformer import Condition, Transformer, prepared, upsample_and_convolve
from nst.engine.operations import convolve
from nst.pictures.images import Array
from nst.styles.network_plan import Unit

STRIP_PIXELS = 2**17  # of a strip, about


class Rows(Protocol):
    """Activations that are computed or read by rows."""

    sides: tuple[int, int]  # (height, width)

    def rows(self, first: int, last: int) -> Any:
        """Rows `first` to `last`, the latter excluded, [1, last - first, width, C]."""


def paint_in_strips(transformer: Transformer, picture: Array, style: Array, strength: Array | None) -> Array:
    """Paint one picture like `transformer.paint`, in strips.

    Args:
        transformer: the network.
        picture: [H, W, 3] in 0..1.
        style: a style vector, [1, plan.length].
        strength: [1] in 0..1; None is 1.

    Returns:
        [H, W, 3] in 0..1.
    """
    plan = transformer.plan
    condition = Condition(plan, ops.convert_to_tensor(style), transformer.identity_vector, strength)

    def layer(unit: Unit, source: Rows, sides: tuple[int, int], kept: bool = True) -> _Layer:
        return _Layer(unit, source, transformer.kernels[unit.name], sides, condition, kept)

    source: Rows = _Picture(picture, transformer)
    skipped: dict[int, Rows] = {}  # by level: what its skip connection adds on the way up
    sides: list[tuple[int, int]] = []
    for level, unit in enumerate(plan.down):
        height, width = source.sides
        sides.append((-(-height // unit.stride), -(-width // unit.stride)))
        source = layer(unit, source, sides[level], kept=level > 0)
        if level in plan.skips:
            skipped[level] = source
    source = _Accumulator(source)
    for first, second in plan.middle:
        source.add(layer(second, layer(first, source, source.sides), source.sides))
    for level, unit in zip(range(len(sides) - 2, -1, -1), plan.up, strict=True):
        source = layer(unit, source, sides[level], kept=level > 0)
        if level in plan.skips:
            source = _Sum(source, skipped.pop(level), condition.skip(level))
    painted = np.empty_like(picture)
    end = _Convolution(plan.end, source, transformer.kernels["end"], source.sides)
    for first_row, last_row in _strips(*end.sides):
        painted[first_row:last_row] = condition.colors(plan.end, end.rows(first_row, last_row))[0]
    return painted


class _Picture:
    """The input of the first unit."""

    def __init__(self, picture: Array, transformer: Transformer) -> None:
        self._picture, self._plan = picture, transformer.plan
        self.sides = picture.shape[:2]

    def rows(self, first: int, last: int) -> Any:
        return prepared(ops.convert_to_tensor(self._picture[None, first:last]), self._plan, first)


class _Convolution:
    """The output of a unit's convolution of `source`."""

    def __init__(self, unit: Unit, source: Rows, kernel: Any, sides: tuple[int, int]) -> None:
        self._unit, self._source, self._kernel = unit, source, kernel
        self.sides = sides

    def rows(self, first: int, last: int) -> Any:
        unit, (height, _) = self._unit, self._source.sides
        if unit.upsamples:  # a pair of rows is computed from one row and its neighbors; edges are repeated
            start = first // 2
            wanted = np.clip(np.arange(start - 1, -(-last // 2) + 1), 0, height - 1)
            x = upsample_and_convolve(_widened(self._gather(wanted), 1, "symmetric"), self._kernel)
            return x[:, first - 2 * start : last - 2 * start, : self.sides[1]]
        edge = unit.side // 2
        wanted = np.arange(first * unit.stride - edge, (last - 1) * unit.stride + edge + 1)
        wanted = height - 1 - np.abs(height - 1 - np.abs(wanted))  # reflected at the edges
        return convolve(_widened(self._gather(wanted), edge, "reflect"), self._kernel, stride=unit.stride)

    def _gather(self, wanted: NDArray[np.int64]) -> Any:
        """The `wanted` rows of the source; a row may occur more than once."""
        first = int(wanted.min())
        x = self._source.rows(first, int(wanted.max()) + 1)
        return ops.take(x, wanted - first, axis=1)


class _Layer:
    """The output of a unit after its normalization; its convolution is computed once if `kept`, else again if read."""

    def __init__(
        self, unit: Unit, source: Rows, kernel: Any, sides: tuple[int, int], condition: Condition, kept: bool
    ) -> None:
        self.sides = sides
        self._unit = unit
        self._convolved: Rows = _Convolution(unit, source, kernel, sides)
        array = np.empty((1, *sides, unit.outputs), np.float32) if kept else None
        moments = _Moments(unit.outputs)
        for first, last in _strips(*sides):
            x = self._convolved.rows(first, last)
            moments.add(x)
            if array is not None:
                array[:, first:last] = x
        if array is not None:
            self._convolved = _Array(array)  # this frees `source`
        self._scale, self._offset = condition.affine(unit, *moments.mean_and_variance())

    def rows(self, first: int, last: int) -> Any:
        x = self._convolved.rows(first, last) * self._scale + self._offset
        return ops.relu(x) if self._unit.relu else x


class _Array:
    """Activations in memory."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.sides = array.shape[1:3]

    def rows(self, first: int, last: int) -> Any:
        return ops.convert_to_tensor(self.array[:, first:last])


class _Accumulator(_Array):
    """A copy of other activations, in memory, to which more can be added."""

    def __init__(self, source: Rows) -> None:
        strips = [np.asarray(source.rows(first, last)) for first, last in _strips(*source.sides)]
        super().__init__(np.concatenate(strips, axis=1))

    def add(self, source: Rows) -> None:
        for first, last in _strips(*self.sides):
            self.array[:, first:last] += np.asarray(source.rows(first, last))


class _Sum:
    """The sum of `one` and `scale` times `other`."""

    def __init__(self, one: Rows, other: Rows, scale: Any) -> None:
        self._one, self._other, self._scale = one, other, scale
        self.sides = one.sides

    def rows(self, first: int, last: int) -> Any:
        return self._one.rows(first, last) + self._scale * self._other.rows(first, last)


class _Moments:
    """Mean and variance of channels, accumulated over strips (Chan, Golub and LeVeque 1983)."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._mean, self._squares = np.zeros(channels), np.zeros(channels)  # float64: the squares are of differences

    def add(self, x: Any) -> None:
        count = int(np.prod(x.shape[:3]))
        mean, variance = (np.asarray(part, np.float64) for part in ops.moments(x, axes=(0, 1, 2)))
        total, difference = self._count + count, mean - self._mean
        self._mean = self._mean + difference * count / total
        self._squares = self._squares + variance * count + difference**2 * self._count * count / total
        self._count = total

    def mean_and_variance(self) -> tuple[Array, Array]:
        return self._mean.astype(np.float32), (self._squares / self._count).astype(np.float32)


def _strips(height: int, width: int) -> Iterator[tuple[int, int]]:
    """(first, last) rows of the strips of a level; even numbers, because enlarged rows come in pairs."""
    rows = max(2, STRIP_PIXELS // width // 2 * 2)
    return ((first, min(first + rows, height)) for first in range(0, height, rows))


def _widened(x: Any, edge: int, mode: str) -> Any:
    """`x` [1, h, w, C] with `edge` more columns on both sides."""
    return ops.pad(x, [[0, 0], [0, 0], [edge, edge], [0, 0]], mode=mode)
