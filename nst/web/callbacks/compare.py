"""The callback of the Compare page: it shows the two runs that the address names."""

import asyncio

from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from nst.errors import NotFound
from nst.web import ids
from nst.web.components.run_card import RunCard
from nst.web.components.run_comparison import SIDE_BY_SIDE, run_comparison
from nst.web.components.settings_text import differing_settings
from nst.web.components.urls import run_id_of
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callback with `app`."""

    app.clientside_callback(  # the zoom is that of the pair, whichever way it is compared
        ClientsideFunction("viewer", "drawAll"), Input(ids.COMPARED, "children"), prevent_initial_call=True
    )

    @app.callback(Output(ids.COMPARED, "children"), Input(ids.COMPARE_REQUEST, "data"), prevent_initial_call=True)
    async def compare(search: str) -> list[Component]:
        return await asyncio.to_thread(compared, service, search)


def compared(service: Service, search: str | None) -> list[Component]:
    """Return what the page shows for the query of its address, "?a=<run>&b=<run>", with "&view=side" side by side."""
    wanted = [run_id for name in ("a", "b") if (run_id := run_id_of(search, name))]
    try:
        runs = [service.store.run(run_id) for run_id in wanted]
    except NotFound as error:
        return [_advice(f"{error}.")]
    if len(runs) < 2:
        return [_advice("Only one run is chosen." if runs else "")]
    if not all(run.frames for run in runs):
        return [_advice("One of these runs has no picture yet.")]
    differing = differing_settings(runs)
    first, second = (RunCard.of(service, run, differing[run.id]) for run in runs)
    return run_comparison(first, second, run_id_of(search, "view") == SIDE_BY_SIDE)


def _advice(trouble: str) -> Component:
    gallery = html.A("In the gallery", href="/gallery", className="in-app")
    return html.P([f"{trouble[:1].upper()}{trouble[1:]} ", gallery, ", press Compare on two runs."], className="hint")
