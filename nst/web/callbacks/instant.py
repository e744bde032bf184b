"""Callbacks of the instant room: the wall of styles, their previews of the picture at hand, its result, and Refine.

The page's script (assets/instant.js) asks, one question of a kind at a time, and shows an answer if it is the newest.
An answer that says "again" met a worker that is not ready, or busy: the script asks once more.
"""

import asyncio
import base64
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePath
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update, set_props
from dash.development.base_component import Component
from starlette.concurrency import run_in_threadpool

from nst.errors import Busy, NotFound, NstError, OptionError, TooMany
from nst.options.fast_options import FastOptions
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.styles.style_file import MOST_TITLE, name_of
from nst.styles.style_library import Entry
from nst.web import ids
from nst.web.callbacks.inputs import ROLES, bytes_of
from nst.web.components.form import read_form, register_sliders, toast
from nst.web.service.fast_styles import FastResult, shrink
from nst.web.service.samples import STYLES
from nst.web.service.service import Service

log = logging.getLogger(__name__)

OPTIONS = options_of(FastOptions)
FORM = "fast-"  # begins the ids of the room's controls
FIELDS = {option.name: ids.value(FORM + option.name) for option in OPTIONS}
MIXED = 3  # styles that the page mixes at most
SIDE = 224  # px of a preview

WITH_PAINTING = "Its style is chosen too: press Start."
WITHOUT_PAINTING = "Choose the painting of its style, and press Start."


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    register_sliders(app, OPTIONS, FORM)
    _register_script(app)
    _register_styles(app, service)
    _register_painting(app, service)
    _register_refine(app, service)


def _register_script(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("instant", "enter"),
        Input(ids.URL, "pathname"),
        Input(ids.choice("photo"), "data"),
        Input(ids.STYLES, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("instant", "adjust"),
        *(Input(ids.mixed(n, "weight"), "value") for n in range(MIXED)),
        *(Input(box, "value") for box in FIELDS.values()),
    )
    for store in (ids.PREVIEWS, ids.PAINTED):
        app.clientside_callback(ClientsideFunction("instant", store), Input(store, "data"), prevent_initial_call=True)


def _register_styles(app: Dash, service: Service) -> None:
    @app.callback(
        Output(ids.STYLE_WALL, "children"),
        Output(ids.STYLES, "data"),
        Output(ids.STYLE_IMPORT, "contents"),
        Output(ids.STYLE_IMPORT, "style"),
        Input(ids.STYLE_WISH, "data"),
        Input(ids.STYLE_IMPORT, "contents"),
        State(ids.STYLE_IMPORT, "filename"),
        prevent_initial_call=True,
    )
    async def hang(wish: dict[str, Any] | None, contents: str | None, name: str | None) -> tuple[Any, ...]:
        try:
            moved = set(ctx.triggered_prop_ids.values())  # both may have, in one moment
            if contents and ids.STYLE_IMPORT in moved:
                await asyncio.to_thread(bring, service, contents, name or "the file")
            if wish and wish["do"] != "list" and ids.STYLE_WISH in moved:
                await asyncio.to_thread(fulfil, service, wish)
        except NstError as error:
            toast(str(error))
        entries = await asyncio.to_thread(service.library.entries)
        many = service.settings.many
        cards = [card(entry, entry.shipped or many) for entry in entries]
        return cards, [told(entry) for entry in entries], None, {"display": "none"} if many else {}


def bring(service: Service, contents: str, name: str) -> None:
    """Keep the styles of a file that was dropped. Raises InputError, Conflict."""
    service.permissions.check_change_styles()
    service.library.add(bytes_of(contents), name)


def fulfil(service: Service, wish: dict[str, Any]) -> None:
    """Rename or remove a style. Raises NotFound, StyleError, Conflict."""
    service.permissions.check_change_styles()
    if wish["do"] == "rename":
        service.library.rename(wish["name"], name_of(wish["title"]) or wish["name"], wish["title"])
    elif wish["do"] == "remove":
        service.library.remove(wish["name"])


def told(entry: Entry) -> dict[str, str]:
    """What the page's script knows of a style."""
    return {"name": entry.name, "title": entry.style.title, "network": entry.file.network}


def card(entry: Entry, fixed: bool) -> Component:
    """A style on the wall: its own little picture until there is a preview. A `fixed` one is not to be changed."""
    title = entry.style.title
    return html.Article(
        id=ids.style(entry.name),
        className="style-card",
        **{"data-style": entry.name},
        children=[
            html.Button(
                html.Img(src=data_url(entry.style.picture), alt=""),
                type="button",
                className="style-pick",
                **{"data-do": "pick", "aria-label": f"Paint with {title}", "aria-pressed": "false"},
            ),
            html.Button(
                "+",
                type="button",
                className="style-mix",
                title=f"Mix {title} in",
                **{"data-do": "mix", "aria-label": f"Mix {title} in", "aria-pressed": "false"},
            ),
            html.H3([title, *([] if entry.shipped else [html.Span("yours", className="own")])]),
            *([] if fixed else [_menu(entry)]),
        ],
    )


def _menu(entry: Entry) -> Component:
    """What may be done with a style that did not come with the program."""
    box, title = f"title-{entry.name}", entry.style.title
    return html.Details(
        [
            html.Summary("⋯", title=f"More for {title}", **{"aria-label": f"More for {title}"}),
            html.Div(
                [
                    html.Label("Title", htmlFor=box),
                    dbc.Input(id=box, value=title, maxLength=MOST_TITLE, autocomplete="off"),
                    html.Button("Rename", type="button", **{"data-do": "rename"}),
                    html.A("Export", href=f"/api/v1/styles/fast/{entry.name}.style", download=f"{entry.name}.style"),
                    html.Button("Remove", type="button", **{"data-do": "remove"}),
                ]
            ),
        ],
        className="style-menu",
    )


def data_url(jpeg: bytes) -> str | None:
    """A small picture as an address; None for none."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else None


def _register_painting(app: Dash, service: Service) -> None:
    @app.callback(Output(ids.PREVIEWS, "data"), Input(ids.PREVIEWS_ASK, "data"), prevent_initial_call=True)
    async def preview(ask: dict[str, Any]) -> dict[str, Any]:
        return await run_in_threadpool(answer, previews, service, ask)

    @app.callback(
        output={
            "painted": Output(ids.PAINTED, "data"),
            "errors": {name: Output(ids.error(box), "children") for name, box in FIELDS.items()},
        },
        inputs={"ask": Input(ids.PAINT_ASK, "data")},
        prevent_initial_call=True,
    )
    async def paint(ask: dict[str, Any]) -> dict[str, Any]:
        painted = await run_in_threadpool(answer, result, service, ask)
        wrong = painted.get("field")
        return {"painted": painted, "errors": {name: painted["error"] if name == wrong else "" for name in FIELDS}}


def answer(question: Callable[[Service, dict[str, Any]], dict[str, Any]], service: Service, ask: dict[str, Any]) -> Any:
    """What `question` says, under the number of `ask`; or {"error", "again", "field"} in its place."""
    try:
        return {"n": ask["n"], **question(service, ask)}
    except NstError as error:
        field = error.option if isinstance(error, OptionError) else ""
        return {"n": ask["n"], "error": str(error), "again": isinstance(error, Busy | TooMany), "field": field}
    except Exception:  # the page would wait for an answer
        log.exception("a question of the instant room was not answered")
        return {"n": ask["n"], "error": "Something went wrong here.", "again": False, "field": ""}


def previews(service: Service, ask: dict[str, Any]) -> dict[str, Any]:
    """{"pictures": {style: address}} of the picture `ask["ref"]` in every style. Raises NstError."""
    found = service.fast_styles.thumbnails(service.pictures.read(ask["ref"]), SIDE, f"wall of {ask['page']}")
    return {"pictures": {name: data_url(jpeg) for name, jpeg in found.items()}}


def result(service: Service, ask: dict[str, Any]) -> dict[str, Any]:
    """A picture painted as the page wishes, and what it says of it. Raises NstError."""
    options = FastOptions.from_json(read_form(ask["values"], OPTIONS))
    painted = service.fast_styles.stylize(
        service.pictures.read(ask["ref"]), ask["mix"], options, requester=f"stage of {ask['page']}"
    )
    key = service.result_cache.put(painted)
    return {
        "key": key,
        "styles": list(painted.mix),
        "src": f"/api/v1/instant/{key}.png",
        "photo": {"ref": ask["ref"], "title": ask["title"]},
        "width": painted.width,
        "height": painted.height,
        "numbers": f"{painted.width} × {painted.height} px · {painted.seconds:.2f} s",
        "file": f"{name_of(PurePath(ask['title']).stem) or 'picture'}-{'-'.join(painted.mix)}.png",
    }


def _register_refine(app: Dash, service: Service) -> None:
    @app.callback(
        output={
            "path": Output(ids.URL, "pathname"),
            "search": Output(ids.URL, "search", allow_duplicate=True),
            "init": Output(ids.value("init"), "value", allow_duplicate=True),
            "choices": {role: Output(ids.choice(role), "data", allow_duplicate=True) for role in ROLES},
        },
        inputs={"clicks": Input(ids.REFINE, "n_clicks")},
        state={"painted": State(ids.SHOWN, "data")},
        prevent_initial_call=True,
    )
    async def refine(clicks: int, painted: dict[str, Any]) -> dict[str, Any]:
        try:
            choices = await asyncio.to_thread(handed_over, service, painted)
        except NstError as error:
            toast(str(error))
            return dict.fromkeys(("path", "search", "init"), no_update) | {"choices": dict.fromkeys(ROLES, no_update)}
        then = WITH_PAINTING if "style" in choices else WITHOUT_PAINTING
        set_props(ids.NOTE, {"is_open": True, "children": f"The result is what the painting starts from. {then}"})
        choices = {role: choices.get(role, no_update) for role in ROLES}
        return {"path": "/", "search": "", "init": "image", "choices": choices}


def _no_larger(painted: FastResult) -> bytes:
    """A result as the studio can take it: a large PNG may have more bytes than an upload, or than is painted."""
    if len(painted.data) <= images.MAX_BYTES:
        return painted.data
    most = max(size.high or 0 for size in options_of(StyleOptions) if size.name == "size")
    return shrink(painted.data, int(most), len(painted.data))


def handed_over(service: Service, painted: dict[str, Any]) -> dict[str, Any]:
    """{role: choice} of the studio that go on from a result; no style where its painting is none of ours.

    The style of a mix that weighs most speaks for it. Raises NotFound, ImageError.
    """
    kept = service.result_cache.get(painted["key"])
    choices = {
        "content": painted["photo"],
        "init": {"ref": service.pictures.keep(_no_larger(kept), painted["file"]), "title": painted["file"]},
    }
    main = max(kept.mix, key=lambda name: kept.mix[name])
    words = {main}
    with suppress(NotFound):  # it was renamed or removed meanwhile
        style = service.library.find(main).style
        words |= {style.title, str(style.provenance.get("learned_from"))}
    sample = next((sample for sample in STYLES if words & {sample.name, sample.title}), None)
    return choices | ({"style": {"ref": f"samples/{sample.name}", "title": sample.title}} if sample else {})
