"""Adam and L-BFGS behind one step. An optimiser owns the image; the loop only asks for steps and for growth.

Images are [1, H, W, 3] float32 and stay in 0..1. `evaluate(image)` returns (losses, gradient).
"""

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from nst.engine.backend import tf
from nst.runs.estimates import pairs
from nst.runs.events import Losses

Tensor = Any
Evaluate = Callable[[Tensor], tuple[Losses, Tensor]]
Carry = Callable[[Tensor, str], Tensor]  # takes a canvas to the next scale by a method of `tf.image.resize`


class Optimizer(Protocol):
    """What the loop needs of an optimiser."""

    image: Tensor  # the iterate

    @property
    def shown(self) -> Tensor:
        """The picture to show for it."""

    @property
    def stalled(self) -> bool:
        """More steps on this objective would change nothing that can be told from its noise."""

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """Move the image once; returns the losses at the image the step started from."""

    def grow(self, carry: Carry, detail: Tensor) -> None:
        """Carry image and state to another size; `detail`, of that size, is added to the image."""

    def reweighted(self) -> None:
        """The objective changed, its weights or its precision; the state is kept."""

    def state(self, most: int) -> dict[str, np.ndarray]:
        """What it has learned on the way, beside the image; of a long history the newest, about `most` bytes."""

    def take_up(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a `state` that belongs to the image it was made with. Raises KeyError, ValueError."""


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

    @property
    def stalled(self) -> bool:
        """Never: its steps keep their length."""
        return False

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

    def grow(self, carry: Carry, detail: Tensor) -> None:
        """Carry image and moments; the average starts anew, for it would blur what the finer scale adds.

        Losses are means over the picture, so a pixel's gradient shrinks as their number grows, and the moments with it:
        unscaled, the second would hold the steps of the finer scale to a quarter for some hundred of them. That content
        and smoothness weigh less there, too, is left to the moments to find out.
        """
        pixels = float(tf.size(self.image))
        self.image = tf.clip_by_value(carry(self.image, "bicubic") + detail, 0.0, 1.0)
        shrink = pixels / float(tf.size(self.image))
        self._first = shrink * carry(self._first, "bicubic")
        self._second = shrink**2 * tf.maximum(carry(self._second, "bilinear"), 0.0)
        self._mean = tf.zeros_like(self.image)
        self._mean_steps = 0

    def reweighted(self) -> None:
        """Nothing to do: each step evaluates anew."""

    def state(self, most: int) -> dict[str, np.ndarray]:
        """Moments, average, and how many steps made them; all or nothing."""
        arrays = {"first": self._first, "second": self._second, "mean": self._mean}
        if len(arrays) * 4 * math.prod(self.image.shape) > most:
            return {}
        steps = np.array([self._moment_steps, self._mean_steps])
        return {**{name: array.numpy() for name, array in arrays.items()}, "steps": steps}

    def take_up(self, state: Mapping[str, np.ndarray]) -> None:
        """As `Optimizer`."""
        self._first, self._second, self._mean = (_like(self.image, state[name]) for name in ("first", "second", "mean"))
        self._moment_steps, self._mean_steps = (int(count) for count in state["steps"])


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
    is built on the others, and the line search backtracks along the clipped path until the loss falls enough (Armijo),
    each time to the minimum of the parabola through what it knows (section 3.5). Clamping from outside would break the
    pairs' curvature; this keeps s and y those of the path really taken.

    Near the minimum, what a step could gain drowns in the rounding of loss and gradient, and a search ends nowhere. It
    ends after `trials`, then; the next one goes along the gradient alone. Where that fails, too, or where `window`
    steps gained next to nothing, the search has `stalled`, and steps cost nothing until the objective changes.
    """

    armijo = 1e-4
    trials = 4  # evaluations of a line search, at most
    shortest, longest = 0.1, 0.5  # of a length that failed, the next one
    resolution = 2.0**-24  # of a loss in float32: what promises to gain less is not tried
    window = 20  # steps over which a search must gain ...
    gain = 1e-5  # ... this share of the loss
    image: Tensor
    stalled: bool
    _here: tuple[Losses, Tensor] | None  # losses and gradient at the image
    _totals: deque[float]  # at the images the last steps started from

    def __init__(self, image: Tensor) -> None:
        self._restart(tf.convert_to_tensor(image))

    @property
    def shown(self) -> Tensor:
        """The iterate itself: L-BFGS does not jitter."""
        return self.image

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """One iteration; `learning_rate` is the first move's largest change, later moves have the curvature's size."""
        if self._here is None:
            self._here = evaluate(self.image)
        losses, gradient = self._here
        if self.stalled:
            return losses
        direction = self._direction(gradient)
        along_gradient = not self._pairs
        length = learning_rate / (float(tf.reduce_max(tf.abs(direction))) + 1e-30) if along_gradient else 1.0
        if not self._search(evaluate, direction, length):
            self._pairs.clear()  # no descent along this path: start the curvature anew from here
            self.stalled = along_gradient
        self._totals.append(losses.total)
        gained = self._totals[0] - self._totals[-1]
        if len(self._totals) > self.window and gained < self.gain * abs(losses.total):
            self.stalled = True
        return losses

    def _direction(self, gradient: Tensor) -> Tensor:
        """Downhill by the pairs; they are forgotten if they say otherwise."""
        free = _free(self.image, gradient)
        downhill = -free * gradient
        direction = free * self._pairs.times_curvature(downhill)
        if _dot(direction, gradient) < 0:
            return direction
        self._pairs.clear()  # curvature gone stale, as after a change of weights
        return downhill

    def _search(self, evaluate: Evaluate, direction: Tensor, length: float) -> bool:
        """Move to where the loss has fallen enough, `length` times `direction` away or nearer; False if nowhere."""
        assert self._here is not None
        losses, gradient = self._here
        for _ in range(self.trials):
            image = tf.clip_by_value(self.image + length * direction, 0.0, 1.0)
            promised = -_dot(image - self.image, gradient)
            if promised <= self.resolution * abs(losses.total):
                return False
            new_losses, new_gradient = evaluate(image)
            risen = new_losses.total - losses.total
            if risen <= -self.armijo * promised:
                self._pairs.add(image - self.image, new_gradient - gradient)
                self.image, self._here = image, (new_losses, new_gradient)
                return True
            lowest = promised / (2 * (risen + promised))  # of the parabola, as a share of this length
            length *= min(self.longest, max(self.shortest, lowest))
        return False

    def grow(self, carry: Carry, detail: Tensor) -> None:
        """Carry the image; the pairs' curvature is that of the old size, so it is dropped."""
        self._restart(tf.clip_by_value(carry(self.image, "bicubic") + detail, 0.0, 1.0))

    def reweighted(self) -> None:
        """Evaluate the image again; the pairs stay, the line search guards against what is stale in them."""
        self._here = None
        self._totals.clear()
        self.stalled = False

    def state(self, most: int) -> dict[str, np.ndarray]:
        """The pairs, what the last steps gained, and losses and gradient at the image."""
        state = self._pairs.state(most // (2 * 4 * math.prod(self.image.shape)))
        state["totals"] = np.array(self._totals, np.float64)
        if self._here is None:
            return state
        losses, gradient = self._here
        return {**state, "losses": np.array(dataclasses.astuple(losses)), "gradient": gradient.numpy()}

    def take_up(self, state: Mapping[str, np.ndarray]) -> None:
        """As `Optimizer`."""
        self._pairs.take_up(state)
        self._totals.extend(np.array(state.get("totals", ())).tolist())  # version 0.1 kept none
        if "gradient" in state:
            self._here = Losses(*state["losses"].tolist()), _like(self.image, state["gradient"])

    def _restart(self, image: Tensor) -> None:
        self.image = image
        self._pairs = _Pairs(image)
        self._totals = deque(maxlen=self.window + 1)
        self.reweighted()


class _Pairs:
    """The last pairs of a move s and the change y of the gradient along it, as rows of one matrix [2 most, n].

    The two-loop recursion runs on their inner products (Chen, Wang and Zhou 2014): two passes over the matrix a step,
    where a vector at a time would take eight.
    """

    def __init__(self, like: Tensor) -> None:
        pixels = math.prod(like.shape[1:3])
        self._most = pairs(pixels)
        self._shape = tf.shape(like)
        self._rows = tf.Variable(tf.zeros([2 * self._most, 3 * pixels]))
        self.clear()

    def __len__(self) -> int:
        return len(self._order)

    def clear(self) -> None:
        """Forget all of them."""
        self._order: deque[int] = deque(maxlen=self._most)  # places of the pairs, oldest first
        self._products = np.zeros((2 * self._most, 2 * self._most))

    def add(self, s: Tensor, y: Tensor) -> None:
        """Remember a pair in the place of the oldest, unless its curvature is not positive."""
        if _dot(s, y) <= 1e-10 * _dot(y, y):
            return
        full = len(self) == self._most
        place = self._order[0] if full else next(p for p in range(self._most) if p not in self._order)
        self._order.append(place)
        places = (place, self._most + place)
        vectors = [tf.reshape(vector, [-1]) for vector in (s, y)]
        self._rows.scatter_nd_update([[row] for row in places], vectors)
        for row, vector in zip(places, vectors, strict=True):
            self._products[row] = self._products[:, row] = self._with(vector)

    def state(self, most: int) -> dict[str, np.ndarray]:
        """The newest pairs, `most` of them, as they lie here: other places would round their sums otherwise."""
        places = np.array(list(self._order)[-most:] if most else [], np.int64)
        rows = tf.gather(self._rows, np.concatenate([places, self._most + places]))
        return {"places": places, "rows": rows.numpy(), "products": self._products.copy()}

    def take_up(self, state: Mapping[str, np.ndarray]) -> None:
        """Lay the pairs of `state` where they lay. Raises KeyError, ValueError."""
        places, rows, products = (state[name] for name in ("places", "rows", "products"))
        if rows.shape != (2 * len(places), self._rows.shape[1]) or products.shape != self._products.shape:
            raise ValueError(f"{len(places)} pairs of {rows.shape} are not for {tuple(self._rows.shape)}")
        if len(places):
            self._rows.scatter_nd_update(np.concatenate([places, self._most + places])[:, None], rows)
        self._order.extend(places.tolist())
        self._products = np.array(products)

    def times_curvature(self, vector: Tensor) -> Tensor:
        """The inverse Hessian's estimate times `vector`, in its shape."""
        if not self._order:
            return vector
        flat, m, products = tf.reshape(vector, [-1]), self._most, self._products
        with_vector = self._with(flat)
        weights, scale, alphas = np.zeros(2 * m), 1.0, {}  # the result is weights @ rows + scale * vector
        for i in reversed(self._order):
            alphas[i] = (products[i] @ weights + scale * with_vector[i]) / products[i, m + i]
            weights[m + i] -= alphas[i]
        newest = self._order[-1]
        gamma = products[newest, m + newest] / products[m + newest, m + newest]
        weights, scale = gamma * weights, gamma * scale
        for i in self._order:
            beta = (products[m + i] @ weights + scale * with_vector[m + i]) / products[i, m + i]
            weights[i] += alphas[i] - beta
        sum_of_rows = tf.matmul(tf.constant(weights[None], tf.float32), self._rows.read_value_no_copy())[0]
        return tf.reshape(sum_of_rows + scale * flat, self._shape)

    def _with(self, vector: Tensor) -> np.ndarray:
        """The product of each row with `vector` [n]."""
        return tf.linalg.matvec(self._rows.read_value_no_copy(), vector).numpy()


def _like(image: Tensor, array: np.ndarray) -> Tensor:
    """`array` as a tensor. Raises ValueError unless it has the image's shape."""
    if array.shape != image.shape:
        raise ValueError(f"{array.shape} is not the shape of the image, {tuple(image.shape)}")
    return tf.convert_to_tensor(array, tf.float32)


def _free(image: Tensor, gradient: Tensor) -> Tensor:
    """1 where a pixel may move along minus the gradient without leaving 0..1, else 0."""
    held = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return tf.cast(~held, tf.float32)


def _dot(a: Tensor, b: Tensor) -> float:
    return float(tf.reduce_sum(a * b))


OPTIMIZERS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
