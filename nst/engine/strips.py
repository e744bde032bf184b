"""One pass over a picture too large to be painted at once: strip by strip, with the statistics of the whole picture.

Instance normalisation needs mean and variance of each channel over the picture, before anything after it can be known.
So the network is worked off unit by unit, each in strips of rows. What a unit gave out is kept, except at full
resolution, where it is the largest: that is found again from the level below, once for its statistics and once for what
comes after it. The result is that of `Transformer.paint`, up to rounding.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nst.engine.backend import convolve, ops
from nst.engine.transformer import Condition, Transformer, enlarged, prepared
from nst.styles.network_plan import Unit

Array = NDArray[np.float32]
PIXELS = 2**17  # of a strip, about


class Rows(Protocol):
    """Activations that can be had by rows."""

    sides: tuple[int, int]  # (height, width)

    def rows(self, first: int, last: int) -> Any:
        """Rows `first` to `last`, the last excluded, [1, last - first, width, C]."""


def paint_in_strips(transformer: Transformer, picture: Array, style: Array, strength: Array | None) -> Array:
    """What `transformer.paint` makes of one `picture` [H, W, 3], 0..1; `style` is [1, plan.length], `strength` [1]."""
    plan = transformer.plan
    condition = Condition(plan, ops.convert_to_tensor(style), transformer.own, strength)

    def layer(unit: Unit, source: Rows, sides: tuple[int, int], kept: bool = True) -> _Layer:
        return _Layer(unit, source, transformer.kernels[unit.name], sides, condition, kept)

    source: Rows = _Picture(picture, transformer)
    passed: dict[int, Rows] = {}  # what is added again on the way up
    sides: list[tuple[int, int]] = []
    for level, unit in enumerate(plan.down):
        height, width = source.sides
        sides.append((-(-height // unit.stride), -(-width // unit.stride)))
        source = layer(unit, source, sides[level], kept=level > 0)
        if level in plan.skips:
            passed[level] = source
    source = _Kept(source)
    for first, second in plan.middle:
        source.add(layer(second, layer(first, source, source.sides), source.sides))
    for level, unit in zip(range(len(sides) - 2, -1, -1), plan.up, strict=True):
        source = layer(unit, source, sides[level], kept=level > 0)
        if level in plan.skips:
            source = _Sum(source, passed.pop(level), condition.skip(level))
    found = np.empty_like(picture)
    end = _Convolution(plan.end, source, transformer.kernels["end"], source.sides)
    for first_row, last_row in _strips(*end.sides):
        found[first_row:last_row] = condition.colors(plan.end, end.rows(first_row, last_row))[0]
    return found


class _Picture:
    """The picture as the first unit takes it."""

    def __init__(self, picture: Array, transformer: Transformer) -> None:
        self._picture, self._plan = picture, transformer.plan
        self.sides = picture.shape[:2]

    def rows(self, first: int, last: int) -> Any:
        return prepared(ops.convert_to_tensor(self._picture[None, first:last]), self._plan, first)


class _Convolution:
    """What a unit's convolution gives out, from what is in `source`."""

    def __init__(self, unit: Unit, source: Rows, kernel: Any, sides: tuple[int, int]) -> None:
        self._unit, self._source, self._kernel = unit, source, kernel
        self.sides = sides

    def rows(self, first: int, last: int) -> Any:
        unit, (height, _) = self._unit, self._source.sides
        if unit.upsamples:  # a pair of rows comes from one row and its neighbours; the edges are repeated
            start = first // 2
            wanted = np.clip(np.arange(start - 1, -(-last // 2) + 1), 0, height - 1)
            x = enlarged(_widened(self._gather(wanted), 1, "symmetric"), self._kernel)
            return x[:, first - 2 * start : last - 2 * start, : self.sides[1]]
        edge = unit.side // 2
        wanted = np.arange(first * unit.stride - edge, (last - 1) * unit.stride + edge + 1)
        wanted = height - 1 - np.abs(height - 1 - np.abs(wanted))  # reflected at the edges
        return convolve(_widened(self._gather(wanted), edge, "reflect"), self._kernel, stride=unit.stride)

    def _gather(self, wanted: NDArray[np.int64]) -> Any:
        """Rows by number, of which there may be some more than once."""
        first = int(wanted.min())
        x = self._source.rows(first, int(wanted.max()) + 1)
        return ops.take(x, wanted - first, axis=1)


class _Layer:
    """A unit after its normalisation, by statistics that are found once; what was convolved is kept if `kept`."""

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
            self._convolved = _Array(array)  # and `source` is let go
        self._scale, self._offset = condition.affine(unit, *moments.found())

    def rows(self, first: int, last: int) -> Any:
        x = self._convolved.rows(first, last) * self._scale + self._offset
        return ops.relu(x) if self._unit.relu else x


class _Array:
    """Activations that are kept."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.sides = array.shape[1:3]

    def rows(self, first: int, last: int) -> Any:
        return ops.convert_to_tensor(self.array[:, first:last])


class _Kept(_Array):
    """A copy of other activations, to which more can be added."""

    def __init__(self, source: Rows) -> None:
        strips = [np.asarray(source.rows(first, last)) for first, last in _strips(*source.sides)]
        super().__init__(np.concatenate(strips, axis=1))

    def add(self, source: Rows) -> None:
        for first, last in _strips(*self.sides):
            self.array[:, first:last] += np.asarray(source.rows(first, last))


class _Sum:
    """One, and another times `scale`."""

    def __init__(self, one: Rows, other: Rows, scale: Any) -> None:
        self._one, self._other, self._scale = one, other, scale
        self.sides = one.sides

    def rows(self, first: int, last: int) -> Any:
        return self._one.rows(first, last) + self._scale * self._other.rows(first, last)


class _Moments:
    """Mean and variance of channels, strip by strip (Chan, Golub and LeVeque 1983)."""

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

    def found(self) -> tuple[Array, Array]:
        return self._mean.astype(np.float32), (self._squares / self._count).astype(np.float32)


def _strips(height: int, width: int) -> Iterator[tuple[int, int]]:
    """(first, last) rows of the strips of a level; even ones, because enlarged rows come in pairs."""
    rows = max(2, PIXELS // width // 2 * 2)
    return ((first, min(first + rows, height)) for first in range(0, height, rows))


def _widened(x: Any, edge: int, mode: str) -> Any:
    """`x` [1, h, w, C] with `edge` more columns on either side."""
    return ops.pad(x, [[0, 0], [0, 0], [edge, edge], [0, 0]], mode=mode)
