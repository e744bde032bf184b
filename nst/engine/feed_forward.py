"""Paint in one pass: a picture, a style file's network, a mix of its styles."""

import math
import threading
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nst.engine.backend import tf
from nst.engine.strips import PIXELS, paint_in_strips
from nst.engine.transformer import Transformer
from nst.errors import OptionError
from nst.options.fast_options import FastOptions
from nst.options.settings import Settings
from nst.pictures import images
from nst.pictures.colors import color_map
from nst.pictures.images import fit
from nst.runs.memory_budget import GIGABYTE, spare
from nst.styles.network_plan import Plan
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED

Array = NDArray[np.float32]
WHOLE = 3 * 2**20  # pixels, up to which a picture is painted at once
SAMPLED = 2**20  # pixels, about, that speak for a picture's colours
CURVE = 1 / 3  # power of the strength that the network is given: most of the change lies close to 1
COPIES = 10  # numbers a pixel of the picture and the result on their way, about
STRIPS = 6  # of the largest strips, held at once
MORE = 1.3  # times what is counted here: what TensorFlow works on
KEPT = 4  # networks that stay ready
LEAST = images.MIN_SIDE  # px of what the network is shown


class FastNetwork:
    """A style file's network, traced once for pictures of every size and for every style."""

    def __init__(self, file: StyleFile) -> None:
        self._transformer = Transformer.of(file)
        picture, one = tf.TensorSpec([1, None, None, 3], tf.float32), tf.TensorSpec([1], tf.float32)
        style = tf.TensorSpec([1, file.plan.length], tf.float32)
        paint = self._transformer.paint  # plain Python without branches on tensors: nothing for AutoGraph to convert
        self._full = tf.function(paint, input_signature=[picture, style], autograph=False)
        self._part = tf.function(paint, input_signature=[picture, style, one], autograph=False)

    def paint(self, picture: Array, style: Array, strength: float = 1.0) -> Array:
        """`picture` [H, W, 3], 0..1, in the style of a vector [plan.length]; of the same size."""
        share = None if strength == 1.0 else np.array([strength], np.float32)
        if picture.shape[0] * picture.shape[1] > WHOLE:
            return paint_in_strips(self._transformer, picture, style[None], share)
        found = (
            self._full(picture[None], style[None]) if share is None else self._part(picture[None], style[None], share)
        )
        return found[0].numpy()


_networks: dict[str, FastNetwork] = {}  # by what they are known by
_lock = threading.Lock()


def apply_style(picture: Array, file: StyleFile, mix: Mapping[str, float], options: FastOptions) -> Array:
    """Paint in one pass.

    Args:
        picture: [H, W, 3], 0..1.
        file: a network with the styles of the mix.
        mix: weights by style, of sum 1.
        options: strength, stroke size, colours, size.

    Returns:
        [h, w, 3], 0..1, of the picture's size, or of that which the options say.

    Raises OptionError if that does not fit into memory.
    """
    height, width = picture.shape[:2]
    if options.size is not None:
        height, width = fit(height, width, options.size)
    small = [max(LEAST, round(side / options.stroke_size)) for side in (height, width)]
    _check_memory(file.plan, math.prod(small), height * width)
    style = np.array(list(mix.values()), np.float32) @ np.stack([file.styles[name].vector for name in mix])
    found = _resized(_network(file).paint(_resized(picture, *small), style, options.strength**CURVE), height, width)
    return _with_colors(found, picture) if options.keep_colors else found


def _resized(picture: Array, height: int, width: int) -> Array:
    """`picture` itself where it has the size: a copy of a large one takes memory."""
    return picture if picture.shape[:2] == (height, width) else images.resize(picture, height, width)


def warm_up() -> None:
    """Load and trace the shipped styles, so that the first picture need not wait for that."""
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    apply_style(np.zeros((LEAST, LEAST, 3), np.float32), file, {next(iter(file.styles)): 1.0}, FastOptions())


def _check_memory(plan: Plan, pixels: int, result: int) -> None:
    """Raise OptionError if a network cannot paint so many pixels here: it would take the worker and its run along."""
    depths = range(0 if pixels <= WHOLE else 1, len(plan.widths))  # by strips, nothing is kept at full resolution
    kept = 2 * pixels * sum(plan.widths[depth] / 4**depth for depth in depths)  # on the way down, and up again
    strips = 0 if pixels <= WHOLE else STRIPS * PIXELS * max(plan.widths)
    needed, free = 4 * MORE * (kept + strips + COPIES * max(pixels, result)), spare(Settings.read().memory)
    if needed > free:
        raise OptionError(
            f"`size`: {pixels / 1e6:.0f} megapixels need about {needed / GIGABYTE:.1f} GB of memory, and "
            f"{max(0, free) / GIGABYTE:.1f} GB are free; choose a smaller one, or a larger `stroke_size`",
            "size",
        )


def _with_colors(found: Array, picture: Array) -> Array:
    """`found` in the colours of `picture`; of large ones some pixels speak for the rest."""
    some = (array[:: _every(array), :: _every(array)] for array in (found, picture))
    matrix, offset = color_map(*some)
    return np.clip(found @ matrix.T.astype(np.float32) + offset.astype(np.float32), 0, 1)


def _every(array: Array) -> int:
    return math.ceil(math.sqrt(array.shape[0] * array.shape[1] / SAMPLED))


def _network(file: StyleFile) -> FastNetwork:
    """Kept for the next picture, whatever file its style comes in."""
    with _lock:
        network = _networks.pop(file.network, None) or FastNetwork(file)
        _networks[file.network] = network  # the last one used comes last
        while len(_networks) > KEPT:
            del _networks[next(iter(_networks))]
    return network
