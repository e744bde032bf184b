"""What a picture's pixels say of it: colors, grain, structure. Pictures are float32 [H, W, 3] in 0..1, sRGB.

Colors are CIE L*a*b* (D65, 2 degrees), in which a distance of about 2.3 is just noticed.
"""

import functools

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

Picture = NDArray[np.float32]
Colors = NDArray[np.float64]  # [..., 3]: L* in 0..100, a* and b* about -100..100

TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1
WHITE = TO_XYZ.sum(axis=1)  # that sRGB's own white is a* = b* = 0
DIRECTIONS = 32  # of the sliced distance; always the same ones
LEVELS = (np.arange(256) + 0.5) / 256  # quantiles at which two distributions are compared
OUTLYING = 95  # percent of the pixels that `foreign_tint` allows to be nearer than it says

FINE, MIDDLE, COARSE = 1.0, 2.0, 8.0  # px, deviations of the Gaussians between which bands lie
LEAST_GRAIN = 0.5  # of L*: below the steps of 8 bits there is nothing to see


def lab(picture: Picture) -> Colors:
    """Its colors, [H, W, 3]."""
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture.astype(np.float64) + 0.055) / 1.055) ** 2.4)
    xyz = linear @ TO_XYZ.T / WHITE
    x, y, z = np.moveaxis(np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def palette_distance(here: Colors, there: Colors) -> float:
    """Sliced Wasserstein-1 distance of two sets of colors [..., 3]: how far colors must move, whatever their places.

    The mean over `DIRECTIONS` of the distance between the sorted projections (Rabin et al. 2011), read at `LEVELS`.
    """
    a, b = (np.quantile(colors.reshape(-1, 3) @ _directions(), LEVELS, axis=0) for colors in (here, there))
    return float(np.mean(np.abs(a - b)))


@functools.cache
def _directions() -> NDArray[np.float64]:
    """[3, DIRECTIONS], unit columns."""
    drawn = np.random.default_rng(0).normal(size=(3, DIRECTIONS))
    return drawn / np.linalg.norm(drawn, axis=0)


def foreign_tint(result: Colors, *sources: Colors) -> float:
    """How foreign the most foreign colors are: the distance to the nearest color of any source that 5 % exceed."""
    known = KDTree(np.concatenate([source.reshape(-1, 3) for source in sources]))
    distances, _ = known.query(result.reshape(-1, 3))
    return float(np.percentile(distances, OUTLYING))


def grain(result: Colors, content: Colors, style: Colors) -> float:
    """Fine texture of calm places, over the most that content or style have in theirs; above 1 neither explains it.

    Calm are the half of a picture's positions with the least contrast in the middle band, where edges and strokes are
    and grain hardly is. Content and result, of one shape [H, W, 3], are looked at where the content is calm, and there
    in the calm half of each; the style in its calm half. Fine texture is the deviation of L* from its blurred self.
    """
    calm = _calm(_middle(content), np.ones(content.shape[:2], bool))
    own = max(_texture(content, calm), _texture(style, np.ones(style.shape[:2], bool)), LEAST_GRAIN)
    return _texture(result, calm) / own


def _texture(colors: Colors, places: NDArray[np.bool_]) -> float:
    """Deviation of the fine band in the calm half of the places [H, W]."""
    fine = colors[..., 0] - gaussian_filter(colors[..., 0], FINE)
    return float(np.sqrt(np.mean(fine[_calm(_middle(colors), places)] ** 2)))


def _middle(colors: Colors) -> NDArray[np.float64]:
    """Local energy of the middle band of L*, [H, W]."""
    band = gaussian_filter(colors[..., 0], MIDDLE) - gaussian_filter(colors[..., 0], COARSE)
    return gaussian_filter(band**2, COARSE)


def _calm(energy: NDArray[np.float64], places: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The half of the places with the least energy."""
    return places & (energy <= np.median(energy[places]))


def structural_similarity(result: Colors, content: Colors) -> float:
    """SSIM (Wang et al. 2004) of the lightness of two pictures of one shape, both sides at least 11 px; 1 if equal."""
    here, there = (tf.constant(colors[None, ..., :1] / 100, tf.float32) for colors in (result, content))
    return float(tf.image.ssim(here, there, max_val=1.0)[0])
