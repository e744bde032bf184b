"""The callbacks that hide the messages in the corners of the page after a while, in the browser."""

from dash import ClientsideFunction, Dash, Input

from nst.web import ids, instant_ids
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    for message in (ids.TOAST, instant_ids.NOTE):
        app.clientside_callback(
            ClientsideFunction("toast", "changed"), Input(message, "is_open"), prevent_initial_call=True
        )
