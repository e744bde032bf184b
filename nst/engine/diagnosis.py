"""What the losses of a picture consist of: the share of each layer, where they arise, and the Gram matrices."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nst.engine.backend import Tensor, ops, tf
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.guidance import painting_weights, transfer_colors
from nst.engine.optimization.layer_losses import LayerLosses, Targets
from nst.engine.optimization.losses import content_divisor, mix_matrices
from nst.engine.optimization.neighbors.hypercolumns import (
    Parts,
    cell_sides,
    hypercolumn_count,
    neighbor_layers,
    to_cells,
    to_hypercolumns,
)
from nst.engine.optimization.neighbors.loss import NeighborTargets, mix_neighbors, neighbor_error
from nst.engine.optimization.neighbors.search import find_in_paintings
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.scale_objective import guided_targets
from nst.options.style_options import StyleOptions
from nst.pictures.color_transfer import ColorTransfer
from nst.pictures.colors import match_colors
from nst.pictures.images import fit, resize
from nst.runs.estimates import NEIGHBOR_STRIDE


@dataclass(frozen=True)
class LayerShare:
    """The loss of one layer."""

    role: str  # "content" or "style"
    layer: str
    loss: float  # without weights
    share: float  # of the whole objective, 0..1, with all weights


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What the losses of a picture consist of."""

    layers: tuple[LayerShare, ...]
    tv_share: float  # of total variation, 0..1
    neighbor_share: float  # of the neighbors, 0..1
    matrices: dict[str, tuple[np.ndarray, np.ndarray]]  # layer, region -> (Gram matrix [C, C], that of the target)
    content_map: np.ndarray  # [h, w]: weighted squared errors of the content layers at each position
    style_map: np.ndarray  # [H, W]: length of the gradient of the style loss at each pixel


def diagnose(
    image: np.ndarray,
    content: np.ndarray,
    styles: Sequence[np.ndarray],
    options: StyleOptions,
    extractor: Extractor,
    mask: np.ndarray | None = None,
    scales_left: float = 0.0,
) -> Diagnosis:
    """Diagnose `image` [H, W, 3], float32 in 0..1, as a result of the other arguments, which are as in `stylize`.

    `scales_left` says on which scale the image was painted, as in `LiveWeights.on_scale`: its weights are used.

    The content is resized to the size of the image and takes on the paintings' colors as in a run. Each painting is
    resized so that its long side is its style scale times that of the image. With a mask, Gram matrices are guided.
    Raises OptionError if the extractor lacks a layer.
    """
    if options.keep_colors:
        styles = [match_colors(style, content) for style in styles]
    name, (height, width) = extractor.architecture.name, image.shape[:2]
    content_layers, style_layers = ([layer for layer, _ in given] for given in options.layers(name))
    losses = LayerLosses(extractor, content_layers, style_layers, options.normalization)
    full_size = LiveWeights.of(options, name, len(styles))
    weights = full_size.on_scale(options.size / max(height, width), scales_left, options.normalization)
    channel = None if mask is None else resize(mask[..., None], height, width)
    transfer = ColorTransfer(content, styles, options.color_transfer_amount)
    own = resize(content, height, width)
    content = transfer_colors(own, transfer, weights.styles, channel, options.mask_use)
    paintings = [
        resize(style, *fit(style.shape[0], style.shape[1], round(scale * max(height, width))))
        for style, scale in zip(styles, options.scale_of_each(len(styles)), strict=True)
    ]
    targets = _targets(losses, content, paintings, options, weights.styles, channel)
    x = tf.convert_to_tensor(image[None], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = extractor(x, losses.layers)
        per_content, per_style, tv = losses.losses(found, x, targets)
        style = ops.sum(ops.convert_to_tensor(weights.style_layers, "float32") * per_style)
    gradient = tape.gradient(style, x)[0].numpy()
    if channel is not None and options.mask_use == "protect":
        gradient = (1 - channel) * gradient
    parts = {
        "content": weights.content * np.array(weights.content_layers) * per_content.numpy(),
        "style": weights.style * np.array(weights.style_layers) * per_style.numpy(),
    }
    neighbors = 0.0
    if layers := neighbor_layers(extractor.architecture, style_layers) if weights.neighbors else ():
        each = np.eye(len(styles)).tolist()
        contents = [transfer_colors(own, transfer, only, channel, options.mask_use) for only in each]
        target = _neighbor_targets(extractor, layers, contents, paintings, weights.styles, channel, options.mask_use)
        cells = to_cells(found, layers, extractor.architecture)
        neighbors = weights.neighbors * float(neighbor_error(cells, target.goals) / hypercolumn_count(cells))
    total = float(sum(part.sum() for part in parts.values()) + weights.tv * float(tv) + neighbors) or 1.0
    unweighted = {"content": per_content.numpy(), "style": per_style.numpy()}
    return Diagnosis(
        layers=tuple(
            LayerShare(role, layer, float(loss), float(weighted) / total)
            for role, names in (("content", content_layers), ("style", style_layers))
            for layer, loss, weighted in zip(names, unweighted[role], parts[role], strict=True)
        ),
        tv_share=weights.tv * float(tv) / total,
        neighbor_share=neighbors / total,
        matrices=_matrices(losses, found, targets),
        content_map=_content_map(losses, found, targets, weights),
        style_map=np.linalg.norm(gradient, axis=-1),
    )


def _targets(
    losses: LayerLosses,
    content: np.ndarray,
    paintings: Sequence[np.ndarray],
    options: StyleOptions,
    shares: Sequence[float],
    mask: np.ndarray | None,
) -> Targets:
    activations = losses.extractor(tf.convert_to_tensor(content[None], tf.float32), losses.content_layers)
    matrices = []
    for painting in paintings:
        found = losses.extractor(tf.convert_to_tensor(painting[None], tf.float32), losses.style_layers)
        matrices.append(losses.gram_matrices(found))
    targets = Targets(activations, mix_matrices(matrices, shares))
    if mask is None:
        return targets
    channel = tf.convert_to_tensor(mask[None], tf.float32)
    return guided_targets(targets, matrices, shares, channel, options.mask_use, losses.extractor.architecture, margin=0)


def _neighbor_targets(
    extractor: Extractor,
    layers: Sequence[str],
    contents: Sequence[np.ndarray],
    paintings: Sequence[np.ndarray],
    shares: Sequence[float],
    mask: np.ndarray | None,
    use: str,
) -> NeighborTargets:
    """`contents` has the content in the colors of each of the `paintings`."""
    tensor = functools.partial(tf.convert_to_tensor, dtype=tf.float32)
    sides = cell_sides(extractor.architecture, layers)

    def hypercolumns(picture: Tensor) -> Parts:
        return [[lambda: to_hypercolumns(to_cells(extractor(picture, layers), layers, extractor.architecture), sides)]]

    tensors = [[tensor(each[None]) for each in given] for given in (contents, paintings)]
    found = find_in_paintings(hypercolumns, tensors[0], tensors[1], extractor.dtype)
    weights = painting_weights(shares, None if mask is None else tensor(mask[None]), use, NEIGHBOR_STRIDE, margin=0)
    return mix_neighbors(found, shares, weights, sides)


def _matrices(losses: LayerLosses, found: dict, targets: Targets) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The Gram matrices of each style layer and their targets; of two regions, those of each."""
    pairs = {
        layer: (matrix.numpy(), targets.style[layer].numpy())
        for layer, matrix in losses.gram_matrices(found, targets.guidance).items()
    }
    if not targets.guidance:
        return pairs
    regions = {1: [""], 2: [", where the mask is white", ", where it is black"]}  # by their number
    return {
        f"{layer}{region}": (now, target)
        for layer, pair in pairs.items()
        for region, now, target in zip(regions[len(pair[0])], *pair, strict=True)
    }


def _content_map(losses: LayerLosses, found: dict, targets: Targets, weights: LiveWeights) -> np.ndarray:
    """The sum over the content layers, each at the size of the finest."""
    planes = []
    for layer, weight in zip(losses.content_layers, weights.content_layers, strict=True):
        target = ops.cast(targets.content[layer], "float32")
        squares = ops.square(ops.cast(found[layer], "float32") - target)
        divisor = content_divisor(ops.sum(ops.square(target)), losses.normalization)
        planes.append(weight * (ops.sum(squares, axis=-1)[0] / divisor).numpy())
    height, width = max((plane.shape for plane in planes), default=(1, 1))
    return sum((_enlarge(plane, height, width) for plane in planes), np.zeros((height, width)))


def _enlarge(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """`plane` [h, w] of at least 0 at that size; `resize` takes values in 0..1, and these are not."""
    largest = float(plane.max()) or 1.0
    return largest * resize((plane / largest).astype(np.float32), height, width)
