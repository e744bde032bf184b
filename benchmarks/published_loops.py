"""The loops of the field, written from their published formulas and defaults.

A loop is a generator of frames: first its start, then one frame a step, without end unless it has a schedule of its
own. It does not know who judges it. All look at the same two pictures through the same extractor of ours, so they
profit from our convolutions; and all compute their targets once, where some originals compute them at each step.
"""

import functools
import itertools
import os
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.formulas import (
    CROWSONKB,
    GATYS,
    JCJOHNSON,
    KERAS,
    TENSORFLOW,
    YARDSTICK,
    Formula,
    Pull,
)
from nst.engine.networks.extractors import IMAGENET_BGR_MEAN, Extractor
from nst.pictures.images import fit, resize

Tensor = Any
Picture = NDArray[np.float32]
Move = Callable[[Tensor, Tensor], Tensor]  # (image, gradient) -> the next image
Targets = tuple[Tensor, list[Tensor]]

PAIRS = 20  # of steps and changes of the gradient that L-BFGS remembers
SMALLEST_CROWSONKB = 128  # px, long side of its first scale


@dataclass(frozen=True)
class Problem:
    """Two pictures and a network: what every loop gets."""

    content: Picture  # [H, W, 3] in 0..1, sides multiples of 16
    style: Picture  # [h, w, 3] in 0..1, any size
    extractor: Extractor
    steps: int  # of a race
    coarse: bool = True  # whether a loop with scales climbs them; else all its steps are full-size ones

    @property
    def size(self) -> int:
        """Long side of the content, px."""
        return max(self.content.shape[:2])

    def targets(self, pull: Pull, size: int) -> Targets:
        """What `pull` pulls to where the long side of both pictures is `size` px."""
        height, width = fit(*self.content.shape[:2], size)
        sides = (height, width) if pull.formula.stretched else fit(*self.style.shape[:2], size)
        return pull.targets(as_tensor(resize(self.content, height, width)), as_tensor(resize(self.style, *sides)))


@dataclass(frozen=True)
class Frame:
    """Where a loop stands: `picture` fetches [height, width, 3] in 0..1, not clipped."""

    height: int
    width: int
    picture: Callable[[], Picture]


@dataclass(frozen=True)
class Loop:
    """A loop and its name in words. `run` starts it afresh; what was traced in one run serves the next."""

    title: str
    start: str  # "content" or "noise"
    run: Callable[[], Iterator[Frame]]
    steps: int  # after which it is over; ours may end before
    work: float  # the same in full-size steps, by pixels


def loops_of_the_field(problem: Problem) -> dict[str, Loop]:
    """The loops that others published, by name."""
    steps = problem.steps
    sides = crowsonkb_sides(problem.size) if problem.coarse else (problem.size,)
    counts = (2 * steps, *(steps,) * (len(sides) - 1)) if problem.coarse else (steps,)  # 1000, then 500 each
    work = sum(count * (side / problem.size) ** 2 for side, count in zip(sides, counts, strict=True))

    def gradient_descent(formula: Formula, start: Callable[[Problem], Tensor], move: Callable[[], Move]) -> Callable:
        return functools.partial(descend, problem, Pull(problem.extractor, formula), start, move)

    def quasi_newton(formula: Formula, start: Callable[[Problem], Tensor]) -> Callable:
        return functools.partial(lbfgs, problem, Pull(problem.extractor, formula), start)

    tutorial = functools.partial(Adam, rate=0.02, beta1=0.99, beta2=0.999, epsilon=0.1, clip=True)
    torch_default = functools.partial(Adam, rate=10 / 255, beta1=0.9, beta2=0.999, epsilon=1e-8)

    def climbing(formula: Formula) -> Callable:
        return functools.partial(climb, problem, Pull(problem.extractor, formula), sides, counts)

    return {
        "tensorflow": Loop(
            "TensorFlow tutorial, Adam", "content", gradient_descent(TENSORFLOW, content_start, tutorial), steps, steps
        ),
        "keras": Loop("Keras example, SGD", "content", gradient_descent(KERAS, content_start, Sgd), steps, steps),
        "jcjohnson-lbfgs": Loop("jcjohnson, L-BFGS", "noise", quasi_newton(JCJOHNSON, noise_start), steps, steps),
        "jcjohnson-adam": Loop(
            "jcjohnson, Adam", "noise", gradient_descent(JCJOHNSON, noise_start, torch_default), steps, steps
        ),
        "gatys": Loop("Gatys, L-BFGS", "content", quasi_newton(GATYS, content_start), steps, steps),
        "crowsonkb": Loop("crowsonkb, scales", "content", climbing(CROWSONKB), sum(counts), work),
        # The same loops once more on the judge's own formula, so that loops are compared and not formulas.
        "tensorflow-yardstick": Loop(
            "TensorFlow's Adam, yardstick",
            "content",
            gradient_descent(YARDSTICK, content_start, tutorial),
            steps,
            steps,
        ),
        "gatys-yardstick": Loop("L-BFGS, yardstick", "content", quasi_newton(YARDSTICK, content_start), steps, steps),
        "crowsonkb-yardstick": Loop("crowsonkb's scales, yardstick", "content", climbing(YARDSTICK), sum(counts), work),
    }


def content_start(problem: Problem) -> Tensor:
    return as_tensor(problem.content)


def noise_start(problem: Problem, seed: int = 0) -> Tensor:
    """The mean color of ImageNet with noise of a thousandth of a gray level: jcjohnson's start."""
    noise = np.random.default_rng(seed).normal(0, 0.001, problem.content.shape)
    return as_tensor(((noise + IMAGENET_BGR_MEAN[::-1]) / 255).astype(np.float32))


def descend(
    problem: Problem, pull: Pull, start: Callable[[Problem], Tensor], move: Callable[[], Move]
) -> Iterator[Frame]:
    """Follow the gradient at full size."""
    image, targets, moved = start(problem), problem.targets(pull, problem.size), move()
    while True:
        yield frame_of(image)
        _, gradient = pull(image, targets)
        image = moved(image, gradient)


@dataclass
class Adam:
    """Kingma and Ba 2015, epsilon beside the root of the second moment before it is debiased, as in Keras."""

    rate: float
    beta1: float
    beta2: float
    epsilon: float
    clip: bool = False
    steps: int = 0
    moments: tuple[Tensor, Tensor] | None = None

    def __call__(self, image: Tensor, gradient: Tensor) -> Tensor:
        self.steps += 1
        rate = self.rate * (1 - self.beta2**self.steps) ** 0.5 / (1 - self.beta1**self.steps)
        moments = self.moments or (tf.zeros_like(image),) * 2
        image, *moments = _adam(image, gradient, *moments, tf.constant([rate, self.beta1, self.beta2, self.epsilon]))
        self.moments = tuple(moments)
        return tf.clip_by_value(image, 0.0, 1.0) if self.clip else image

    def grow(self, height: int, width: int) -> None:
        """Carry the moments to another size: the first bicubic, the second bilinear and never negative."""
        assert self.moments
        first, second = self.moments
        second = tf.maximum(tf.image.resize(second, (height, width), "bilinear"), 0.0)
        self.moments = (tf.image.resize(first, (height, width), "bicubic"), second)


IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)


@tf.function(input_signature=[IMAGE] * 4 + [tf.TensorSpec([4], tf.float32)])
def _adam(
    image: Tensor, gradient: Tensor, first: Tensor, second: Tensor, numbers: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(image, first moment, second moment) after one update; `numbers` are rate, beta1, beta2, epsilon."""
    rate, beta1, beta2, epsilon = tf.unstack(numbers)
    first = beta1 * first + (1 - beta1) * gradient
    second = beta2 * second + (1 - beta2) * tf.square(gradient)
    return image - rate * first / (tf.sqrt(second) + epsilon), first, second


@dataclass
class Sgd:
    """Gradient descent on 0..255 values, rate 100, times 0.96 every hundred steps: the Keras example's."""

    steps: int = 0

    def __call__(self, image: Tensor, gradient: Tensor) -> Tensor:
        rate = 100.0 * 0.96 ** (self.steps / 100) / 255**2  # a pixel in 0..1 has 255 times the gradient
        self.steps += 1
        return image - rate * gradient


class _Over(Exception):
    """Nobody wants another evaluation."""


def _scipys_minimize() -> Callable:
    """SciPy's, its BLAS on one thread: memory bounds it, and a second one spins on the core that TensorFlow wants."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when SciPy is loaded
    from scipy.optimize import minimize

    return minimize


def lbfgs(problem: Problem, pull: Pull, start: Callable[[Problem], Tensor]) -> Iterator[Frame]:
    """SciPy's L-BFGS on 0..255 values, without bounds, one evaluation a step; it shows the best image so far.

    SciPy does not return before it is done, so it has a thread, and asks there for each evaluation. A frame is yielded
    when it asks for the next one: what it works out in between belongs to the step. If it gives up it starts anew.
    """
    image, targets, minimize = start(problem), problem.targets(pull, problem.size), _scipys_minimize()
    shape = image.shape
    asked: queue.SimpleQueue = queue.SimpleQueue()
    answers: queue.SimpleQueue = queue.SimpleQueue()

    def ask(x: NDArray) -> tuple[float, NDArray]:
        asked.put(x.copy())
        answer = answers.get()
        if answer is None:
            raise _Over
        return answer

    def search() -> None:
        x = 255.0 * image.numpy().ravel().astype(np.float64)
        options = {"maxcor": PAIRS, "maxiter": 10**9, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}
        try:
            while True:
                x = minimize(ask, x, jac=True, method="L-BFGS-B", options=options).x
        except _Over:
            pass
        except Exception as error:
            asked.put(error)

    thread = threading.Thread(target=search, name="L-BFGS", daemon=True)
    thread.start()
    lowest = np.inf
    try:
        while True:
            x = asked.get()
            yield frame_of(image)
            if isinstance(x, Exception):
                raise x
            here = tf.constant(x.reshape(shape) / 255, tf.float32)
            loss, gradient = pull(here, targets)
            value = float(loss)
            if value < lowest:
                lowest, image = value, here
            answers.put((value, gradient.numpy().ravel().astype(np.float64) / 255))
    finally:
        answers.put(None)
        thread.join()


def crowsonkb_sides(size: int) -> tuple[int, ...]:
    """Long sides of crowsonkb's scales, px: a square root of two apart, the last one `size`."""
    sides = (round(size / 2 ** (i / 2)) for i in itertools.count())
    return tuple(reversed(tuple(itertools.takewhile(lambda side: side >= min(SMALLEST_CROWSONKB, size), sides))))


def climb(problem: Problem, pull: Pull, sides: tuple[int, ...], counts: tuple[int, ...]) -> Iterator[Frame]:
    """crowsonkb's schedule: `counts` steps on each of `sides`; moments are carried, averaged iterates shown."""
    shown, adam = content_start(problem), Adam(0.02, 0.9, 0.99, 1e-8, clip=True)
    for side, count in zip(sides, counts, strict=True):
        height, width = fit(*problem.content.shape[:2], side)
        targets = problem.targets(pull, side)
        if adam.steps:
            adam.grow(height, width)
            image = tf.clip_by_value(tf.image.resize(shown, (height, width), "bicubic"), 0.0, 1.0)
        else:
            image = as_tensor(resize(problem.content, height, width))
            yield frame_of(image)
        mean, weight = 0.01 * image, 0.99
        for _ in range(count):
            _, gradient = pull(image, targets)
            image = adam(image, gradient)
            mean, weight = 0.99 * mean + 0.01 * image, 0.99 * weight
            shown = mean / (1 - weight)
            yield frame_of(shown)


def as_tensor(picture: Picture) -> Tensor:
    """[H, W, 3] as [1, H, W, 3] float32."""
    return tf.constant(picture[None], tf.float32)


def frame_of(image: Tensor) -> Frame:
    """The frame of an image [1, H, W, 3]."""
    return Frame(image.shape[1], image.shape[2], lambda: image.numpy()[0])
