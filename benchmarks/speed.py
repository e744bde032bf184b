"""Seconds to a finished picture on the compact network; how near VGG19 comes to the machine's own convolutions.

The weights of VGG19 are random: they cost the same as trained ones. Its share of the peak is the time of the bare
convolutions of one step, forward and back to the input, at the very shapes and in the precision of that step, over the
time of the step itself; both are measured in turn in one process, so that what else the machine does meets both alike.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.clock import seconds
from benchmarks.convolutions import bare_convolutions
from benchmarks.report import Number, others_load, report
from nst.engine.backend import tf
from nst.engine.devices import bfloat16_speedup, choose_precision
from nst.engine.extractors import ARCHITECTURES, Extractor, he_normal
from nst.engine.optimize import Step, stylize
from nst.images import encode_png
from nst.options import StyleOptions
from nst.runner import execute, warm_up
from nst.scales import full_size_steps, schedule

SIZE = 512  # px
PAINTINGS = 3
ROUNDS = 5
STEPS = 3  # of each round

CONTENT = np.random.default_rng(0).random((384, 512, 3), np.float32)  # what is on a picture costs no time
STYLE = np.random.default_rng(1).random((400, 512, 3), np.float32)


def main() -> None:
    load = others_load()
    warm_up()
    precision = choose_precision("auto")
    painted, frames = zip(*(paint_compact() for _ in range(PAINTINGS)), strict=True)
    full_size = full_size_steps(schedule(*CONTENT.shape[:2], StyleOptions(size=SIZE)))
    step, bare = vgg19_step_and_bare_convolutions(precision)
    numbers = [
        Number(f"compact, {SIZE} px, default run, noise to finished", "s", painted, at_most=20),
        Number("... of it spent on frames", "%", shares(frames, painted), at_most=3),
        Number("default run, in steps at full size", "steps", (full_size,)),
        Number(f"vgg19, {SIZE} px", "steps/s", tuple(1 / seconds for seconds in step)),
        Number("... its bare convolutions alone", "steps/s", tuple(1 / seconds for seconds in bare)),
        Number("... share of the convolution peak", "%", shares(bare, step), at_least=90),
        Number(
            "... default run, computed: full-size steps",
            "s",
            tuple(full_size * seconds for seconds in step),
            at_most=240 if precision == "bfloat16" else None,  # the aim is for two cores that have it
        ),
    ]
    report(
        "speed",
        numbers,
        content=f"{CONTENT.shape[1]} x {CONTENT.shape[0]} px",
        precision=f"{precision}; bfloat16 convolves {bfloat16_speedup():.2f} times as fast as float32",
        tensorflow=tf.__version__,
        other_load=load,
    )


def paint_compact() -> tuple[float, float]:
    """A whole run, as a worker does it: decoding, painting from noise, a frame each epoch, the result.

    Returns:
        (seconds in all, those in which painting stood still for a frame to be fetched, encoded and told).
    """
    frames = 0.0

    def watched(*arguments: Any, **named: Any) -> Iterator[Step]:
        nonlocal frames
        for step in stylize(*arguments, **named):
            began = perf_counter()
            yield step
            frames += perf_counter() - began

    job = {"content": encode_png(CONTENT), "style": encode_png(STYLE), "init": None}
    options = StyleOptions(size=SIZE, extractor="compact")
    with patch("nst.runner.stylize", watched):
        taken = seconds(lambda: execute({**job, "options": options.to_json()}, lambda event: None, lambda: False))
    return taken, frames


def vgg19_step_and_bare_convolutions(precision: str) -> tuple[list[float], list[float]]:
    """Seconds of one step and of its bare convolutions, alternately, `ROUNDS` times."""
    architecture = ARCHITECTURES["vgg19"]
    # A start from the content has one scale only, the full one.
    options = StyleOptions(size=SIZE, init="content", epochs=1000, extractor="vgg19")
    network = Extractor(architecture, he_normal(architecture, 0), dtype=precision)
    steps = stylize(CONTENT, STYLE, options, extractor=network)
    canvas = next(steps)._canvas.shape
    used = [layer for layers in options.layers("vgg19") for layer, _ in layers]
    bare = bare_convolutions(architecture, used, canvas[1], canvas[2], precision)
    for warm in (lambda: next(steps), bare):
        warm()
    rounds = [(seconds(lambda: list(islice(steps, STEPS))) / STEPS, seconds(bare)) for _ in range(ROUNDS)]
    return [step for step, _ in rounds], [convolutions for _, convolutions in rounds]


def shares(parts: Sequence[float], wholes: Sequence[float]) -> tuple[float, ...]:
    """Percent of each whole that its part is."""
    return tuple(100 * part / whole for part, whole in zip(parts, wholes, strict=True))


if __name__ == "__main__":
    main()
