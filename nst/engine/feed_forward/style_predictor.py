"""The style of a painting without training: a vector of the shipped network, predicted from the picture.

Ghiasi et al. 2017 ("Exploring the structure of a real-time, arbitrary neural artistic stylization network") predict the
scales and offsets of conditional instance normalization by a network that sees the painting. Here that network is
small, because it reads what the style loss compares: statistics of the built-in network's activations for the painting,
on the layers of that loss. They are the logarithms of each channel's mean and deviation, and the second moments of the
directions in which the activations vary most. Their principal components pass one hidden layer.
"""

import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.engine.backend import Tensor, ops
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES
from nst.errors import StyleError
from nst.options.layer_presets import GATYS_STYLE, SHIPPED_NETWORK
from nst.pictures import images
from nst.pictures.images import Array, fit
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import SIDE

PREDICTOR_FILE = Path(__file__).parents[2] / "builtin" / "style_predictor.npz"
MOST_STATISTIC, MOST_COMPONENT = 4.0, 3.0  # standard deviations from the mean, to which they are clipped
LEAST_SHARE = 0.01  # of a layer's deviation, added before logarithms are taken


class StylePredictor:
    """The predictor; `arrays` are those of its file, or variables of the same names, see tools/train_fast_styles.py.

    Of each layer in `GATYS_STYLE`: LAYER/mean [C], LAYER/deviation [] of all its channels, LAYER/directions [C, R]. Of
    the statistics [S]: mean, deviation, center; components [S, K]. Of the two linear maps: hidden/kernel [K, H],
    hidden/bias [H], out/kernel [H, L], out/bias [L].
    """

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.arrays = arrays

    def vectors(self, components: Tensor) -> Tensor:
        """Style vectors [N, L] from `components` [N, K]."""
        hidden = ops.relu(components @ self.arrays["hidden/kernel"] + self.arrays["hidden/bias"])
        return hidden @ self.arrays["out/kernel"] + self.arrays["out/bias"]

    def components(self, activations: Mapping[str, Tensor]) -> Tensor:
        """Principal components of the statistics, [N, K], from activations [N, h, w, C] of the layers."""
        centered = self.standardized(activations) - self.arrays["center"]
        return ops.clip(centered @ self.arrays["components"], -MOST_COMPONENT, MOST_COMPONENT)

    def standardized(self, activations: Mapping[str, Tensor]) -> Tensor:
        """The statistics less their means, over their deviations, [N, S]."""
        statistics = (self.statistics(activations) - self.arrays["mean"]) / self.arrays["deviation"]
        return ops.clip(statistics, -MOST_STATISTIC, MOST_STATISTIC)

    def statistics(self, activations: Mapping[str, Tensor]) -> Tensor:
        """The statistics, [N, S], from activations [N, h, w, C] of the layers."""
        parts = []
        for layer in GATYS_STYLE:
            x = ops.cast(activations[layer], "float32")
            x = ops.reshape(x, (x.shape[0], -1, x.shape[-1]))
            mean = ops.mean(x, axis=1)
            deviation = ops.sqrt(ops.mean(ops.square(x - mean[:, None]), axis=1) + 1e-6)
            least = LEAST_SHARE * self.arrays[f"{layer}/deviation"]
            parts += [ops.log(mean + least), ops.log(deviation + least)]
            projected = (x - self.arrays[f"{layer}/mean"]) @ self.arrays[f"{layer}/directions"]
            count = projected.shape[-1]
            moments = ops.matmul(ops.transpose(projected, (0, 2, 1)), projected)
            moments /= ops.cast(ops.shape(projected)[1], "float32")
            rows, columns = np.triu_indices(count)
            upper = (rows * count + columns).astype(np.int32)
            parts.append(ops.take(ops.reshape(moments, (-1, count * count)), upper, axis=1))
        return ops.concatenate(parts, axis=1)


def predict_vector(painting: Array) -> Array:
    """Predict the style of a painting.

    Args:
        painting: [H, W, 3], float32 in 0..1, of any size.

    Returns:
        A style vector of the shipped network, [plan.length] float32.

    Raises:
        StyleError: the predictor's file is damaged, or of another network.
    """
    predictor = load_predictor()
    height, width = painting.shape[:2]
    reduced = images.resize(painting, *fit(height, width, SIDE))
    activations = load_extractor(SHIPPED_NETWORK)(reduced[None], GATYS_STYLE)
    return np.asarray(predictor.vectors(predictor.components(activations)))[0]


@functools.cache
def load_predictor() -> StylePredictor:
    """The predictor that ships. Raises StyleError."""
    length = shipped_file().plan.length
    try:
        with np.load(io.BytesIO(PREDICTOR_FILE.read_bytes()), allow_pickle=False) as file:
            arrays: dict[str, NDArray[np.float32]] = {name: file[name].astype(np.float32) for name in file.files}
        shapes = _shapes(arrays, length)
        fits = all(arrays[name].shape == shape and np.isfinite(arrays[name]).all() for name, shape in shapes.items())
    except Exception:  # NumPy and zipfile raise errors of many kinds on a damaged file
        raise StyleError(f"the file of the style predictor, {PREDICTOR_FILE.name}, is missing or damaged") from None
    if not fits:
        raise StyleError(f"the file of the style predictor, {PREDICTOR_FILE.name}, must be the one that ships")
    return StylePredictor(arrays)


def _shapes(arrays: Mapping[str, Any], length: int) -> dict[str, tuple[int, ...]]:
    """The shapes that the arrays of a predictor of vectors of `length` numbers must have.

    The numbers of directions, components and hidden units are those of the arrays. Raises KeyError, IndexError,
    ValueError for arrays that have none.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    statistics = 0
    for layer in GATYS_STYLE:
        channels, count = ARCHITECTURES[SHIPPED_NETWORK].channels(layer), arrays[f"{layer}/directions"].shape[-1]
        shapes[f"{layer}/mean"], shapes[f"{layer}/deviation"] = (channels,), ()
        shapes[f"{layer}/directions"] = channels, count
        statistics += 2 * channels + count * (count + 1) // 2
    components, hidden = arrays["hidden/kernel"].shape
    shapes |= dict.fromkeys(("mean", "deviation", "center"), (statistics,))
    shapes |= {"components": (statistics, components), "hidden/kernel": (components, hidden), "hidden/bias": (hidden,)}
    return {**shapes, "out/kernel": (hidden, length), "out/bias": (length,)}
