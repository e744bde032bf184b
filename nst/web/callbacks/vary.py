"""Callbacks of the Variations page: what varies is checked, started, shown while it is painted, and painted large.

Whatever may change the grid counts VARY_REQUEST up (assets/changing_grid.js). One callback answers with what changed.
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from nst.errors import NotFound, NstError, OptionError
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.options.variations import MOST_AXES, Variations
from nst.runs.humanize import count, roughly
from nst.web import ids
from nst.web.callbacks.form.whole_form import FORM_STATE, read_options
from nst.web.components.form.chooser import chosen_ref
from nst.web.components.form.option_fields import BOXES
from nst.web.components.toast import message_of, show_error
from nst.web.components.variation_grid import EMPTY, OUTPUTS, earlier_link, grid_view, pair_view
from nst.web.current_client import current_client
from nst.web.pages.vary import NONE
from nst.web.service.service import Service

AXES = range(MOST_AXES)
FAILED = {  # headings of messages, by the action of a button
    "paint": "The run was not started",
    "stop": "The variations were not stopped",
    "like": "The quick run was not kept",
    "unlike": "The quick run stays in the gallery",
}
ERRORS = [Output(ids.error(ids.axis(n, "values")), "children", allow_duplicate=True) for n in AXES]


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    for n in AXES:
        app.clientside_callback(
            ClientsideFunction("vary", "propose"),
            Output(ids.axis(n, "values"), "value"),
            Output(ids.axis(n, "values"), "disabled"),
            Output(ids.hint(ids.axis(n, "values")), "children"),
            Input(ids.axis(n, "option"), "value"),
            State(ids.VARY_PROPOSALS, "data"),
            *(State(ids.choice(role), "data") for role in STYLE_ROLES),
            prevent_initial_call=True,
        )
    _register_draft(app)
    _register_form(app, service)
    _register_grid(app, service)
    _register_actions(app, service)


def read_variations(values: dict[str, Any], choices: dict[str, Any], axes: list[list[str]]) -> Variations:
    """Return the grid of the Studio's form, of its chosen pictures and of the axes, (option or NONE, its values) each.

    Raises OptionError; its `option` is the one that varies where that is wrong.
    """
    varied = {name: text or "" for name, text in axes if name != NONE}
    if len(varied) < sum(name != NONE for name, _ in axes):
        raise OptionError("choose two options that differ", axes[-1][0])
    form = read_options(values, choices)
    return Variations.parse(StyleOptions.from_json({n: v for n, v in form.items() if n not in varied}), varied)


def chosen_refs(choices: dict[str, Any]) -> dict[str, str]:
    """Return the references of the chosen pictures by role. Raises InputError if content or style is missing."""
    for role in ("content", "style"):
        chosen_ref(role, choices[role])
    return {role: choice["ref"] for role, choice in choices.items() if choice}


def _errors(error: NstError, axes: list[list[str]]) -> tuple[list[str], str]:
    """(messages beside the axes, message about the grid as a whole or the Studio's form)."""
    option = getattr(error, "option", "")
    message = message_of(error)
    beside = [message if name == option else "" for name, _ in axes]
    elsewhere = "" if any(beside) else message
    is_of_form = elsewhere and option in BOXES
    return beside, f"In the Studio: {elsewhere}" if is_of_form else elsewhere


def _register_draft(app: Dash) -> None:
    """Keep what varies until the next visit (assets/vary.js)."""
    options, values = ([(ids.axis(n, part), "value") for n in AXES] for part in ("option", "values"))
    app.clientside_callback(
        ClientsideFunction("vary", "open"),
        [Output(*place) for place in options],
        Input(ids.URL, "pathname"),
        *(State(*place) for place in options),
    )
    app.clientside_callback(
        ClientsideFunction("vary", "keep"),
        *(Input(*place) for place in (*options, *values)),
        prevent_initial_call=True,
    )


def _register_form(app: Dash, service: Service) -> None:
    app.clientside_callback(
        ClientsideFunction("vary", "check"),
        Output(ids.VARY_CHECK, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.FORM_CHANGES, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "pair": Output(ids.VARY_PAIR, "children"),
            "errors": [Output(ids.error(ids.axis(n, "values")), "children") for n in AXES],
            "summary": Output(ids.VARY_SUMMARY, "children"),
            "class": Output(ids.VARY_SUMMARY, "className"),
            "off": Output(ids.VARY_START, "disabled"),
        },
        inputs={
            "number": Input(ids.VARY_CHECK, "data"),
            "axes": [[Input(ids.axis(n, part), "value") for part in ("option", "values")] for n in AXES],
        },
        state={**FORM_STATE},  # a copy: Dash adds the inputs to it
        prevent_initial_call=True,
    )
    async def check(
        number: int, axes: list[list[str]], choices: dict[str, Any], values: dict[str, Any]
    ) -> dict[str, Any]:
        answer = {"pair": pair_view(choices), "errors": [""] * len(AXES), "class": "estimate", "off": False}
        try:
            variations = read_variations(values, choices, axes)
            seconds = await asyncio.to_thread(service.variations.check, variations, chosen_refs(choices))
            takes = "" if seconds is None else f", about {roughly(seconds)}"
            first = " Of the photographs only the first one is painted." if choices["content"].get("more") else ""
            return answer | {"summary": f"{count(variations.rows * variations.columns, 'quick run')}{takes}.{first}"}
        except NstError as error:
            errors, summary = _errors(error, axes)
            return answer | {"errors": errors, "summary": summary, "class": "estimate estimate-refused", "off": True}

    @app.callback(
        output={"hash": Output(ids.URL, "hash"), "errors": ERRORS},
        inputs={"clicks": Input(ids.VARY_START, "n_clicks")},
        state={
            **FORM_STATE,  # of the studio's page: whatever was moved there has reached its box
            "axes": [[State(ids.axis(n, part), "value") for part in ("option", "values")] for n in AXES],
        },
        prevent_initial_call=True,
    )
    async def start(
        clicks: int, choices: dict[str, Any], values: dict[str, Any], axes: list[list[str]]
    ) -> dict[str, Any]:
        try:
            variations = read_variations(values, choices, axes)
            names = {role: str(choice["title"]) for role, choice in choices.items() if choice}
            more: dict[str, Any] = {"names": names, "client": current_client()}
            grid = await asyncio.to_thread(service.variations.start, variations, chosen_refs(choices), **more)
        except NstError as error:
            show_error(error, "No variations were started")
            return {"hash": no_update, "errors": _errors(error, axes)[0]}
        return {"hash": f"#{grid.id}", "errors": [""] * len(AXES)}


def _register_grid(app: Dash, service: Service) -> None:
    app.clientside_callback(
        ClientsideFunction("vary", "request"),
        Output(ids.VARY_REQUEST, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "hash"),
        Input(ids.VARY_ACTION_RESULT, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("vary", "received"), Input(ids.VARY_ANSWER, "data"), prevent_initial_call=True
    )

    @app.callback(
        output={
            "answer": Output(ids.VARY_ANSWER, "data"),
            "view": {name: Output(*place) for name, place in OUTPUTS.items()},
            "earlier": Output(ids.VARY_EARLIER, "children"),
        },
        inputs={"request": Input(ids.VARY_REQUEST, "data")},
        state={"fragment": State(ids.URL, "hash"), "shown": State(ids.VARY_SHOWN, "data")},
        prevent_initial_call=True,
    )
    async def update(request: int, fragment: str | None, shown: list[Any]) -> dict[str, Any]:
        grid_id = (fragment or "").lstrip("#")
        earlier = no_update
        if shown[0] != grid_id or not grid_id:
            earlier = await asyncio.to_thread(_earlier_links, service, current_client())
        try:
            grid = await asyncio.to_thread(service.variations.get, grid_id)
        except NotFound as error:
            view = EMPTY | {"status": f"{error}." if grid_id else ""}
            return {"answer": {"n": request, "ended": True}, "view": view, "earlier": earlier}
        found = await asyncio.to_thread(service.variations.describe, grid)
        view = grid_view(found, shown)
        return {"answer": {"n": request, "ended": found["ended"]}, "view": view, "earlier": earlier}


def _earlier_links(service: Service, client: str) -> list[Component]:
    return [earlier_link(grid, service.variations.pictures(grid)) for grid in service.variations.newest(client)]


def _register_actions(app: Dash, service: Service) -> None:
    @app.callback(
        output={
            "done": Output(ids.VARY_ACTION_RESULT, "data"),
            "pathname": Output(ids.URL, "pathname", allow_duplicate=True),
            "search": Output(ids.URL, "search", allow_duplicate=True),
            "hash": Output(ids.URL, "hash", allow_duplicate=True),
        },
        inputs={"action": Input(ids.VARY_ACTION, "data"), "stops": Input(ids.VARY_STOP, "n_clicks")},
        state={"fragment": State(ids.URL, "hash")},
        prevent_initial_call=True,
    )
    async def act(action: dict[str, Any] | None, stops: int | None, fragment: str | None) -> dict[str, Any]:
        if ctx.triggered_id == ids.VARY_STOP:
            action = {"do": "stop"}
        assert action is not None
        answer = {"done": action, "pathname": no_update, "search": no_update, "hash": no_update}
        try:
            grid_id = (fragment or "").lstrip("#")
            run_id = await asyncio.to_thread(perform_action, service, grid_id, action["do"], action.get("run", ""))
        except NstError as error:
            show_error(error, FAILED[action["do"]])
            return answer
        return answer | ({"pathname": "/", "search": f"?run={run_id}", "hash": ""} if run_id else {})


def perform_action(service: Service, grid_id: str, name: str, run_id: str) -> str:
    """Perform the action of a button: stop the grid; like, unlike or paint one of its runs.

    Returns the id of the run that "paint" starts, else "". Raises NotFound, Conflict, Busy, TooMany.
    """
    if name == "paint":
        return service.variations.paint(service.variations.owned(grid_id), run_id, current_client()).id
    grid = service.variations.owned(grid_id)
    if name == "stop":
        service.variations.cancel(grid)
    elif run_id in grid.runs:
        service.archive.annotate(run_id, favorite=name == "like")
    return ""
