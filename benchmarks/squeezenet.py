"""SqueezeNet 1.1 (Iandola et al. 2016) trained on ImageNet: a judge that no painting here looks at.

Its weights are those of the public keras-squeezenet project; they lie in the folder that `NST_SHARED` names.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

from benchmarks.shared import shared_folder
from nst.engine.networks.extractors import IMAGENET_BGR_MEAN

Tensor = Any

STYLE_LAYERS = ("conv1", "fire2", "fire3", "fire5", "fire7")  # 2, 4, 4, 8 and 16 px from one position to the next
CONTENT_LAYER = "fire5"  # 8 px, as of relu4_2
CELL = 16  # px; sides are multiples of it, so that every layer's grid fits


def squeezenet_file() -> Path | None:
    """The file of its weights, or None where there is none."""
    file = shared_folder() / "teacher" / "squeezenet_v1.1_notop.h5"
    return file if file.is_file() else None


class SqueezeNet:
    """Its convolutions, edges padded so that each layer's positions lie where the pixels are that they see.

    The original pads nothing in conv1 and in its poolings, which moves a layer by up to half a cell; padding
    alternately after and before keeps the centres within 2.5 px. Borders are reflected, never black.
    """

    def __init__(self, path: Path) -> None:
        self._weights: dict[str, tuple[Tensor, Tensor]] = {}
        with h5py.File(path) as file:
            for layer in (name.decode() for name in file.attrs["layer_names"]):
                arrays: dict[str, np.ndarray] = {}
                file[layer].visititems(lambda name, item, found=arrays: _keep_array(found, name, item))
                if arrays:  # pooling and activation layers own none
                    self._weights[layer] = (tf.constant(arrays["kernel"]), tf.constant(arrays["bias"]))

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """{layer: [N, h, w, C]}, conv1 and fire2 to fire8, for `image` [N, H, W, 3] in 0..1 on a grid of `CELL` px."""
        x = image[..., ::-1] * 255.0 - tf.constant(IMAGENET_BGR_MEAN)
        found = {}
        x = self._convolve(tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]], "REFLECT"), "conv1", 2)
        found["conv1"] = x
        for before, modules in ((1, (2, 3)), (0, (4, 5)), (1, (6, 7, 8))):
            edge = [before, 1 - before]
            x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], edge, edge, [0, 0]], "SYMMETRIC"), 3, 2, "VALID")
            for module in modules:
                x = found[f"fire{module}"] = self._fire(x, f"fire{module}")
        return found

    def _convolve(self, x: Tensor, layer: str, stride: int = 1) -> Tensor:
        kernel, bias = self._weights[layer]
        return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, "VALID") + bias)

    def _fire(self, x: Tensor, module: str) -> Tensor:
        x = self._convolve(x, f"{module}/squeeze1x1")
        wide = self._convolve(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"), f"{module}/expand3x3")
        return tf.concat([self._convolve(x, f"{module}/expand1x1"), wide], axis=-1)


def _keep_array(found: dict[str, np.ndarray], name: str, item: Any) -> None:
    if isinstance(item, h5py.Dataset):
        found["bias" if name.endswith("_b") else "kernel"] = item[()]
