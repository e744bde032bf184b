"""Callbacks that use the result of a run in another: as its content or style, or upscaled; and those of its link."""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from nst.errors import NstError
from nst.runs.run import Run
from nst.web import ids
from nst.web.callbacks.run.own_run import start_child
from nst.web.components.form.estimate import estimate_line, refusal_line
from nst.web.components.run.result_tools import USES
from nst.web.components.toast import show_error
from nst.web.components.urls import run_id_of
from nst.web.current_client import current_client
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("notifications", "toggle"),
        Output(ids.NOTIFY, "aria-pressed"),
        Input(ids.NOTIFY, "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("notifications", "copyLink"),
        *(Input(button, "n_clicks") for button in (ids.COPY_RUN_LINK, ids.COPY_COMPARED_LINK)),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("viewer", "printSize"),
        Output(ids.PRINT_SIZE, "children"),
        Input(ids.PRINT_DPI, "value"),
        Input(ids.IMAGE_FRAME, "style"),
        prevent_initial_call=True,
    )
    _register_upscale(app, service)
    _register_uses(app, service)


def _register_upscale(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.URL, "search", allow_duplicate=True),
        Input(ids.UPSCALE, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.UPSCALED_SIDE, "value"),
        prevent_initial_call=True,
    )
    async def upscale(clicks: int, search: str | None, side: str) -> Any:
        def start(run: Run) -> Run:
            return service.runs.upscale(run.id, int(side), client=current_client())

        return await start_child(service, search, start, "The result was not upscaled")

    @app.callback(
        {"children": Output(ids.UPSCALE_FORECAST, "children"), "class": Output(ids.UPSCALE_FORECAST, "className")},
        Input(ids.UPSCALE, "disabled"),
        Input(ids.UPSCALED_SIDE, "value"),
        Input(ids.WORKER, "className"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def forecast(disabled: bool, side: str | None, worker: str, search: str | None) -> dict[str, str]:
        """Say what the upscaling would take; a worker that gets ready may know more."""
        if disabled or not side:
            return {"children": "", "class": "estimate"}
        return await asyncio.to_thread(upscaling_line, service, run_id_of(search), int(side))


def upscaling_line(service: Service, run_id: str, side: int) -> dict[str, str]:
    """Return what it takes to paint the result of a run at `side` px, or why it cannot, as `estimate_line` does."""
    try:
        forecast = service.runs.forecast_upscaling(run_id, side)
    except NstError as error:
        return refusal_line(error)
    return estimate_line(forecast, service.queue.health()["worker"])


def _register_uses(app: Dash, service: Service) -> None:
    @app.callback(
        {role: Output(ids.choice(role), "data", allow_duplicate=True) for role in USES},
        Input(ids.FORM_SOURCE, "data"),
        prevent_initial_call=True,
    )
    async def use(source: str) -> dict[str, Any]:
        """Choose the result of the run that the address named as the content or as the style."""
        try:
            return {role: await asyncio.to_thread(chosen_result, service, source, role) or no_update for role in USES}
        except NstError as error:
            show_error(error, "The result was not taken")
            return dict.fromkeys(USES, no_update)


def chosen_result(service: Service, search: str | None, role: str) -> dict[str, str] | None:
    """Return {"ref", "title"} of the result that an address names for a role, None for no result. Raises NstError."""
    run_id = run_id_of(search, f"{role}_of")
    if not run_id:
        return None
    run = service.store.run(run_id)
    return {"ref": service.runs.result(run), "title": service.runs.title(run.id)}
