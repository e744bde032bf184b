"""Callbacks of the network card: its text, and the download of weights."""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.errors import NstError
from nst.web import ids
from nst.web.components.form.network import OUTPUTS, UNKNOWN, fetchable_network, network_view
from nst.web.components.poll_now import poll_now
from nst.web.components.toast import show_error
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    extractor_box = ids.value("extractor")
    app.clientside_callback(
        ClientsideFunction("buttons", "focusOther"), Input(ids.FETCHING, "hidden"), prevent_initial_call=True
    )

    @app.callback(
        output={name: Output(*place) for name, place in OUTPUTS.items()},
        inputs={
            "server": Input(ids.SERVER, "data"),
            "extractor": Input(extractor_box, "value"),
            "forecast": Input(ids.FORECAST, "data"),
        },
        prevent_initial_call=True,
    )
    async def show(server: dict[str, Any] | None, extractor: str, forecast: dict[str, Any] | None) -> dict[str, Any]:
        return network_view(server or UNKNOWN, extractor, forecast)

    @app.callback(
        Output(ids.FETCH, "hidden", allow_duplicate=True),
        Input(ids.FETCH, "n_clicks"),
        State(extractor_box, "value"),
        prevent_initial_call=True,
    )
    async def fetch(clicks: int, extractor: str) -> bool:
        try:
            await asyncio.to_thread(service.queue.fetch_weights, fetchable_network(extractor))
        except NstError as error:
            show_error(str(error), "The weights were not fetched")
            return False
        poll_now()
        return True

    @app.callback(Input(ids.CANCEL_FETCH, "n_clicks"), State(extractor_box, "value"), prevent_initial_call=True)
    async def cancel(clicks: int, extractor: str) -> None:
        try:
            await asyncio.to_thread(cancel_fetch, service, extractor)
        except NstError as error:
            show_error(str(error), "The download was not cancelled")
        poll_now()


def cancel_fetch(service: Service, extractor: str) -> None:
    """Cancel the download for a choice of network. Raises Conflict where visitors may not."""
    service.permissions.check_cancel_fetch()
    service.queue.cancel_fetch(fetchable_network(extractor))
