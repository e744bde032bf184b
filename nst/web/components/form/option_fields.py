"""The form of a run's options, built from their declarations, and the way its values become options and back."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.errors import OptionError
from nst.options.fast_options import FastOptions
from nst.options.option_field import LayerWeights, Option, number, options_of
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.form.chooser import chooser
from nst.web.components.small_button import icon_button

OPTIONS = options_of(StyleOptions)
BOXES = {option.name: ids.value(option.name) for option in OPTIONS}  # name -> id of the control

FAST_OPTIONS = options_of(FastOptions)
FAST_PREFIX = "fast-"  # of the ids on the Instant page, which has options of the same names
FAST_BOXES = {option.name: ids.value(FAST_PREFIX + option.name) for option in FAST_OPTIONS}

# Labels of choices, and of the switches that replace a number by a word, by option, where they are neither "Automatic"
# nor the choice with a capital letter.
LABELS = {
    "epochs": {"auto": "Stop when it converges"},
    "extractor": {"vgg19": "VGG19", "vgg16": "VGG16", "compact": "Built-in network"},
    "mask_use": {
        "protect": "Protect the white parts",
        "styles": "A painting in white, the other in black",
        "strength": "Gray is the strength of the style",
    },
    "optimizer": {"lbfgs": "L-BFGS"},
    "precision": {"float32": "float32", "bfloat16": "bfloat16"},
}

ADVANCED = ("extractor", "seed", "normalization")  # with all options of the groups below
GROUPS = {"Starting image": ("start",), "Weights": ("weights",), "Advanced": ("layers", "optimizer")}
PANELS = ("basic", "styles", "mask")  # groups that are not in the accordion: above it, style_mix.py, mask.py


def check_groups(options: Iterable[Option]) -> None:
    """Raise ValueError for an option of a group that is nowhere in the form: its callbacks would have no field."""
    known = {*PANELS, *(group for groups in GROUPS.values() for group in groups)}
    for option in options:
        if option.group not in known and option.name not in ADVANCED:
            raise ValueError(f"`{option.name}` must be in one of the groups {sorted(known)}, got {option.group!r}")


check_groups(OPTIONS)


def basic_fields() -> Component:
    """Return the fields of the options that are always shown."""
    shown = [option for option in OPTIONS if option.group == "basic" and option.name not in ADVANCED]
    return html.Div([field(option) for option in shown], className="fields basics")


def further_fields() -> Component:
    """Return the fields of the other options, in an accordion."""
    groups = [
        dbc.AccordionItem(
            [
                html.Div([field(option) for option in _options_of_group(title)], className="fields"),
                *([html.Div(chooser("init"), id=ids.INIT_CHOOSER, hidden=True)] if "start" in GROUPS[title] else []),
            ],
            title=title,
        )
        for title in GROUPS
    ]
    return dbc.Accordion(groups, start_collapsed=True, flush=True, always_open=True)


def _options_of_group(title: str) -> list[Option]:
    advanced = [option for option in OPTIONS if option.name in ADVANCED]
    others = [option for option in OPTIONS if option.group in GROUPS[title] and option not in advanced]
    return [*advanced, *others] if title == "Advanced" else others


def field(option: Option, prefix: str = "") -> Component:
    """Return an option's label, control, help and error message; `prefix` is put before its ids."""
    key = prefix + option.name
    name = ids.slider(key) if has_slider(option) else ids.value(key)
    label = dbc.Label([option.label, html.Span(f" {option.unit}", className="unit")], html_for=name)
    control = _control(option, key)
    head = [label, *([_box(option, key)] if has_slider(option) else [])]
    if option.type is bool:
        head, control = [], [control[0]]
    return html.Div(
        className=f"field field-{option.name}",
        **{"data-log": "true" if option.log else None, "data-unit": option.unit},
        children=[
            html.Div(head, className="field-head"),
            *control,
            html.Div(page_help(option), id=ids.hint(key), className="hint"),
            html.Div(id=ids.error(ids.value(key)), className="field-error", role="alert"),
        ],
    )


def _control(option: Option, key: str) -> list[Component]:
    name = ids.value(key)
    if option.type is bool:
        return [dbc.Switch(id=name, value=option.default, label=option.label)]
    if option.choices:
        choices = [{"label": choice_label(option, each), "value": each} for each in option.choices]
        return [dbc.Select(id=name, options=choices, value=option.default)]
    if has_slider(option):
        return _slider(option, key)
    if option.name == "seed":
        button = icon_button("⚄", ids.RANDOM_SEED, "Another seed", "seed-button")
        return [html.Div([_box(option, key), button], className="with-button")]
    return [_box(option, key)]


def choice_label(option: Option, choice: str) -> str:
    """Return what the pages call a choice of an option, or a word in place of its number."""
    usual = "Automatic" if choice == "auto" else choice.capitalize()
    return LABELS.get(option.name, {}).get(choice, usual)


def page_help(option: Option) -> str:
    """Return the help of an option as the pages show it: choices and options go by their labels."""
    text = option.help
    if own := "|".join((*option.choices, *option.words)):
        text = re.sub(rf"\b({own})\b", lambda choice: f"“{choice_label(option, choice[1])}”", text)
    for other in OPTIONS:
        if "_" in other.name:
            text = re.sub(rf"\b{other.name}\b", other.label, text)
        for choice in other.choices if other is not option else ():
            text = re.sub(rf"\b{choice}(?= {other.name}\b)", f"“{choice_label(other, choice)}”", text)
    return text


def _slider(option: Option, key: str) -> list[Component]:
    """The slider of an option, the label of its text box, and a switch for each word."""
    is_word = option.default in option.words
    low, high, step = slider_scale(option)
    start = low if is_word else math.log10(option.default) if option.log else option.default
    slider = {"min": low, "max": high, "step": step, "value": start, "disabled": is_word}
    return [
        dbc.Input(id=ids.slider(key), type="range", **slider),
        dbc.Label(f"{option.label}, as a number", html_for=ids.value(key), class_name="visually-hidden"),
        *(
            dbc.Switch(id=ids.word(key), name=word, label=choice_label(option, word), value=option.default == word)
            for word in option.words
        ),
    ]


def _box(option: Option, key: str) -> Component:
    """The text box of an option. A number field would keep invalid input from the server, which says what is wrong."""
    return dbc.Input(
        id=ids.value(key),
        type="text",
        inputmode="text" if option.type is LayerWeights else "decimal",
        autocomplete="off",
        value=to_text(option.default),
        placeholder="automatic" if option.default is None else None,
    )


def has_slider(option: Option) -> bool:
    """Whether an option has a slider beside its text box."""
    suited = option.slider is not None or option.log or (option.type is float and option.step is not None)
    return suited and option.default is not None


def slider_scale(option: Option) -> tuple[float, float, float]:
    """Return (low, high, step) of an option's slider; of the decimal logarithm if the option is logarithmic."""
    assert option.low is not None
    assert option.high is not None
    if option.log:
        return math.log10(option.low), math.log10(option.high), 0.01
    return *(option.slider or (option.low, option.high)), option.step or 1


def read_form(values: Mapping[str, Any], options: Iterable[Option] = OPTIONS) -> dict[str, Any]:
    """Return the values of a form as values of its options. Text that cannot be parsed stays: the option refuses it."""
    return {option.name: _parse(option, values[option.name]) for option in options}


def plain_error(error: OptionError) -> str:
    """Return an option's error with its label in place of its name, as the page shows it beside the field."""
    text = str(error)
    for option in OPTIONS:
        text = text.replace(f"`{option.name}`", option.label)
    return text


def errors_of_form(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with each value of the form by the option's name, "" where nothing is."""
    errors = dict.fromkeys(BOXES, "")
    for option in OPTIONS:
        try:
            option.check(_parse(option, values[option.name]))
        except OptionError as error:
            errors[option.name] = plain_error(error)
    return errors


def fill_form(options: StyleOptions) -> dict[str, Any]:
    """Return the values of the form for `options`; the inverse of `read_form`."""
    return {name: value if isinstance(value, bool) else to_text(value) for name, value in options.to_json().items()}


def _parse(option: Option, value: Any) -> Any:
    if value in (None, "") and option.default is None:
        return None
    if option.type not in (int, float) or not isinstance(value, str):
        return value
    return number(value)


def to_text(value: Any) -> str:
    """Return a value as its text box shows it, exactly: 1 for 1.0, "a=1,b=2" for layers, "" for None."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(to_text, value))
    if isinstance(value, Mapping):
        return ",".join(f"{layer}={to_text(weight)}" for layer, weight in value.items())
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
