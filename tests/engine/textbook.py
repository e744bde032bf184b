"""The textbook versions, in NumPy, written to be read; the fast ones must agree with them."""

import numpy as np


def gram(features: np.ndarray) -> np.ndarray:
    """[h, w, C] -> [C, C]."""
    h, w, channels = features.shape
    matrix = np.zeros((channels, channels))
    for i in range(channels):
        for j in range(channels):
            matrix[i, j] = np.sum(features[..., i] * features[..., j]) / (h * w)
    return matrix


def content_loss(f: np.ndarray, p: np.ndarray, normalization: str) -> float:
    error = np.sum((f - p) ** 2)
    return error / np.sum(p**2) if normalization == "relative" else 0.5 * error


def style_loss(f: np.ndarray, s: np.ndarray, normalization: str) -> float:
    """From activations [h, w, C]. gatys: the paper's 1 / (4 N^2 M^2) sum (F F^T - S S^T)^2, for equal sizes."""
    if normalization == "relative":
        return np.sum((gram(f) - gram(s)) ** 2) / np.sum(gram(s) ** 2)
    positions, channels = f.shape[0] * f.shape[1], f.shape[2]
    difference = gram(f) * positions - gram(s) * positions
    return np.sum(difference**2) / (4 * channels**2 * positions**2)


def tv_loss(x: np.ndarray) -> float:
    """[H, W, 3]."""
    return np.mean(np.diff(x, axis=0) ** 2) + np.mean(np.diff(x, axis=1) ** 2)


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """VALID convolution of [H, W, in] with [kh, kw, in, out]."""
    kh, kw = kernel.shape[:2]
    out = np.zeros((x.shape[0] - kh + 1, x.shape[1] - kw + 1, kernel.shape[3]))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.einsum("hwi,hwio->o", x[i : i + kh, j : j + kw], kernel)
    return out + bias


def mixed_gram(paintings: list[np.ndarray], shares: list[float]) -> np.ndarray:
    """Weighted mean of the Gram matrices of several paintings' activations [h, w, C], of any sizes."""
    mixed = np.zeros((paintings[0].shape[2],) * 2)
    for features, share in zip(paintings, shares, strict=True):
        mixed += share * gram(features)
    return mixed


def guided_gram(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of activations [h, w, C] times the guidance channel of weights [h, w], normalized so that sum T^2 = 1."""
    channel = np.sqrt(weights / np.sum(weights))
    guided = channel[..., None] * features
    return np.einsum("hwi,hwj->ij", guided, guided)
