"""The interface of an image optimizer, implemented in adam.py and lbfgs.py.

An optimizer owns the image, [1, H, W, 3] float32, and keeps it within 0..1. The loop calls it for each step,
and to resize the image between two scales.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.runs.events import Losses

Evaluate = Callable[[Tensor], tuple[Losses, Tensor]]  # image -> (losses, gradient of the total)
Resize = Callable[[Tensor, str], Tensor]  # (image, a method of `tf.image.resize`) -> the image at another size


class Optimizer(Protocol):
    """What the loop needs of an optimizer."""

    image: Tensor  # the iterate

    @property
    def shown(self) -> Tensor:
        """The image to show: the iterate, or an average of iterates."""

    @property
    def stalled(self) -> bool:
        """Whether further steps on this objective could gain no more than the rounding of its loss and gradient."""

    def step(self, evaluate: Evaluate, learning_rate: float) -> Losses:
        """Move the image once; returns the losses at the image that the step started from."""

    def resize(self, resize: Resize, detail: Tensor) -> None:
        """Resize image and state with `resize`, then add `detail`, of the new size, to the image."""

    def on_objective_changed(self) -> None:
        """Forget what depends on the objective's values: its weights or its precision changed."""

    def state(self, most_bytes: int) -> dict[str, np.ndarray]:
        """The state beside the image; of a long history the newest part, about `most_bytes` of it."""

    def load_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a `state` that was made with this image. Raises KeyError, ValueError."""


def tensor_like(image: Tensor, array: np.ndarray) -> Tensor:
    """`array` as a tensor. Raises ValueError unless it has the shape of `image`."""
    if array.shape != image.shape:
        raise ValueError(f"{array.shape} is not the shape of the image, {tuple(image.shape)}")
    return tf.convert_to_tensor(array, tf.float32)
