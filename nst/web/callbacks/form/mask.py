"""Callbacks of the mask: painted in a dialog (assets/mask.js), sent like any other upload, and removed."""

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.web import ids
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("mask", "open"),
        Input(ids.mask("open"), "n_clicks"),
        State(ids.choice("mask"), "data"),
        prevent_initial_call=True,
    )
    for action in ("undo", "clear", "cancel", "use"):
        app.clientside_callback(
            ClientsideFunction("mask", action), Input(ids.mask(action), "n_clicks"), prevent_initial_call=True
        )
    app.clientside_callback(
        ClientsideFunction("mask", "remove"),
        Output(ids.choice("mask"), "data", allow_duplicate=True),
        Output(ids.error("mask"), "children", allow_duplicate=True),
        Input(ids.mask("remove"), "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("mask", "show"),
        Output(ids.mask("remove"), "hidden"),
        Output(ids.mask("name"), "children"),
        Output(ids.mask("panel"), "open"),
        Input(ids.choice("mask"), "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("mask", "removeOfOther"),
        Output(ids.choice("mask"), "data", allow_duplicate=True),
        Input(ids.choice("content"), "data"),
        Input(ids.choice("mask"), "data"),
        prevent_initial_call=True,
    )
