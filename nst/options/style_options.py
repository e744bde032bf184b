"""The options of a run, each declared once: name, default, bounds, choices and help.

The command line, the REST schema, the page's form and the reference read this file. Options are frozen and have a JSON
form; making them checks them, so an instance is always valid.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nst.errors import OptionError
from nst.options.layer_presets import LAYER_PRESETS, LAYERS, NETWORKS, check_layers, nearest_layer, nearest_layers
from nst.options.loss_weights import (
    LOSS_WEIGHTS,
    NORMALIZATION_WEIGHTS,
    USUAL_STYLE_WEIGHT,
    LossWeights,
    declare_weight,
)
from nst.options.option_field import (
    ECHO,
    MOST_WEIGHT,
    LayerWeights,
    Numbers,
    Options,
    declare,
    did_you_mean,
    options_of,
    shown,
)
from nst.options.picture_roles import MOST_STYLES

MOST_AUTO_EPOCHS = 100  # of a run whose `epochs` is "auto"
# `extractor` "auto" means VGG19 where the run is estimated to take at most so many seconds with it. The aim is the best
# picture within about a minute; estimates made from the speed of the built-in network have been a third too long.
AUTO_SECONDS = 90.0


@dataclass(frozen=True)
class StyleOptions(Options):
    """Settings of one run. Raises OptionError on a value out of its bounds."""

    epochs: int | str = declare(
        40,
        f"how many frames to paint; auto ends when the picture hardly changes, at most after {MOST_AUTO_EPOCHS}",
        "basic",
        low=1,
        high=1000,
        slider=(1, 200),
        step=1,
        words=("auto",),
    )
    size: int = declare(
        512, "long side of the result", "basic", low=64, high=4096, slider=(128, 1536), step=32, unit="px"
    )
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
        "the network that compares the pictures; auto is vgg19 where its weights are installed and the run takes "
        f"at most {AUTO_SECONDS:g} s with it, else compact",
        "basic",
        choices=("auto", *NETWORKS),
        title="Network",
    )
    seed: int = declare(0, "same seed, same picture", "basic", low=0, high=2**31 - 1, step=1)
    init: str = declare(
        "noise",
        "what the picture starts from; image is a picture of your own",
        "start",
        choices=("noise", "content", "style", "image"),
        title="Starting image",
    )
    keep_colors: bool = declare(False, "keep the content's colors, take only the brushwork", "start")
    color_transfer: float | None = declare(
        None,
        "how far the content takes on the style's colors before it is compared, none with keep_colors; automatic is 1, "
        "less where strength is below 1, and 0 with the gatys normalization",
        "start",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    style_scale: float = declare(
        1.0,
        "size of the brushwork: long side of the style picture over that of the result",
        "start",
        low=0.25,
        high=4.0,
        step=0.05,
        log=True,
    )
    style_mix: Numbers | None = declare(
        None,
        "weights of several paintings, as 0.7,0.3: their Gram matrices are averaged; automatic is equal weights",
        "styles",
        low=0.0,
        high=MOST_WEIGHT,
        most=MOST_STYLES,
        live=True,
    )
    style_scales: Numbers | None = declare(
        None,
        "a style_scale for each of several paintings, as 1,0.5; automatic is style_scale for all",
        "styles",
        low=0.25,
        high=4.0,
        most=MOST_STYLES,
    )
    mask_use: str = declare(
        "protect",
        "what a mask does: protect keeps the content where it is white, styles paints the first of two paintings there "
        "and the second where it is black, strength has all of the style where it is white and none where it is black",
        "mask",
        choices=("protect", "styles", "strength"),
    )
    content_weight: float | None = declare_weight("weight of the content loss", slider=(0.01, 100.0), live=True)
    style_weight: float | None = declare_weight(
        "weight of the style loss before strength", high=1e9, slider=(0.1, 1e4), live=True
    )
    tv_weight: float | None = declare_weight(
        "weight of total variation, which smooths", slider=(0.01, 1000.0), live=True, title="Smoothness weight"
    )
    neighbor_weight: float | None = declare_weight(
        "weight, before strength, of the nearest-neighbor loss: it lays strokes along the content's forms",
        slider=(0.01, 100.0),
    )
    normalization: str = declare(
        "relative",
        "relative: weights mean the same at every size and layer; gatys: the formula of the 2016 paper",
        "weights",
        choices=tuple(NORMALIZATION_WEIGHTS),
        old_name="normalisation",
    )
    preset: str = declare(
        "studio",
        "which layers content and style are compared on",
        "layers",
        choices=tuple(LAYER_PRESETS),
        title="Layers",
    )
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
        "optimizer",
        choices=("lbfgs", "adam"),
    )
    learning_rate: float = declare(
        0.03,
        "size of Adam's steps, and of L-BFGS's first on each scale, as a share of the range from black to white",
        "optimizer",
        low=0.0001,
        high=1.0,
        step=0.0001,
        log=True,
        live=True,
    )
    steps_per_epoch: int = declare(
        5, "optimizer steps between two frames", "optimizer", low=1, high=100, slider=(1, 50), step=1
    )
    precision: str = declare(
        "auto",
        "of the network's arithmetic; auto is bfloat16 where a short trial finds this machine faster with it",
        "optimizer",
        choices=("auto", "float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style_mix and not any(self.style_mix):
            raise OptionError("`style_mix` must have a weight above 0", "style_mix")

    @property
    def most_epochs(self) -> int:
        """Epochs of the schedule; a run with `epochs` "auto" may end sooner."""
        return MOST_AUTO_EPOCHS if isinstance(self.epochs, str) else self.epochs

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole schedule."""
        return self.most_epochs * self.steps_per_epoch

    @property
    def weights_before_strength(self) -> dict[str, float]:
        """The loss weights by name, before strength; automatic ones have the normalization's value."""
        automatic = zip(LOSS_WEIGHTS, NORMALIZATION_WEIGHTS[self.normalization], strict=True)
        return {name: value if getattr(self, name) is None else getattr(self, name) for name, value in automatic}

    @property
    def weights(self) -> LossWeights:
        """The loss weights as the objective uses them."""
        content, style, tv, neighbors = self.weights_before_strength.values()
        return LossWeights(content, style * self.strength, tv, neighbors * self.strength)

    @classmethod
    def from_record(cls, recorded: Any) -> Self:
        """All options of a run or result, as its version recorded them.

        Early records have no `color_transfer` or no `neighbor_weight`: those pictures were painted without.
        """
        absent = {"color_transfer": 0.0, "neighbor_weight": 0.0}
        return cls.from_json({**absent, **recorded} if isinstance(recorded, Mapping) else recorded)

    @property
    def color_transfer_amount(self) -> float:
        """How far the content takes on the paintings' colors before it is compared, in 0..1."""
        if self.keep_colors:
            return 0.0
        if self.color_transfer is not None:
            return self.color_transfer
        return min(1.0, self.weights.style / USUAL_STYLE_WEIGHT) if self.normalization == "relative" else 0.0

    def style_shares(self, paintings: int) -> Numbers:
        """The weight of each painting in their mix, of sum 1. Raises OptionError for a wrong number of weights."""
        weights = self._for_each("style_mix", paintings) or (1.0,) * paintings
        return tuple(weight / sum(weights) for weight in weights)

    def scale_of_each(self, paintings: int) -> Numbers:
        """The style scale of each painting. Raises OptionError for a wrong number of scales."""
        return self._for_each("style_scales", paintings) or (self.style_scale,) * paintings

    def check_pictures(self, paintings: int, masked: bool) -> None:
        """Raise OptionError unless a run of these options may have so many paintings, and a mask or none."""
        self.style_shares(paintings)
        self.scale_of_each(paintings)
        if not masked and self.mask_use != "protect":
            raise OptionError(f"`mask_use` is {self.mask_use!r}, but no mask was given", "mask_use")
        if self.mask_use == "styles" and paintings != 2:
            rule = "`mask_use` styles needs two paintings, for the white and for the black part"
            raise OptionError(f"{rule}, got {paintings}", "mask_use")

    def _for_each(self, name: str, paintings: int) -> Numbers | None:
        numbers: Numbers | None = getattr(self, name)
        if numbers and len(numbers) != paintings:
            rule = f"a number for each of the {paintings} paintings" if paintings > 1 else "one number for one painting"
            raise OptionError(f"`{name}` must have {rule}, got {len(numbers)}", name)
        return numbers

    def layers(self, extractor: str) -> tuple[LayerWeights, LayerWeights]:
        """(content layers, style layers) of `extractor` with their weights; those of a preset sum to 1 in either."""
        content, style = self._given_layers()
        return nearest_layers(content, extractor), nearest_layers(style, extractor)

    def check_layers(self) -> None:
        """Raise OptionError for a layer that the network does not have; "auto" takes the names of VGG19's layers."""
        network = "vgg19" if self.extractor == "auto" else self.extractor
        for role, layers in zip(("content_layers", "style_layers"), self.layers(network), strict=True):
            check_layers(role, dict(layers), network, LAYERS[network])

    def replaced_layers(self, extractor: str) -> dict[str, str]:
        """{layer set in the options: nearest layer of `extractor`}, for those that `extractor` does not have."""
        nearest = {layer: nearest_layer(layer, extractor) for layers in self._given_layers() for layer, _ in layers}
        return {layer: found for layer, found in nearest.items() if found != layer}

    def _given_layers(self) -> tuple[LayerWeights, LayerWeights]:
        content, style = LAYER_PRESETS[self.preset].layers()
        return self.content_layers or content, self.style_layers or style

    def steered(self, changes: Mapping[str, Any], extractor: str) -> Self:
        """These options with `changes` of live options, during a run with `extractor`. Raises OptionError.

        The run keeps its set of layers: a layer that it does not use cannot be added, one left out gets weight 0.
        """
        known = [option.name for option in options_of(type(self)) if option.live]
        for name in changes:
            if name not in known:
                rule = f"{shown(name)} cannot change during a run; what can: {', '.join(known)}"
                raise OptionError(rule, str(name)[:ECHO])
        new = self.with_changes(changes)
        kept: dict[str, Any] = {}
        roles = ("content_layers", "style_layers")
        for role, old, changed in zip(roles, self.layers(extractor), new.layers(extractor), strict=True):
            names = [layer for layer, _ in old]
            for layer, _ in changed:
                if layer not in names:
                    hint = did_you_mean(layer, names) or f"; it is {', '.join(names)}"
                    raise OptionError(f"`{role}`: this run does not use the layer {shown(layer)}{hint}", role)
            kept[role] = tuple((layer, dict(changed).get(layer, 0.0)) for layer in names)
        return dataclasses.replace(new, **{role: kept[role] for role in roles if role in changes})
