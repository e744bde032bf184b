"""The ladder of a run's sizes and steps, coarse to fine; the loop, the progress bar and the time estimate read it."""

import math
from dataclasses import dataclass, replace

from nst.errors import InputError
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit

SMALLEST = 64  # long side of the first scale, px: large forms cost almost nothing there
STEP_OVERHEAD = 20_000  # px: what a step costs beside its pixels, in pixels
MARGIN = 8  # px, at least, that the canvas is wider all round: what early convolutions make of an edge is cropped
SHORTEST = 32  # px; the networks halve a picture four times, and their padding wants two cells at the end


@dataclass(frozen=True)
class Scale:
    """One rung: the picture is `height` x `width` px for `steps` optimiser steps."""

    height: int
    width: int
    steps: int

    @property
    def step_cost(self) -> int:
        """What one step takes, in the time of one pixel."""
        return self.height * self.width + STEP_OVERHEAD


def ladder(height: int, width: int, size: int, steps: int, coarse: bool = True) -> tuple[Scale, ...]:
    """The rungs for a content of `height` x `width` px painted at long side `size` in `steps` steps.

    Without `coarse` there is one rung: a start that has details must not lose them on small scales.

    Sizes double from about `SMALLEST` to `size`. The smaller a rung, the cheaper its steps and the more it gets: the
    largest one share, the next smaller one two, and so on. Where there are fewer steps than rungs, those in the middle
    are left out.
    """
    sides = [size]
    while coarse and sides[0] >= 2 * SMALLEST:
        sides.insert(0, round(sides[0] / 2))
    rungs = len(sides)
    counts = [steps * (rungs - rung) * 2 // (rungs * (rungs + 1)) for rung in range(rungs)]
    counts[-1] = max(1, counts[-1])
    counts[0] += steps - sum(counts)
    return tuple(
        Scale(*fit(height, width, side), count) for side, count in zip(sides, counts, strict=True) if count > 0
    )


def schedule(height: int, width: int, options: StyleOptions) -> tuple[Scale, ...]:
    """The rungs of a run on a content of `height` x `width` px: noise climbs the ladder, details start at full size."""
    return ladder(height, width, options.size, options.steps, coarse=options.init == "noise")


def of_length(rungs: tuple[Scale, ...], steps: int) -> tuple[Scale, ...]:
    """The schedule with `steps` in all: more of full size, or without the last ones."""
    found, left = [], steps
    for scale in rungs[:-1]:
        found.append(replace(scale, steps=min(left, scale.steps)))
        left -= found[-1].steps
    return (*found, replace(rungs[-1], steps=left))


def rejoin(rungs: tuple[Scale, ...], step: int, height: int, width: int) -> tuple[Scale, ...]:
    """A schedule in which `step` lies on the rung of `height` x `width` px.

    It is `rungs` itself, unless rungs ended early before that step: then the earlier ones are left out, and that rung
    has as many steps before it as there were in all. Raises InputError if there is no such rung.
    """
    number = next((n for n, scale in enumerate(rungs) if (scale.height, scale.width) == (height, width)), None)
    if number is None:
        raise InputError(f"the run was never painted at {width} x {height} px")
    done = sum(scale.steps for scale in rungs[:number])
    if done < step <= done + rungs[number].steps or (step == 0 and number == 0):
        return rungs
    earlier = tuple(replace(scale, steps=0) for scale in rungs[:number])
    return (*earlier, replace(rungs[number], steps=step + rungs[number].steps), *rungs[number + 1 :])


def margins(height: int, width: int) -> tuple[int, int]:
    """(above and below, left and right) in px: what is painted beyond a picture of that size and cropped."""
    rows, columns = (max(MARGIN, math.ceil((SHORTEST - side) / 2)) for side in (height, width))
    return rows, columns


def full_size_steps(rungs: tuple[Scale, ...]) -> float:
    """What the steps of all rungs cost, in steps of the last."""
    return sum(rung.steps * rung.height * rung.width for rung in rungs) / (rungs[-1].height * rungs[-1].width)


def seconds_left(rungs: tuple[Scale, ...], step: int, seconds: float, begun: int = 0) -> float:
    """Seconds that the steps after `step` will take, if `seconds` were spent on those from `begun` to it; else 0."""
    costs = [rung.step_cost for rung in rungs for _ in range(rung.steps)]
    return seconds * sum(costs[step:]) / sum(costs[begun:step]) if step > begun else 0.0
