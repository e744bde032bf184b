"""Variations of a run: one or two options with several values each, and the grid of quick runs that they make."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from nst.errors import OptionError
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.loss_weights import LOSS_WEIGHTS
from nst.options.option_field import (
    LayerWeights,
    Numbers,
    Option,
    did_you_mean,
    option_text,
    options_of,
    shown,
    with_new_names,
)
from nst.options.picture_roles import MOST_STYLES, STYLE_ROLES
from nst.options.style_options import StyleOptions

MOST_AXES = 2  # options that vary at once
MOST_RUNS = 25  # of one grid

WITH_COMMAS: dict[Any, Any] = {LayerWeights: dict, Numbers: list}  # types whose texts have commas -> in JSON
OPTIONS = {option.name: option for option in options_of(StyleOptions)}
QUICK_SIZE, QUICK_EPOCHS = 256, 12  # of a quick run, unless they vary: px of the long side, and epochs
SIZE = dataclasses.replace(OPTIONS["size"], default=QUICK_SIZE, help="long side of a quick run")
EPOCHS = dataclasses.replace(OPTIONS["epochs"], default=QUICK_EPOCHS, help="of a quick run")
STYLE = Option(
    "style", int, 1, "each of the chosen paintings alone, by its number", "styles", low=1, high=MOST_STYLES, step=1
)
VARIABLE = {STYLE.name: STYLE, **OPTIONS}  # what may vary, by name
PROPOSED_NUMBERS = {"style_mix": "1,3; 1,1; 3,1", "style_scales": "0.5,1; 1,1; 1,0.5"}
PROPOSED_FACTORS = (0.25, 1.0, 4.0)  # of the default of an option with a logarithmic slider, and of a weight

Picture = TypeVar("Picture")


@dataclass(frozen=True)
class Axis:
    """An option, or `STYLE`, and the values that it takes, each once. Raises OptionError."""

    option: Option
    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise OptionError(f"`{self.option.name}` must have at least one value to vary", self.option.name)
        if len(set(self.values)) < len(self.values):
            given = ", ".join(option_text(value) for value in self.values)
            raise OptionError(f"`{self.option.name}` must have each value once, got {given}", self.option.name)

    @classmethod
    def parse(cls, name: str, values: str | Iterable[Any]) -> Self:
        """The axis of an option from values, or from text such as "0.5, 1, 2".

        Commas separate the values of a text, or semicolons where a value has commas of its own, as layers and the
        numbers of several paintings do. Raises OptionError for an unknown option or a wrong value.
        """
        if name not in VARIABLE:
            raise OptionError(f"there is no option {shown(name)}{did_you_mean(str(name), VARIABLE)}", "vary")
        option = VARIABLE[name]
        if isinstance(values, str):
            separator = ";" if option.type in WITH_COMMAS or ";" in values else ","
            values = [option.parse(text) for text in values.split(separator) if text.strip()]
        elif isinstance(values, Mapping) or not isinstance(values, Iterable):
            raise OptionError(f"`{name}` must have a list of values to vary, got {shown(values)}", name)
        return cls(option, tuple(option.check(value) for value in values))

    def titles(self, names: Mapping[str, str] | None = None) -> list[str]:
        """Each value with the name of the option, "Strength 0.5"; of a painting its name in `names`, by role."""
        titles = [f"{self.option.label} {option_text(value)}" for value in self.values]
        if names and self.option is STYLE:
            named = [names.get(STYLE_ROLES[n - 1]) or title for n, title in zip(self.values, titles, strict=True)]
            alike = len(set(named)) < len(named)
            return [f"{n}: {each}" for n, each in zip(self.values, named, strict=True)] if alike else named
        return titles

    def to_json(self, names: Mapping[str, str] | None = None) -> dict[str, Any]:
        """{"option", "label", "values", "titles"}, as the REST interface shows an axis; `names` as in `titles`."""
        form = WITH_COMMAS.get(self.option.type)
        values = [form(value) if form and value else value for value in self.values]
        return {"option": self.option.name, "label": self.option.label, "values": values, "titles": self.titles(names)}


@dataclass(frozen=True)
class Variations:
    """A grid of options: a row for each value of the first of two axes, a column for each value of the last.

    `options` are those of a run at full size. A quick run has another size and other epochs, and for the network "auto"
    the built-in one. Raises OptionError for more than `MOST_RUNS` runs, or for options that do not go together.
    """

    options: StyleOptions
    axes: tuple[Axis, ...]
    size: int = QUICK_SIZE  # px, long side of a quick run
    epochs: int = QUICK_EPOCHS  # of a quick run

    def __post_init__(self) -> None:
        names = [axis.option.name for axis in self.axes]
        if not 1 <= len(names) <= MOST_AXES:
            raise OptionError(f"one or two options can vary at once, got {', '.join(names) or 'none'}", "vary")
        if len(set(names)) < len(names):
            raise OptionError(f"the two options that vary must differ, got {' and '.join(names)}", "vary")
        count = self.rows * self.columns
        if not 2 <= count <= MOST_RUNS:
            raise OptionError(f"variations must be between 2 and {MOST_RUNS} runs, got {count}", "vary")
        for changes in self.changes():
            self.quick(changes)

    @classmethod
    def parse(cls, options: StyleOptions, vary: Mapping[str, Any], **more: Any) -> Self:
        """Variations from {option: values, or text}, in the order of the mapping. Raises OptionError."""
        if not isinstance(vary, Mapping):
            raise OptionError(f"`vary` must be an object of names and values, got {shown(vary)}", "vary")
        named = with_new_names(vary, VARIABLE.values())
        return cls(options, tuple(Axis.parse(name, values) for name, values in named.items()), **more)

    @property
    def rows(self) -> int:
        """How many rows the grid has; one if a single option varies."""
        return len(self.axes[0].values) if len(self.axes) > 1 else 1

    @property
    def columns(self) -> int:
        """How many columns the grid has."""
        return len(self.axes[-1].values)

    def changes(self) -> list[dict[str, Any]]:
        """The values of the options that vary, by name, for each run, row by row."""
        columns = [{self.axes[-1].option.name: value} for value in self.axes[-1].values]
        if len(self.axes) == 1:
            return columns
        rows = [{self.axes[0].option.name: value} for value in self.axes[0].values]
        return [row | column for row in rows for column in columns]

    def titles(self, names: Mapping[str, str] | None = None) -> tuple[list[str], list[str]]:
        """(titles of the rows, titles of the columns); one option that varies has one row, without a title.

        `names` are those of the pictures' files, by role.
        """
        rows = self.axes[0].titles(names) if len(self.axes) > 1 else [""]
        return rows, self.axes[-1].titles(names)

    def quick(self, changes: Mapping[str, Any]) -> StyleOptions:
        """The options of the quick run with `changes`."""
        network = SHIPPED_NETWORK if self.options.extractor == "auto" else self.options.extractor
        quick = {"size": self.size, "epochs": self.epochs, "extractor": network}
        return dataclasses.replace(self.options, **{**quick, **self._changed_options(changes)})

    def full(self, changes: Mapping[str, Any]) -> StyleOptions:
        """The options of the run at full size with `changes`."""
        return dataclasses.replace(self.options, **self._changed_options(changes))

    def _changed_options(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """`changes` of options; a painting alone keeps its own scale of several, and has no mix."""
        options = {name: value for name, value in changes.items() if name != STYLE.name}
        if STYLE.name not in changes:
            return options
        number, scales = changes[STYLE.name], self.options.style_scales or ()
        scale = scales[number - 1] if number <= len(scales) else self.options.style_scale
        return {"style_mix": None, "style_scales": None, "style_scale": scale, **options}

    def check_pictures(self, paintings: int, masked: bool) -> None:
        """Check every run as `StyleOptions.check_pictures` does. Raises OptionError also for a painting not chosen."""
        for changes in self.changes():
            number = changes.get(STYLE.name, 0)
            if number and masked and self.options.mask_use == "styles":
                rule = f"`{STYLE.name}` paints each painting alone"
                raise OptionError(f"{rule}: it cannot vary with `mask_use` styles, which needs two", STYLE.name)
            if number > paintings:
                rule = f"`{STYLE.name}` must be at most {paintings}, as many paintings as were chosen"
                raise OptionError(f"{rule}, got {number}", STYLE.name)
            self.quick(changes).check_pictures(1 if number else paintings, masked)

    def pictures_of(self, changes: Mapping[str, Any], pictures: Mapping[str, Picture]) -> dict[str, Picture]:
        """The pictures, or whatever else `pictures` has by role, of the run with `changes`.

        These are one of the paintings where `STYLE` varies, and the picture to start from only where a run starts so.
        """
        found = dict(pictures)
        if self.full(changes).init != "image":
            found.pop("init", None)
        if STYLE.name not in changes:
            return found
        chosen = STYLE_ROLES[changes[STYLE.name] - 1]
        others = {role: picture for role, picture in found.items() if role not in STYLE_ROLES}
        return others | ({"style": found[chosen]} if chosen in found else {})

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        axes = {axis.option.name: axis.to_json()["values"] for axis in self.axes}
        return {"options": self.options.to_json(), "vary": axes, "size": self.size, "epochs": self.epochs}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The variations that `to_json` was called on. Raises OptionError for options of another version."""
        sizes = {"size": given["size"], "epochs": given["epochs"]}
        return cls.parse(StyleOptions.from_record(given["options"]), given["vary"], **sizes)


def proposed_values(option: Option, options: StyleOptions | None = None) -> str:
    """Values that an option may be varied over, as text that `Axis.parse` reads; made from its declaration.

    `options` give what an automatic weight is.
    """
    if option is STYLE:
        return "1, 2"
    if option.type is LayerWeights:
        return "block1_conv1; block3_conv1; block5_conv1"
    if option.type is Numbers:
        return PROPOSED_NUMBERS[option.name]
    if option.type is bool:
        return "false, true"
    if option.choices:
        return ", ".join(choice for choice in option.choices if choice not in ("auto", "image"))
    if option.name == "color_transfer":
        return "0, 0.5, 1"
    low, high = option.low or 0.0, option.high or float("inf")
    default = next((quick.default for quick in (SIZE, EPOCHS) if quick.name == option.name), option.default)
    if default is None:
        default = (options or StyleOptions()).weights_before_strength[option.name]
    if option.log or option.name in LOSS_WEIGHTS:
        values = [default * factor for factor in PROPOSED_FACTORS]
    elif option.name == "seed":
        values = [0, 1, 2]
    else:
        values = [default / 2, default, default * 2]
    return ", ".join(option_text(option.type(min(max(value, low), high))) for value in values)
