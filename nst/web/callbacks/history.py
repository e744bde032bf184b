"""Under the painting: looking back over its epochs, keeping one, branching from one, going on, a timelapse.

The scrubber itself moves without the server (assets/player.js).
"""

import asyncio
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from nst.errors import NstError, OptionError
from nst.options.option_field import number, shown
from nst.pictures.timelapse import FORMATS
from nst.runs.run import Run
from nst.runs.run import State as RunState
from nst.web import ids
from nst.web.callbacks import steering
from nst.web.callbacks.inputs import run_id_of
from nst.web.callbacks.steering import MOVED
from nst.web.components.form import toast
from nst.web.middleware.clients import current_client
from nst.web.service.service import Service

MORE = 10  # epochs that are proposed to go on with
MOST_MORE = 1000


def layout() -> Component:
    """The bar, hidden until there is something to look back at."""
    return html.Div(
        [
            html.Div(
                [
                    html.Label("Epoch", htmlFor=ids.SCRUBBER, className="visually-hidden"),
                    dbc.Input(id=ids.SCRUBBER, type="range", min=0, max=1, step=1, value=1),
                    html.Output(id=ids.SCRUBBED, htmlFor=ids.SCRUBBER),
                    html.Button(
                        "☆",
                        id=ids.MARK,
                        type="button",
                        title="Always keep this frame",
                        className="round",
                        disabled=True,
                    ),
                ],
                className="scrub",
            ),
            html.Div(
                [
                    html.Button("Branch from here", id=ids.BRANCH, type="button", className="quiet"),
                    html.Span(
                        [
                            html.Button("Continue", id=ids.CONTINUE, type="button", className="quiet", disabled=True),
                            dbc.Label("to epoch", html_for=ids.TO_EPOCH, class_name="hint"),
                            dbc.Input(
                                id=ids.TO_EPOCH,
                                type="text",
                                inputmode="numeric",
                                autocomplete="off",
                                value=str(MORE),
                            ),
                        ],
                        className="go-on",
                    ),
                    html.Span(
                        [
                            html.Button("Timelapse", id=ids.FILM, type="button", className="quiet"),
                            dbc.Label(
                                "Format of the timelapse", html_for=ids.FILM_FORMAT, class_name="visually-hidden"
                            ),
                            dbc.Select(
                                id=ids.FILM_FORMAT,
                                options=[{"label": each.upper(), "value": each} for each in FORMATS],
                                value=FORMATS[0],
                            ),
                            html.Label("Making the timelapse", htmlFor=ids.FILM_BAR, className="visually-hidden"),
                            html.Progress(id=ids.FILM_BAR, value="0", max="1", hidden=True),
                            html.A("Save it", id=ids.FILM_LINK, hidden=True, download=""),
                        ],
                        className="film",
                    ),
                ],
                className="course",
            ),
            html.P(id=ids.LINEAGE, className="hint lineage"),
        ],
        id=ids.HISTORY,
        className="history",
        hidden=True,
    )


def lineage(run: Run, children: list[str]) -> list[Any]:
    """Where a run comes from and what came of it, with links."""
    said: list[Any] = []
    if run.parent:
        said = ["Branched from ", _link(run.parent), f" at epoch {run.first}. "]
    if children:
        said += ["Branches: " if len(children) > 1 else "Branch: "]
        for child in children:
            said += [_link(child), " "]
    return said


def _link(run_id: str) -> Component:
    return html.A(run_id[:8], href=f"/?run={run_id}", className="inside")


def proposed_end(run: Run) -> str:
    """The epoch that the box proposes to go on to: that which was asked for, or some more if it was reached."""
    return str(run.epochs + MORE if run.epoch >= run.epochs else run.epochs)


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    app.clientside_callback(
        ClientsideFunction("player", "scrub"), Input(ids.SCRUBBER, "value"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("player", "mark"), Input(ids.MARK, "n_clicks"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("film", "make"),
        Input(ids.FILM, "n_clicks"),
        State(ids.FILM_FORMAT, "value"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.PAUSE, "disabled", allow_duplicate=True),
        Input(ids.PAUSE, "n_clicks"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    async def pause_or_resume(clicks: int, search: str | None) -> Any:
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            paused = run.state is RunState.PAUSED
            await asyncio.to_thread(service.runs.resume if paused else service.queue.pause, run.id)
        except NstError as error:
            toast(str(error))
            return False
        return no_update  # the page disabled it when it was pressed; what the run tells next enables it

    @app.callback(
        Output(ids.CONTINUE, "disabled", allow_duplicate=True),
        Input(ids.CONTINUE, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.TO_EPOCH, "value"),
        MOVED,
        prevent_initial_call=True,
    )
    async def go_on(clicks: int, search: str | None, end: str, moved: dict[str, Any]) -> Any:
        try:
            run = await asyncio.to_thread(service.runs.owned, run_id_of(search))
            wanted = steering.changes(run, moved)
            await asyncio.to_thread(service.runs.resume, run.id, _end(end, run.epoch) - run.epochs, wanted)
        except NstError as error:
            toast(str(error))
            return False
        return no_update  # the page disabled it when it was pressed; what the run tells next enables it

    @app.callback(
        Output(ids.URL, "search", allow_duplicate=True),
        Input(ids.BRANCH, "n_clicks"),
        State(ids.URL, "search"),
        State(ids.SCRUBBER, "value"),
        State(ids.TO_EPOCH, "value"),
        MOVED,
        prevent_initial_call=True,
    )
    async def branch(clicks: int, search: str | None, epoch: str, end: str, moved: dict[str, Any]) -> Any:
        try:
            run = await asyncio.to_thread(service.store.run, run_id_of(search))
            wanted = steering.changes(run, moved)
            further = _end(end, run.epoch) - run.epochs if int(epoch) >= run.epochs else 0
            child = await asyncio.to_thread(service.runs.branch, run.id, int(epoch), wanted, further, current_client())
        except NstError as error:
            toast(str(error))
            return no_update
        return f"?run={child.id}"


def _end(text: str, epoch: int) -> int:
    """The epoch in the box, for a run that stands at `epoch`. Raises OptionError."""
    found = number(str(text).strip())
    if not isinstance(found, int) or not epoch < found <= epoch + MOST_MORE:
        rule = f"a whole number between {epoch + 1} and {epoch + MOST_MORE}"
        raise OptionError(f"the epoch to go on to must be {rule}, got {shown(text)}")
    return found
