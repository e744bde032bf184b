"""Random weights of an extractor, for measurements and tests that do not look at the picture."""

import math

import numpy as np

from nst.engine.networks.extractors import Architecture


def he_normal(architecture: Architecture, seed: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Random weights, float32: normal kernels (He et al. 2015), zero biases."""
    random = np.random.default_rng(seed)
    weights = {}
    for layer, shapes in architecture.shapes().items():
        gains = (*(1.0 for _ in shapes[1:]), 2.0)  # a ReLU follows the last kernel only
        kernels = [
            random.normal(0, math.sqrt(gain / math.prod(shape[:3])), shape).astype(np.float32)
            for gain, shape in zip(gains, shapes, strict=True)
        ]
        weights[layer] = (*kernels, np.zeros(shapes[-1][3], np.float32))
    return weights
