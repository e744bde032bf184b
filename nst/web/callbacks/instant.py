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
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.samples import STYLES
from nst.runs.run import Run
from nst.styles.style_file import name_of
from nst.web import ids, instant_ids
from nst.web.callbacks.form.whole_form import FORM_OUTPUTS, UNCHANGED, filled
from nst.web.components import data_url
from nst.web.components.fast_mix import MIX_SLOTS
from nst.web.components.form.option_fields import FAST_BOXES, FAST_OPTIONS, read_form
from nst.web.components.toast import message_of, show_error
from nst.web.middleware.clients import current_client
from nst.web.service.fast_styles import FastResult, shrink
from nst.web.service.pictures import is_ref
from nst.web.service.service import Service

log = logging.getLogger(__name__)

PREVIEW_SIDE = 288  # px
NOTE_WITH_STYLE = "Its style is chosen too: press Start."
NOTE_WITHOUT_STYLE = "Choose the painting of its style, and press Start."


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    _register_script(app)
    _register_results(app, service)
    _register_keep(app, service)
    _register_refine(app, service)


def _register_script(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("instant", "show"),
        Input(ids.URL, "pathname"),
        Input(ids.choice("photo"), "data"),
        Input(instant_ids.STYLES, "data"),
        Input(ids.URL, "search"),
    )
    app.clientside_callback(
        ClientsideFunction("instant", "adjust"),
        *(Input(instant_ids.mix(n, "weight"), "value") for n in range(MIX_SLOTS)),
        *(Input(box, "value") for box in FAST_BOXES.values()),
    )
    for function, store in (("previewsReceived", instant_ids.PREVIEWS), ("resultReceived", instant_ids.RESULT_ANSWER)):
        app.clientside_callback(
            ClientsideFunction("instant", function), Input(store, "data"), prevent_initial_call=True
        )


def _register_results(app: Dash, service: Service) -> None:
    @app.callback(
        Output(instant_ids.PREVIEWS, "data"), Input(instant_ids.PREVIEWS_REQUEST, "data"), prevent_initial_call=True
    )
    async def preview(request: dict[str, Any]) -> dict[str, Any]:
        return await run_in_threadpool(answer, previews, service, request)

    @app.callback(
        output={
            "answer": Output(instant_ids.RESULT_ANSWER, "data"),
            "errors": {name: Output(ids.error(box), "children") for name, box in FAST_BOXES.items()},
        },
        inputs={"request": Input(instant_ids.RESULT_REQUEST, "data")},
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
        again = isinstance(error, Busy | TooMany)
        return {"n": request["n"], "error": message_of(error), "again": again, "field": field}
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


def _register_keep(app: Dash, service: Service) -> None:
    @app.callback(
        Output(instant_ids.KEPT_RESULT, "data"),
        Input(instant_ids.KEEP_RESULT, "n_clicks"),
        State(instant_ids.SHOWN_RESULT, "data"),
        prevent_initial_call=True,
    )
    async def keep(clicks: int, shown: dict[str, Any]) -> Any:
        try:
            await asyncio.to_thread(keep_result, service, shown)
        except NstError as error:
            show_error(error, "The result was not kept")
            return no_update
        return {"key": shown["key"]}

    app.clientside_callback(
        ClientsideFunction("instant", "resultKept"),
        Output(instant_ids.KEEP_RESULT, "disabled"),
        Output(instant_ids.KEEP_RESULT, "children"),
        Input(instant_ids.KEPT_RESULT, "data"),
        State(instant_ids.SHOWN_RESULT, "data"),
        prevent_initial_call=True,
    )


def keep_result(service: Service, shown: dict[str, Any]) -> Run:
    """Keep a result in the gallery. Raises NotFound, Busy, DiskFull."""
    found = service.result_cache.get(shown["key"])
    return service.kept_results.keep(found, shown["photo"]["ref"], current_client())


def _register_refine(app: Dash, service: Service) -> None:
    app.clientside_callback(
        ClientsideFunction("startPicture", "show"),
        Output(ids.START_PICTURE, "hidden"),
        Output(ids.START_IMAGE, "src"),
        Output(ids.START_HINT, "children"),
        Input(ids.value("init"), "value"),
        Input(ids.choice("init"), "data"),
        Input(ids.choice("style"), "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "path": Output(ids.URL, "pathname"),
            "search": Output(ids.URL, "search", allow_duplicate=True),
            **FORM_OUTPUTS,
        },
        inputs={"clicks": Input(instant_ids.REFINE, "n_clicks")},
        state={"shown": State(instant_ids.SHOWN_RESULT, "data")},
        prevent_initial_call=True,
    )
    async def refine(clicks: int, shown: dict[str, Any]) -> dict[str, Any]:
        try:
            choices, options = await asyncio.to_thread(studio_settings, service, shown)
        except NstError as error:
            show_error(error, "The result was not taken to the Studio")
            return {"path": no_update, "search": no_update, **UNCHANGED}
        advice = NOTE_WITH_STYLE if choices["style"] else NOTE_WITHOUT_STYLE
        set_props(
            instant_ids.NOTE,
            {"is_open": True, "header": "Refine", "children": f"The result is what the painting starts from. {advice}"},
        )
        return {"path": "/", "search": "", **filled(options, choices)}


def studio_settings(service: Service, shown: dict[str, Any]) -> tuple[dict[str, Any], StyleOptions]:
    """Return ({role: choice}, options) with which the Studio page refines a result.

    The options are the defaults but for the start and the shares of several paintings: the run takes no longer than any
    other. A style whose painting is not at hand is left out; without any, the chooser of the style is emptied. Raises
    NotFound, ImageError.
    """
    found = service.result_cache.get(shown["key"])
    choices: dict[str, Any] = {
        "mask": None,
        "style": False,
        "content": shown["photo"],
        "init": {"ref": service.pictures.keep(_uploadable(found), shown["file"]), "title": shown["file"]},
    }
    weights: dict[str, float] = {}
    for style, weight in sorted(found.mix.items(), key=lambda item: -item[1]):
        painting = painting_of(service, style)
        if painting and weight > 0:
            role = STYLE_ROLES[len(weights)]
            choices[role], weights[role] = painting, round(weight, 3)
    shares = tuple(weights.values()) if len(weights) > 1 else None
    return choices, StyleOptions(init="image", style_mix=shares)


def painting_of(service: Service, style: str) -> dict[str, str] | None:
    """Return the choice of a style's painting: a stored one, a sample, or the copy in the style's file; None if none.

    The copy in a style file is of the painting where the style's provenance has the painting's SHA-256. Raises Busy,
    DiskFull.
    """
    with suppress(NotFound):  # renamed or removed meanwhile
        if is_ref(style):
            return service.pictures.choice_of(style)
        found = service.library.find(style).style
        names = {style, found.title, str(found.provenance.get("learned_from"))}
        sample = next((sample for sample in STYLES if names & {sample.name, sample.title}), None)
        if sample:
            return {"ref": f"samples/{sample.name}", "title": sample.title}
        if found.provenance.get("picture") and found.picture:
            return {"ref": service.pictures.keep(found.picture, f"{found.title}.jpg"), "title": found.title}
    return None


def _uploadable(found: FastResult) -> bytes:
    """The file of a result, made smaller if it exceeds the limit of uploads, in bytes or in the size of a run."""
    if len(found.data) <= images.MAX_BYTES:
        return found.data
    most = max(size.high or 0 for size in options_of(StyleOptions) if size.name == "size")
    return shrink(found.data, int(most), len(found.data))
