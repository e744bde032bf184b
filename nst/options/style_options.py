"""Every option of a painting and of a training, said once: name, default, bounds, choices and help.

The command line, the REST schema, the page's form and the reference read this file. Options are frozen and have a JSON
form; making them checks them, so an instance is always valid.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nst.errors import OptionError
from nst.options.option_field import ECHO, LayerWeights, Options, declare, did_you_mean, options_of, shown

MOST_EPOCHS = 100  # of a run whose `epochs` is "auto"
# Seconds that a run may be expected to take with VGG19 for "auto" to stand for it. The best picture within about a
# minute is wanted, and an estimate that is guessed from the speed of the compact network was seen a third too long.
AUTO_SECONDS = 90.0

GATYS_STYLE = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


# The layers of VGG19 that the built-in network predicts.
COMPACT_LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block4_conv2", "block5_conv1")
VGG_LAYER = re.compile(r"block[1-5]_conv[1-4]")
# What version 0.1's built-in network called its layers, which were SqueezeNet's -> VGG's at the same resolution.
RENAMED_LAYERS = {
    "conv1": "block1_conv1",
    "fire2": "block2_conv1",
    "fire3": "block3_conv1",
    "fire4": "block4_conv1",
    "fire5": "block4_conv2",
    "fire7": "block5_conv1",
    "fire8": "block5_conv1",
}


def nearest_layer(layer: str, network: str) -> str:
    """The layer of `network` that stands for `layer`, which may be one of VGG or of version 0.1's built-in network.

    That is the layer itself, or on compact the last one before it that is predicted. Other names stay as they are.
    """
    layer = RENAMED_LAYERS.get(layer, layer)
    if network != "compact" or not VGG_LAYER.fullmatch(layer):
        return layer
    return max(known for known in COMPACT_LAYERS if known <= layer)


def nearest_layers(layers: LayerWeights, network: str) -> LayerWeights:
    """`layers` on `network`; those that come to the same one have their weights together."""
    weights: dict[str, float] = {}
    for layer, weight in layers:
        nearest = nearest_layer(layer, network)
        weights[nearest] = weights.get(nearest, 0.0) + weight
    return tuple(weights.items())


@dataclass(frozen=True)
class Preset:
    """Named content and style layers, as VGG names them."""

    content: tuple[str, ...]
    style: tuple[str, ...]
    help: str = ""
    shares: tuple[float, ...] | None = None  # of the style layers' weight; None is equal ones

    def layers(self) -> tuple[LayerWeights, LayerWeights]:
        """(content layers, style layers) of VGG with their weights; either's sum is 1."""
        shares = self.shares or (1 / len(self.style),) * len(self.style)
        content = tuple((layer, 1 / len(self.content)) for layer in self.content)
        return content, tuple(zip(self.style, shares, strict=True))


# Chosen by eye: colour and strokes live in the early layers, the deep ones pull faces apart.
EARLY = (0.4, 0.2, 0.2, 0.1, 0.1)

PRESETS = {
    # Content on block 3 keeps faces whole and lets strokes follow fur and edges, where block 4 lets them slip; with it
    # VGG19 itself, too, ends with less style and less content error.
    "studio": Preset(("block3_conv1",), GATYS_STYLE, "what the studio paints with", EARLY),
    "gatys": Preset(("block4_conv2",), GATYS_STYLE, "Gatys, Ecker and Bethge 2016: equal shares of its style layers"),
    "neurastyle": Preset(("block5_conv2",), GATYS_STYLE, "deeper content: freer forms"),
    "johnson": Preset(
        ("block3_conv3",),
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
        "Johnson, Alahi and Fei-Fei 2016, meant for VGG16",
    ),
    # One pass must answer where a colour goes at a glance: deep content lets strokes be and keeps patches off faces.
    "fast": Preset(("block4_conv2",), GATYS_STYLE, "what fast styles are trained with", (0.3, 0.25, 0.25, 0.1, 0.1)),
}

WEIGHTS = ("content_weight", "style_weight", "tv_weight")
# What they are by each normalisation of its own; see objective.py.
NORMALISATION_WEIGHTS = {
    "relative": (1.0, 32.0, 8.0),
    "gatys": (1.0, 1000.0, 0.0),  # Gatys 2016, section 2.3: content over style 1e-3, no total variation
}


@dataclass(frozen=True)
class Weights:
    """The three loss weights as the objective uses them: strength included, nothing left automatic."""

    content: float
    style: float
    tv: float


@dataclass(frozen=True)
class StyleOptions(Options):
    """Settings of one painting. Raises OptionError on a value out of its bounds."""

    epochs: int | str = declare(
        40,
        f"how many frames to paint; auto ends when the picture hardly changes, at most after {MOST_EPOCHS}",
        "basic",
        low=1,
        high=1000,
        step=1,
        words=("auto",),
    )
    size: int = declare(512, "long side of the result", "basic", low=64, high=4096, step=32, unit="px")
    strength: float = declare(
        1.0,
        "style against content: 10 is ten times the style",
        "basic",
        low=0.01,
        high=100.0,
        step=0.01,
        log=True,
        live=True,
    )
    extractor: str = declare(
        "auto",
        "the network that looks at the pictures; auto is vgg19 where its weights are installed and the run takes "
        f"at most {AUTO_SECONDS:g} s with it, else compact",
        "basic",
        choices=("auto", "vgg19", "vgg16", "compact"),
    )
    seed: int = declare(0, "same seed, same picture", "basic", low=0, high=2**31 - 1, step=1)
    init: str = declare(
        "noise",
        "what the picture starts from; image is a picture of your own",
        "start",
        choices=("noise", "content", "style", "image"),
    )
    keep_colors: bool = declare(False, "keep the content's colours, take only the brushwork", "start")
    style_scale: float = declare(
        1.0,
        "size of the brushwork: long side of the style picture over that of the result",
        "start",
        low=0.25,
        high=4.0,
        step=0.05,
        log=True,
    )
    content_weight: float | None = declare(
        None,
        "weight of the content loss; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e6,
        live=True,
    )
    style_weight: float | None = declare(
        None,
        "weight of the style loss before strength; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e9,
        live=True,
    )
    tv_weight: float | None = declare(
        None,
        "weight of total variation, which smooths; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e6,
        live=True,
    )
    normalisation: str = declare(
        "relative",
        "relative: weights mean the same at every size and layer; gatys: the formula of the 2016 paper",
        "weights",
        choices=tuple(NORMALISATION_WEIGHTS),
    )
    preset: str = declare("studio", "which layers speak for content and style", "layers", choices=tuple(PRESETS))
    content_layers: LayerWeights | None = declare(
        None, "content layers instead of the preset's, as block4_conv2=1,block5_conv2=0.5", "layers", live=True
    )
    style_layers: LayerWeights | None = declare(
        None, "style layers instead of the preset's, as block1_conv1=1,block3_conv1=2", "layers", live=True
    )
    pooling: str = declare(
        "auto",
        "auto is the pooling the network was trained with; average is smoother",
        "layers",
        choices=("auto", "max", "average"),
    )
    optimizer: str = declare(
        "lbfgs",
        "lbfgs needs fewer steps; adam follows a changed weight more smoothly",
        "optimiser",
        choices=("lbfgs", "adam"),
    )
    learning_rate: float = declare(
        0.03,
        "size of Adam's steps, and of L-BFGS's first on each scale, as a share of the range from black to white",
        "optimiser",
        low=0.0001,
        high=1.0,
        step=0.0001,
        log=True,
        live=True,
    )
    steps_per_epoch: int = declare(5, "optimiser steps between two frames", "optimiser", low=1, high=100, step=1)
    precision: str = declare(
        "auto",
        "of the network's arithmetic; auto is bfloat16 where a short trial finds this machine faster with it",
        "optimiser",
        choices=("auto", "float32", "bfloat16"),
    )

    @property
    def most_epochs(self) -> int:
        """Epochs of the schedule; a run whose `epochs` is "auto" may end sooner."""
        return MOST_EPOCHS if isinstance(self.epochs, str) else self.epochs

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole schedule."""
        return self.most_epochs * self.steps_per_epoch

    @property
    def own_weights(self) -> dict[str, float]:
        """The three loss weights by name, before strength; automatic ones are the normalisation's."""
        automatic = zip(WEIGHTS, NORMALISATION_WEIGHTS[self.normalisation], strict=True)
        return {name: value if getattr(self, name) is None else getattr(self, name) for name, value in automatic}

    @property
    def weights(self) -> Weights:
        """The loss weights in force."""
        content, style, tv = self.own_weights.values()
        return Weights(content, style * self.strength, tv)

    def layers(self, extractor: str) -> tuple[LayerWeights, LayerWeights]:
        """(content layers, style layers) with their weights, as `extractor` has them; a preset's sum to 1."""
        content, style = self._asked_layers()
        return nearest_layers(content, extractor), nearest_layers(style, extractor)

    def replaced_layers(self, extractor: str) -> dict[str, str]:
        """{layer that was asked for: the nearest one that `extractor` has}, of those that it does not have."""
        nearest = {layer: nearest_layer(layer, extractor) for layers in self._asked_layers() for layer, _ in layers}
        return {layer: found for layer, found in nearest.items() if found != layer}

    def _asked_layers(self) -> tuple[LayerWeights, LayerWeights]:
        content, style = PRESETS[self.preset].layers()
        return self.content_layers or content, self.style_layers or style

    def steered(self, changes: Mapping[str, Any], extractor: str) -> Self:
        """These options with `changes` of what may change while `extractor` paints. Raises OptionError.

        Layers stay those it looks at; one that is not named any more weighs nothing.
        """
        known = [option.name for option in options_of(type(self)) if option.live]
        for name in changes:
            if name not in known:
                rule = f"{shown(name)} cannot change while a picture forms; what can: {', '.join(known)}"
                raise OptionError(rule, str(name)[:ECHO])
        new = self.from_json({**self.to_json(), **changes})
        kept: dict[str, Any] = {}
        roles = ("content_layers", "style_layers")
        for role, before, now in zip(roles, self.layers(extractor), new.layers(extractor), strict=True):
            names = [layer for layer, _ in before]
            for layer, _ in now:
                if layer not in names:
                    hint = did_you_mean(layer, names) or f"; it is {', '.join(names)}"
                    raise OptionError(f"`{role}`: this run does not look at {shown(layer)}{hint}", role)
            kept[role] = tuple((layer, dict(now).get(layer, 0.0)) for layer in names)
        return dataclasses.replace(new, **{role: kept[role] for role in roles if role in changes})
