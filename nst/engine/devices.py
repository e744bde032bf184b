"""What TensorFlow sees, set up for a process that shares the machine with others, and the precision that pays here."""

import functools
import os
import statistics
import time
from collections.abc import Callable

from nst.engine.backend import tf

PAYS = 1.4  # times faster: midway between 1, no gain, and 2, usual where it is native; farthest from being misled
CHANNELS = 128  # of the trial's convolution: midway in VGG
SIDES = (32, 512)  # px, least and largest of the trial's picture
MEASURABLE = 0.002  # s; what is shorter is mostly the call. Eight times as long, as some emulate bfloat16, is soon over
ROUNDS = 15  # at most
PATIENCE = 0.25  # s, after which no round begins


def set_up() -> str:
    """Let GPU memory grow as needed instead of taking it all; returns the device in words, "CPU, 2 threads".

    Harmless when repeated; without effect once the GPU is in use.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # already in use, with the setting it has
            break
    if not gpus:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return f"CPU, {cores} threads"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def choose_precision(asked: str) -> str:
    """The dtype of the networks for a `precision` of StyleOptions: "float32" or "bfloat16".

    "auto" is bfloat16 where this process finds its convolutions at least `PAYS` times faster, else float32.
    """
    if asked != "auto":
        return asked
    return "bfloat16" if bfloat16_speedup() >= PAYS else "float32"


@functools.cache
def bfloat16_speedup() -> float:
    """How many times faster than in float32 a convolution of the networks' kind is in bfloat16; 0 if it cannot be done.

    Measured once in a process, the two in turn, in well under half a second.
    """
    single, half = _convolution("float32"), _convolution("bfloat16")
    side, largest = SIDES
    try:
        while min(single(side), single(side)) < MEASURABLE and side < largest:
            side *= 2
        half(side)  # the first call prepares
        rounds: list[tuple[float, float]] = []
        began = time.perf_counter()
        while not rounds or (len(rounds) < ROUNDS and time.perf_counter() - began < PATIENCE):
            rounds.append((single(side), half(side)))
    except tf.errors.OpError:  # a device without bfloat16, or too full for the trial
        return 0.0
    # Other work on the machine disturbs either figure, seldom both: of 120 trials beside nine busy processes, on a
    # processor where neither precision is faster, either alone sometimes said 1.4, the lower of both never.
    quickest = min(seconds for seconds, _ in rounds) / min(seconds for _, seconds in rounds)
    return min(quickest, statistics.median(one / other for one, other in rounds))


def _convolution(dtype: str) -> Callable[[int], float]:
    """A function of a picture's side that convolves it once, forward and back to the input, and returns the seconds."""
    kernel = tf.cast(tf.random.stateless_normal([3, 3, CHANNELS, CHANNELS], (0, 0)), dtype)

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, CHANNELS], dtype)])
    def convolve(picture: tf.Tensor) -> tf.Tensor:
        found = tf.nn.conv2d(picture, kernel, 1, "SAME")
        back = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(picture), filter=kernel, out_backprop=found, strides=[1] * 4, padding="SAME"
        )
        return back[0, 0, 0, 0]

    def seconds(side: int) -> float:
        picture = tf.ones([1, side, side, CHANNELS], dtype)
        began = time.perf_counter()
        convolve(picture).numpy()  # asking for a number waits for it
        return time.perf_counter() - began

    return seconds
