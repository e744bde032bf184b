"""Callbacks of further paintings: added, removed, and weighed. They run in the browser (assets/style_mix.js)."""

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.options.picture_roles import STYLE_ROLES
from nst.web import ids
from nst.web.components.form.style_mix import OPTIONS
from nst.web.service.service import Service

ROWS = range(len(STYLE_ROLES))
CHOICES = [(ids.choice(role), "data") for role in STYLE_ROLES]
SLIDERS = [(ids.style_mix(number, part), "value") for part in ("weight", "scale") for number in ROWS]
BOXES = [(ids.value(name), "value") for name in OPTIONS]


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("styleMix", "show"),
        [Output(ids.style_slot(role), "hidden") for role in STYLE_ROLES[1:]],
        Output(ids.ADD_STYLE, "hidden"),
        Output(ids.STYLE_MIX, "hidden"),
        [Output(ids.style_mix(number, "row"), "hidden") for number in ROWS],
        [Output(ids.style_mix(number, "title"), "children") for number in ROWS],
        [Input(*each) for each in CHOICES],
        Input(ids.OPEN_STYLES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("styleMix", "add"),
        Output(ids.OPEN_STYLES, "data"),
        Input(ids.ADD_STYLE, "n_clicks"),
        [State(*each) for each in CHOICES],
        State(ids.OPEN_STYLES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("styleMix", "remove"),
        [Output(*each, allow_duplicate=True) for each in CHOICES[1:]],
        Output(ids.OPEN_STYLES, "data", allow_duplicate=True),
        [Output(*each, allow_duplicate=True) for each in SLIDERS],
        [Input(ids.remove_style(role), "n_clicks") for role in STYLE_ROLES[1:]],
        [State(*each) for each in (*CHOICES, *SLIDERS)],
        State(ids.OPEN_STYLES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("styleMix", "weigh"),
        [Output(*each) for each in (*BOXES, *SLIDERS)],
        [Output(ids.style_mix(number, part), "children") for part in ("share", "factor") for number in ROWS],
        [Input(*each) for each in (*BOXES, *SLIDERS, *CHOICES)],
        Input(ids.value("style_scale"), "value"),
        prevent_initial_call=True,
    )
