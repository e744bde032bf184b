"""The losses of layers: of activations and their targets, unweighted, on any backend of Keras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nst.engine.backend import Tensor, ops
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.losses import content_loss, gram, guided_gram, style_loss, tv_loss
from nst.engine.optimization.neighbors.loss import NeighborTargets
from nst.options.layer_presets import check_layers


@dataclass(frozen=True)
class Targets:
    """What an image is compared with: activations of the content, Gram matrices and neighbors of the style."""

    content: dict[str, Tensor]  # layer -> [1, h, w, C]
    style: dict[str, Tensor]  # layer -> [C, C] float32; of R regions [R, C, C]
    guidance: dict[str, Tensor] = field(default_factory=dict)  # layer -> [1, h, w, R]; empty without regions
    regions: Tensor | None = None  # weight of each region, [R]
    neighbors: NeighborTargets | None = None


class LayerLosses:
    """The losses on chosen layers of an extractor.

    Args:
        extractor: the network.
        content_layers, style_layers: names of its layers.
        normalization: "relative" or "gatys", see losses.py.

    Raises OptionError if the extractor has no such layer.
    """

    def __init__(
        self, extractor: Extractor, content_layers: Sequence[str], style_layers: Sequence[str], normalization: str
    ) -> None:
        network = extractor.architecture
        for option, layers in (("content_layers", content_layers), ("style_layers", style_layers)):
            check_layers(option, layers, network.name, network.layers)
        self.extractor = extractor
        self.content_layers = tuple(content_layers)
        self.style_layers = tuple(style_layers)
        self.normalization = normalization

    @property
    def layers(self) -> set[str]:
        """The layers whose activations `losses` takes."""
        return {*self.content_layers, *self.style_layers}

    def losses(self, found: dict[str, Tensor], image: Tensor, targets: Targets) -> tuple[Tensor, Tensor, Tensor]:
        """Unweighted losses: content per layer [len(content_layers)], style per layer [len(style_layers)], TV [].

        `image` is [N, H, W, 3] in 0..1, and `found` holds activations of `layers`, [1, h, w, C]. Those of several
        images are joined by `as_one_picture`; TV is their mean.
        """
        return *self.stacked({n: self.layer_losses(n, found[n], targets) for n in self.layers}), tv_loss(image)

    def stacked(self, of_layers: Mapping[str, Mapping[str, Tensor]]) -> tuple[Tensor, Tensor]:
        """(content per layer [len(content_layers)], style per layer [len(style_layers)]) of each layer's losses."""
        content = [of_layers[n]["content"] for n in self.content_layers]
        return ops.stack(content), ops.stack([of_layers[n]["style"] for n in self.style_layers])

    def layer_losses(self, layer: str, features: Tensor, targets: Targets) -> dict[str, Tensor]:
        """The unweighted losses of a layer's activations [1, h, w, C]: "content", "style", or both."""
        losses = {}
        if layer in self.content_layers:
            losses["content"] = content_loss(features, targets.content[layer], self.normalization)
        if layer in self.style_layers:
            matrix = self.layer_matrix(layer, features, targets.guidance)
            losses["style"] = self.layer_style_loss(layer, matrix, targets)
        return losses

    def layer_style_loss(self, layer: str, matrix: Tensor, targets: Targets) -> Tensor:
        """The style loss of a layer; of several regions the sum, each weighed by its share of the positions.

        With that share, a position counts as it does in a picture without regions, whatever the size of its region.
        """
        target = targets.style[layer]
        if not targets.guidance:
            return style_loss(matrix, target, self.normalization)
        shares = ops.mean(targets.guidance[layer], axis=(0, 1, 2))
        of_each = [style_loss(matrix[r], target[r], self.normalization) for r in range(target.shape[0])]
        return ops.sum(targets.regions * shares * ops.stack(of_each))

    def gram_matrices(self, found: dict[str, Tensor], guidance: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Gram matrix of each style layer, from its activations; with `guidance`, as in `Targets`, of its regions."""
        return {n: self.layer_matrix(n, found[n], guidance) for n in self.style_layers}

    def layer_matrix(self, layer: str, features: Tensor, guidance: dict[str, Tensor] | None = None) -> Tensor:
        """Gram matrix of a layer's activations, or those of its regions."""
        return guided_gram(features, guidance[layer]) if guidance else gram(features)
