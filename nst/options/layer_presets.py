"""Which layers of a network the content and style losses are read at: named presets, and how names carry over.

Layers are named as VGG names them. The built-in compact network has VGG19's layers up to block5_conv1; for the
others the nearest one is used.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nst.errors import OptionError
from nst.options.option_field import LayerWeights, did_you_mean, shown

GATYS_STYLE = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
SHIPPED_NETWORK = "compact"  # the one whose weights ship; those of the others are fetched
DEPTHS = {  # convolutions of the networks that compare pictures, by block; compact is VGG19 up to block5_conv1
    "vgg19": (2, 2, 4, 4, 4),
    "vgg16": (2, 2, 3, 3, 3),
    SHIPPED_NETWORK: (2, 2, 4, 4, 1),
}
NETWORKS = tuple(DEPTHS)
FETCHED_NETWORKS = tuple(name for name in NETWORKS if name != SHIPPED_NETWORK)
VGG_LAYER = re.compile(r"block[1-5]_conv[1-4]")
# The first built-in network was SqueezeNet; its layers -> VGG's at the same resolution.
RENAMED_LAYERS = {
    "conv1": "block1_conv1",
    "fire2": "block2_conv1",
    "fire3": "block3_conv1",
    "fire4": "block4_conv1",
    "fire5": "block4_conv2",
    "fire7": "block5_conv1",
    "fire8": "block5_conv1",
}


def layer_names(depths: Sequence[int]) -> tuple[str, ...]:
    """The names of the layers of a network with so many convolutions in each block, in order, as in VGG."""
    return tuple(
        f"block{block}_conv{number}" for block, depth in enumerate(depths, 1) for number in range(1, depth + 1)
    )


LAYERS = {network: layer_names(depths) for network, depths in DEPTHS.items()}


def nearest_layer(layer: str, network: str) -> str:
    """The layer of `network` used for `layer`, which may be named as in VGG or in the first built-in network.

    That is the layer itself, or on compact the last one before it that it has. Other names stay as they are.
    """
    layer = RENAMED_LAYERS.get(layer, layer)
    if network != SHIPPED_NETWORK or not VGG_LAYER.fullmatch(layer):
        return layer
    return max(known for known in LAYERS[SHIPPED_NETWORK] if known <= layer)


def nearest_layers(layers: LayerWeights, network: str) -> LayerWeights:
    """`layers` on `network`; the weights of layers with the same nearest one are summed."""
    weights: dict[str, float] = {}
    for layer, weight in layers:
        nearest = nearest_layer(layer, network)
        weights[nearest] = weights.get(nearest, 0.0) + weight
    return tuple(weights.items())


def check_layers(option: str, layers: Iterable[str], network: str, known: Sequence[str]) -> None:
    """Raise OptionError for a layer of an option that is not one of the layers `known` of the network."""
    for layer in layers:
        if layer not in known:
            hint = did_you_mean(layer, known) or f"; it has {', '.join(known)}"
            raise OptionError(f"`{option}`: the {network} network has no layer {shown(layer)}{hint}", option)


@dataclass(frozen=True)
class LayerPreset:
    """Named content and style layers, as VGG names them."""

    content: tuple[str, ...]
    style: tuple[str, ...]
    help: str = ""
    shares: tuple[float, ...] | None = None  # of the style layers' weight; None means equal shares

    def layers(self) -> tuple[LayerWeights, LayerWeights]:
        """(content layers, style layers) of VGG with their weights, which sum to 1 in either."""
        shares = self.shares or (1 / len(self.style),) * len(self.style)
        content = tuple((layer, 1 / len(self.content)) for layer in self.content)
        return content, tuple(zip(self.style, shares, strict=True))


# Chosen by eye: color and strokes live in the early layers. Block 4 distorts faces; block 5 puts objects of the style,
# such as its faces, where the content has none, and much of it stays when it weighs little.
STUDIO_SHARES = (0.44, 0.22, 0.22, 0.1, 0.02)

LAYER_PRESETS = {
    # Content on block 3 keeps faces whole and lets strokes follow fur and edges, which block 4 loses; VGG19's own style
    # and content errors end lower with it, too.
    "studio": LayerPreset(("block3_conv1",), GATYS_STYLE, "what the studio paints with", STUDIO_SHARES),
    "gatys": LayerPreset(
        ("block4_conv2",), GATYS_STYLE, "Gatys, Ecker and Bethge 2016: equal shares of its style layers"
    ),
    "neurastyle": LayerPreset(("block5_conv2",), GATYS_STYLE, "deeper content: freer forms"),
    "johnson": LayerPreset(
        ("block3_conv3",),
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
        "Johnson, Alahi and Fei-Fei 2016, meant for VGG16",
    ),
    # A network of one pass decides each color from a small neighborhood: deep content leaves room for strokes and keeps
    # patches of color off faces.
    "fast": LayerPreset(
        ("block4_conv2",), GATYS_STYLE, "what fast styles are trained with", (0.3, 0.25, 0.25, 0.1, 0.1)
    ),
}
