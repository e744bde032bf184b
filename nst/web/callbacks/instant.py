"""Callbacks of the Instant page: the previews of the chosen picture in each style, its result, and Refine.

assets/instant.js sends the requests, one of each kind at a time, and shows an answer if it is the newest. An answer
with "again" means that the worker is busy or not ready: the script repeats the request.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props
from starlette.concurrency import run_in_threadpool

from nst.errors import Busy, NotFound, NstError, OptionError, TooMany
from nst.options.fast_options import FastOptions
from nst.options.option_field import options_of
from nst.options.picture_roles import ROLES
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.samples import STYLES
from nst.styles.style_file import name_of
from nst.web import ids
from nst.web.components import data_url
from nst.web.components.chooser import choices_of_run
from nst.web.components.form import FAST_BOXES, FAST_OPTIONS, read_form
from nst.web.components.mix import MIX_SLOTS
from nst.web.components.toast import show_error
from nst.web.service.fast_styles import FastResult, shrink
from nst.web.service.service import Service

log = logging.getLogger(__name__)

PREVIEW_SIDE = 288  # px
NOTE_WITH_STYLE = "Its style is chosen too: press Start."
NOTE_WITHOUT_STYLE = "Choose the painting of its style, and press Start."


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    _register_script(app)
    _register_results(app, service)
    _register_refine(app, service)


def _register_script(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("instant", "show"),
        Input(ids.URL, "pathname"),
        Input(ids.choice("photo"), "data"),
        Input(ids.STYLES, "data"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(
        ClientsideFunction("instant", "adjust"),
        *(Input(ids.mix(n, "weight"), "value") for n in range(MIX_SLOTS)),
        *(Input(box, "value") for box in FAST_BOXES.values()),
    )
    for function, store in (("previewsReceived", ids.PREVIEWS), ("resultReceived", ids.RESULT_ANSWER)):
        app.clientside_callback(
            ClientsideFunction("instant", function), Input(store, "data"), prevent_initial_call=True
        )


def _register_results(app: Dash, service: Service) -> None:
    @app.callback(Output(ids.PREVIEWS, "data"), Input(ids.PREVIEWS_REQUEST, "data"), prevent_initial_call=True)
    async def preview(request: dict[str, Any]) -> dict[str, Any]:
        return await run_in_threadpool(answer, previews, service, request)

    @app.callback(
        output={
            "answer": Output(ids.RESULT_ANSWER, "data"),
            "errors": {name: Output(ids.error(box), "children") for name, box in FAST_BOXES.items()},
        },
        inputs={"request": Input(ids.RESULT_REQUEST, "data")},
        prevent_initial_call=True,
    )
    async def stylize(request: dict[str, Any]) -> dict[str, Any]:
        found = await run_in_threadpool(answer, result, service, request)
        wrong = found.get("field")
        return {"answer": found, "errors": {name: found["error"] if name == wrong else "" for name in FAST_BOXES}}


def answer(
    function: Callable[[Service, dict[str, Any]], dict[str, Any]], service: Service, request: dict[str, Any]
) -> Any:
    """Return what `function` returns for `request`, or {"error", "again", "field"}, with the number of the request."""
    try:
        return {"n": request["n"], **function(service, request)}
    except NstError as error:
        field = error.option if isinstance(error, OptionError) else ""
        return {"n": request["n"], "error": str(error), "again": isinstance(error, Busy | TooMany), "field": field}
    except Exception:  # without an answer the page would wait
        log.exception("a request of the Instant page failed")
        return {"n": request["n"], "error": "Something went wrong here.", "again": False, "field": ""}


def previews(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Return {"pictures": {style: data URL}}: the picture `request["ref"]` in the styles that are named there.

    "key" is that of the request, "aspect" the width of the picture over its height. Raises NstError.
    """
    options = replace(FastOptions.from_json(read_form(request["values"], FAST_OPTIONS)), size=None)
    content = service.pictures.read(request["ref"])
    requester = f"previews of {request['page']}"
    found = service.fast_styles.thumbnails(content, PREVIEW_SIDE, requester, request["styles"], options)
    height, width = service.pictures.shape(request["ref"])
    pictures = {name: data_url.encode(jpeg) for name, jpeg in found.items()}
    return {"key": request["key"], "aspect": width / height, "pictures": pictures}


def result(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Stylize the picture `request["ref"]`; returns what the page shows of the result. Raises NstError."""
    options = FastOptions.from_json(read_form(request["values"], FAST_OPTIONS))
    content = service.pictures.read(request["ref"])
    found = service.fast_styles.stylize(content, request["mix"], options, requester=f"result of {request['page']}")
    key = service.result_cache.put(found)
    return {
        "key": key,
        "styles": list(found.mix),
        "src": f"/api/v1/instant/{key}.png",
        "photo": {"ref": request["ref"], "title": request["title"]},
        "width": found.width,
        "height": found.height,
        "numbers": f"{found.width} × {found.height} px · {found.seconds:.2f} s",
        "file": f"{name_of(PurePath(request['title']).stem) or 'picture'}-{'-'.join(found.mix)}.png",
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
        state={"shown": State(ids.SHOWN_RESULT, "data")},
        prevent_initial_call=True,
    )
    async def refine(clicks: int, shown: dict[str, Any]) -> dict[str, Any]:
        try:
            choices = await asyncio.to_thread(studio_choices, service, shown)
        except NstError as error:
            show_error(str(error))
            return dict.fromkeys(("path", "search", "init"), no_update) | {"choices": dict.fromkeys(ROLES, no_update)}
        advice = NOTE_WITH_STYLE if "style" in choices else NOTE_WITHOUT_STYLE
        set_props(ids.NOTE, {"is_open": True, "children": f"The result is what the painting starts from. {advice}"})
        return {"path": "/", "search": "", "init": "image", "choices": choices_of_run(choices)}


def studio_choices(service: Service, shown: dict[str, Any]) -> dict[str, Any]:
    """Return {role: choice} with which the Studio page refines a result.

    The style is the sample from which the heaviest style of the mix was trained; it is left out if there is none.
    Raises NotFound, ImageError.
    """
    found = service.result_cache.get(shown["key"])
    choices = {
        "content": shown["photo"],
        "init": {"ref": service.pictures.keep(_uploadable(found), shown["file"]), "title": shown["file"]},
    }
    heaviest = max(found.mix, key=lambda name: found.mix[name])
    names = {heaviest}
    with suppress(NotFound):  # renamed or removed meanwhile
        style = service.library.find(heaviest).style
        names |= {style.title, str(style.provenance.get("learned_from"))}
    sample = next((sample for sample in STYLES if names & {sample.name, sample.title}), None)
    return choices | ({"style": {"ref": f"samples/{sample.name}", "title": sample.title}} if sample else {})


def _uploadable(found: FastResult) -> bytes:
    """The file of a result, made smaller if it exceeds the limit of uploads, in bytes or in the size of a run."""
    if len(found.data) <= images.MAX_BYTES:
        return found.data
    most = max(size.high or 0 for size in options_of(StyleOptions) if size.name == "size")
    return shrink(found.data, int(most), len(found.data))
