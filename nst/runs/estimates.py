"""Estimates of what a run will take, before it starts: seconds, peak memory, and whether it is painted by tiles.

Time is summed over the schedule's steps with the speed that `nst/engine/calibrate.py` measured on the
machine; memory follows from the pictures and activations that are held at once. TensorFlow is not used.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from nst.errors import OutOfMemory
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.style_options import AUTO_SECONDS, StyleOptions
from nst.pictures.images import fit
from nst.runs.humanize import GIGABYTE, roughly
from nst.runs.schedule import Scale, schedule

PIXEL_BYTES = 3 * 4  # bytes of one pixel, float32


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs up to the deepest layer of the studio's preset."""

    multiply_adds: int  # forward, for a pixel
    step: int  # bytes for a pixel at the peak of a step: activations held for the backward pass, and temporaries
    style_copy: int  # bytes for a pixel of a float32 copy of what the style layers read, for a mask
    weights: int  # bytes, float32
    halo: int  # px beyond a tile that its activations depend on


# Bytes here and below are fitted to the peak resident memory of fresh processes (`python -m benchmarks.peak`), with
# TensorFlow 2.21 on Linux, x86-64; those of a step of vgg16 follow from vgg19's in proportion to the activations.
NETWORK_COSTS = {
    "vgg19": NetworkCost(361_152, 1720, 200, 80_075_520, 80),
    "vgg16": NetworkCost(287_424, 1579, 200, 58_841_856, 64),
    "compact": NetworkCost(65_148, 1760, 200, 8_322_816, 80),
}
BASE_BYTES = 640_000_000  # bytes: Python, TensorFlow, what a worker imports, a traced step
WEIGHT_COPIES = 3  # copies: as they were read, as they are used, and transposed for the backward pass
FORWARD_SHARE = 0.5  # of the bytes of a step: a forward pass alone
MASK_BYTES = 32  # bytes for a pixel: the mask, and its regions' weights on the canvas and on the layers
MATRICES_BYTES = 2_500_000  # bytes of another painting's Gram matrices on the layers of a preset
CONTENT_BYTES = 64  # bytes for a pixel: activations of the content, and the parts that they are joined from
NEIGHBOR_BYTES = 950  # bytes for a pixel of a step: what the loss of neighbors adds to it,
HALF_NEIGHBOR_BYTES = 1200  # and to a step in bfloat16: copies in float32
MOST_EARLY_PIXELS = 2**18  # of a canvas whose gradients of losses are computed as early as can be,
EARLY_BYTES = 450  # bytes for a pixel: these gradients
VECTOR_BYTES = 4 * (64 + 128 + 256 + 512)  # bytes of a vector of the search, on the studio's layers of blocks 1 to 4
VECTOR_COPIES = 3  # of the vectors of a painting, while they are searched
ADAM_PICTURES = 8  # held at once: iterate, gradient, moments, average, and the arrays they come from
LBFGS_PICTURES = 15  # the same of L-BFGS beside its pairs
PAIRS = 10  # of L-BFGS, two pictures each; with twenty a run needs as many steps
PAIRS_BYTES = GIGABYTE  # the most that they take together, but for LEAST_PAIRS
LEAST_PAIRS = 3

# Of the search for neighbors, see nst/engine/optimization/neighbors.
NEIGHBOR_STRIDE = 4  # px between two hypercolumns
QUARTER_TURNS = 4  # of each painting
MOST_CANDIDATES = 2**14  # vectors of a painting, with its turns; of more, as many are taken at random
PROJECTED = 256  # numbers of a vector while neighbors are searched: random projections nearly keep cosines

START_SECONDS = 0.2  # s: decoding, encoding, and whatever else is not a step
# Times of parts of a run, relative to a step on as many pixels.
TARGET_STEPS = 0.4  # a forward pass
PASSES = 3  # passes of a step, each of the network's multiply-adds
SEARCH = 0.9  # a multiply-add of the search for neighbors, relative to one of a step
TILED_STEP = 1.4  # a forward pass, and a step
VECTOR_PASSES = 3  # of a step of L-BFGS over the pictures of its pairs
TILES = (1536, 1024, 768, 512, 384, 256)  # px, sides of a tile's core; few, because each needs a trace of its own


@dataclass(frozen=True)
class Calibration:
    """The measured speed of a network on a machine: a step of n pixels takes step_seconds + n * pixel_seconds."""

    network: str
    precision: str  # "float32" or "bfloat16"
    step_seconds: float  # of a step besides its pixels
    pixel_seconds: float  # of a step, for each pixel of the canvas
    vector_seconds: float = 0.0  # of the inner product of two pictures, for each pixel: L-BFGS's own arithmetic

    def scaled_to(self, network: str) -> "Calibration":
        """A guess for another network: pixels cost in proportion to its multiply-adds."""
        ratio = NETWORK_COSTS[network].multiply_adds / NETWORK_COSTS[self.network].multiply_adds
        return dataclasses.replace(self, network=network, pixel_seconds=self.pixel_seconds * ratio)

    def to_json(self) -> dict[str, Any]:
        """Plain values under the fields' names; `from_json` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The calibration that `to_json` was called on."""
        return cls(**given)


def calibration_for(network: str, precision: str, known: Iterable[Calibration]) -> Calibration | None:
    """The one of `known` for that network at that precision, else a guess from another one; None without any."""
    known = tuple(known)
    closest = sorted(known, key=lambda one: (one.precision != precision, one.network != network))
    return dataclasses.replace(closest[0].scaled_to(network), precision=precision) if closest else None


@dataclass(frozen=True)
class Estimate:
    """What a run will take."""

    width: int  # of the result, px
    height: int
    seconds: float | None  # from Start to the result; None as long as the machine is not calibrated
    bytes: int  # of memory at the peak, in all, of the process that paints
    tile: int | None  # side of the tiles that the largest scale is painted by, px; None if it is painted whole
    at_most: bool  # the run may end sooner: its `epochs` is "auto"

    @property
    def tiled(self) -> bool:
        """Whether the picture is too large to be painted whole."""
        return self.tile is not None

    def to_json(self) -> dict[str, Any]:
        """Plain values: the fields, and "tiled"."""
        return {**dataclasses.asdict(self), "tiled": self.tiled}


@dataclass(frozen=True)
class PlannedRun:
    """What the time and the memory of a run depend on."""

    height: int  # of the content, px; of any size, because only the ratio of its sides counts
    width: int
    options: StyleOptions
    network: str  # that paints it, a key of `NETWORK_COSTS`
    precision: str = "float32"  # or "bfloat16"
    styles: Sequence[tuple[int, int]] = ()  # (height, width) of each painting, px; without any, one like the content
    masked: bool = False

    def estimate(self, calibration: Calibration | None = None, budget: int | None = None) -> Estimate:
        """What painting it will take.

        Args:
            calibration: of its network at its precision, see `calibration_for`; None leaves the seconds unknown.
            budget: bytes the painting process may take in all, see memory_budget.py; None is no bound.

        Raises:
            OutOfMemory: it does not fit the budget, even by tiles; the message names the largest size that does.
        """
        tile = self._tile(math.inf if budget is None else budget)
        if tile is None:
            largest = self.largest_size(budget or 0)
            raise OutOfMemory(
                f"`size` {self.options.size} needs {self._bytes(TILES[-1]) / GIGABYTE:.1f} GB of memory even by tiles, "
                f"but the painting may take {(budget or 0) / GIGABYTE:.1f} GB; "
                + (f"the largest size that fits is {largest}" if largest else "no size fits")
            )
        seconds = None if calibration is None else self.seconds(calibration, tile)
        final, at_most = self._scales[-1], self.options.epochs == "auto"
        return Estimate(final.width, final.height, seconds, self._bytes(tile), tile or None, at_most)

    def seconds(self, calibration: Calibration, tile: int | None) -> float:
        """Seconds from Start to the result, painted by tiles of that side, px; whole if it is None or 0."""
        return START_SECONDS + sum(self._scale_seconds(scale, calibration, tile) for scale in self._scales)

    def largest_size(self, budget: int) -> int:
        """The largest `size`, px, that the option allows and that fits the budget, maybe by tiles; 0 if none does."""
        bounds = StyleOptions.option("size")
        low, high, step = (int(bound or 1) for bound in (bounds.low, bounds.high, bounds.step))
        for size in range(high, low - 1, -step):
            smaller = dataclasses.replace(self, options=dataclasses.replace(self.options, size=size))
            if smaller._tile(budget) is not None:
                return size
        return 0

    @property
    def _scales(self) -> tuple[Scale, ...]:
        return schedule(self.height, self.width, self.options)

    def _tile(self, budget: float) -> int | None:
        """The side of the largest tile that fits the budget; 0 if the whole picture does, None if no tile does."""
        return next((tile for tile in (0, *TILES) if self._bytes(tile) <= budget), None)

    def _bytes(self, tile: int) -> int:
        """Peak memory of the process that paints; that of float32 with L-BFGS, which may go on in it."""
        half = self.precision == "bfloat16" and self.options.optimizer != "lbfgs"
        cost, share = NETWORK_COSTS[self.network], 0.5 if half else 1.0
        canvas, styles = canvas_pixels(self._scales[-1]), self._style_pixels(self._scales[-1])
        most = self._pixels(tile) if tile else math.inf
        step = max(min(canvas, most), FORWARD_SHARE * min(max(styles), most))
        pictures = ADAM_PICTURES * canvas
        if self.options.optimizer == "lbfgs":
            pictures = (LBFGS_PICTURES + 2 * pairs(canvas)) * canvas
        held = (
            PIXEL_BYTES * (pictures + 2 * sum(styles))
            + share * CONTENT_BYTES * canvas
            + MATRICES_BYTES * (len(styles) - 1)
        )
        of_step = share * (cost.step + cost.style_copy * self.masked)
        if self.masked:
            held += MASK_BYTES * canvas
        peak = of_step * step
        if canvas <= MOST_EARLY_PIXELS:
            peak += share * EARLY_BYTES * canvas
        if self.options.weights.neighbors:
            vectors = [VECTOR_BYTES * count for count in self._candidates(styles)]
            held += sum(vectors) * min(2, len(vectors))  # of several paintings also as they were, to mix them anew
            search = of_step * FORWARD_SHARE * min(max(canvas, *styles), most) + VECTOR_COPIES * max(vectors)
            by_neighbors = HALF_NEIGHBOR_BYTES if half else NEIGHBOR_BYTES
            peak = max(peak + by_neighbors * min(canvas, most), search)
        return round(BASE_BYTES + share * WEIGHT_COPIES * cost.weights + peak + held)

    def _scale_seconds(self, scale: Scale, calibration: Calibration, tile: int | None) -> float:
        canvas = canvas_pixels(scale)
        pixels = float(canvas)
        if tile and canvas > self._pixels(tile):
            pixels *= TILED_STEP * self._pixels(tile) / tile**2
        step = calibration.step_seconds + pixels * calibration.pixel_seconds
        targets = self._target_pixels(canvas, self._style_pixels(scale)) * calibration.pixel_seconds
        if self.options.optimizer == "lbfgs":
            step += VECTOR_PASSES * 2 * pairs(canvas) * canvas * calibration.vector_seconds
        again = (scale == self._scales[0]) + (self.options.optimizer == "lbfgs")  # evaluated before the first step
        return (scale.steps + again) * step + targets

    def _target_pixels(self, canvas: int, styles: Sequence[int]) -> float:
        """Pixels of a step that takes as long as computing the targets of a scale, for canvases of so many pixels."""
        passes = canvas + sum(styles)
        if not self.options.weights.neighbors:
            return TARGET_STEPS * passes
        cosines = canvas / NEIGHBOR_STRIDE**2 * sum(self._candidates(styles))
        search = SEARCH * cosines * PROJECTED / (PASSES * NETWORK_COSTS[self.network].multiply_adds)
        return TARGET_STEPS * (passes + len(styles) * canvas + QUARTER_TURNS * sum(styles)) + search

    def _candidates(self, styles: Sequence[int]) -> list[float]:
        """The number of vectors of each painting, of canvases of so many pixels, that neighbors are searched among."""
        return [min(MOST_CANDIDATES, QUARTER_TURNS * pixels / NEIGHBOR_STRIDE**2) for pixels in styles]

    def _pixels(self, tile: int) -> int:
        """Pixels of a tile with its halo; a picture of no more is painted whole."""
        return (tile + 2 * NETWORK_COSTS[self.network].halo) ** 2

    def _style_pixels(self, scale: Scale) -> list[int]:
        """Pixels of each painting's canvas at that scale."""
        styles = self.styles or [(self.height, self.width)] * len(self.options.style_scales or (1,))
        side, factors = max(scale.height, scale.width), self.options.scale_of_each(len(styles))
        shapes = (fit(*shape, round(factor * side)) for shape, factor in zip(styles, factors, strict=True))
        return [canvas_pixels(Scale(*shape, 0)) for shape in shapes]


def auto_network(planned: PlannedRun, known: Iterable[Calibration], budget: int) -> tuple[str, str]:
    """(the network that "auto" stands for, why in one sentence): that of `planned` if it is quick enough, else compact.

    The worker and the page's estimate both use it. `known` is what was measured on this machine; without any, every
    run counts as quick enough. `budget` is as in `PlannedRun.estimate`.
    """
    best = planned.network
    try:
        found = planned.estimate(calibration_for(best, planned.precision, known), budget)
    except OutOfMemory:
        return SHIPPED_NETWORK, f"{best.upper()} would need more memory than there is."
    if found.seconds is None or found.seconds <= AUTO_SECONDS:
        return best, f"{best.upper()} is here and quick enough for this run."
    takes = f"{'up to' if found.at_most else 'about'} {roughly(found.seconds)}"
    waits = f"`auto` waits {roughly(AUTO_SECONDS)} at most"
    return (
        SHIPPED_NETWORK,
        f"{best.upper()} would take {takes} here, and {waits}; choose `{best}` to have it all the same.",
    )


def pairs(pixels: int) -> int:
    """How many pairs L-BFGS keeps for a canvas of so many pixels: fewer of a large one, to limit their memory."""
    return max(LEAST_PAIRS, min(PAIRS, PAIRS_BYTES // (2 * PIXEL_BYTES * pixels)))


def canvas_pixels(scale: Scale) -> int:
    """Pixels that are painted, margins included."""
    return math.prod(scale.canvas)
