"""Memory of one worker process over forty runs of mixed sizes, through the real queue.

TensorFlow keeps the most memory that a run ever needed, so a run larger than all before it must add some. Each five
runs therefore have the same largest one, a square of the largest size; all others differ in shape. What still grows is
kept per shape, or lost.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence

from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.local_queue import LocalQueue, local_queue
from benchmarks.pictures import soft_colors
from benchmarks.report import Number, others_load, report
from benchmarks.studio import worker_below
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions

SETTLED = 5  # runs after which memory should grow no more
SHARES = (1 / 3, 1 / 2, 2 / 3, 5 / 6, 1)  # of the largest size; each five runs have all, in an order of their own
RATIOS = (3 / 4, 1, 4 / 3, 3 / 2, 16 / 9)  # width to height
EPOCHS = 4


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("memory", __doc__)
    parser.add_argument("--runs", type=COUNT, default=40, help=f"painted; growth is told from run {SETTLED} on")
    parser.add_argument("--size", type=PIXELS, default=768, help=f"of the largest runs, {SIZES}")
    parser.add_argument("--steps", type=COUNT, default=5, help=f"of each of the {EPOCHS} epochs of a run")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    sizes = [max(64, round(share * given.size)) for share in SHARES]
    with local_queue(Settings(offline=True)) as queue:
        queue.wait_until(queue.warm)
        used = [paint(queue, number, sizes, given.steps) for number in range(given.runs)]
    numbers = [
        Number(f"memory after run {len(used)}", "MiB", (used[-1],)),
        Number("most after any run", "MiB", (max(used),)),
    ]
    if len(used) > SETTLED:
        numbers = [
            Number(f"memory after run {SETTLED}", "MiB", (used[SETTLED - 1],)),
            *numbers,
            Number("growth", "%", (100 * (used[-1] / used[SETTLED - 1] - 1),), at_most=10),
        ]
    what = f"{given.runs} of {sizes[0]} to {sizes[-1]} px, {EPOCHS * given.steps} steps"
    report("memory", numbers, given.folder, runs=what, other_load=load, each=used)


def paint(queue: LocalQueue, number: int, sizes: Sequence[int], steps: int) -> float:
    """One run of a size and shape of its own; the worker's resident memory in MiB once it is over."""
    choose = random.Random(number)
    size = random.Random(number // len(sizes)).sample(sizes, len(sizes))[number % len(sizes)]
    options = StyleOptions(size=size, epochs=EPOCHS, steps_per_epoch=steps, extractor="compact", seed=number)
    content = soft_colors(choose, ratio=1 if size == max(sizes) else choose.choice(RATIOS))
    queue.paint(options, content, soft_colors(choose, ratio=choose.choice(RATIOS)))
    return worker_memory()


def worker_memory() -> float:
    """Resident memory of the worker below this process, MiB."""
    worker = worker_below(os.getpid())
    assert worker
    return worker.memory_info().rss / 2**20


if __name__ == "__main__":
    sys.exit(main())
