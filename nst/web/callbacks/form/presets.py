"""Callbacks of the looks and the presets of one's own. They run in the browser."""

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.options.shipped_presets import LOOK_OPTIONS, LOOKS
from nst.web import ids
from nst.web.components.form.option_fields import BOXES
from nst.web.components.form.presets import PRESET_OPTIONS
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    buttons = [ids.look(n) for n in range(len(LOOKS))]
    app.clientside_callback(
        ClientsideFunction("presets", "choose"),
        [Output(BOXES[name], "value", allow_duplicate=True) for name in LOOK_OPTIONS],
        *(Input(button, "n_clicks") for button in buttons),
        State(ids.LOOKS, "data"),
        State(ids.LOOK_NAMES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("presets", "mark"),
        [Output(button, "className") for button in buttons],
        *(Input(BOXES[name], "value") for name in LOOK_OPTIONS),
        State(ids.LOOKS, "data"),
        State(ids.LOOK_NAMES, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("presets", "list"),
        Output(ids.PRESET, "options"),
        Input(ids.PRESETS, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("presets", "apply"),
        *(Output(BOXES[name], "value", allow_duplicate=True) for name in PRESET_OPTIONS),
        Output(ids.APPLY_PRESET, "disabled"),
        Output(ids.DELETE_PRESET, "disabled"),
        Input(ids.PRESET, "value"),
        Input(ids.APPLY_PRESET, "n_clicks"),
        State(ids.PRESETS, "data"),
        State(ids.OPTION_NAMES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("presets", "change"),
        Output(ids.PRESETS, "data"),
        Output(ids.PRESET, "value"),
        Output(ids.PRESET_NAME, "value"),
        Output(ids.error(ids.PRESET_NAME), "children"),
        Input(ids.SAVE_PRESET, "n_clicks"),
        Input(ids.PRESET_NAME, "n_submit"),
        Input(ids.DELETE_PRESET, "n_clicks"),
        State(ids.PRESET_NAME, "value"),
        State(ids.PRESET, "value"),
        State(ids.PRESETS, "data"),
        State(ids.OPTION_NAMES, "data"),
        *(State(BOXES[name], "value") for name in PRESET_OPTIONS),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("presets", "named"),
        Output(ids.error(ids.PRESET_NAME), "children", allow_duplicate=True),
        Input(ids.PRESET_NAME, "value"),
        Input(ids.PRESET, "value"),
        prevent_initial_call=True,
    )
