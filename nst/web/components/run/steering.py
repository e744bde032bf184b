"""The card that steers a run: a slider and a text box for each option that may change during the run."""

import math
from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.errors import OptionError
from nst.options.option_field import Option, number, options_of
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures.samples import sample_of
from nst.runs.run import Run, State
from nst.web import ids
from nst.web.components.form.option_fields import to_text
from nst.web.components.toast import message_of

LIVE = {
    option.name: option
    for option in options_of(StyleOptions)
    if option.live and option.type in (int, float) and not option.words
}
DECADES = 4  # that a slider spans below the highest value, where its option's range begins at 0
PAINTING_PREFIX = "style_mix."  # of a field that is the weight of a painting
LAYER_PREFIX = "style_layers."  # of a field that is the weight of a style layer
HINT_RUNNING = "For the picture that is painted now: a move takes effect at the next step."
HINT_PAUSED = "A move takes effect when you resume."
HINT_ENDED = "What you set here is used when you continue, or branch."


def card() -> Component:
    """Return the card, empty and hidden until a run is shown."""
    return html.Section(
        [
            html.H2("Adjust while painting"),
            html.P(id=ids.STEER_HINT, className="hint"),
            html.Div(id=ids.STEER_FIELDS, className="fields steer-fields"),
            html.P(id=ids.STEER_PRODUCT, className="hint"),
            html.Div(id=ids.STEER_ERROR, className="field-error", role="alert"),
            dcc.Store(id=ids.STEER_CHANGES),
            dcc.Store(id=ids.STEER_ANSWER),
            dcc.Store(id=ids.STEER_MOVED, data={}),
        ],
        id=ids.STEER,
        className="card",
        hidden=True,
    )


def hint(run: Run | None) -> str:
    """Return when a move of a slider takes effect."""
    if run and run.state.ended:
        return HINT_ENDED
    return HINT_PAUSED if run and run.state is State.PAUSED else HINT_RUNNING


def fields(run: Run) -> list[Component]:
    """Return a field for each live option, with its current value, and for each style layer if the network is known."""
    values = _values(run)
    basic = [_field(name, option.label, values[name], option) for name, option in LIVE.items()]
    paintings = [
        _field(name, _title(run, name), value) for name, value in values.items() if name.startswith(PAINTING_PREFIX)
    ]
    basic[1:1] = paintings
    layers = [
        _field(name, name.removeprefix(LAYER_PREFIX), value)
        for name, value in values.items()
        if name.startswith(LAYER_PREFIX)
    ]
    if not layers:
        return basic
    return [*basic, html.Details([html.Summary("Style layers"), html.Div(layers, className="fields")])]


def _title(run: Run, name: str) -> str:
    """The title of the painting whose weight is the field `name`."""
    number = int(name.removeprefix(PAINTING_PREFIX))
    known = run.names.get(STYLE_ROLES[number], "")
    sample = sample_of(known)
    return sample.title if sample else known or f"Painting {number + 1}"


def _values(run: Run) -> dict[str, float]:
    """The current values, by the names of the fields."""
    now = run.options_now
    values = {name: getattr(now, name) for name in LIVE} | now.weights_before_strength
    if run.more_styles:
        weights = now.style_mix or (1.0,) * len(run.styles)
        values |= {f"{PAINTING_PREFIX}{number}": weight for number, weight in enumerate(weights)}
    layers = now.layers(run.extractor)[1] if run.extractor else ()
    return values | {f"{LAYER_PREFIX}{layer}": weight for layer, weight in layers}


def _field(name: str, label: str, value: Any, option: Option | None = None) -> Component:
    """A slider with its text box: logarithmic for an option, linear for the weight of a layer."""
    scale = "log" if option else "linear"
    slider, box = ids.steer(name, "slider", scale), ids.steer(name, "box", scale)
    low, high = decades(option) if option else (0.0, max(1.0, 2 * value))
    at = (math.log10(value) if value else low) if option else value
    return html.Div(
        [
            html.Div(
                [
                    html.Span(label, title=label),
                    dbc.Input(id=box, type="text", inputmode="decimal", autocomplete="off", value=to_text(value)),
                ],
                className="field-head",
            ),
            dbc.Input(id=slider, type="range", min=low, max=high, step=0.01, value=min(high, max(low, at))),
        ],
        className="field steer-field",
        **{"data-label": label, "data-log": "true" if option else None},
    )


def decades(option: Option) -> tuple[float, float]:
    """Return the ends of the slider of a live option, as decimal logarithms; its text box takes the whole range."""
    low, high = option.slider or (option.low, option.high)
    assert high is not None
    end = math.log10(high)
    return (math.log10(low) if low else end - DECADES), end


def validate(run: Run, texts: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return those of `texts`, by the names of the fields, that a run can be changed to, and the errors of the others.

    Each is checked alone: several fields may be changed in one request, and a wrong value must not undo the others.
    """
    found: dict[str, Any] = {}
    errors = []
    for name, text in texts.items():
        try:
            run.options_now.steered(changes(run, {name: text}), run.extractor)
        except OptionError as error:
            errors.append(message_of(error))
        else:
            found[name] = text
    return found, errors


def changes(run: Run, texts: Mapping[str, Any], in_force: bool = False) -> dict[str, Any]:
    """Return the changes of live options that `texts`, by the names of the fields, make to a run.

    Values that are in force already are left out, unless `in_force`: an earlier request may be about to change them.
    Text that is no number stays, for the option to refuse.
    """
    now = _values(run)
    moved = {name: number(str(text)) for name, text in texts.items() if name in now}
    moved = {name: value for name, value in moved.items() if in_force or value != now[name]}
    found: dict[str, Any] = {name: value for name, value in moved.items() if name in LIVE}
    for prefix in (LAYER_PREFIX, PAINTING_PREFIX):  # a list is changed as a whole
        if any(name.startswith(prefix) for name in moved):
            whole = {name: moved.get(name, value) for name, value in now.items() if name.startswith(prefix)}
            values = {name.removeprefix(prefix): value for name, value in whole.items()}
            found[prefix.removesuffix(".")] = values if prefix == LAYER_PREFIX else list(values.values())
    return found
