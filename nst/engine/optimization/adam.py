"""Adam for images (Kingma and Ba 2015), an `Optimizer`."""

import math
from collections.abc import Mapping

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.optimization.optimizer import Evaluate, Resize, tensor_like
from nst.runs.events import Losses

IMAGE = tf.TensorSpec([1, None, None, 3], tf.float32)
SCALAR = tf.TensorSpec([], tf.float32)


class Adam:
    """Adam (Kingma and Ba 2015) with the iterate clipped to 0..1 and an averaged iterate to show.

    It differs from the paper in three points. beta2 is 0.99, which forgets the steep first steps sooner. Epsilon is a
    share of the gradient's own size: a constant would mean something else at every size and weight. Both moments are
    resized to the next scale (crowsonkb, style-transfer-pytorch), the first bicubic, the second bilinear and so never
    negative.
    """

    beta1 = 0.9
    beta2 = 0.99
    average = 0.9  # decay of the averaged iterate
    epsilon = 0.5  # of the root mean square of the debiased gradient; less leaves grain where the picture is calm

    def __init__(self, image: Tensor) -> None:
        self.image = tf.convert_to_tensor(image)
        self._first = tf.zeros_like(self.image)
        self._second = tf.zeros_like(self.image)
        self._mean = tf.zeros_like(self.image)
        self._moment_steps = 0
        self._mean_steps = 0

    @property
    def shown(self) -> Tensor:
        """The averaged iterate, debiased; before any step the image itself."""
        return self._mean / (1 - self.average**self._mean_steps) if self._mean_steps else self.image

    @property
    def stalled(self) -> bool:
        """Always False: Adam's steps keep their length, whatever they gain."""
        return False

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """One step; `learning_rate` is a share of the range 0..1."""
        losses, gradient = evaluate(self.image)
        self._moment_steps += 1
        self._mean_steps += 1
        self.image, self._first, self._second, self._mean = _adam(
            self.image, gradient, self._first, self._second, self._mean,
            tf.constant(learning_rate, tf.float32), tf.constant(self._moment_steps, tf.float32),
        )  # fmt: skip
        return losses

    def resize(self, resize: Resize, detail: Tensor) -> None:
        """Resize image and moments; the average starts anew, because it would blur what the new scale adds.

        Losses are means over the picture, so a pixel's gradient is inversely proportional to the number of pixels.
        The moments are scaled by that: without it, the second moment would keep the steps of a scale twice as large at
        a quarter of their length for some hundred steps. That the weights of content and smoothness differ on the new
        scale is not corrected for; the moments adapt to it.
        """
        pixels = float(tf.size(self.image))
        self.image = tf.clip_by_value(resize(self.image, "bicubic") + detail, 0.0, 1.0)
        shrink = pixels / float(tf.size(self.image))
        self._first = shrink * resize(self._first, "bicubic")
        self._second = shrink**2 * tf.maximum(resize(self._second, "bilinear"), 0.0)
        self._mean = tf.zeros_like(self.image)
        self._mean_steps = 0

    def on_objective_changed(self) -> None:
        """Nothing to do: no loss or gradient is kept from one step to the next."""

    def state(self, most_bytes: int) -> dict[str, np.ndarray]:
        """Moments, average, and the numbers of steps that made them; {} if they take more than `most_bytes`."""
        arrays = {"first": self._first, "second": self._second, "mean": self._mean}
        if len(arrays) * 4 * math.prod(self.image.shape) > most_bytes:
            return {}
        steps = np.array([self._moment_steps, self._mean_steps])
        return {**{name: array.numpy() for name, array in arrays.items()}, "steps": steps}

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a `state`. Raises KeyError, ValueError."""
        arrays = (tensor_like(self.image, state[name]) for name in ("first", "second", "mean"))
        self._first, self._second, self._mean = arrays
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
