"""Settings out of a result: a PNG that this program painted fills the form, and chooses its pictures if they are here.

It is dropped on the painting, or chosen with the button; on a drop zone it would be a picture like any other.
"""

import asyncio
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from nst.errors import NotFound, NstError
from nst.pictures import provenance
from nst.pictures.images import MAX_BYTES
from nst.pictures.provenance import Provenance
from nst.web import ids
from nst.web.callbacks.inputs import ROLES, VALUES, bytes_of
from nst.web.components.form import fill_form, toast
from nst.web.service.service import Service


def button() -> Component:
    """What takes the file."""
    return dcc.Upload(
        html.Span("⟲ Settings of a result", className="quiet"),
        id=ids.SETTINGS,
        className="settings-of",
        max_size=MAX_BYTES,
        accept="image/png",
    )


def register(app: Dash, service: Service) -> None:
    """Attach the callback to `app`."""

    @app.callback(
        output={
            "values": {name: Output(box, "value", allow_duplicate=True) for name, box in VALUES.items()},
            "choices": {role: Output(ids.choice(role), "data", allow_duplicate=True) for role in ROLES},
            "contents": Output(ids.SETTINGS, "contents"),
            "said": Output(ids.SETTINGS_SAID, "children"),
        },
        inputs={"contents": Input(ids.SETTINGS, "contents")},
        state={"name": State(ids.SETTINGS, "filename")},
        prevent_initial_call=True,
    )
    async def restore(contents: str | None, name: str | None) -> dict[str, Any]:
        nothing = {
            "values": dict.fromkeys(VALUES, no_update),
            "choices": dict.fromkeys(ROLES, no_update),
            "contents": None,
            "said": no_update,
        }
        if not contents:
            return nothing
        try:
            found = await asyncio.to_thread(lambda: provenance.read(bytes_of(contents), name or "the picture"))
        except NstError as error:
            toast(str(error))
            return nothing
        choices, missing = await asyncio.to_thread(_pictures, service, found)
        return nothing | {
            "values": fill_form(found.options_at_the_end),
            "said": said(name or "the picture", missing, found.branched),
            "choices": {role: choices.get(role, no_update) for role in ROLES},
        }


def _pictures(service: Service, found: Provenance) -> tuple[dict[str, Any], list[str]]:
    """({role: choice} of the pictures that are here, the roles of those that are not)."""
    hashes = {"content": found.content, "style": found.style, "init": found.init}
    choices, missing = {}, []
    for role, upload in hashes.items():
        if upload is None:
            continue
        try:
            service.store.upload_path(upload)
            choices[role] = service.pictures.choice(upload)
        except NotFound:
            missing.append(role)
    return choices, missing


def said(name: str, missing: list[str], branched: bool) -> str:
    """What the page says of it."""
    parts = [f"The settings of {name} are in the form."]
    if missing:
        parts.append(f"Its {' and '.join(missing)} picture is not here: choose it.")
    if branched:
        parts.append("It began with a frame of another run, which they do not repeat.")
    return " ".join(parts)
