"""Painting in one pass: the network of a style file, a mix of its styles, and the options of `apply_style`."""

import math
from collections.abc import Mapping

import numpy as np

from nst.engine.backend import tf
from nst.engine.feed_forward.enlarge import enlarge_painted
from nst.engine.feed_forward.strips import STRIP_PIXELS, paint_in_strips
from nst.engine.feed_forward.transformer import Transformer
from nst.errors import OptionError
from nst.lru_cache import LruCache
from nst.options.fast_options import FastOptions, working_side
from nst.options.settings import Settings
from nst.pictures import images
from nst.pictures.colors import match_colors
from nst.pictures.images import Array, fit
from nst.runs.humanize import GIGABYTE
from nst.runs.memory_budget import spare
from nst.styles.network_plan import Plan
from nst.styles.style_file import StyleFile
from nst.styles.style_library import shipped_file

MOST_WHOLE_PIXELS = 3 * 2**20  # of a picture that is painted whole; larger ones are painted in strips
STRENGTH_EXPONENT = 1 / 3  # of the strength that the network gets: most of its effect lies close to 1
NETWORKS_KEPT = 4  # in memory, for later pictures
SMALLEST_SIDE = images.MIN_SIDE  # px, of the picture that the network gets

# Of the estimate of memory, in float32 numbers:
COPIES = 10  # numbers per pixel of the picture and the result in their conversions, about
STRIPS_AT_ONCE = 6  # strips that are held at the same time, each as wide as the widest unit
MEMORY_FACTOR = 1.3  # between this estimate and what TensorFlow takes


class FastNetwork:
    """The network of a style file, traced once for all styles and all sizes of pictures."""

    def __init__(self, file: StyleFile) -> None:
        self._transformer = Transformer.of(file)
        picture, one = tf.TensorSpec([1, None, None, 3], tf.float32), tf.TensorSpec([1], tf.float32)
        style = tf.TensorSpec([1, file.plan.length], tf.float32)
        paint = self._transformer.paint  # plain Python without branches on tensors: nothing for AutoGraph to convert
        self._at_full_strength = tf.function(paint, input_signature=[picture, style], autograph=False)
        self._at_strength = tf.function(paint, input_signature=[picture, style, one], autograph=False)

    def paint(self, picture: Array, style: Array, strength: float = 1.0) -> Array:
        """Paint a picture.

        Args:
            picture: [H, W, 3] in 0..1.
            style: a style vector, [plan.length].
            strength: that of the network, 0..1.

        Returns:
            [H, W, 3] in 0..1.
        """
        strengths = None if strength == 1.0 else np.array([strength], np.float32)
        if picture.shape[0] * picture.shape[1] > MOST_WHOLE_PIXELS:
            return paint_in_strips(self._transformer, picture, style[None], strengths)
        if strengths is None:
            painted = self._at_full_strength(picture[None], style[None])
        else:
            painted = self._at_strength(picture[None], style[None], strengths)
        return painted[0].numpy()


_networks = LruCache[str, FastNetwork](NETWORKS_KEPT)  # by StyleFile.network, whatever file it came in


def apply_mix(picture: Array, file: StyleFile, mix: Mapping[str, float], options: FastOptions) -> Array:
    """Paint a picture in a mix of styles.

    The network paints a working picture, whose size hardly depends on the result's; see `working_side`. The result is
    the enlarged working picture with fine detail of the photo.

    Args:
        picture: [H, W, 3] in 0..1.
        file: a network with the styles of the mix.
        mix: weights by style, of sum 1.
        options: strength, stroke size, colors, size.

    Returns:
        [h, w, 3] in 0..1, of the size that the options give, or else of the picture's.

    Raises:
        OptionError: this needs more memory than is free.
    """
    height, width = picture.shape[:2]
    if options.size is not None:
        height, width = fit(height, width, options.size)
    working = working_side(max(height, width), options.stroke_size)
    sides = [max(SMALLEST_SIDE, side) for side in fit(height, width, working)]
    _check_memory(file.plan, math.prod(sides), height * width)
    reduced = _resized(picture, *sides)
    network = _networks.get_or_make(file.network, lambda: FastNetwork(file))
    painted = network.paint(reduced, style_vector(file, mix), options.strength**STRENGTH_EXPONENT)
    if options.keep_colors:
        painted = match_colors(painted, reduced)
    if height * width <= math.prod(sides):
        return _resized(painted, height, width)
    return enlarge_painted(painted, reduced, _resized(picture, height, width), options.strength)


def style_vector(file: StyleFile, mix: Mapping[str, float]) -> Array:
    """The vector of a mix of the styles of `file`, [plan.length] float32; `mix` has weights of sum 1."""
    return np.array(list(mix.values()), np.float32) @ np.stack([file.styles[name].vector for name in mix])


def warm_up() -> None:
    """Load and trace the shipped network, so that the first picture does not wait for that."""
    file = shipped_file()
    apply_mix(
        np.zeros((SMALLEST_SIDE, SMALLEST_SIDE, 3), np.float32), file, {next(iter(file.styles)): 1.0}, FastOptions()
    )


def _resized(picture: Array, height: int, width: int) -> Array:
    """`picture` at that size; itself if it has it, because the copy of a large one takes memory."""
    return picture if picture.shape[:2] == (height, width) else images.resize(picture, height, width)


def _check_memory(plan: Plan, pixels: int, result_pixels: int) -> None:
    """Raise OptionError if painting `pixels` takes more memory than is free: the process would be killed."""
    is_whole = pixels <= MOST_WHOLE_PIXELS
    depths = range(0 if is_whole else 1, len(plan.widths))  # in strips, nothing is kept at full resolution
    kept = 2 * pixels * sum(plan.widths[depth] / 4**depth for depth in depths)  # on the way down, and up again
    strips = 0 if is_whole else STRIPS_AT_ONCE * STRIP_PIXELS * max(plan.widths)
    needed = 4 * MEMORY_FACTOR * (kept + strips + COPIES * max(pixels, result_pixels))
    free = spare(Settings.read().memory)
    if needed > free:
        largest = max(pixels, result_pixels) / 1e6
        raise OptionError(
            f"`size`: {largest:.0f} megapixels need about {needed / GIGABYTE:.1f} GB of memory, and "
            f"{max(0, free) / GIGABYTE:.1f} GB are free; choose a smaller one, or a larger `stroke_size`",
            "size",
        )
