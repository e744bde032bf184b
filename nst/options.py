"""Every option of a run, said once: name, default, bounds, choices and help.

The command line, the REST schema, the page's form and the reference read this file. `StyleOptions` is frozen and has a
JSON form; making one checks it, so an instance is always valid.
"""

import dataclasses
import difflib
import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, Self, get_args, get_type_hints

from nst.errors import OptionError

LayerWeights = tuple[tuple[str, float], ...]  # (layer, weight), ...; a tuple because options are frozen and hashable

ECHO = 80  # characters of a wrong value that an error repeats

MOST_EPOCHS = 100  # of a run whose `epochs` is "auto"

GATYS_STYLE = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")


@dataclass(frozen=True)
class Preset:
    """Named content and style layers; `compact` overrides them on the extractor whose heads have names of their own."""

    content: tuple[str, ...]
    style: tuple[str, ...]
    compact: "Preset | None" = None
    help: str = ""
    shares: tuple[float, ...] | None = None  # of the style layers' weight; None is equal ones


# Chosen by eye: colour and strokes live in the early layers, the deep ones pull faces apart.
EARLY = (0.4, 0.2, 0.2, 0.1, 0.1)

PRESETS = {
    "studio": Preset(
        ("block4_conv2",),
        GATYS_STYLE,
        Preset(("fire3",), ("conv1", "fire2", "fire3", "fire5", "fire7"), shares=EARLY),
        "what the studio paints with: Gatys' layers on VGG, the heads of the compact network",
        shares=EARLY,
    ),
    "gatys": Preset(("block4_conv2",), GATYS_STYLE, help="Gatys, Ecker and Bethge 2016"),
    "neurastyle": Preset(("block5_conv2",), GATYS_STYLE, help="deeper content: freer forms"),
    "johnson": Preset(
        ("block3_conv3",),
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
        help="Johnson, Alahi and Fei-Fei 2016, meant for VGG16",
    ),
}

WEIGHTS = ("content_weight", "style_weight", "tv_weight")
# What they are by each normalisation of its own; see objective.py.
NORMALISATION_WEIGHTS = {
    "relative": (1.0, 8.0, 4.0),
    "gatys": (1.0, 1000.0, 0.0),  # Gatys 2016, section 2.3: content over style 1e-3, no total variation
}


@dataclass(frozen=True)
class Option:
    """What one option is: what the form, the command line and the schema show. `default` is None for "automatic"."""

    name: str
    type: type
    default: Any
    help: str
    group: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False  # a slider for it should be logarithmic
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # that may stand in a number's place
    unit: str = ""
    live: bool = False  # may be changed while the picture forms

    @property
    def label(self) -> str:
        """The name in words: "steps_per_epoch" -> "Steps per epoch"."""
        return self.name.replace("_", " ").capitalize().replace("Tv ", "TV ")

    def check(self, value: Any) -> Any:
        """`value` in the option's type, or an OptionError that names the option, the rule and the value."""
        if value is None and self.default is None:
            return None
        if self.type is LayerWeights:
            return _layer_weights(self.name, value)
        if self.type is bool:
            return self._boolean(value)
        if self.type is str:
            return self._choice(value)
        return self._number(value)

    def _boolean(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise OptionError(f"`{self.name}` must be true or false, got {shown(value)}", self.name)

    def _choice(self, value: Any) -> str:
        if isinstance(value, str) and value in self.choices:
            return value
        hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
        raise OptionError(
            f"`{self.name}` must be one of {', '.join(self.choices)}; got {shown(value)}{hint}", self.name
        )

    def _number(self, value: Any) -> int | float | str:
        assert self.low is not None
        assert self.high is not None
        if isinstance(value, str) and value in self.words:
            return value
        kind = "a whole number" if self.type is int else "a number"
        words = "".join(f" or {word}" for word in self.words)
        rule = f"`{self.name}` must be {kind} between {self.low:.10g} and {self.high:.10g}{words}, got {shown(value)}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise OptionError(rule, self.name)
        if not self.low <= value <= self.high:  # NaN is never between
            raise OptionError(rule, self.name)
        if self.type is int and value != int(value):
            raise OptionError(rule, self.name)
        return self.type(value)


def _option(default: Any, help: str, group: str, **described: Any) -> Any:
    return field(default=default, metadata={"help": help, "group": group, **described})


@dataclass(frozen=True)
class Weights:
    """The three loss weights as the objective uses them: strength included, nothing left automatic."""

    content: float
    style: float
    tv: float


@dataclass(frozen=True)
class StyleOptions:
    """Settings of one painting. Raises OptionError on a value out of its bounds."""

    epochs: int | str = _option(
        40,
        f"how many frames to paint; auto ends when the picture hardly changes, at most after {MOST_EPOCHS}",
        "basic",
        low=1,
        high=1000,
        step=1,
        words=("auto",),
    )
    size: int = _option(512, "long side of the result", "basic", low=64, high=4096, step=32, unit="px")
    strength: float = _option(
        1.0,
        "style against content: 10 is ten times the style",
        "basic",
        low=0.01,
        high=100.0,
        step=0.01,
        log=True,
        live=True,
    )
    extractor: str = _option(
        "auto",
        "the network that looks at the pictures; auto is vgg19 where its weights are installed, else compact",
        "basic",
        choices=("auto", "vgg19", "vgg16", "compact"),
    )
    seed: int = _option(0, "same seed, same picture", "basic", low=0, high=2**31 - 1, step=1)
    init: str = _option(
        "noise",
        "what the picture starts from; image is a picture of your own",
        "start",
        choices=("noise", "content", "style", "image"),
    )
    keep_colors: bool = _option(False, "keep the content's colours, take only the brushwork", "start")
    style_scale: float = _option(
        1.0,
        "size of the brushwork: long side of the style picture over that of the result",
        "start",
        low=0.25,
        high=4.0,
        step=0.05,
        log=True,
    )
    content_weight: float | None = _option(
        None,
        "weight of the content loss; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e6,
        live=True,
    )
    style_weight: float | None = _option(
        None,
        "weight of the style loss before strength; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e9,
        live=True,
    )
    tv_weight: float | None = _option(
        None,
        "weight of total variation, which smooths; automatic is the normalisation's own",
        "weights",
        low=0.0,
        high=1e6,
        live=True,
    )
    normalisation: str = _option(
        "relative",
        "relative: weights mean the same at every size and layer; gatys: the formula of the 2016 paper",
        "weights",
        choices=tuple(NORMALISATION_WEIGHTS),
    )
    preset: str = _option("studio", "which layers speak for content and style", "layers", choices=tuple(PRESETS))
    content_layers: LayerWeights | None = _option(
        None, "content layers instead of the preset's, as block4_conv2=1,block5_conv2=0.5", "layers", live=True
    )
    style_layers: LayerWeights | None = _option(
        None, "style layers instead of the preset's, as block1_conv1=1,block3_conv1=2", "layers", live=True
    )
    pooling: str = _option(
        "auto",
        "auto is the pooling the network was trained with; average is smoother",
        "layers",
        choices=("auto", "max", "average"),
    )
    optimizer: str = _option(
        "lbfgs",
        "lbfgs needs fewer steps; adam follows a changed weight more smoothly",
        "optimiser",
        choices=("lbfgs", "adam"),
    )
    learning_rate: float = _option(
        0.03,
        "size of Adam's steps, and of L-BFGS's first on each scale, as a share of the range from black to white",
        "optimiser",
        low=0.0001,
        high=1.0,
        step=0.0001,
        log=True,
        live=True,
    )
    steps_per_epoch: int = _option(5, "optimiser steps between two frames", "optimiser", low=1, high=100, step=1)
    precision: str = _option(
        "auto",
        "of the network's arithmetic; auto is bfloat16 where a short trial finds this machine faster with it",
        "optimiser",
        choices=("auto", "float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        for option in options_of(type(self)):
            object.__setattr__(self, option.name, option.check(getattr(self, option.name)))

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
        """(content layers, style layers) with their weights on `extractor`; a preset's sum to 1."""
        preset = PRESETS[self.preset]
        if extractor == "compact" and preset.compact is not None:
            preset = preset.compact
        content = self.content_layers or tuple((layer, 1 / len(preset.content)) for layer in preset.content)
        shares = preset.shares or (1 / len(preset.style),) * len(preset.style)
        style = self.style_layers or tuple(zip(preset.style, shares, strict=True))
        return content, style

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

    @classmethod
    def choices(cls, name: str) -> tuple[str, ...]:
        """What the option called `name` may be."""
        return next(option.choices for option in options_of(cls) if option.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain values under the options' names; `from_json` reads it back."""
        return {
            name: dict(value) if name in ("content_layers", "style_layers") and value else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Options from plain values; what is missing takes its default. Raises OptionError, with "did you mean"."""
        if not isinstance(given, Mapping):
            raise OptionError(f"options must be an object of names and values, got {type(given).__name__}")
        names = [option.name for option in options_of(cls)]
        for name in given:
            if name not in names:
                raise OptionError(f"there is no option {shown(name)}{did_you_mean(str(name), names)}", str(name)[:ECHO])
        return cls(**given)


def options_of(kind: Any) -> tuple[Option, ...]:
    """The options that a dataclass declares, in their order."""
    return _options_of(kind)


@functools.cache
def _options_of(kind: Any) -> tuple[Option, ...]:
    hints = get_type_hints(kind)
    return tuple(Option(f.name, _without_none(hints[f.name]), f.default, **f.metadata) for f in fields(kind))


def _without_none(hint: Any) -> Any:
    """X for X | None."""
    return next(kind for kind in get_args(hint) if kind is not type(None)) if isinstance(hint, UnionType) else hint


def number(text: str) -> int | float | str:
    """The number that `text` spells, or `text` itself, which the option then refuses by its own rule."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def shown(value: Any) -> str:
    """`value` as an error echoes it: its repr, cut where it would be a page."""
    text = repr(value)
    return text if len(text) <= ECHO else f"{text[:ECHO]}..."


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """ "; did you mean 'epochs'?" for the closest of the known names, or "" when none is close."""
    close = difflib.get_close_matches(given[:ECHO], list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _layer_weights(name: str, value: Any) -> LayerWeights | None:
    """From {"block1_conv1": 1.0}, "block1_conv1=1,block2_conv1" (no weight means 1) or pairs; empty is None."""
    try:
        if isinstance(value, str):
            parts = [part.partition("=") for part in value.replace(" ", "").split(",") if part]
            pairs = [(layer, float(weight) if sign else 1.0) for layer, sign, weight in parts]
        else:
            pairs = [
                (str(layer), float(weight))
                for layer, weight in (value.items() if isinstance(value, Mapping) else value)
            ]
    except (TypeError, ValueError, OverflowError):
        raise OptionError(
            f"`{name}` must look like block1_conv1=1,block2_conv1=0.5; got {shown(value)}", name
        ) from None
    for layer, weight in pairs:
        if not (math.isfinite(weight) and 0 <= weight <= 1e6):
            raise OptionError(f"`{name}`: the weight of {shown(layer)} must be between 0 and 1e6, got {weight:g}", name)
        if not layer:
            raise OptionError(f"`{name}` must name a layer for each weight, got {shown(value)}", name)
    if len({layer for layer, _ in pairs}) < len(pairs):
        raise OptionError(f"`{name}` names a layer twice: {shown(value)}", name)
    return tuple(pairs) or None
