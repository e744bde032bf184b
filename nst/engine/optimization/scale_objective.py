"""The objective on one scale of a run: with its targets, in its precision, and by tiles where memory is short."""

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture, Extractor
from nst.engine.optimization.canvas import add_margins, to_canvas
from nst.engine.optimization.guidance import (
    REGIONS,
    blend,
    guidance_channels,
    layer_guidance,
    mask_canvas,
    painting_weights,
    transfer_colors,
)
from nst.engine.optimization.layer_losses import Targets
from nst.engine.optimization.losses import mix_matrices
from nst.engine.optimization.neighbors.hypercolumns import cell_sides
from nst.engine.optimization.neighbors.loss import NeighborTargets, mix_neighbors
from nst.engine.optimization.neighbors.search import Neighbors, find_in_paintings
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.tiles import TiledObjective
from nst.options.style_options import StyleOptions
from nst.pictures.color_transfer import ColorTransfer
from nst.pictures.images import fit, resize
from nst.runs.estimates import NEIGHBOR_STRIDE
from nst.runs.events import Losses
from nst.runs.schedule import MARGIN, Scale, scales_left


@dataclass(frozen=True, eq=False, kw_only=True)
class OptimizationInput:
    """What a run optimizes."""

    content: np.ndarray  # [H, W, 3] float32 in 0..1
    styles: tuple[np.ndarray, ...]  # paintings, [h, w, 3] float32 in 0..1 each
    mask: np.ndarray | None = None  # [h, w] float32 in 0..1; what it means is `options.mask_use`
    options: StyleOptions
    extractor: Extractor
    tile: int | None  # side of the tiles that pictures are evaluated by, px; None: they are evaluated whole

    @property
    def is_float32(self) -> bool:
        """Whether the extractor's own precision is float32."""
        return self.extractor.dtype == "float32"

    @functools.cached_property
    def transfer(self) -> ColorTransfer:
        """What gives the content the colors of the paintings."""
        return ColorTransfer(self.content, self.styles, self.options.color_transfer_amount)

    @property
    def regions(self) -> int:
        """How many regions the mask makes; 0 without a mask."""
        return 0 if self.mask is None else REGIONS[self.options.mask_use]


class ScaleObjective:
    """The objective of a run on the scale `scales[index]`, with its targets.

    `shares` are those of the paintings in their mix. Raises OptionError if the extractor lacks a layer of the options.
    """

    def __init__(
        self,
        inputs: OptimizationInput,
        scales: tuple[Scale, ...],
        index: int,
        in_float32: bool,
        shares: Sequence[float],
    ) -> None:
        scale, options = scales[index], inputs.options
        side = max(scale.height, scale.width)
        self._inputs = inputs
        self._coarseness = options.size / side
        self._scales_left = scales_left(scales, index)
        self._content = resize(inputs.content, scale.height, scale.width)
        self._mask: Tensor = None if inputs.mask is None else mask_canvas(inputs.mask, scale.height, scale.width)
        factors = options.scale_of_each(len(inputs.styles))
        self._styles = [
            to_canvas(style, *fit(style.shape[0], style.shape[1], round(factor * side)))
            for style, factor in zip(inputs.styles, factors, strict=True)
        ]
        self._protected = add_margins(self._content) if self._protects else None
        self._shares = tuple(shares)
        self.content = self._content_in_colors_of(self._shares)
        self._found: list[Neighbors] = []  # of each of several paintings
        self._neighbors = self._find_neighbors()
        self.set_precision(in_float32)

    def set_precision(self, in_float32: bool) -> None:
        """Evaluate in float32, or else in the precision of the run's extractor; the targets are computed anew."""
        inputs = self._inputs
        self._objective = _objective(inputs, in_float32)
        first, *others = self._styles
        self._targets = self._objective.targets(self.content, first)
        self._matrices = [self._targets.style, *(self._objective.style_matrices(style) for style in others)]
        self._mix_style_targets()

    def evaluate(self, canvas: Tensor, weights: LiveWeights) -> tuple[Losses, Tensor]:
        """(losses, gradient) at `canvas`, where `weights` are those of the full size."""
        if weights.styles != self._shares:
            self._change_shares(weights.styles)
        weights = weights.on_scale(self._coarseness, self._scales_left, self._inputs.options.normalization)
        if not self._protects:
            return self._objective.evaluate(canvas, self._targets, weights)
        losses, gradient = self._objective.evaluate(self.with_protected_content(canvas), self._targets, weights)
        return losses, (1 - self._mask) * gradient

    def with_protected_content(self, canvas: Tensor) -> Tensor:
        """`canvas` with the content blended in where a mask protects it; else `canvas` itself."""
        return blend(self._mask, self._protected, canvas) if self._protects else canvas

    @property
    def _protects(self) -> bool:
        return self._mask is not None and self._inputs.options.mask_use == "protect"

    def _content_in_colors_of(self, shares: Sequence[float]) -> Tensor:
        """The content's canvas in the colors of a mix of the paintings."""
        inputs, (height, width) = self._inputs, self._content.shape[:2]
        mask = None if inputs.mask is None else resize(inputs.mask[..., None], height, width)
        use = inputs.options.mask_use
        return add_margins(transfer_colors(self._content, inputs.transfer, shares, mask, use))

    def _change_shares(self, shares: tuple[float, ...]) -> None:
        self._shares = shares
        if self._inputs.transfer.amount:
            self.content = self._content_in_colors_of(self._shares)
            self._targets = replace(self._targets, content=self._objective.content_activations(self.content))
        if self._found:
            self._neighbors = self._mix_neighbors(self._found)
        self._mix_style_targets()

    def _mix_style_targets(self) -> None:
        """Mix Gram matrices and neighbors of the paintings; a mask may give each a region, or weigh positions."""
        inputs, mixed = self._inputs, mix_matrices(self._matrices, self._shares)
        self._targets = replace(self._targets, style=mixed, neighbors=self._neighbors)
        if self._mask is not None:
            guide = (self._mask, inputs.options.mask_use, inputs.extractor.architecture, MARGIN)
            self._targets = guided_targets(self._targets, self._matrices, self._shares, *guide)

    def _find_neighbors(self) -> NeighborTargets | None:
        """Find the neighbors of the content in each painting, and mix them.

        They are found in the run's own precision, so that they stay the same after a change to float32.
        """
        inputs, objective = self._inputs, _objective(self._inputs, self._inputs.is_float32)
        if not objective.neighbor_layers:
            return None
        contents = [self._content_in_colors_of(only) for only in np.eye(len(self._styles)).tolist()]
        found = find_in_paintings(objective.hypercolumns, contents, self._styles, inputs.extractor.dtype)
        if len(found) > 1:
            self._found = found
        return self._mix_neighbors(found)

    def _mix_neighbors(self, found: Sequence[Neighbors]) -> NeighborTargets:
        weights = painting_weights(self._shares, self._mask, self._inputs.options.mask_use, NEIGHBOR_STRIDE, MARGIN)
        sides = cell_sides(self._inputs.extractor.architecture, found[0].vectors)
        return mix_neighbors(found, self._shares, weights, sides)


def guided_targets(
    targets: Targets,
    matrices: Sequence[dict[str, Tensor]],
    shares: Sequence[float],
    mask: Tensor,
    use: str,
    architecture: Architecture,
    margin: int,
) -> Targets:
    """`targets`, whose style is the mix of all paintings, for the regions of a mask.

    Args:
        targets: of the whole picture.
        matrices: Gram matrices of each painting, by layer.
        shares: of the paintings, of sum 1; where each has a region, this weighs more the more its share is.
        mask: of a canvas, [1, H, W, 1].
        use: `mask_use`.
        architecture: of the network.
        margin: outer px of the canvas that do not count.
    """
    guidance = layer_guidance(guidance_channels(mask, use), architecture, tuple(targets.style), margin)
    of_regions = matrices if use == "styles" else [targets.style]
    weights = [len(shares) * share for share in shares] if use == "styles" else [1.0]
    style = {layer: tf.stack([each[layer] for each in of_regions]) for layer in targets.style}
    return replace(targets, style=style, guidance=guidance, regions=tf.constant(weights, tf.float32))


# Objectives and networks are cached because their graphs take seconds to trace and serve later runs, too.


def _objective(inputs: OptimizationInput, in_float32: bool) -> Objective | TiledObjective:
    options, extractor = inputs.options, inputs.extractor
    content_layers, style_layers = (
        tuple(name for name, _ in layers) for layers in options.layers(extractor.architecture.name)
    )
    network = _float32_copy(extractor) if in_float32 else extractor
    with_neighbors = options.weights.neighbors > 0
    whole = _whole_objective(
        network, content_layers, style_layers, options.normalization, inputs.regions, with_neighbors
    )
    return _tiled_objective(whole, inputs.tile) if inputs.tile else whole


@functools.lru_cache(maxsize=6)
def _whole_objective(
    extractor: Extractor,
    content: tuple[str, ...],
    style: tuple[str, ...],
    normalization: str,
    regions: int,
    with_neighbors: bool,
) -> Objective:
    return Objective(extractor, content, style, normalization, MARGIN, regions, with_neighbors)


@functools.lru_cache(maxsize=3)
def _tiled_objective(whole: Objective, side: int) -> TiledObjective:
    return TiledObjective(whole, side)


@functools.lru_cache(maxsize=3)
def _float32_copy(extractor: Extractor) -> Extractor:
    """`extractor` in float32, with the weights as they are in its own precision: each is cast where it is used."""
    if extractor.dtype == "float32":
        return extractor
    copied = copy.copy(extractor)
    copied.dtype = "float32"
    return copied
