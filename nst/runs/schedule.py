"""The schedule of a run: its scales, coarse to fine, each with a number of steps.

The loop, the progress bar and the time estimate read it.
"""

import math
from dataclasses import dataclass, replace

from nst.errors import InputError
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit

FIRST_SCALE_SIDE = 64  # long side of the first scale, px: large forms cost almost nothing there
STEP_OVERHEAD = 20_000  # px: what a step costs besides its pixels, in pixels
MARGIN = 8  # px, at least, that the canvas extends beyond the picture on each side: artefacts of its edge are cropped
SHORTEST = 32  # px; the networks halve a picture four times, and their padding needs two cells at the end


@dataclass(frozen=True)
class Scale:
    """A size, `height` x `width` px, at which the picture is painted for `steps` optimizer steps."""

    height: int
    width: int
    steps: int

    @property
    def canvas(self) -> tuple[int, int]:
        """(height, width) of what is optimized: the picture with its `margins`, px."""
        rows, columns = margins(self.height, self.width)
        return self.height + 2 * rows, self.width + 2 * columns

    @property
    def step_cost(self) -> int:
        """The time of one step, in units of the time of one pixel."""
        return self.height * self.width + STEP_OVERHEAD


def coarse_to_fine(height: int, width: int, size: int, steps: int, coarse: bool = True) -> tuple[Scale, ...]:
    """The scales for a content of `height` x `width` px painted at long side `size` in `steps` steps.

    Sizes double from about `FIRST_SCALE_SIDE` to `size`. Steps at smaller scales are cheaper, and there are more of
    them: the largest scale gets one share, the next smaller one two, and so on. Where there are fewer steps than
    scales, those in the middle are left out. Without `coarse` there is the largest scale only.
    """
    sides = [size]
    while coarse and sides[0] >= 2 * FIRST_SCALE_SIDE:
        sides.insert(0, round(sides[0] / 2))
    count = len(sides)
    counts = [steps * (count - number) * 2 // (count * (count + 1)) for number in range(count)]
    counts[-1] = max(1, counts[-1])
    counts[0] += steps - sum(counts)
    return tuple(
        Scale(*fit(height, width, side), share) for side, share in zip(sides, counts, strict=True) if share > 0
    )


def schedule(height: int, width: int, options: StyleOptions) -> tuple[Scale, ...]:
    """The scales of a run on a content of `height` x `width` px.

    A start other than noise has details, which coarse scales would lose: it is painted at full size only.
    """
    return coarse_to_fine(height, width, options.size, options.steps, coarse=options.init == "noise")


def cost(scales: tuple[Scale, ...]) -> int:
    """The time of all steps, in the unit of `Scale.step_cost`."""
    return sum(scale.steps * scale.step_cost for scale in scales)


def of_length(scales: tuple[Scale, ...], steps: int) -> tuple[Scale, ...]:
    """The schedule with `steps` in all.

    A longer one has more steps at full size; a shorter one lacks the last steps, and scales that lose all stay with 0.
    """
    found, left = [], steps
    for scale in scales[:-1]:
        found.append(replace(scale, steps=min(left, scale.steps)))
        left -= found[-1].steps
    return (*found, replace(scales[-1], steps=left))


def rejoin(scales: tuple[Scale, ...], step: int, height: int, width: int) -> tuple[Scale, ...]:
    """A schedule in which `step` is painted at the scale of `height` x `width` px.

    It is `scales` itself if `step` lies in the range of that scale. Otherwise earlier scales ended early: they get 0
    steps, and that scale gets `step` more, so that all its steps follow `step`. Raises InputError if there is no such
    scale.
    """
    number = next((n for n, scale in enumerate(scales) if (scale.height, scale.width) == (height, width)), None)
    if number is None:
        raise InputError(f"the run was never painted at {width} x {height} px")
    done = sum(scale.steps for scale in scales[:number])
    if done < step <= done + scales[number].steps or (step == 0 and number == 0):
        return scales
    earlier = tuple(replace(scale, steps=0) for scale in scales[:number])
    return (*earlier, replace(scales[number], steps=step + scales[number].steps), *scales[number + 1 :])


def scales_left(scales: tuple[Scale, ...], index: int) -> float:
    """The share of the scales after the first that follow the one of that index: 1 for the first, 0 for the last."""
    return (len(scales) - 1 - index) / max(1, len(scales) - 1)


def margins(height: int, width: int) -> tuple[int, int]:
    """(above and below, left and right), px: how far the canvas of a picture of that size extends beyond it."""
    rows, columns = (max(MARGIN, math.ceil((SHORTEST - side) / 2)) for side in (height, width))
    return rows, columns


def seconds_left(scales: tuple[Scale, ...], step: int, seconds: float, begun: int = 0) -> float:
    """Seconds that the steps after `step` will take, if those from `begun` to `step` took `seconds`; 0 without any."""
    costs = [scale.step_cost for scale in scales for _ in range(scale.steps)]
    return seconds * sum(costs[step:]) / sum(costs[begun:step]) if step > begun else 0.0
