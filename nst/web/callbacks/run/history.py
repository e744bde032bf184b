"""Callbacks of the bar under the image: pause, continue, branch, timelapse and name.

The scrubber works in the browser (assets/player.js).
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx

from nst.errors import NotFound, NstError
from nst.runs.run import Run
from nst.runs.run import State as RunState
from nst.web import ids
from nst.web.callbacks.run.own_run import change_run, start_child
from nst.web.components.run import steering
from nst.web.components.run.history import read_end
from nst.web.components.toast import show_error
from nst.web.components.urls import run_id_of
from nst.web.current_client import current_client
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("player", "mark"), Input(ids.MARK, "n_clicks"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("timelapse", "make"),
        Input(ids.TIMELAPSE, "n_clicks"),
        State(ids.TIMELAPSE_FORMAT, "value"),
        State(ids.FRAMES, "data"),
        prevent_initial_call=True,
    )
    _register_pause(app, service)
    _register_continue(app, service)
    _register_branch(app, service)
    _register_annotations(app, service)


def _register_pause(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.PAUSE, "disabled", allow_duplicate=True),
        Input(ids.PAUSE, "n_clicks"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def pause_or_resume(clicks: int, search: str | None) -> Any:
        def change(run: Run) -> None:
            if run.state is RunState.PAUSED:
                service.runs.resume(run.id)
            else:
                service.queue.pause(run.id)

        return await change_run(service, search, change, "The run was not paused or resumed")


def _register_continue(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.CONTINUE, "disabled", allow_duplicate=True),
        Input(ids.CONTINUE, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.TO_EPOCH, "value"),
        State(ids.STEER_MOVED, "data"),
        prevent_initial_call=True,
    )
    async def go_on(clicks: int, search: str | None, end: str, moved: dict[str, Any]) -> Any:
        def change(run: Run) -> None:
            more = read_end(end, run.epoch) - run.epochs
            service.runs.resume(run.id, more, steering.changes(run, moved))

        return await change_run(service, search, change, "The run was not continued")


def _register_branch(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.URL, "search", allow_duplicate=True),
        Input(ids.BRANCH, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.SCRUBBER, "value"),
        State(ids.TO_EPOCH, "value"),
        State(ids.STEER_MOVED, "data"),
        prevent_initial_call=True,
    )
    async def branch(clicks: int, search: str | None, epoch: str, end: str, moved: dict[str, Any]) -> Any:
        def start(run: Run) -> Run:
            changes = steering.changes(run, moved)
            more = read_end(end, run.epoch) - run.epochs if int(epoch) >= run.epochs else 0
            return service.runs.branch(run.id, int(epoch), changes, more, current_client())

        return await start_child(service, search, start, "No run was branched")


def _register_annotations(app: Dash, service: Service) -> None:
    @app.callback(
        Input(ids.RUN_NAME, "value"),
        Input(ids.RUN_NOTES, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def annotate(name: str | None, notes: str | None, search: str | None) -> None:
        """Store the name and the notes, unless they are those that the page was filled with."""
        fields = {ids.RUN_NAME: ("name", name), ids.RUN_NOTES: ("notes", notes)}
        changed = [fields[prop.partition(".")[0]] for prop in ctx.triggered_prop_ids]
        given = {field: (text or "").strip() for field, text in changed}  # not both: another tab may change the other
        try:
            before = await asyncio.to_thread(service.archive.annotations, run_id_of(search))
            if any(getattr(before, field) != text for field, text in given.items()):
                run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
                await asyncio.to_thread(lambda: service.archive.annotate(run.id, **given))
        except NotFound:
            return  # the page shows no run
        except NstError as error:
            show_error(error, "The name and the notes were not stored")
