"""The card that steers a run: sliders of what may change while the picture forms. Moves are heard at the next step.

Of a run that rests, what the sliders say is taken along when it is continued or branched from.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from nst.errors import NotFound, NstError
from nst.options.option_field import LayerWeights, Option, number, options_of
from nst.options.style_options import StyleOptions
from nst.runs.run import Run
from nst.web import ids
from nst.web.callbacks.inputs import run_id_of
from nst.web.components.form import spell
from nst.web.service.service import Service

LIVE = {option.name: option for option in options_of(StyleOptions) if option.live and option.type is not LayerWeights}
NAMES = {
    "strength": "Strength",
    "content_weight": "Content",
    "style_weight": "Style",
    "tv_weight": "Smoothness",
    "learning_rate": "Step size",
}
DECADES = {"content_weight": (-2, 2), "style_weight": (-1, 4), "tv_weight": (-2, 3)}  # that a slider spans
LAYER = "style_layers."
MOVING = "A move takes effect at the next step."
PAUSED = "A move takes effect when you resume."
RESTING = "What you set here is used when you continue, or branch."


def card() -> Component:
    """The card, empty until a run is shown."""
    return html.Section(
        [
            html.H2("Steer"),
            html.P(id=ids.STEER_HINT, className="hint"),
            html.Div(id=ids.STEER_FIELDS, className="fields steer-fields"),
            html.Div(id=ids.STEER_ERROR, className="field-error", role="alert"),
            dcc.Store(id=ids.STEER_WISH),
            dcc.Store(id=ids.STEER_MOVED, data={}),
        ],
        id=ids.STEER,
        className="card",
        hidden=True,
    )


def fields(run: Run) -> list[Component]:
    """A slider for each live option as it is in force, and, once the network is known, for each style layer."""
    values = _values(run)
    basic = [_field(name, NAMES[name], values[name], LIVE[name]) for name in NAMES]
    layers = [_field(name, name.removeprefix(LAYER), value) for name, value in values.items() if name not in NAMES]
    if not layers:
        return basic
    return [*basic, html.Details([html.Summary("Style layers"), html.Div(layers, className="fields")])]


def _values(run: Run) -> dict[str, float]:
    """What is in force, by the names of the card."""
    now = run.options_now
    found: dict[str, float] = {"strength": now.strength, "learning_rate": now.learning_rate, **now.own_weights}
    layers = now.layers(run.extractor)[1] if run.extractor else ()
    return found | {f"{LAYER}{layer}": weight for layer, weight in layers}


def _field(name: str, label: str, value: float, option: Option | None = None) -> Component:
    """A slider with its box; logarithmic for an option, linear for a layer."""
    scale = "log" if option else "linear"
    slider, box = ids.steer(name, "slider", scale), ids.steer(name, "box", scale)
    low, high, step = 0.0, max(1.0, 2 * value), 0.01
    if option:
        assert option.low is not None
        assert option.high is not None
        low, high = DECADES.get(name) or (math.log10(option.low), math.log10(option.high))
    at = (math.log10(value) if value > 0 else low) if option else value
    return html.Div(
        [
            html.Div(
                [
                    html.Span(label),
                    dbc.Input(id=box, type="text", inputmode="decimal", autocomplete="off", value=spell(value)),
                ],
                className="field-head",
            ),
            dbc.Input(id=slider, type="range", min=low, max=high, step=step, value=min(high, max(low, at))),
        ],
        className="field steer-field",
        **{"data-label": label},
    )


def changes(run: Run, told: Mapping[str, Any]) -> dict[str, Any]:
    """What of `told`, texts by the names of the card, is not in force: live options. What is no number stays text."""
    now = _values(run)
    moved = {name: number(str(text)) for name, text in told.items() if name in now}
    moved = {name: value for name, value in moved.items() if value != now[name]}
    found: dict[str, Any] = {name: value for name, value in moved.items() if name in NAMES}
    if any(name not in NAMES for name in moved):
        layers = {name: moved.get(name, value) for name, value in now.items() if name not in NAMES}
        found["style_layers"] = {name.removeprefix(LAYER): value for name, value in layers.items()}
    return found


MOVED = State(ids.STEER_MOVED, "data")


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    for scale, move in (("log", "pairLogarithmic"), ("linear", "pair")):
        pair = [(ids.steer(MATCH, part, scale), "value") for part in ("slider", "box")]
        app.clientside_callback(
            ClientsideFunction("form", move),
            [Output(*each) for each in pair],
            [Input(*each) for each in pair],
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction("steering", "moved"),
        Input(ids.steer(ALL, "box", ALL), "value"),
        State(ids.steer(ALL, "box", ALL), "id"),
        prevent_initial_call=True,
    )

    app.clientside_callback(
        ClientsideFunction("steering", "rebuilt"),
        Output(ids.STEER_MOVED, "data"),
        Input(ids.STEER_FIELDS, "children"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.STEER_ERROR, "children"),
        Input(ids.STEER_WISH, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def steer(wish: dict[str, Any], search: str | None) -> str:
        """Have a run that moves hear of the sliders; of one that rests, see that they could be used."""
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            wanted = changes(run, wish)
            if wanted and run.state.ended:
                run.options_now.steered(wanted, run.extractor)
            elif wanted:
                await asyncio.to_thread(service.runs.steer, run.id, wanted)
        except NotFound:
            return ""
        except NstError as error:
            return str(error)
        return ""
