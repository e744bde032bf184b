"""Guidance: what a mask says of each position of a canvas and of each layer.

A guidance channel of a region has a weight in 0..1 for each position (Gatys et al. 2017, "Controlling Perceptual
Factors in Neural Style Transfer", section 4). Channels are [1, H, W, R] float32, of R regions.
"""

from collections.abc import Sequence

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture
from nst.engine.optimization.canvas import crop_features, inner_region, to_canvas
from nst.pictures.color_transfer import ColorTransfer

REGIONS = {"protect": 1, "styles": 2, "strength": 1}  # by `mask_use`


def mask_canvas(mask: np.ndarray, height: int, width: int) -> Tensor:
    """The mask [h, w] in 0..1, resized to `height` x `width` px, with the margins of a canvas, [1, H, W, 1]."""
    return to_canvas(mask[..., None], height, width)


def guidance_channels(mask: Tensor, use: str) -> Tensor:
    """The weights of each region on a canvas, from the mask [1, H, W, 1], [1, H, W, R].

    Where the mask is 1, `protect` has no style, `styles` that of the first painting, and `strength` all of it.
    """
    regions = {"protect": [1 - mask], "styles": [mask, 1 - mask], "strength": [mask]}
    return tf.concat(regions[use], axis=-1)


def layer_guidance(channels: Tensor, architecture: Architecture, layers: tuple[str, ...], margin: int) -> dict:
    """{layer: [1, h, w, R]}, the mean weight of the pixels of each position of `layers` that counts.

    Args:
        channels: of a canvas, [1, H, W, R].
        architecture: of the network.
        layers: names of its layers.
        margin: outer px of the canvas that do not count.
    """
    strides = {layer: architecture.stride(layer) for layer in layers}
    return {layer: guidance_at(channels, stride, margin) for layer, stride in strides.items()}


def guidance_at(channels: Tensor, stride: int, margin: int) -> Tensor:
    """The mean weight of the pixels of each position, `stride` px apart, of a canvas [1, H, W, R], [1, h, w, R].

    Positions in the outer `margin` px are left out.
    """
    region, reached = inner_region(channels.shape[1:3], margin), 1
    while reached < stride:
        channels, reached = tf.nn.avg_pool2d(channels, 2, 2, "SAME"), 2 * reached  # as the networks halve a picture
    return crop_features(channels, region, stride)


def painting_weights(shares: Sequence[float], mask: Tensor | None, use: str, stride: int, margin: int) -> Tensor:
    """The weight of each of P paintings at each position, `stride` px apart, [1, h, w, P]; without a mask [P].

    Args:
        shares: of the paintings, of sum 1; where each has a region, it weighs more the more its share is.
        mask: of a canvas, [1, H, W, 1], or None.
        use: `mask_use`.
        stride: of the positions.
        margin: outer px of the canvas that do not count.
    """
    of_each = tf.constant(shares, tf.float32)
    if mask is None:
        return of_each
    channels = guidance_at(guidance_channels(mask, use), stride, margin)  # of each painting, or one for all
    return channels * (len(shares) * of_each if use == "styles" else of_each)


def transfer_colors(
    picture: np.ndarray, transfer: ColorTransfer, shares: Sequence[float], mask: np.ndarray | None, use: str
) -> np.ndarray:
    """`picture` with the colors of the paintings, where they count and by how much; [h, w, 3] float32 in 0..1.

    Args:
        picture: the content at any size, [h, w, 3] float32 in 0..1.
        transfer: from the content to the paintings.
        shares: of the paintings, of sum 1.
        mask: [h, w, 1] in 0..1, or None.
        use: `mask_use`; with `styles` each painting gives its colors to its own region.
    """
    if mask is None:
        return transfer.apply(picture, shares)
    channels = guidance_channels(mask, use).numpy()
    of_regions = np.eye(len(shares)).tolist() if use == "styles" else [shares]
    changes = [transfer.apply(picture, each) - picture for each in of_regions]
    return picture + sum(channels[..., [n]] * change for n, change in enumerate(changes))


def blend(mask: Tensor, content: Tensor, painted: Tensor) -> Tensor:
    """`content` where the mask is 1, `painted` where it is 0, and their mean by the mask between."""
    return mask * content + (1 - mask) * painted
