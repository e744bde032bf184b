"""Noise to start a run from as a picture of one's own: on one scale only, unlike the start "noise"."""

import numpy as np

from nst.pictures.color_modes import Array

SIDE, DEVIATION = 256, 0.1  # px; of the noise, near gray


def start_noise(seed: int = 0) -> Array:
    """Noise [SIDE, SIDE, 3] in 0..1."""
    noise = np.random.default_rng(seed).normal(0.5, DEVIATION, (SIDE, SIDE, 3))
    return np.clip(noise, 0, 1).astype(np.float32)
