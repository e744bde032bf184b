"""Peak memory of large pictures, whole and by tiles, and what a step costs as pictures grow; each in a fresh process.

The weights of VGG19 are random: they take the same as trained ones. `--large` adds VGG19 at 4096 px: a step of it is
some five hundred of those at 256 px.
"""

import argparse
import json
import time

import numpy as np

from benchmarks.process import fresh_process, peak_memory
from benchmarks.report import Number, others_load, report
from nst.engine.extractors import ARCHITECTURES, Extractor, he_normal
from nst.engine.networks import load_extractor
from nst.engine.optimize import stylize
from nst.estimates import GIGABYTE, estimate
from nst.options import StyleOptions

PEAKS = (  # network, size in px, budget in GB or 0 for a whole picture, aim in GB
    ("vgg19", 1024, 0, 3.0),
    ("compact", 2048, 3, 3.0),
    ("compact", 4096, 6, 6.0),
)
LARGE = (("vgg19", 4096, 6, 6.0),)
GROWTH = (256, 512, 1024, 2048)  # px, long side
RATIO = 3 / 4  # of the sides


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also VGG19 at 4096 px")
    parser.add_argument("--one", nargs=4, metavar=("NETWORK", "SIZE", "BUDGET", "STEPS"), help="this alone, as JSON")
    given = parser.parse_args()
    if given.one:
        network, *numbers = given.one
        print(json.dumps(paint(network, *map(int, numbers))))
        return
    load = others_load()
    numbers, details = [], []
    for network, size, budget, aim in (*PEAKS, *(LARGE if given.large else ())):
        found = one(network, size, budget, steps=1)
        how = f"by tiles of {found['tile']} px" if found["tile"] else "whole"
        numbers.append(Number(f"{network}, {size} px, {how}", "GB", (found["gigabytes"],), at_most=aim))
        details.append(f"{network} {size} px: {found['told']:.2f} GB told, a step took {found['step']:.0f} s")
    cost = {size: one("compact", size, 0, steps=3) for size in GROWTH}
    per_pixel = {size: 1e6 * found["step"] / found["pixels"] for size, found in cost.items()}
    for size, seconds in per_pixel.items():
        numbers.append(Number(f"compact, {size} px, of a step", "s/Mpx", (seconds,)))
    growth = per_pixel[GROWTH[-1]] / per_pixel[GROWTH[0]]
    numbers.append(Number(f"the same, {GROWTH[-1]} px over {GROWTH[0]}", "times", (growth,), at_most=1))
    report("peak", numbers, ratio="4:3", other_load=load, each=details)


def one(network: str, size: int, budget: int, steps: int) -> dict[str, float]:
    """What `paint` finds, in a process of its own."""
    return fresh_process("benchmarks.peak", "--one", network, str(size), str(budget), str(steps))


def paint(network: str, size: int, budget: int, steps: int) -> dict[str, float]:
    """Paint `steps` steps at full size within `budget` GB, 0 for no bound: peak memory in GB, seconds of a step."""
    architecture = ARCHITECTURES[network]
    extractor = load_extractor(network) if network == "compact" else Extractor(architecture, he_normal(architecture, 0))
    height, width = round(RATIO * size), size
    content, style = (np.random.default_rng(seed).random((height, width, 3), np.float32) for seed in range(2))
    options = StyleOptions(size=size, init="content", epochs=1, steps_per_epoch=steps, extractor=network)
    bound = budget * GIGABYTE or 10**6 * GIGABYTE
    told = estimate(height, width, options, network, extractor.dtype, budget=bound, style=(height, width))
    spent = []
    began = time.perf_counter()
    for _ in stylize(content, style, options, extractor=extractor, budget=bound):
        spent.append(time.perf_counter() - began)
        began = time.perf_counter()
    return {
        "gigabytes": peak_memory() / GIGABYTE,
        "told": told.bytes / GIGABYTE,
        "tile": told.tile or 0,
        "step": min(spent[1:]),  # the first is targets and traces
        "pixels": height * width,
    }


if __name__ == "__main__":
    main()
