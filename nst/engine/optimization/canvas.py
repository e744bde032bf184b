"""The canvas: the array that is optimized, the picture with a margin on every side; and how it is cut into tiles.

At its edges a convolution reads padding instead of picture. The canvas therefore extends the picture on every side by
the `margins` of nst/runs/schedule.py, filled by mirroring. Margins are optimized like the rest, but their outer
`MARGIN` px do not count in the content and style losses, and they are cut off from every picture that is shown.

A tile is a core within a halo as wide as the receptive fields of the layers that are read.

Canvases are [1, H, W, 3] float32 in 0..1, pictures [h, w, 3] float32 in 0..1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.engine.backend import Tensor, ops, tf
from nst.engine.networks.extractors import Architecture
from nst.pictures.images import resize
from nst.runs.schedule import Scale, margins

Region = Sequence[Sequence[Any]]  # ((top, bottom), (left, right)) in px, ends excluded; numbers or tensors


def to_canvas(picture: np.ndarray, height: int, width: int) -> Tensor:
    """`picture`, resized to `height` x `width`, with margins."""
    return add_margins(resize(picture, height, width))


def add_margins(picture: np.ndarray) -> Tensor:
    """The canvas of `picture` at its own size: the margins mirror what lies inside."""
    rows, columns = margins(*picture.shape[:2])
    padded = np.pad(picture, [(rows, rows), (columns, columns), (0, 0)], mode="symmetric")
    return tf.convert_to_tensor(padded[None], tf.float32)


def cut_margins(canvas: Tensor, scale: Scale) -> Tensor:
    """The picture inside a canvas of `scale`, [1, scale.height, scale.width, 3]."""
    top, left = margins(scale.height, scale.width)
    return canvas[:, top : top + scale.height, left : left + scale.width]


def resize_canvas(canvas: Tensor, method: str, *, old: Scale, new: Scale) -> Tensor:
    """A canvas of scale `old` at scale `new`, resized by a `method` of `tf.image.resize`.

    The margins are cut off and mirrored anew: they do not grow in proportion, so resizing them, too, would shift the
    picture. Values are not clipped to 0..1: gradients and moments are resized like this as well.
    """
    picture = tf.image.resize(cut_margins(canvas, old), (new.height, new.width), method=method, antialias=True)
    return add_margins(picture[0].numpy())


def inner_region(sides: Iterable[Any], margin: int) -> Region:
    """The region of a canvas of these sides, (height, width) in px, without its outer `margin` px."""
    return [(margin, side - margin) for side in sides]


def positions(first: Any, last: Any, stride: int) -> tuple[Any, Any]:
    """(first, last) of a layer's positions, `stride` px apart, that overlap the px `first` to `last`; ends excluded."""
    return first // stride, -(-last // stride)


def crop_features(features: Tensor, region: Region, stride: int) -> Tensor:
    """The positions of `features` [1, h, w, C], `stride` px apart, that overlap `region`."""
    (top, bottom), (left, right) = (positions(first, last, stride) for first, last in region)
    return _crop(features, top, bottom, left, right)


def _crop(features: Tensor, top: Any, bottom: Any, left: Any, right: Any) -> Tensor:
    """`features[:, top:bottom, left:right]`, its gradient a padding: TensorFlow's own for slices uses one core only."""

    @ops.custom_gradient
    def crop(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        height, width = ops.shape(x)[1:3]

        def gradient(upstream: Tensor) -> Tensor:
            rows, columns = (top, height - top - ops.shape(upstream)[1]), (left, width - left - ops.shape(upstream)[2])
            return tf.pad(upstream, [(0, 0), rows, columns, (0, 0)])

        return x[:, top:bottom, left:right], gradient

    return crop(features)


@dataclass(frozen=True)
class Span:
    """The extent of a tile along one axis: the core is first..last, core and halo start..stop; px, ends excluded."""

    start: int
    first: int
    last: int
    stop: int


@dataclass(frozen=True)
class Tile:
    """A tile of a picture, or of a canvas."""

    rows: Span
    columns: Span

    def cut(self, image: Tensor) -> Tensor:
        """The tile's part of `image` [1, H, W, C], halo included."""
        return image[:, self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]

    def crop_core(self, features: Tensor, stride: int, margin: int) -> Tensor:
        """The positions of `features` [1, h, w, C], `stride` px apart, that belong to this tile's core.

        `features` cover the canvas without its outer `margin` px: the first position contains the pixel `margin`.
        """
        origin = margin // stride * stride
        region = [(span.first - origin, span.last - origin) for span in (self.rows, self.columns)]
        return crop_features(features, region, stride)

    @property
    def core(self) -> Tensor:
        """The core's region within the tile, ((top, bottom), (left, right)) in px, int32 [2, 2]."""
        return tf.constant([[span.first - span.start, span.last - span.start] for span in (self.rows, self.columns)])


def edge_multiple(architecture: Architecture) -> int:
    """The multiple, px, that the edges of tiles lie on, so that tiles pool the same pixels as the whole picture."""
    return 2 ** (len(architecture.depths) - 1)


def halo(architecture: Architecture, layers: Iterable[str]) -> int:
    """Radius of the receptive fields of `layers`, px, rounded up: a 3x3 convolution adds its stride."""
    deepest = max(map(architecture.layers.index, layers))
    reach = sum(map(architecture.stride, architecture.layers[: deepest + 1]))
    return round_up(reach, edge_multiple(architecture))


def spans(length: int, side: int, halo: int, edge_multiple: int, margin: int) -> list[Span]:
    """The tiles along an axis of `length` px, less its margins: cores of about equal length, at most `side`."""
    core = round_up(-(-length // -(-length // side)), edge_multiple)
    return [
        Span(
            max(0, first - halo),
            max(margin, first),
            min(length - margin, first + core),
            min(length, first + core + halo),
        )
        for first in range(0, length - margin, core)
    ]


def round_up(length: int, multiple: int) -> int:
    """The next multiple."""
    return -(-length // multiple) * multiple
