"""Callbacks of the left side: pictures are chosen, the form is tied together and filled again from a run."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, no_update

from nst.errors import ImageError, InputError, NotFound, NstError
from nst.web import ids
from nst.web.api.request_parsing import decode_base64
from nst.web.components.form import ASKS, OPTIONS, fill_form, register_sliders, toast
from nst.web.service.service import Service

VALUES = {option.name: ids.value(option.name) for option in OPTIONS}
ROLES = ("content", "style", "init")  # of a run's pictures


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    for role in ASKS:
        _register_upload(app, service, role)
        app.clientside_callback(
            ClientsideFunction("form", "show"),
            Output(ids.preview(role), "src"),
            Output(ids.caption(role), "children"),
            Output(ids.sample(role, ALL), "className"),
            Input(ids.choice(role), "data"),
            State(ids.sample(role, ALL), "id"),
        )
        app.clientside_callback(
            ClientsideFunction("form", "choose"),
            Output(ids.choice(role), "data", allow_duplicate=True),
            Output(ids.error(role), "children", allow_duplicate=True),
            Input(ids.sample(role, ALL), "n_clicks"),
            State(ids.sample(role, ALL), "title"),
            State(ids.sample(role, ALL), "id"),
            prevent_initial_call=True,
        )
    _register_whims(app)
    register_sliders(app)
    _register_restore(app, service)


def _register_upload(app: Dash, service: Service, role: str) -> None:
    @app.callback(
        Output(ids.choice(role), "data"),
        Output(ids.error(role), "children"),
        Output(ids.upload(role), "contents"),
        Input(ids.upload(role), "contents"),
        State(ids.upload(role), "filename"),
        prevent_initial_call=True,
    )
    async def receive(contents: str | None, name: str | None) -> tuple[Any, Any, None]:
        """The only callback that meets the bytes; it forgets them at once, so that they cross the wire once."""
        if not contents:
            return no_update, no_update, None
        try:
            ref = await asyncio.to_thread(lambda: service.pictures.keep(bytes_of(contents), name or role))
        except NstError as error:
            toast(str(error))
            return no_update, str(error), None
        return {"ref": ref, "title": name}, "", None


def bytes_of(contents: str) -> bytes:
    """What dcc.Upload gives, a data URL, as bytes. Raises ImageError."""
    try:
        return decode_base64(contents.partition(",")[2])
    except ValueError as error:
        raise ImageError(f"the upload is not base64: {error}") from error


def _register_whims(app: Dash) -> None:
    """Swap, surprise, dice; and the third picture, shown when the run starts from one."""
    choices = [Output(ids.choice(role), "data", allow_duplicate=True) for role in ("content", "style")]
    app.clientside_callback(
        ClientsideFunction("form", "swap"),
        choices,
        Input(ids.SWAP, "n_clicks"),
        [State(ids.choice(role), "data") for role in ("content", "style")],
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "surprise"),
        choices,
        Input(ids.SURPRISE, "n_clicks"),
        [State(ids.sample(role, ALL), part) for role in ("content", "style") for part in ("title", "id")],
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "dice"),
        Output(ids.value("seed"), "value", allow_duplicate=True),
        Input(ids.DICE, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("form", "ownStart"), Output(ids.OWN_START, "hidden"), Input(ids.value("init"), "value")
    )


def _register_restore(app: Dash, service: Service) -> None:
    @app.callback(
        output={
            "values": {name: Output(box, "value", allow_duplicate=True) for name, box in VALUES.items()},
            "choices": {role: Output(ids.choice(role), "data", allow_duplicate=True) for role in ROLES},
        },
        inputs={"search": Input(ids.URL, "search")},
        prevent_initial_call="initial_duplicate",
    )
    async def restore(search: str | None) -> dict[str, Any]:
        """Fill the form with what a run was made of, so that a page opened by its address is whole."""
        nothing = {"values": dict.fromkeys(VALUES, no_update), "choices": dict.fromkeys(ROLES, no_update)}
        try:
            run = service.store.run(run_id_of(search) or run_id_of(search, "like"))
        except NotFound:
            return nothing
        pictures = {"content": run.content, "style": run.style, "init": run.init}
        choices = {role: service.pictures.choice(each) if each else no_update for role, each in pictures.items()}
        return {"values": fill_form(run.options), "choices": choices}


def run_id_of(search: str | None, word: str = "run") -> str:
    """The run that an address's query names, "" if none: "?run=<id>"; "?like=<id>" asks for its settings alone."""
    return parse_qs((search or "").lstrip("?")).get(word, [""])[0]


def chosen(role: str, choice: dict[str, str] | None) -> str:
    """The ref of what is chosen. Raises InputError."""
    if not choice:
        raise InputError(f"choose a {'photograph' if role == 'content' else 'painting'} first")
    return choice["ref"]
