"""The enlargement of a painted picture: its strokes, and along edges the fine detail of the photo that it was made of.

The strokes are enlarged by Lanczos. A guided filter (He, Sun and Tang 2010, "Guided image filtering") would give sharp
edges, but it drops what is not in the photo, which the strokes are. So only the photo's detail that the enlargement
lacks is added, multiplied by a local gain: the slope of a linear fit of the painted lightness to the photo's, in
windows of the small picture, as that filter finds its coefficients (He and Sun 2015, "Fast guided filter").
"""

import numpy as np
from PIL import Image

from nst.pictures.colors import luma
from nst.pictures.images import Array, resize

RADIUS = 4  # px of the small picture, of the window that the gain is found in
NOISE = 2e-3  # variance of lightness in 0..1 below which a photo's detail is taken for grain, and left out
LEAST_NOISE = 1e-6
MOST_GAIN = 1.0


def enlarge_painted(painted: Array, reduced: Array, photo: Array, strength: float = 1.0) -> Array:
    """Enlarge a painted picture to the size of its photo.

    Args:
        painted: [h, w, 3] in 0..1.
        reduced: the photo as it was painted, [h, w, 3] in 0..1.
        photo: [H, W, 3] in 0..1, not smaller.
        strength: of the style, 0..1; the grain of the photo is left out by that share.

    Returns:
        [H, W, 3] in 0..1; `photo`, about, where `painted` is `reduced`.
    """
    height, width = photo.shape[:2]
    result = resize(painted, height, width)
    detail = luma(photo)
    detail -= resize(luma(reduced), height, width)
    gain = Image.fromarray(_gain(luma(painted), luma(reduced), NOISE * strength + LEAST_NOISE))
    detail *= np.asarray(gain.resize((width, height), Image.Resampling.BILINEAR))
    result += detail[..., None]
    return np.clip(result, 0, 1, out=result)


def _gain(painted: Array, reduced: Array, noise: float) -> Array:
    """The slope of a linear fit of `painted` to `reduced`, [h, w] each, in windows; 0 where `reduced` is plain."""
    painted_mean, reduced_mean = _mean(painted), _mean(reduced)
    covariance = _mean(painted * reduced) - painted_mean * reduced_mean
    variance = np.maximum(_mean(reduced * reduced) - reduced_mean**2, 0)
    return _mean(np.clip(covariance / (variance + noise), -MOST_GAIN, MOST_GAIN))


def _mean(x: Array) -> Array:
    """The mean of `x` [h, w] in windows of `RADIUS`, edges repeated."""
    for axis in (0, 1):
        edges = [(RADIUS + 1, RADIUS) if each == axis else (0, 0) for each in (0, 1)]
        sums = np.cumsum(np.pad(x, edges, mode="edge"), axis=axis, dtype=np.float64)
        size = 2 * RADIUS + 1
        ahead, behind = (np.moveaxis(sums, axis, 0)[part] for part in (slice(size, None), slice(None, -size)))
        x = np.moveaxis((ahead - behind) / size, 0, axis).astype(np.float32)
    return x
