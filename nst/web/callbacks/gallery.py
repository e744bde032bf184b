"""Callbacks of the gallery: its grid of run cards, and the actions of their buttons.

Whatever may change the grid counts GRID_REQUEST up (assets/changing_grid.js). One callback answers with what changed.
Where several people share the studio, each client gets its own runs.
"""

import asyncio
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from nst.errors import NstError
from nst.web import ids
from nst.web.components.poll_now import poll_now
from nst.web.components.run_grid import ANY_STATE, INSTANT, OUTPUTS, run_grid
from nst.web.components.toast import show_error
from nst.web.current_client import current_client
from nst.web.service.permissions import check_owner
from nst.web.service.service import Service

FAILED = {  # headings of messages, by the action of a button
    "like": "The run was not made a favorite",
    "unlike": "The run stays a favorite",
    "delete": "The run was not deleted",
    "restore": "The run was not restored",
}
CARDS_PER_CLICK = 50  # that are shown at first, and that "More" adds


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("gallery", "request"),
        Output(ids.GRID_REQUEST, "data"),
        Input(ids.URL, "pathname"),
        *(Input(box, "value") for box in (ids.SEARCH, ids.STATE_FILTER, ids.FAVORITE_FILTER)),
        Input(ids.MORE, "n_clicks"),
    )
    app.clientside_callback(
        ClientsideFunction("gallery", "received"), Input(ids.GRID_ANSWER, "data"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("gallery", "actionDone"), Input(ids.ACTION_RESULT, "data"), prevent_initial_call=True
    )

    app.clientside_callback(
        ClientsideFunction("gallery", "chooseRuns"),
        Output(ids.compare_button(ALL), "aria-pressed"),
        Output(ids.CHOSEN_BAR, "hidden"),
        Output(ids.CHOSEN_TEXT, "children"),
        Output(ids.CHOSEN_LINK, "href"),
        Output(ids.CHOSEN_LINK, "hidden"),
        Input(ids.compare_button(ALL), "n_clicks"),
        Input(ids.CHOSEN_CLEAR, "n_clicks"),
        State(ids.compare_button(ALL), "id"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "answered": Output(ids.GRID_ANSWER, "data"),
            "shown": {name: Output(*place) for name, place in OUTPUTS.items()},
        },
        inputs={"request": Input(ids.GRID_REQUEST, "data")},
        state={
            "words": State(ids.SEARCH, "value"),
            "state": State(ids.STATE_FILTER, "value"),
            "favorite": State(ids.FAVORITE_FILTER, "value"),
            "clicks": State(ids.MORE, "n_clicks"),
            "versions": State(ids.GRID_VERSIONS, "data"),
        },
        prevent_initial_call=True,
    )
    async def update_grid(
        request: int, words: str | None, state: str, favorite: bool, clicks: int | None, versions: list[Any]
    ) -> dict[str, Any]:
        filters = {"words": words or "", "favorite": favorite, "fast": state == INSTANT}
        filters["state"] = "" if state in (ANY_STATE, INSTANT) else state
        limit = CARDS_PER_CLICK * (1 + (clicks or 0))
        shown = await asyncio.to_thread(run_grid, service, current_client(), filters, limit, versions)
        return {"answered": request, "shown": shown}

    @app.callback(Output(ids.ACTION_RESULT, "data"), Input(ids.ACTION, "data"), prevent_initial_call=True)
    async def act(action: dict[str, Any]) -> dict[str, Any]:
        try:
            await asyncio.to_thread(perform_action, service, current_client(), action["do"], action["run"])
        except NstError as error:
            show_error(error, FAILED[action["do"]])
            return {**action, "failed": True}
        poll_now()  # the Studio may show this run
        return action


def perform_action(service: Service, client: str, name: str, run_id: str) -> None:
    """Perform the action of a card's button: like, unlike, delete or restore a run. Raises NotFound, Conflict."""
    run = service.archive.deleted(run_id) if name == "restore" else service.store.run(run_id)
    check_owner(run.client, client, "this run")
    if name == "restore":
        service.archive.restore(run_id)
    elif name == "delete":
        service.archive.delete(run_id)
    else:
        service.archive.annotate(run_id, favorite=name == "like")
