"""Keep the content's colours: the style's palette is moved to the content's before painting."""

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-5  # variance of values in 0..1, below one 8-bit step: bounds the gain where a style has no colour to stretch


def match_colors(style: NDArray[np.float32], content: NDArray[np.float32]) -> NDArray[np.float32]:
    """`style` ([h, w, 3], 0..1) with `content`'s ([H, W, 3], 0..1) mean and covariance of colours, clipped to 0..1."""
    matrix, offset = color_map(style, content)
    return np.clip(style @ matrix.T.astype(np.float32) + offset.astype(np.float32), 0, 1)


def color_map(
    style: NDArray[np.float32], content: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(A [3, 3], b [3]) such that A x + b of the style's colours has the content's mean and covariance.

    A = C^1/2 S^-1/2 with the covariances C and S (Gatys et al. 2016, "Preserving color in neural artistic style
    transfer", section 3, the variant of image analogies). `FLOOR` is added to both, so that a grey style stays finite
    and a picture's map to itself stays the identity.
    """
    style_mean, style_covariance = _moments(style)
    content_mean, content_covariance = _moments(content)
    matrix = _power(content_covariance, 0.5) @ _power(style_covariance, -0.5)
    return matrix, content_mean - matrix @ style_mean


def _moments(picture: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean [3], covariance [3, 3] with `FLOOR` on its diagonal)."""
    colors = picture.reshape(-1, 3).astype(np.float64)
    mean = colors.mean(axis=0)
    centered = colors - mean
    return mean, centered.T @ centered / len(colors) + FLOOR * np.eye(3)


def _power(symmetric: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * np.maximum(values, FLOOR) ** exponent) @ vectors.T
