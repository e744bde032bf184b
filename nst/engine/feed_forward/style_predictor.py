"""The style of a painting without training: a vector of the shipped network, predicted from the picture.

Interim: the vector of the shipped style whose stored picture has the nearest mean color.
"""

import numpy as np

from nst.pictures import images
from nst.pictures.images import Array
from nst.styles.style_library import shipped_file


def predict_vector(painting: Array) -> Array:
    """Predict the style of a painting.

    Args:
        painting: [H, W, 3], float32 in 0..1, of any size.

    Returns:
        A style vector of the shipped network, [plan.length] float32.

    Raises:
        StyleError: a file that is needed for it is damaged.
    """
    color = painting.mean(axis=(0, 1))

    def distance(jpeg: bytes) -> float:
        return float(np.linalg.norm(images.read(jpeg, least=1).rgb.mean(axis=(0, 1)) - color))

    return min(shipped_file().styles.values(), key=lambda style: distance(style.picture)).vector
