"""Runs a minute of two local workers against one, in alternation: the same short runs, the same cores.

Both studios are up all the time, with warm workers; the one that is not asked rests.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from random import Random

from benchmarks.clock import seconds
from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.local_queue import LocalQueue, local_queue
from benchmarks.pictures import soft_colors
from benchmarks.report import Number, others_load, ratios, report
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions

STEPS = 10  # of an epoch
AIM, CORES = 1.8, 4  # times the runs of one worker, where there are so many cores


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("workers", __doc__)
    parser.add_argument("--runs", type=COUNT, default=8, help="of each round")
    parser.add_argument("--rounds", type=COUNT, default=3, help="of either")
    parser.add_argument("--size", type=PIXELS, default=256, help=SIZES)
    parser.add_argument("--epochs", type=COUNT, default=6, help=f"of each run, of {STEPS} steps")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    options = StyleOptions(size=given.size, epochs=given.epochs, steps_per_epoch=STEPS, extractor="compact")
    pictures = soft_colors(Random(0), 1.0), soft_colors(Random(1), 1.0)
    rates: dict[int, list[float]] = {1: [], 2: []}
    with cold(1) as one, cold(2) as two:
        for workers, each in ((1, one), (2, two)):
            each.wait_until(each.warm)
            while each.paint(options, *pictures, workers) < workers:  # until every one is warm, and has painted once
                pass
        for _ in range(given.rounds):
            for workers, each in ((1, one), (2, two)):
                taken = seconds(lambda each=each: each.paint(options, *pictures, given.runs))
                rates[workers].append(60 * given.runs / taken)
    enough = (os.cpu_count() or 1) >= CORES
    numbers = [
        Number("one worker", "runs/min", tuple(rates[1])),
        Number("two workers", "runs/min", tuple(rates[2])),
        Number("two workers against one", "times", ratios(rates[2], rates[1]), at_least=AIM if enough else None),
    ]
    if not enough:
        print(f"{os.cpu_count()} cores are too few for the aim of {AIM:g} times: it is for {CORES} or more")
    what = f"{given.runs} a round, compact, {given.size} px, {options.steps} steps"
    report("workers", numbers, given.folder, runs=what, other_load=load)


def cold(workers: int) -> AbstractContextManager[LocalQueue]:
    """A queue whose workers prepare nothing: what these runs need is there once each has painted one."""
    return local_queue(Settings(workers=workers, offline=True), warm_up="benchmarks.wire:warm_up")


if __name__ == "__main__":
    sys.exit(main())
