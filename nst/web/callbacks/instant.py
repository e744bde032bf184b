"""Callbacks of the Instant page: the previews of the chosen picture in each style, and its result, which may be kept.

assets/instant.js sends the requests, one of each kind at a time, and shows an answer if it is the newest. An answer
with "again" means that the worker is busy or not ready: the script repeats the request.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from starlette.concurrency import run_in_threadpool

from nst.errors import Busy, NstError, OptionError, TooMany
from nst.options.fast_options import FastOptions
from nst.runs.run import Run
from nst.styles.style_file import name_of
from nst.web import ids, instant_ids
from nst.web.components import data_url
from nst.web.components.fast_mix import MIX_SLOTS
from nst.web.components.form.option_fields import FAST_BOXES, FAST_OPTIONS, read_form
from nst.web.components.toast import message_of, show_error
from nst.web.current_client import current_client
from nst.web.service.service import Service

log = logging.getLogger(__name__)

PREVIEW_SIDE = 288  # px


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    _register_script(app)
    _register_results(app, service)
    _register_keep(app, service)


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
