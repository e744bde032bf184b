"""Callbacks of the card that examines a run: the diagnosis of the epoch shown, and quick pictures of single layers."""

import asyncio
import logging
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from nst.errors import NstError
from nst.pictures.images import encode_png
from nst.pictures.noise import start_noise
from nst.web import ids
from nst.web.components.run.diagnosis import RECONSTRUCTIONS, diagnosis_line, diagnosis_view
from nst.web.components.toast import message_of, show_error
from nst.web.components.urls import run_id_of
from nst.web.current_client import current_client
from nst.web.service.diagnoses import reconstructions
from nst.web.service.pictures import names_of_files
from nst.web.service.service import Service

log = logging.getLogger(__name__)


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("diagnosis", "begin"), Input(ids.DIAGNOSE, "n_clicks"), prevent_initial_call=True
    )
    app.clientside_callback(  # what it shows is of another run
        ClientsideFunction("diagnosis", "clear"),
        Output(ids.DIAGNOSIS_STATE, "children", allow_duplicate=True),
        Output(ids.DIAGNOSIS, "children", allow_duplicate=True),
        Input(ids.URL, "search"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("diagnosis", "received"),
        Output(ids.DIAGNOSIS_STATE, "children"),
        Output(ids.DIAGNOSIS, "children"),
        Input(ids.DIAGNOSIS_ANSWER, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.DIAGNOSIS_ANSWER, "data"),
        Input(ids.DIAGNOSE, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.SCRUBBER, "value"),
        prevent_initial_call=True,
    )
    async def examine(clicks: int, search: str | None, epoch: Any) -> dict[str, Any]:
        run_id = run_id_of(search)
        state, view = await asyncio.to_thread(examined, service, run_id, epoch)
        return {"run": run_id, "state": state, "view": view}

    @app.callback(
        Output(ids.URL, "pathname", allow_duplicate=True),
        Output(ids.URL, "hash", allow_duplicate=True),
        [Input(button, "n_clicks") for button in RECONSTRUCTIONS],
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def reconstruct(*clicks_and_search: Any) -> tuple[Any, Any]:
        search: str | None = clicks_and_search[-1]
        role, _ = RECONSTRUCTIONS[str(ctx.triggered_id)]
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            variations = reconstructions(run, role)
            more: dict[str, Any] = {"names": names_of_files(run.names), "client": current_client()}
            refs = {name: f"uploads/{upload}" for name, upload in run.uploads.items() if name not in ("init", "mask")}
            refs["init"] = await asyncio.to_thread(service.pictures.keep, encode_png(start_noise()), "noise.png")
            grid = await asyncio.to_thread(service.variations.start, variations, refs, **more)
        except NstError as error:
            show_error(error, "No quick pictures were started")
            return no_update, no_update
        return "/vary", f"#{grid.id}"


def examined(service: Service, run_id: str, epoch: Any) -> tuple[Any, Any]:
    """Return the line of the card and what is under it: the diagnosis of a frame, or why there is none."""
    try:
        run = service.store.run(run_id)
        found = service.diagnoses.near(run, epoch)
    except NstError as error:
        message = message_of(error)
        return f"{message[:1].upper()}{message[1:]}.", None
    except Exception:  # without an answer the card would wait
        log.exception("a diagnosis failed")
        return "Something went wrong here.", None
    return diagnosis_line(found), diagnosis_view(found, f"/api/v1/runs/{run.id}/frames/{found['epoch']}.jpg")
