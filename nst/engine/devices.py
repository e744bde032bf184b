"""The devices that TensorFlow computes on: their set-up, and the precision that is faster on them."""

import functools
import statistics
import time
from collections.abc import Callable

from nst.engine.backend import tf
from nst.runs.processors import usable_cores

# The least speed-up for which bfloat16 is chosen: the geometric mean of 1, no gain, and 2, usual where a device has
# instructions for it, so that errors of measurement seldom decide.
LEAST_SPEEDUP = 1.4
TRIAL_CHANNELS = 128  # of the trial's convolution, as in the middle of VGG
TRIAL_SIDES = (32, 512)  # px, smallest and largest picture of the trial
# s, least duration of a timed convolution: of shorter ones the call is the larger part. Devices that emulate bfloat16
# take eight times as long for it.
MEASURABLE_SECONDS = 0.002
MOST_TRIALS = 15
TRIAL_SECONDS = 0.25  # after which no further round begins


def set_up() -> str:
    """Let TensorFlow's GPU memory grow as needed instead of taking all of it, so that processes can share a GPU.

    It can be called repeatedly; once the GPU is in use it has no effect. Returns the device in words: "CPU, 2 threads".
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # the GPU is in use
            break
    if not gpus:
        return f"CPU, {usable_cores()} threads"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")


def choose_precision(precision: str) -> str:
    """The dtype of the networks for a `precision` of StyleOptions: "float32" or "bfloat16".

    "auto" is bfloat16 if its convolutions are at least `LEAST_SPEEDUP` times faster on this device, else float32.
    """
    if precision != "auto":
        return precision
    return "bfloat16" if bfloat16_speedup() >= LEAST_SPEEDUP else "float32"


@functools.cache
def bfloat16_speedup() -> float:
    """How many times faster a convolution like the networks' is in bfloat16 than in float32; 0 if it is not possible.

    It is measured once per process, both in turn, in well under half a second.
    """
    single, half = _timed_convolution("float32"), _timed_convolution("bfloat16")
    side, largest = TRIAL_SIDES
    try:
        while min(single(side), single(side)) < MEASURABLE_SECONDS and side < largest:
            side *= 2
        half(side)  # the first call traces
        rounds: list[tuple[float, float]] = []
        began = time.perf_counter()
        while not rounds or (len(rounds) < MOST_TRIALS and time.perf_counter() - began < TRIAL_SECONDS):
            rounds.append((single(side), half(side)))
    except tf.errors.OpError:  # a device without bfloat16, or without memory for the trial
        return 0.0
    # Other work on the machine disturbs one of the two figures, seldom both: in 120 trials beside nine busy processes,
    # on a processor where both precisions are as fast, each alone reached 1.4 at times, the lower of them never.
    quickest = min(seconds for seconds, _ in rounds) / min(seconds for _, seconds in rounds)
    return min(quickest, statistics.median(one / other for one, other in rounds))


def _timed_convolution(dtype: str) -> Callable[[int], float]:
    """A function (side of a picture, px) -> seconds of one convolution of it, forward and backward to its input."""
    kernel = tf.cast(tf.random.stateless_normal([3, 3, TRIAL_CHANNELS, TRIAL_CHANNELS], (0, 0)), dtype)

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, TRIAL_CHANNELS], dtype)])
    def convolve(picture: tf.Tensor) -> tf.Tensor:
        found = tf.nn.conv2d(picture, kernel, 1, "SAME")
        back = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(picture), filter=kernel, out_backprop=found, strides=[1] * 4, padding="SAME"
        )
        return back[0, 0, 0, 0]

    def seconds(side: int) -> float:
        picture = tf.ones([1, side, side, TRIAL_CHANNELS], dtype)
        began = time.perf_counter()
        convolve(picture).numpy()  # numpy() waits for the result
        return time.perf_counter() - began

    return seconds
