"""Colors of pictures: their luma, and how the style's distribution of colors is matched to the content's."""

import numpy as np
from numpy.typing import NDArray

LEAST_VARIANCE = 1e-5  # of values in 0..1, below one 8-bit step: bounds the gain where a style has hardly any color

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue (ITU-R BT.601)


def luma(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """How light the colors of `picture` [H, W, 3] in 0..1 are: [H, W] in 0..1."""
    return picture @ LUMA


def match_colors(style: NDArray[np.float32], content: NDArray[np.float32]) -> NDArray[np.float32]:
    """`style` [h, w, 3] with the mean and covariance of the colors of `content` [H, W, 3]; all in 0..1, clipped."""
    matrix, offset = color_map(style, content)
    return np.clip(style @ matrix.T.astype(np.float32) + offset.astype(np.float32), 0, 1)


def color_map(
    style: NDArray[np.float32], content: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(A [3, 3], b [3]) such that A x + b of the style's colors x has the content's mean and covariance.

    A = C^1/2 S^-1/2 with the covariances C and S (Gatys et al. 2016, "Preserving color in neural artistic style
    transfer", section 3, the variant of image analogies). Unlike there, `LEAST_VARIANCE` is added to the diagonals of
    both, so that the map of a gray style is finite and the map of a picture to itself is the identity.
    """
    style_mean, style_covariance = _moments(style)
    content_mean, content_covariance = _moments(content)
    matrix = _power(content_covariance, 0.5) @ _power(style_covariance, -0.5)
    return matrix, content_mean - matrix @ style_mean


def _moments(picture: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean [3], covariance [3, 3] with `LEAST_VARIANCE` on its diagonal)."""
    colors = picture.reshape(-1, 3).astype(np.float64)
    mean = colors.mean(axis=0)
    centered = colors - mean
    return mean, centered.T @ centered / len(colors) + LEAST_VARIANCE * np.eye(3)


def _power(symmetric: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(symmetric)
    return (vectors * np.maximum(values, LEAST_VARIANCE) ** exponent) @ vectors.T
