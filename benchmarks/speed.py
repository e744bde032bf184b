"""Seconds to a finished picture on the compact network; how near VGG19 comes to the machine's own convolutions.

The weights of VGG19 are random: they cost the same as trained ones. Its share of the peak is the time of the bare
convolutions of one step, forward and back to the input, at the very shapes and in the precision of that step, over the
time of the step itself; both are measured in turn in one process, so that what else the machine does meets both alike.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.clock import seconds
from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.convolutions import bare_convolutions
from benchmarks.our_loops import full_size_steps
from benchmarks.outcome import NotMeasured, all_of, paint
from benchmarks.random_weights import he_normal
from benchmarks.report import Number, machine, others_load, ratios, report
from nst.engine.backend import tf
from nst.engine.devices import bfloat16_speedup, choose_precision
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.step import Step
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.runs.job import StyleJob
from nst.runs.schedule import schedule
from nst.worker.runner import warm_up

STEPS = 3  # of each round of VGG19's

CONTENT = np.random.default_rng(0).random((384, 512, 3), np.float32)  # what is on a picture costs no time
STYLE = np.random.default_rng(1).random((400, 512, 3), np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("speed", __doc__)
    parser.add_argument(
        "--paintings",
        type=COUNT,
        default=3,
        help="runs that are painted with the loss of neighbors, and as many without",
    )
    parser.add_argument("--rounds", type=COUNT, default=5, help=f"of {STEPS} steps of VGG19, and of its convolutions")
    parser.add_argument("--size", type=PIXELS, default=512, help=SIZES)
    parser.add_argument("--epochs", type=COUNT, default=StyleOptions().epochs, help="of each painting")
    parser.add_argument(
        "--network", choices=StyleOptions.option("extractor").choices[1:], default="compact", help="that paints"
    )
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    warm_up()
    precision = choose_precision("auto")
    options = StyleOptions(size=given.size, extractor=given.network, epochs=given.epochs)
    # In turn, so that what else the machine does meets both alike.
    without = replace(options, neighbor_weight=0.0)
    seconds_and_frames(replace(without, epochs=1))  # its graph is another one, which `warm_up` does not trace
    pairs = [(seconds_and_frames(options), seconds_and_frames(without)) for _ in range(given.paintings)]
    (painted, frames), (painted_without, _) = (zip(*of, strict=True) for of in zip(*pairs, strict=True))
    full_size = full_size_steps(schedule(*CONTENT.shape[:2], options))
    step, bare, compact = seconds_of_steps(precision, given.size, given.rounds)
    run = "default run" if options.epochs == StyleOptions().epochs else f"run of {options.epochs} epochs"
    aimed = replace(options, extractor="compact") == StyleOptions(extractor="compact")  # by two cores
    vgg19_aim = 30 if "bf16" in machine()["instructions"] else 75
    numbers = [
        Number(
            f"{given.network}, {given.size} px, {run}, noise to finished",
            "s",
            painted,
            at_most=12 if aimed and given.network == "compact" else None,
        ),
        Number("... of it spent on frames", "%", shares(frames, painted), at_most=3),
        Number("... without the loss of neighbors", "s", painted_without),
        Number(f"{run}, in steps at full size", "steps", (full_size,)),
        Number(f"vgg19, {given.size} px", "steps/s", tuple(1 / seconds for seconds in step)),
        Number("... its bare convolutions alone", "steps/s", tuple(1 / seconds for seconds in bare)),
        Number("... share of the convolution peak", "%", shares(bare, step), at_least=90),
        Number(
            f"... {run}, computed: full-size steps",
            "s",
            tuple(full_size * seconds for seconds in step),
            at_most=vgg19_aim if aimed else None,
        ),
        Number(f"a step of compact, {given.size} px", "s", tuple(compact)),
        Number("... over one of vgg19", "times", ratios(compact, step), at_most=1 / 6),
    ]
    report(
        "speed",
        numbers,
        given.folder,
        content=f"{CONTENT.shape[1]} x {CONTENT.shape[0]} px",
        precision=f"{precision}; bfloat16 convolves {bfloat16_speedup():.2f} times as fast as float32",
        tensorflow=tf.__version__,
        other_load=load,
    )


def seconds_and_frames(options: StyleOptions) -> tuple[float, float]:
    """A whole run, as a worker does it: decoding, painting from noise, a frame each epoch, the result.

    Returns:
        (seconds in all, those in which painting stood still for a frame to be fetched, encoded and told).

    Raises NotMeasured unless it finishes.
    """
    frames: list[float] = []

    def watched(*arguments: Any, **named: Any) -> Iterator[Step]:
        for step in stylize(*arguments, **named):
            began = perf_counter()
            yield step
            frames.append(perf_counter() - began)

    job = StyleJob(encode_png(CONTENT), encode_png(STYLE), options)
    with patch("nst.worker.style_run.stylize", watched):
        taken = seconds(lambda: paint(job))
    if not frames:
        raise NotMeasured("no step was seen of a run that finished")
    return taken, sum(frames)


def seconds_of_steps(precision: str, size: int, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of a step of VGG19, of its bare convolutions, and of a step of the compact network, in turn."""
    vgg19, options = steps_of("vgg19", precision, size)
    compact, _ = steps_of("compact", precision, size)
    canvas = next(vgg19)._canvas.shape
    used = [layer for layers in options.layers("vgg19") for layer, _ in layers]
    bare = bare_convolutions(ARCHITECTURES["vgg19"], used, canvas[1], canvas[2], precision)
    for warm in (lambda: next(vgg19), bare, lambda: all_of(2, compact)):
        warm()
    taken = [
        (
            seconds(lambda: all_of(STEPS, vgg19)) / STEPS,
            seconds(bare),
            seconds(lambda: all_of(STEPS, compact)) / STEPS,
        )
        for _ in range(rounds)
    ]
    ours, bare_ones, small = (list(each) for each in zip(*taken, strict=True))
    return ours, bare_ones, small


def steps_of(network: str, precision: str, size: int) -> tuple[Iterator[Step], StyleOptions]:
    """(steps without end at full size, their options) of a network with random weights."""
    architecture = ARCHITECTURES[network]
    # A start from the content has one scale only, the full one.
    options = StyleOptions(size=size, init="content", epochs=1000, extractor=network)
    extractor = Extractor(architecture, he_normal(architecture, 0), dtype=precision)
    return stylize(CONTENT, STYLE, options, extractor=extractor), options


def shares(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float, ...]:
    """Percent of each whole that its part is."""
    return tuple(100 * ratio for ratio in ratios(parts, wholes))


if __name__ == "__main__":
    sys.exit(main())
