"""Peak memory of large pictures, whole and by tiles, and what a step costs as pictures grow; each in a fresh process.

The weights of VGG19 are random: they take the same as trained ones. `--large` adds VGG19 at 4096 px: a step of it is
some five hundred of those at 256 px.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.clock import seconds
from benchmarks.command import PIXELS, SIZES, command, flags, listed
from benchmarks.outcome import all_of
from benchmarks.process import fresh_process, peak_memory
from benchmarks.random_weights import he_normal
from benchmarks.report import Number, others_load, report
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.optimization.optimize import stylize
from nst.options.style_options import StyleOptions
from nst.runs.estimates import PlannedRun
from nst.runs.humanize import GIGABYTE


class Peak(NamedTuple):
    """A picture whose peak memory is measured."""

    network: str
    size: int  # px, long side
    budget: float = 0  # GB; 0 for a whole picture
    aim: float | None = None  # GB


PEAKS = (Peak("vgg19", 1024, 0, 3.0), Peak("compact", 2048, 3, 3.0), Peak("compact", 4096, 6, 6.0))
LARGE = (Peak("vgg19", 4096, 6, 6.0),)
GROWTH = (256, 512, 1024, 2048)  # px, long side
RATIO = 3 / 4  # of the sides


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("peak", __doc__)
    parser.add_argument("--peaks", type=listed(peak), default=PEAKS, help="NETWORK:SIZE or NETWORK:SIZE:BUDGET in GB")
    parser.add_argument("--large", action="store_true", help="also VGG19 at 4096 px")
    parser.add_argument("--growth", type=listed(PIXELS), default=GROWTH, help=f"sizes whose cost is told, {SIZES}")
    parser.add_argument("--one", type=int, metavar="STEPS", help="paint the first of the peaks alone, as JSON")
    return command(parser, measure, arguments)


def peak(text: str) -> Peak:
    """Reads NETWORK:SIZE or NETWORK:SIZE:BUDGET; who keeps to the budget has met the aim."""
    network, size, *budget = text.split(":")
    if network not in ("compact", "vgg19", "vgg16") or len(budget) > 1:
        raise argparse.ArgumentTypeError(f"must be NETWORK:SIZE or NETWORK:SIZE:BUDGET, got {text!r}")
    bound = float(*budget)
    return Peak(network, PIXELS(size), bound, bound or None)


def measure(given: argparse.Namespace) -> None:
    if given.one:
        print(json.dumps(paint(given.peaks[0], given.one)))
        return
    load = others_load()
    numbers, details = [], []
    for each in (*given.peaks, *(LARGE if given.large else ())):
        found = one(each, steps=1)
        how = f"by tiles of {found['tile']} px" if found["tile"] else "whole"
        what = f"{each.network}, {each.size} px, {how}"
        numbers.append(Number(what, "GB", (found["gigabytes"],), at_most=each.aim))
        details.append(f"{what}: {found['told']:.2f} GB told, a step took {found['step']:.2g} s")
    cost = {size: one(Peak("compact", size), steps=3) for size in given.growth}
    per_pixel = {size: 1e6 * found["step"] / found["pixels"] for size, found in cost.items()}
    numbers += [Number(f"compact, {size} px, of a step", "s/Mpx", (each,)) for size, each in per_pixel.items()]
    if len(per_pixel) > 1:
        first, *_, last = given.growth
        growth = per_pixel[last] / per_pixel[first]
        numbers.append(Number(f"the same, {last} px over {first}", "times", (growth,), at_most=1))
    report("peak", numbers, given.folder, ratio="4:3", other_load=load, each=details)


def one(each: Peak, steps: int) -> dict[str, float]:
    """What `paint` finds, in a process of its own."""
    which = f"{each.network}:{each.size}:{each.budget}"
    return fresh_process("benchmarks.peak", "--peaks", which, "--one", str(steps))


def paint(peak: Peak, steps: int) -> dict[str, float]:
    """Paint `steps` steps at full size within the budget: peak memory in GB, seconds of a step."""
    network, size, budget, _ = peak
    architecture = ARCHITECTURES[network]
    extractor = load_extractor(network) if network == "compact" else Extractor(architecture, he_normal(architecture, 0))
    height, width = round(RATIO * size), size
    content, style = (np.random.default_rng(seed).random((height, width, 3), np.float32) for seed in range(2))
    options = StyleOptions(size=size, init="content", epochs=1, steps_per_epoch=steps, extractor=network)
    bound = round(budget * GIGABYTE) or 10**6 * GIGABYTE
    told = PlannedRun(height, width, options, network, extractor.dtype).estimate(budget=bound)
    painting = stylize(content, style, options, extractor=extractor, tile=told.tile)
    spent = [seconds(lambda: all_of(1, painting)) for _ in range(1 + steps)]
    return {
        "gigabytes": peak_memory() / GIGABYTE,
        "told": told.bytes / GIGABYTE,
        "tile": told.tile or 0,
        "step": min(spent[1:]),  # the first is targets and traces
        "pixels": height * width,
    }


if __name__ == "__main__":
    sys.exit(main())
