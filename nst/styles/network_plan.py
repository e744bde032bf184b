"""The plan of an image transformation network: its convolutions, and where a style's parameters lie in its vector.

Every convolution but the last is followed by conditional instance normalization (Dumoulin et al. 2017, "A learned
representation for artistic style"): a style is the vector of all its scales and offsets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nst.errors import StyleError

# Limits of a plan that is read from a file.
MOST_WIDTH, MOST_BLOCKS, MOST_KERNEL_SIDE = 512, 32, 15
MOST_LEVELS = 4  # at the lowest of four, a picture of 16 px still has two rows, which reflection padding needs


@dataclass(frozen=True)
class Unit:
    """A convolution of the network, with what surrounds it."""

    name: str
    side: int  # of its kernel
    inputs: int
    outputs: int
    stride: int = 1
    upsamples: bool = False  # nearest neighbor, by two, before the convolution
    relu: bool = True  # after the normalization

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of its kernel."""
        return self.side, self.side, self.inputs, self.outputs


@dataclass(frozen=True)
class Plan:
    """The shape of a network: strided convolutions down, residual blocks, upsampling convolutions to full resolution.

    The activations of each level in `skips` are added on the way up, so that the narrow blocks need not carry the
    picture's fine detail. With `grain` a channel of noise is appended to the picture: a plain area, such as a sky, has
    nothing else to make strokes from. Field names are part of the file format and of a network's hash.
    """

    widths: tuple[int, ...]  # channels of each level, from full resolution down
    blocks: int  # residual blocks
    first: int  # side of the first kernel, px
    last: int  # side of the last kernel, px
    skips: tuple[int, ...] = ()  # levels
    grain: bool = False

    @property
    def down(self) -> tuple[Unit, ...]:
        """The convolutions from the picture to the lowest level."""
        first = Unit("down0", self.first, 3 + self.grain, self.widths[0])
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return first, *(Unit(f"down{n}", 3, wide, deep, stride=2) for n, (wide, deep) in enumerate(pairs, 1))

    @property
    def middle(self) -> tuple[tuple[Unit, Unit], ...]:
        """The two convolutions of each residual block."""
        width = self.widths[-1]
        return tuple(
            (Unit(f"block{n}a", 3, width, width), Unit(f"block{n}b", 3, width, width, relu=False))
            for n in range(self.blocks)
        )

    @property
    def up(self) -> tuple[Unit, ...]:
        """The convolutions from the lowest level to full resolution; "up0" is at full resolution."""
        levels = range(len(self.widths) - 2, -1, -1)
        return tuple(Unit(f"up{n}", 3, self.widths[n + 1], self.widths[n], upsamples=True) for n in levels)

    @property
    def end(self) -> Unit:
        """The convolution to colors; each style has an affine map of its output in place of a normalization."""
        return Unit("end", self.last, self.widths[0], 3, relu=False)

    @property
    def units(self) -> tuple[Unit, ...]:
        """All convolutions, in order."""
        return *self.down, *(unit for block in self.middle for unit in block), *self.up, self.end

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where a style's parameters lie in its vector: "NAME/scale" and "NAME/offset" of units, "skipN/scale"."""
        sizes = [(f"{unit.name}/{kind}", unit.outputs) for unit in self.units for kind in ("scale", "offset")]
        sizes += [(f"skip{level}/scale", self.widths[level]) for level in self.skips]
        ends = np.cumsum([size for _, size in sizes]).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes, ends, strict=True)}

    @property
    def length(self) -> int:
        """The length of a style's vector."""
        return max(part.stop for part in self.slices.values())

    def neutral(self) -> NDArray[np.float32]:
        """The vector of an untrained style: scales 1, offsets 0."""
        vector = np.zeros(self.length, np.float32)
        for name, part in self.slices.items():
            vector[part] = name.endswith("/scale")
        return vector

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The plan in a file's header, within the limits of this module. Raises StyleError, KeyError and TypeError."""
        skips = tuple(given["skips"])
        plan = cls(tuple(given["widths"]), given["blocks"], given["first"], given["last"], skips, given["grain"])
        sides = (plan.first, plan.last)
        if (
            not all(type(number) is int for number in (*plan.widths, plan.blocks, *sides, *skips))
            or type(plan.grain) is not bool
            or not 2 <= len(plan.widths) <= MOST_LEVELS
            or not all(1 <= width <= MOST_WIDTH for width in plan.widths)
            or not 0 <= plan.blocks <= MOST_BLOCKS
            or not all(side % 2 and 1 <= side <= MOST_KERNEL_SIDE for side in sides)
            or sorted(set(skips)) != list(skips)
            or not all(0 <= level < len(plan.widths) - 1 for level in skips)
        ):
            raise StyleError("the shape of its network is not supported")
        return plan


PLANS = {
    "studio": Plan((8, 24, 64, 128), 8, 3, 3, (0, 2), grain=True),
    "johnson": Plan((32, 64, 128), 5, 9, 9),  # Johnson et al. 2016, supplementary material; for comparison
}
