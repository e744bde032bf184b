"""A picture of noise to use as `init` image: unlike `init` noise, such a run has one scale only."""

import numpy as np

from nst.pictures.color_modes import Array

START_NOISE_SIDE, DEVIATION = 256, 0.1  # px; of the noise, near gray


def start_noise(seed: int = 0) -> Array:
    """Noise [START_NOISE_SIDE, START_NOISE_SIDE, 3] in 0..1."""
    noise = np.random.default_rng(seed).normal(0.5, DEVIATION, (START_NOISE_SIDE, START_NOISE_SIDE, 3))
    return np.clip(noise, 0, 1).astype(np.float32)
