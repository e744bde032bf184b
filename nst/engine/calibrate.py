"""The speed of a network on this machine, from a few steps of the loop; the estimates of runs are based on it.

A step on n pixels is taken to last `step + n * pixel` seconds. Two sizes are timed, which gives both numbers.
"""

import time
from collections.abc import Callable

import numpy as np

from nst.engine.backend import tf
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.optimize import stylize
from nst.options.style_options import StyleOptions
from nst.runs.estimates import Calibration, canvas_pixels

TIMED_SIDES = (64, 224)  # px, of the two squares that are painted
LEAST_ROUNDS, MOST_ROUNDS = 2, 12  # of each measurement
ROUNDS_SECONDS = 0.4  # after which no further round begins
VECTORS, VECTOR_SIDE = 40, 128  # number and side, px, of the pictures whose inner products are timed


def calibrate(extractor: Extractor) -> Calibration:
    """Measure `extractor`. This also traces the graphs of a default run, unless they have been traced.

    The time of the quickest of several steps is used: other work on the machine can only add to it.
    """
    (few, short), (many, long) = (_time_step(extractor, side) for side in TIMED_SIDES)
    pixel = max(0.0, long - short) / (many - few)
    step = max(0.0, short - few * pixel)
    return Calibration(extractor.architecture.name, extractor.dtype, step, pixel, _time_inner_product())


def _time_step(extractor: Extractor, side: int) -> tuple[int, float]:
    """(pixels of the canvas, seconds of a step) on a square of `side` px."""
    content, style = np.random.default_rng(0).random((2, side, side, 3), np.float32)
    options = StyleOptions(size=side, init="content", epochs=2, steps_per_epoch=MOST_ROUNDS)
    steps = stylize(content, style, options, extractor=extractor, tile=None)  # never refused for its memory
    step = next(steps)
    return canvas_pixels(step.scale), _time_quickest(lambda: next(steps))


def _time_inner_product() -> float:
    """Seconds per pixel of the inner product of two pictures, when one is multiplied with many, as in L-BFGS."""
    pictures = tf.random.stateless_uniform([VECTORS, VECTOR_SIDE**2 * 3], (0, 0))

    def work() -> None:
        tf.matmul(pictures[:1], pictures, transpose_b=True).numpy()  # numpy() waits for the result

    return _time_quickest(work) / VECTORS / VECTOR_SIDE**2


def _time_quickest(work: Callable[[], object]) -> float:
    """Seconds of the quickest of several rounds of `work`, after one that is not timed."""
    work()
    spent: list[float] = []
    while len(spent) < LEAST_ROUNDS or (sum(spent) < ROUNDS_SECONDS and len(spent) < MOST_ROUNDS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent)
