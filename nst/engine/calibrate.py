"""The speed of a network on this machine, measured with a few steps: what the estimates of runs are made of.

The loop itself is timed, on two small sizes: where a step takes `step + pixels * pixel` seconds, two points give both.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from nst.engine.backend import tf
from nst.engine.extractors import Extractor
from nst.engine.optimize import stylize
from nst.options.style_options import StyleOptions
from nst.runs.estimates import Calibration, canvas_pixels

SIDES = (64, 224)  # px, of the two pictures
SECONDS = 0.4  # to spend on each
ROUNDS = (2, 12)  # fewest and most
VECTORS, VECTOR_SIDE = 40, 128  # the pictures of L-BFGS that are passed over, px of each


def calibrate(extractor: Extractor) -> Calibration:
    """Measure `extractor`; what a default run needs is traced on the way, if it is not yet.

    The quickest of a few steps counts: whatever else the machine does only adds.
    """
    (few, short), (many, long) = (_step(extractor, side) for side in SIDES)
    pixel = max(0.0, long - short) / (many - few)
    step = max(0.0, short - few * pixel)
    return Calibration(extractor.architecture.name, extractor.dtype, step, pixel, _vector_pass())


def _step(extractor: Extractor, side: int) -> tuple[int, float]:
    """(pixels of the canvas, seconds of a step) on a square of `side` px."""
    content, style = np.random.default_rng(0).random((2, side, side, 3), np.float32)
    options = StyleOptions(size=side, init="content", epochs=2, steps_per_epoch=ROUNDS[1])
    steps = stylize(content, style, options, extractor=extractor, budget=sys.maxsize)  # too small to be refused
    step = next(steps)
    return canvas_pixels(step.scale), _quickest(lambda: next(steps))


def _vector_pass() -> float:
    """Seconds for each pixel of a picture to take its inner product with another, as L-BFGS does with many."""
    pictures = tf.random.stateless_uniform([VECTORS, VECTOR_SIDE**2 * 3], (0, 0))

    def work() -> None:
        tf.matmul(pictures[:1], pictures, transpose_b=True).numpy()  # asking for numbers waits for them

    return _quickest(work) / VECTORS / VECTOR_SIDE**2


def _quickest(work: Callable[[], object]) -> float:
    """Seconds of the quickest of some rounds, after one that is not counted."""
    work()
    least, most = ROUNDS
    spent: list[float] = []
    while len(spent) < least or (sum(spent) < SECONDS and len(spent) < most):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent)
