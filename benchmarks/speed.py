"""Seconds to a finished picture on the compact network; how near VGG19 comes to the machine's own convolutions.

The weights of VGG19 are random: they cost the same as trained ones. Its share of the peak is the time of the bare
convolutions of one step, forward and back to the input, at the very shapes of that step, over the time of the step
itself; both are measured in turn in one process, so that what else the machine does meets both alike.
"""

import time
from collections.abc import Callable
from itertools import islice

import numpy as np
import tensorflow as tf

from benchmarks.report import Number, others_load, report
from nst.engine.extractors import ARCHITECTURES, Extractor, he_normal
from nst.engine.optimize import Step, stylize
from nst.images import encode_png
from nst.options import StyleOptions
from nst.runner import execute, warm_up

SIZE = 512  # px
PAINTINGS = 3
ROUNDS = 5
STEPS = 3  # of each round

CONTENT = np.random.default_rng(0).random((384, 512, 3), np.float32)  # what is on a picture costs no time
STYLE = np.random.default_rng(1).random((400, 512, 3), np.float32)


def main() -> None:
    load = others_load()
    warm_up()
    compact = [paint_compact() for _ in range(PAINTINGS)]
    step, bare = vgg19_step_and_bare_convolutions()
    numbers = [
        Number(f"compact, {SIZE} px, default epochs, to a finished picture", "s", tuple(compact), at_most=60),
        Number(f"vgg19, {SIZE} px", "steps/s", tuple(1 / seconds for seconds in step)),
        Number(f"vgg19, {SIZE} px, bare convolutions alone", "steps/s", tuple(1 / seconds for seconds in bare)),
        Number(
            "vgg19, share of the convolution peak",
            "%",
            tuple(100 * b / s for s, b in zip(step, bare, strict=True)),
            at_least=85,
        ),
    ]
    report("speed", numbers, content="512 x 384 px", tensorflow=tf.__version__, other_load=load)


def paint_compact() -> float:
    """Seconds of a whole run, as a worker does it: decoding, painting from noise, a frame each epoch, the result."""
    job = {"content": encode_png(CONTENT), "style": encode_png(STYLE), "init": None}
    options = StyleOptions(size=SIZE, extractor="compact")
    began = time.perf_counter()
    execute({**job, "options": options.to_json()}, lambda event: None, lambda: False)
    return time.perf_counter() - began


def vgg19_step_and_bare_convolutions() -> tuple[list[float], list[float]]:
    """Seconds of one step and of its bare convolutions, alternately, `ROUNDS` times."""
    architecture = ARCHITECTURES["vgg19"]
    # A start from the content has one scale only, the full one.
    options = StyleOptions(size=SIZE, init="content", epochs=1000, extractor="vgg19")
    steps = stylize(CONTENT, STYLE, options, extractor=Extractor(architecture, he_normal(architecture, 0)))
    first = next(steps)
    bare = bare_convolutions(first, options)
    for warm in (lambda: next(steps), bare):
        warm()
    rounds = [(seconds(lambda: list(islice(steps, STEPS))) / STEPS, seconds(bare)) for _ in range(ROUNDS)]
    return [step for step, _ in rounds], [convolutions for _, convolutions in rounds]


def bare_convolutions(step: Step, options: StyleOptions) -> Callable[[], None]:
    """A function that does the convolutions of one step and their gradients to the input, one after the other."""
    architecture = ARCHITECTURES["vgg19"]
    content, style = options.layers("vgg19")
    used = {layer for layer, _ in (*content, *style)}
    deepest = max(map(architecture.convolutions.index, used))
    sides = tuple(int(side) for side in step._canvas.shape[1:3])
    work = []
    for layer in architecture.convolutions[: deepest + 1]:
        shrunk = 2 ** (int(layer[5]) - 1)
        height, width = (-(-side // shrunk) for side in sides)
        work.append(_convolution(height, width, architecture.shapes()[layer]))

    def run() -> None:
        for forward, backward in work:
            backward(forward())[0, 0, 0, 0].numpy()  # asking for a number waits for it

    return run


def _convolution(height: int, width: int, kernel_shape: tuple[int, int, int, int]) -> tuple[Callable, Callable]:
    """(a convolution, its gradient to the input), compiled."""
    image, kernel = tf.random.normal([1, height, width, kernel_shape[2]]), tf.random.normal(kernel_shape)
    shape, one = [1, height, width, kernel_shape[3]], [1, 1, 1, 1]
    forward = tf.function(lambda: tf.nn.conv2d(image, kernel, one, "SAME")).get_concrete_function()
    backward = tf.function(
        lambda found: tf.raw_ops.Conv2DBackpropInput(
            input_sizes=image.shape, filter=kernel, out_backprop=found, strides=one, padding="SAME"
        )
    ).get_concrete_function(tf.TensorSpec(shape))
    return forward, backward


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
