"""The convolutions of one step and nothing else, each done the fastest way this machine has: the peak to aim at."""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from nst.engine.backend import tf
from nst.engine.networks.extractors import Architecture
from nst.engine.operations import gradient_kernel

TRIALS = 3  # of each way to do a gradient, after one that prepares it

Work = Callable[[], tf.Tensor]  # computes, and returns one number of what it found


def bare_convolutions(
    architecture: Architecture, used: Sequence[str], height: int, width: int, dtype: str
) -> Callable[[], None]:
    """A function that does the `work_of_a_step` one after the other, and returns when the last is done."""
    work = work_of_a_step(architecture, used, height, width, dtype)

    def run() -> None:
        for each in work:
            last = each()
        last.numpy()  # reading a number waits for it, and for all computed before it

    return run


def work_of_a_step(architecture: Architecture, used: Sequence[str], height: int, width: int, dtype: str) -> list[Work]:
    """The convolutions of one step, each forward and then back to its input, in `dtype`.

    At the shapes of a picture of `height` x `width` px, up to the deepest of the layers `used`.
    """
    work = []
    for shape in convolved(architecture, used, height, width):
        forward, *backward = _convolution(*shape, dtype)
        work += [forward, quickest(backward)]
    return work


def convolved(
    architecture: Architecture, used: Sequence[str], height: int, width: int
) -> Iterator[tuple[int, int, tuple[int, int, int, int]]]:
    """(height, width, shape of the kernel) of every convolution of a step, up to the deepest of the layers `used`."""
    deepest = max(map(architecture.layers.index, used))
    for layer in architecture.layers[: deepest + 1]:
        shrunk = architecture.stride(layer)
        for shape in architecture.shapes()[layer]:
            yield -(-height // shrunk), -(-width // shrunk), shape


def quickest(ways: Sequence[Work]) -> Work:
    """The one of several ways to the same that takes the least time here."""
    return min(ways, key=_best_of_trials)


def _convolution(height: int, width: int, kernel_shape: tuple[int, int, int, int], dtype: str) -> tuple[Work, ...]:
    """(a convolution, its gradient to the input as TensorFlow's own operation, the same as a convolution)."""
    *_, channels_in, channels_out = kernel_shape
    kernel = tf.cast(tf.random.normal(kernel_shape), dtype)
    back = gradient_kernel(kernel)
    image, upstream = (tf.cast(tf.random.normal([1, height, width, n]), dtype) for n in (channels_in, channels_out))

    def gradient() -> tf.Tensor:
        return tf.raw_ops.Conv2DBackpropInput(
            input_sizes=image.shape, filter=kernel, out_backprop=upstream, strides=[1, 1, 1, 1], padding="SAME"
        )

    ways = (
        lambda: tf.nn.conv2d(image, kernel, 1, "SAME"),
        gradient,
        lambda: tf.nn.conv2d(upstream, back, 1, "SAME"),
    )
    return tuple(_one_number_of(way) for way in ways)


def _one_number_of(way: Work) -> Work:
    return tf.function(lambda: way()[0, 0, 0, 0]).get_concrete_function()


def _best_of_trials(work: Work) -> float:
    """Seconds."""
    work().numpy()
    taken = []
    for _ in range(TRIALS):
        began = perf_counter()
        work().numpy()
        taken.append(perf_counter() - began)
    return min(taken)
