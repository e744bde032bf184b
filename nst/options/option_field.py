"""An option: its name, type, default, bounds, choices and help, and how a value of it is checked.

The sets of options are in the other modules of this folder. Errors name the option, the rule and the value.
"""

import dataclasses
import difflib
import functools
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, Self, get_args, get_type_hints

from nst.errors import OptionError

LayerWeights = tuple[tuple[str, float], ...]  # pairs (layer, weight); a tuple because options are hashable
Numbers = tuple[float, ...]  # one for each painting

AUTOMATIC = "automatic"  # stands for None in texts
BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
ECHO = 80  # characters of a wrong value that an error repeats
MOST_WEIGHT = 1e6  # of a layer, a painting or a fast style


@dataclass(frozen=True)
class Option:
    """An option as the form, the command line and the REST schema show it. `default` None means "automatic"."""

    name: str
    type: type
    default: Any
    help: str
    group: str
    low: float | None = None  # of a number
    high: float | None = None  # of a number; None allows every finite one from `low` on
    most: int | None = None  # how many numbers, of `Numbers`
    step: float | None = None
    log: bool = False  # its slider is logarithmic
    slider: tuple[float, float] | None = None  # the ends of its slider, where it does not span all of low..high
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # allowed in place of a number
    unit: str = ""
    live: bool = False  # may be changed during the run
    title: str = ""  # what it is called where that is not its name as text
    old_name: str = ""  # what it was called before: records, requests and commands with that name are still read

    @property
    def label(self) -> str:
        """What the pages call it: its title, or its name as text, "steps_per_epoch" -> "Steps per epoch"."""
        return self.title or self.name.replace("_", " ").capitalize()

    def check(self, value: Any) -> Any:
        """`value` in the option's type. Raises OptionError, which names the option, the rule and the value."""
        if value is None and self.default is None:
            return None
        if self.type is LayerWeights:
            return _layer_weights(self.name, value)
        if self.type is Numbers:
            return self._numbers(value)
        if self.type is bool:
            return self._boolean(value)
        if self.type is str:
            return self._choice(value)
        return self._number(value)

    def parse(self, text: str) -> Any:
        """The value that `text` stands for, as a flag or a text box has it, checked. Raises OptionError."""
        text = text.strip()
        if self.default is None and text in ("", AUTOMATIC):
            return None
        if self.type is bool:
            return self.check(BOOLEANS.get(text.lower(), text))
        return self.check(number(text) if self.type in (int, float) else text)

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

    def _numbers(self, value: Any) -> Numbers | None:
        """From [0.7, 0.3], "0.7,0.3" or a single number; None if empty."""
        given = [number(part) for part in value.replace(",", " ").split()] if isinstance(value, str) else value
        given = [given] if isinstance(given, int | float) else given
        if not isinstance(given, list | tuple) or len(given) > (self.most or len(given)):
            raise OptionError(f"`{self.name}` must be at most {self.most} numbers, got {shown(value)}", self.name)
        one = dataclasses.replace(self, type=float)
        return tuple(one.check(each) for each in given) or None

    def _number(self, value: Any) -> int | float | str:
        assert self.low is not None
        if isinstance(value, str) and value in self.words:
            return value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.low <= value <= (sys.float_info.max if self.high is None else self.high)  # NaN never is
            or (self.type is int and value != int(value))
        ):
            kind = "a whole number" if self.type is int else "a number"
            bounds = (
                f"of at least {self.low:.10g}" if self.high is None else f"between {self.low:.10g} and {self.high:.10g}"
            )
            words = "".join(f" or {word}" for word in self.words)
            if isinstance(value, str) and not value.strip():  # an empty text box
                raise OptionError(f"`{self.name}`: enter {kind} {bounds}{words}", self.name)
            raise OptionError(f"`{self.name}` must be {kind} {bounds}{words}, got {shown(value)}", self.name)
        return self.type(value)


def declare(default: Any, help: str, group: str, **described: Any) -> Any:
    """A dataclass field that declares an option; `described` are further fields of `Option`."""
    return field(default=default, metadata={"help": help, "group": group, **described})


@dataclass(frozen=True)
class Options:
    """Base of a set of options, whose values are checked when it is made. Raises OptionError."""

    def __post_init__(self) -> None:
        for option in options_of(type(self)):
            object.__setattr__(self, option.name, option.check(getattr(self, option.name)))

    def to_json(self) -> dict[str, Any]:
        """Values as JSON has them, by option; `from_json` is the inverse."""
        forms = {LayerWeights: dict, Numbers: list}
        convert = {option.name: forms[option.type] for option in options_of(type(self)) if option.type in forms}
        return {
            name: convert[name](value) if name in convert and value else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Options from JSON values; those missing take their defaults. Raises OptionError, with "did you mean"."""
        if not isinstance(given, Mapping):
            raise OptionError(f"options must be an object of names and values, got {type(given).__name__}")
        given = with_new_names(given, options_of(cls))
        names = [option.name for option in options_of(cls)]
        for name in given:
            if name not in names:
                raise OptionError(f"there is no option {shown(name)}{did_you_mean(str(name), names)}", str(name)[:ECHO])
        return cls(**given)

    def with_changes(self, *changes: Mapping[str, Any]) -> Self:
        """These options with changes, JSON values by name, of which a later one counts. Raises OptionError."""
        values = self.to_json()
        for each in changes:
            values |= with_new_names(each, options_of(type(self)))
        return self.from_json(values)

    def values_of(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of some options as JSON has them, by name."""
        values = self.to_json()
        return {name: values[name] for name in names}

    @classmethod
    def option(cls, name: str) -> Option:
        """The option called `name`."""
        return next(option for option in options_of(cls) if option.name == name)


def options_of(kind: Any) -> tuple[Option, ...]:
    """The options that a dataclass declares, in the order of its fields."""
    return _options_of(kind)


@functools.cache
def _options_of(kind: Any) -> tuple[Option, ...]:
    hints = get_type_hints(kind)
    return tuple(Option(f.name, _without_none(hints[f.name]), f.default, **f.metadata) for f in fields(kind))


def with_new_names(given: Mapping[str, Any], options: Iterable[Option]) -> dict[str, Any]:
    """`given` with the present name of each option that it has under an earlier one. Raises OptionError for both."""
    new_names = {option.old_name: option.name for option in options if option.old_name}
    for old, new in new_names.items():
        if old in given and new in given:
            raise OptionError(f"`{old}` is the earlier name of `{new}`: give one of them", new)
    return {new_names.get(name, name): value for name, value in given.items()}


def _without_none(hint: Any) -> Any:
    """The type X of a hint X | None."""
    return next(kind for kind in get_args(hint) if kind is not type(None)) if isinstance(hint, UnionType) else hint


def number(text: str) -> int | float | str:
    """The number in `text`; or `text` itself, which the option then refuses with its own message."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def option_text(value: Any) -> str:
    """A value of an option as a flag takes it: 1 for 1.0, "a=1,b=2" for layers, "0.7,0.3", "automatic" for None."""
    if isinstance(value, tuple):
        parts = (each if isinstance(each, tuple) else (each,) for each in value)
        return ",".join("=".join(map(option_text, part)) for part in parts)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return AUTOMATIC
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def shown(value: Any) -> str:
    """`value` as errors echo it: its repr, cut after `ECHO` characters."""
    text = repr(value)
    return text if len(text) <= ECHO else f"{text[:ECHO]}..."


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """ "; did you mean 'epochs'?" with the closest of the known names, or "" when none is close."""
    close = difflib.get_close_matches(given[:ECHO], list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _layer_weights(name: str, value: Any) -> LayerWeights | None:
    """From {"block1_conv1": 1.0}, "block1_conv1=1,block2_conv1" (no weight means 1) or pairs; None if empty."""
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
        if not (math.isfinite(weight) and 0 <= weight <= MOST_WEIGHT):
            rule = f"the weight of {shown(layer)} must be between 0 and {MOST_WEIGHT:.10g}"
            raise OptionError(f"`{name}`: {rule}, got {weight:g}", name)
        if not layer:
            raise OptionError(f"`{name}` must name a layer for each weight, got {shown(value)}", name)
    if len({layer for layer, _ in pairs}) < len(pairs):
        raise OptionError(f"`{name}` names a layer twice: {shown(value)}", name)
    return tuple(pairs) or None
