"""L-BFGS for images (Nocedal and Wright 2006, algorithm 7.4) within the box 0..1, an `Optimizer`."""

import dataclasses
import math
from collections import deque
from collections.abc import Mapping

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.optimization.optimizer import Evaluate, Resize, tensor_like
from nst.runs.estimates import pairs
from nst.runs.events import Losses


class LBFGS:
    """L-BFGS (Nocedal and Wright 2006, algorithm 7.4) within the box 0..1.

    It differs from the book in the box. Pixels at a bound whose gradient points outwards are held (Bertsekas 1982), and
    the direction is computed for the others. The line search backtracks along the clipped path until the loss falls
    enough (Armijo), each time to the minimum of the parabola through the known values (section 3.5). Clipping the image
    after a step instead would break the curvature of the pairs: here s and y are those of the path that was taken.

    Near the minimum, what a step could gain is less than the rounding of loss and gradient, and a line search fails. It
    ends after `trials` evaluations, and the next one goes along the gradient alone. If that one fails, too, or if
    `stall_window` steps gained next to nothing, the optimizer has `stalled`: its steps return at once, without an
    evaluation, until the objective changes.
    """

    armijo = 1e-4
    trials = 4  # evaluations of a line search, at most
    shortest, longest = 0.1, 0.5  # of a step length that failed, the next one
    resolution = 2.0**-24  # of a loss in float32: a step that promises to gain less is not tried
    stall_window = 20  # steps over which the loss must fall ...
    stall_gain = 1e-5  # ... by this share of itself
    image: Tensor
    stalled: bool
    _evaluated: tuple[Losses, Tensor] | None  # losses and gradient at the image
    _totals: deque[float]  # losses at the images that the last steps started from

    def __init__(self, image: Tensor) -> None:
        self._restart(tf.convert_to_tensor(image))

    @property
    def shown(self) -> Tensor:
        """The iterate itself: L-BFGS does not jitter."""
        return self.image

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """One iteration.

        Without curvature pairs, `learning_rate` is the largest change of a pixel, a share of the range 0..1; with
        them, the curvature determines the length.
        """
        if self._evaluated is None:
            self._evaluated = evaluate(self.image)
        losses, gradient = self._evaluated
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
        if len(self._totals) > self.stall_window and gained < self.stall_gain * abs(losses.total):
            self.stalled = True
        return losses

    def _direction(self, gradient: Tensor) -> Tensor:
        """The quasi-Newton direction; pixels held at a bound stay 0.

        If the loss would not fall along it, the pairs are dropped, and it is minus the gradient.
        """
        free = _free(self.image, gradient)
        downhill = -free * gradient
        direction = free * self._pairs.times_inverse_hessian(downhill)
        if _dot(direction, gradient) < 0:
            return direction
        self._pairs.clear()  # the curvature is stale, as after a change of weights
        return downhill

    def _search(self, evaluate: Evaluate, direction: Tensor, length: float) -> bool:
        """Try `length` times `direction`, then shorter lengths, until the loss falls enough (Armijo), and move there.

        Returns False, without a move, if no length is found or the gain would be below rounding.
        """
        assert self._evaluated is not None
        losses, gradient = self._evaluated
        for _ in range(self.trials):
            image = tf.clip_by_value(self.image + length * direction, 0.0, 1.0)
            promised = -_dot(image - self.image, gradient)
            if promised <= self.resolution * abs(losses.total):
                return False
            new_losses, new_gradient = evaluate(image)
            risen = new_losses.total - losses.total
            if risen <= -self.armijo * promised:
                self._pairs.add(image - self.image, new_gradient - gradient)
                self.image, self._evaluated = image, (new_losses, new_gradient)
                return True
            lowest = promised / (2 * (risen + promised))  # of the parabola, as a share of this length
            length *= min(self.longest, max(self.shortest, lowest))
        return False

    def resize(self, resize: Resize, detail: Tensor) -> None:
        """Resize the image; the pairs are dropped, because their curvature is that of the old size."""
        self._restart(tf.clip_by_value(resize(self.image, "bicubic") + detail, 0.0, 1.0))

    def on_objective_changed(self) -> None:
        """Evaluate the image again; the pairs stay, and the line search rejects steps that stale ones propose."""
        self._evaluated = None
        self._totals.clear()
        self.stalled = False

    def state(self, most_bytes: int) -> dict[str, np.ndarray]:
        """The pairs, the losses of the last steps, and losses and gradient at the image."""
        state = self._pairs.state(most_bytes // (2 * 4 * math.prod(self.image.shape)))
        state["totals"] = np.array(self._totals, np.float64)
        if self._evaluated is None:
            return state
        losses, gradient = self._evaluated
        return {**state, "losses": np.array(dataclasses.astuple(losses)), "gradient": gradient.numpy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a `state`. Raises KeyError, ValueError."""
        self._pairs.load_state(state)
        self._totals.extend(np.array(state.get("totals", ())).tolist())  # early checkpoints have none
        if "gradient" in state:
            self._evaluated = Losses(*state["losses"].tolist()), tensor_like(self.image, state["gradient"])

    def _restart(self, image: Tensor) -> None:
        self.image = image
        self._pairs = CurvaturePairs(image)
        self._totals = deque(maxlen=self.stall_window + 1)
        self.on_objective_changed()


class CurvaturePairs:
    """The newest pairs of a move s and the change y of the gradient along it, as rows of one matrix [2 most, n].

    Pair i has its s in row i and its y in row most + i: its slot. The two-loop recursion runs on the inner products of
    the rows (Chen, Wang and Zhou 2014): it reads the matrix twice, and storing a pair twice more.
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
        """Drop all pairs."""
        self._order: deque[int] = deque(maxlen=self._most)  # slots of the pairs, oldest first
        self._products = np.zeros((2 * self._most, 2 * self._most))

    def add(self, s: Tensor, y: Tensor) -> None:
        """Store a pair, in the slot of the oldest if all are taken, unless its curvature s y is not positive."""
        if _dot(s, y) <= 1e-10 * _dot(y, y):
            return
        full = len(self) == self._most
        slot = self._order[0] if full else next(slot for slot in range(self._most) if slot not in self._order)
        self._order.append(slot)
        rows = (slot, self._most + slot)
        vectors = [tf.reshape(vector, [-1]) for vector in (s, y)]
        self._rows.scatter_nd_update([[row] for row in rows], vectors)
        for row, vector in zip(rows, vectors, strict=True):
            self._products[row] = self._products[:, row] = self._times_rows(vector)

    def state(self, most: int) -> dict[str, np.ndarray]:
        """The newest `most` pairs and their slots: in other slots, sums would be rounded differently."""
        slots = np.array(list(self._order)[-most:] if most else [], np.int64)
        rows = tf.gather(self._rows, np.concatenate([slots, self._most + slots]))
        return {"places": slots, "rows": rows.numpy(), "products": self._products.copy()}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Put the pairs of a `state` into their slots. Raises KeyError, ValueError."""
        slots, rows, products = (state[name] for name in ("places", "rows", "products"))
        if rows.shape != (2 * len(slots), self._rows.shape[1]) or products.shape != self._products.shape:
            raise ValueError(f"{len(slots)} pairs of {rows.shape} are not for {tuple(self._rows.shape)}")
        if len(slots):
            self._rows.scatter_nd_update(np.concatenate([slots, self._most + slots])[:, None], rows)
        self._order.extend(slots.tolist())
        self._products = np.array(products)

    def times_inverse_hessian(self, vector: Tensor) -> Tensor:
        """The estimate of the inverse Hessian times `vector`, in the shape of `vector`."""
        if not self._order:
            return vector
        flat, m, products = tf.reshape(vector, [-1]), self._most, self._products
        with_vector = self._times_rows(flat)
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

    def _times_rows(self, vector: Tensor) -> np.ndarray:
        """The inner product of each row with `vector` [n], [2 most]."""
        return tf.linalg.matvec(self._rows.read_value_no_copy(), vector).numpy()


def _free(image: Tensor, gradient: Tensor) -> Tensor:
    """1 where a pixel may move along minus the gradient without leaving 0..1, else 0."""
    held = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return tf.cast(~held, tf.float32)


def _dot(a: Tensor, b: Tensor) -> float:
    return float(tf.reduce_sum(a * b))
