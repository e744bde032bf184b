"""Random draws that the crops of both trainings have in common."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number from `low` to `high` whose logarithm is uniformly distributed."""
    return math.exp(random.uniform(math.log(low), math.log(high)))


def mirrored_at_random(picture: Array, random: np.random.Generator) -> Array:
    """`picture` [h, w, C], or, with a probability of 1/2, its mirror image left to right."""
    return picture[:, ::-1] if random.random() < 0.5 else picture
