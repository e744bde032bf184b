"""Seconds and memory told before a run against what it then takes: ten settings drawn at random, compact network.

Each is a process of its own, because a process keeps the most memory that it ever needed. It measures the machine,
tells its estimate, and paints from bytes to bytes as a worker does.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.clock import seconds
from benchmarks.command import COUNT, SIZES, command, flags, whole_number
from benchmarks.outcome import NotMeasured, paint
from benchmarks.process import fresh_process, peak_memory
from benchmarks.report import Number, others_load, report
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.runs.estimates import PlannedRun
from nst.runs.job import StyleJob

SMALLEST = 128  # px
RATIOS = ((3, 4), (1, 1), (4, 3), (2, 3), (9, 16))  # height to width
WITHIN = 25.0  # %, the aim


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("estimates", __doc__)
    parser.add_argument("--setting", type=int, metavar="N", help="do this one alone, and print it as JSON")
    parser.add_argument("--settings", type=COUNT, default=10, help="how many to draw")
    parser.add_argument("--size", type=whole_number(SMALLEST, 4096), default=768, help=f"at most, {SIZES}")
    parser.add_argument("--network", choices=StyleOptions.option("extractor").choices[1:], default="compact")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    if given.setting is not None:
        print(json.dumps(told_and_taken(given.setting, given.size, given.network)))
        return
    load = others_load()
    found = []
    for number in range(given.settings):
        which = ("--setting", str(number), "--size", str(given.size), "--network", given.network)
        found.append(fresh_process("benchmarks.estimates", *which))
        print(
            f"  {found[-1]['what']:60} {found[-1]['told_s']:6.1f} s told, {found[-1]['taken_s']:6.1f} taken;"
            f" {found[-1]['told_gb']:.2f} GB told, {found[-1]['taken_gb']:.2f} taken",
            flush=True,
        )
    times, memory = (
        tuple(100 * abs(one[f"told_{unit}"] / one[f"taken_{unit}"] - 1) for one in found) for unit in ("s", "gb")
    )
    numbers = [
        Number("seconds: error of the estimate", "%", times, at_most=WITHIN),
        Number("seconds: error, the worst", "%", (max(times),), at_most=WITHIN),
        Number("memory: error of the estimate", "%", memory, at_most=WITHIN),
        Number("memory: error, the worst", "%", (max(memory),), at_most=WITHIN),
    ]
    each = [one["what"] for one in found]
    report("estimates", numbers, given.folder, network=given.network, other_load=load, each=each)


def told_and_taken(number: int, size: int, network: str) -> dict[str, float | str]:
    """One setting of at most `size` px: seconds and gigabytes, as estimated and as they were."""
    from nst.engine.calibrate import calibrate
    from nst.engine.networks.choose_extractor import choose_extractor

    choose = random.Random(number)
    options = StyleOptions(
        size=choose.choice(range(SMALLEST, size + 1, 32)),
        optimizer=choose.choice(("adam", "lbfgs")),
        init=choose.choice(("noise", "content", "style")),
        epochs=choose.randint(1, 4),
        steps_per_epoch=choose.randint(2, 5),
        extractor=network,
        precision="float32",
    )
    content, style = (picture(choose) for _ in range(2))
    extractor, _ = choose_extractor(network, precision="float32")
    planned = PlannedRun(*content.shape[:2], options, network, styles=[style.shape[:2]])
    told = planned.estimate(calibrate(extractor))
    if told.seconds is None:
        raise NotMeasured(f"no seconds were told for {told.width} x {told.height} px")
    job = StyleJob(encode_png(content), encode_png(style), options)
    taken = seconds(lambda: paint(job))
    what = f"{told.width} x {told.height} px, {options.optimizer}, from {options.init}, {options.steps} steps"
    return {
        "what": what,
        "told_s": told.seconds,
        "taken_s": taken,
        "told_gb": told.bytes / 1e9,
        "taken_gb": peak_memory() / 1e9,
    }


def picture(choose: random.Random) -> np.ndarray:
    """A content or style: noise of some shape; what is on it costs no time."""
    height, width = choose.choice(RATIOS)
    scale = 768 // max(height, width)
    return np.random.default_rng(choose.randrange(2**32)).random((height * scale, width * scale, 3), np.float32)


if __name__ == "__main__":
    sys.exit(main())
