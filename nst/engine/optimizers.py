"""Adam and L-BFGS behind one step. An optimiser owns the image; the loop only asks for steps and for growth.

Images are [1, H, W, 3] float32 and stay in 0..1. `evaluate(image)` returns (losses, gradient).
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from nst.engine.backend import tf
from nst.events import Losses

Tensor = Any
Evaluate = Callable[[Tensor], tuple[Losses, Tensor]]
Carry = Callable[[Tensor, str], Tensor]  # takes a canvas to the next scale by a method of `tf.image.resize`


class Optimizer(Protocol):
    """What the loop needs of an optimiser."""

    image: Tensor  # the iterate
    shown: Tensor  # the picture to show for it

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """Move the image once; returns the losses at the image the step started from."""

    def grow(self, carry: Carry) -> None:
        """Carry image and state to another size."""

    def reweighted(self) -> None:
        """The weights of the objective changed; the state is kept."""


IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)
SCALAR = tf.TensorSpec([], tf.float32)


class Adam:
    """Adam (Kingma and Ba 2015) with the iterate clamped to 0..1 and an averaged iterate to show.

    Leaves the paper: beta2 0.99, which forgets the early, steep phase sooner; an epsilon that is a share of the
    gradient's own size, because a fixed one means something else at every size and weight; and both moments are carried
    to the next scale (crowsonkb, style-transfer-pytorch), the first bicubic, the second bilinear and so never negative.
    """

    beta1 = 0.9
    beta2 = 0.99
    average = 0.9  # decay of the averaged iterate
    epsilon = 0.5  # of the root mean square of the debiased gradient; less leaves grains where the picture is calm

    def __init__(self, image: Tensor) -> None:
        self.image = tf.convert_to_tensor(image)
        self._first = tf.zeros_like(self.image)
        self._second = tf.zeros_like(self.image)
        self._mean = tf.zeros_like(self.image)
        self._moment_steps = 0
        self._mean_steps = 0

    @property
    def shown(self) -> Tensor:
        """The averaged iterate, debiased; the start itself before any step."""
        return self._mean / (1 - self.average**self._mean_steps) if self._mean_steps else self.image

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """One step of `learning_rate` (share of the range 0..1)."""
        losses, gradient = evaluate(self.image)
        self._moment_steps += 1
        self._mean_steps += 1
        self.image, self._first, self._second, self._mean = _adam(
            self.image, gradient, self._first, self._second, self._mean,
            tf.constant(learning_rate, tf.float32), tf.constant(self._moment_steps, tf.float32),
        )  # fmt: skip
        return losses

    def grow(self, carry: Carry) -> None:
        """Carry image and moments; the average starts anew, for it would blur what the finer scale adds.

        Losses are means over the picture, so a pixel's gradient shrinks as their number grows, and the moments with it:
        unscaled, the second would hold the steps of the finer scale to a quarter for some hundred of them.
        """
        pixels = float(tf.size(self.image))
        self.image = tf.clip_by_value(carry(self.image, "bicubic"), 0.0, 1.0)
        shrink = pixels / float(tf.size(self.image))
        self._first = shrink * carry(self._first, "bicubic")
        self._second = shrink**2 * tf.maximum(carry(self._second, "bilinear"), 0.0)
        self._mean = tf.zeros_like(self.image)
        self._mean_steps = 0

    def reweighted(self) -> None:
        """Nothing to do: each step evaluates anew."""


@tf.function(input_signature=[IMAGE] * 5 + [SCALAR] * 2)
def _adam(
    image: Tensor, gradient: Tensor, first: Tensor, second: Tensor, mean: Tensor, learning_rate: Tensor, steps: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One update of (image, first moment, second moment, running mean of the iterates)."""
    first = Adam.beta1 * first + (1 - Adam.beta1) * gradient
    second = Adam.beta2 * second + (1 - Adam.beta2) * tf.square(gradient)
    debiased = second / (1 - Adam.beta2**steps)
    size = tf.sqrt(debiased) + Adam.epsilon * tf.sqrt(tf.reduce_mean(debiased)) + 1e-30
    image = tf.clip_by_value(image - learning_rate / (1 - Adam.beta1**steps) * first / size, 0.0, 1.0)
    return image, first, second, Adam.average * mean + (1 - Adam.average) * image


class LBFGS:
    """L-BFGS (Nocedal and Wright 2006, algorithm 7.4) within the box 0..1.

    Leaves the book: the box. Pixels at a bound whose gradient points outwards are held (Bertsekas 1982), the direction
    is built on the others, and the line search backtracks along the clipped path until the loss falls enough (Armijo).
    Clamping from outside would break the pairs' curvature; this keeps s and y those of the path really taken.
    """

    pairs = 20
    armijo = 1e-4
    halvings = 12

    def __init__(self, image: Tensor) -> None:
        self.image = tf.convert_to_tensor(image)
        self._pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=self.pairs)  # s, y, 1 / s.y
        self._here: tuple[Losses, Tensor] | None = None  # losses and gradient at the image

    @property
    def shown(self) -> Tensor:
        """The iterate itself: L-BFGS does not jitter."""
        return self.image

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """One iteration; `learning_rate` is the first move's largest change, later moves have the curvature's size."""
        losses, gradient = evaluate(self.image) if self._here is None else self._here
        free = _free(self.image, gradient)
        direction = free * self._direction(free * gradient)
        slope = float(_dot(direction, gradient))
        if slope >= 0:  # curvature gone stale, as after a change of weights
            self._pairs.clear()
            direction, slope = -free * gradient, -float(_dot(free * gradient, gradient))
        length = 1.0 if self._pairs else learning_rate / (float(tf.reduce_max(tf.abs(direction))) + 1e-30)
        for _ in range(self.halvings):
            image = tf.clip_by_value(self.image + length * direction, 0.0, 1.0)
            new_losses, new_gradient = evaluate(image)
            if new_losses.total <= losses.total + self.armijo * length * slope:
                self._remember(image - self.image, new_gradient - gradient)
                self.image, self._here = image, (new_losses, new_gradient)
                return losses
            length /= 2
        self._pairs.clear()  # no descent along this path: start the curvature anew from here
        self._here = None
        return losses

    def grow(self, carry: Carry) -> None:
        """Carry the image; the pairs' curvature is that of the old size, so it is dropped."""
        self.image = tf.clip_by_value(carry(self.image, "bicubic"), 0.0, 1.0)
        self._pairs.clear()
        self._here = None

    def reweighted(self) -> None:
        """Evaluate the image again; the pairs stay, the line search guards against what is stale in them."""
        self._here = None

    def _remember(self, s: Tensor, y: Tensor) -> None:
        curvature = _dot(s, y)
        if curvature > 1e-10 * _dot(y, y):
            self._pairs.append((s, y, 1 / curvature))

    def _direction(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient: the two-loop recursion."""
        q, alphas = gradient, []
        for s, y, rho in reversed(self._pairs):
            alphas.append(rho * _dot(s, q))
            q = q - alphas[-1] * y
        if self._pairs:
            _, y, rho = self._pairs[-1]
            q = q / (rho * _dot(y, y))
        for (s, y, rho), alpha in zip(self._pairs, reversed(alphas), strict=True):
            q = q + (alpha - rho * _dot(y, q)) * s
        return -q


def _free(image: Tensor, gradient: Tensor) -> Tensor:
    """1 where a pixel may move along minus the gradient without leaving 0..1, else 0."""
    held = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return tf.cast(~held, tf.float32)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return tf.reduce_sum(a * b)


OPTIMIZERS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
