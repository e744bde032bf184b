"""The REST interface, /api/v1: runs, their events and pictures, options, samples, uploads."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import AfterValidator
from starlette.exceptions import HTTPException
from starlette.routing import Match

from nst.errors import Busy, InputError
from nst.options import LayerWeights, Option, StyleOptions, options_of
from nst.web import bodies
from nst.web.bodies import PICTURES
from nst.web.desk import Desk
from nst.web.gallery import CONTENTS, SIDES, STYLES
from nst.web.problems import Refused

PATIENCE = 30.0  # seconds that a request for events may wait
IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def desk_of(request: Request) -> Desk:
    """The desk of the server that answers this request."""
    return request.app.state.desk


Here = Annotated[Desk, Depends(desk_of)]
router = APIRouter(prefix="/api/v1")

EXAMPLE = {
    "content": "<base64>",
    "style": "data:image/jpeg;base64,...",
    "options": {"size": 512, "epochs": 40, "seed": 7},
}
ERROR_EXAMPLE = {"error": {"code": "invalid", "message": "`size` must be between 64 and 4096, got 8", "field": "size"}}
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"description": text, "content": {"application/json": {"example": ERROR_EXAMPLE}}}
    for code, text in {
        404: "There is no such thing",
        409: "The run's state does not allow that",
        413: "Too large",
        415: "Not a picture",
        422: "Something given is wrong; `field` names it",
        503: "Too many runs wait, or the worker is not ready",
    }.items()
}


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: ERRORS[code] for code in codes}


def _options_schema() -> dict[str, Any]:
    return {"type": "object", "properties": {option.name: schema_of(option) for option in options_of(StyleOptions)}}


def _estimate_request_schema() -> dict[str, Any]:
    ref = {"type": "string", "description": "samples/NAME or uploads/ID"}
    side = {"type": "integer", "description": "of the content, px, if that is not given"}
    fields = {"content": ref, "style": ref, "height": side, "width": side, "options": _options_schema()}
    example = {"content": "samples/harbour", "options": {"size": 1024, "epochs": 60}}
    return {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object", "properties": fields}, "example": example}},
    }


def _run_request_schema() -> dict[str, Any]:
    options = _options_schema()
    picture = {"type": "string", "description": "base64, or a data URL"}
    body = {"type": "object", "required": ["content", "style"]}
    as_json = {**body, "properties": {**dict.fromkeys(PICTURES, picture), "options": options}}
    file = {"type": "string", "format": "binary"}
    as_form = {**body, "properties": {**dict.fromkeys(PICTURES, file), "options": {"type": "string"}}}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": as_json, "example": EXAMPLE},
            "multipart/form-data": {"schema": as_form},
        },
    }


def schema_of(option: Option) -> dict[str, Any]:
    """JSON schema of one option."""
    names = {int: "integer", float: "number", bool: "boolean", str: "string", LayerWeights: "object"}
    bounds = {"minimum": option.low, "maximum": option.high, "enum": list(option.choices) or None}
    value: dict[str, Any] = {"type": names[option.type]}
    value |= {name: bound for name, bound in bounds.items() if bound is not None}
    if option.words:
        value = {"anyOf": [value, {"type": "string", "enum": list(option.words)}]}
    return {
        **value,
        "default": option.default,
        "description": option.help,
        "x-group": option.group,
        **({"x-unit": option.unit} if option.unit else {}),
    }


@router.get("/health", summary="Is the server there, and the worker warm?", tags=["server"])
def health(desk: Here) -> dict[str, Any]:
    """`worker` is starting, warm, lost or closed; what its warm-up said of devices and networks comes with it."""
    return {"status": "ok", **desk.queue.health()}


@router.get("/options", summary="Every option of a run", tags=["server"])
def options() -> dict[str, Any]:
    """JSON schema by name; a default of null is automatic."""
    return {option.name: schema_of(option) for option in options_of(StyleOptions)}


# Runs -----------------------------------------------------------------------------------------------------------------


@router.post(
    "/runs",
    status_code=202,
    summary="Start a run",
    tags=["runs"],
    responses=_errors(413, 415, 422, 503),
    openapi_extra={"requestBody": _run_request_schema()},
)
async def create(request: Request, desk: Here) -> JSONResponse:
    """Queue a painting: two pictures (a third if `init` is image) and options, as JSON in base64 or as a form."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        pictures, given = await bodies.pictures_and_options_of_form(request)
    else:
        pictures, given = await asyncio.to_thread(bodies.pictures_and_options, await request.body())
    options = StyleOptions.from_json(given)
    for role in ("content", "style"):
        if role not in pictures:
            raise Refused(role, InputError(f"`{role}` is missing: give a picture"))
    refs = {}
    for role, (data, name) in pictures.items():
        try:
            refs[role] = await asyncio.to_thread(desk.keep, data, name)
        except InputError as error:
            raise Refused(role, error) from error
    forecast = await asyncio.to_thread(desk.forecast, options, refs["content"], refs["style"])
    run = await asyncio.to_thread(desk.start, options, **refs)
    place = f"/api/v1/runs/{run.id}"
    answer = {"id": run.id, "run": place, "page": f"/?run={run.id}", "estimate": forecast}
    return JSONResponse(answer, 202, {"Location": place})


@router.post(
    "/estimate",
    summary="What a run would take",
    tags=["runs"],
    responses=_errors(404, 422, 503),
    openapi_extra={"requestBody": _estimate_request_schema()},
)
async def estimate(request: Request, desk: Here) -> dict[str, Any]:
    """`seconds` of painting and `bytes` of memory on this server's worker, and `tile`, the side of the tiles in px.

    `tile` is null where the picture is painted whole; `at_most` says that the run may end sooner. What would not fit is
    refused as `POST /api/v1/runs` refuses it, with the largest `size` that does.
    """
    content, style, given = bodies.to_be_estimated(await request.body())
    forecast = await asyncio.to_thread(desk.forecast, StyleOptions.from_json(given), content, style)
    if forecast is None or forecast["seconds"] is None:
        trouble = desk.queue.health().get("error")
        raise Busy(trouble or "the worker has not measured this machine yet: try again in a moment")
    return forecast


@router.get("/runs", summary="The newest runs", tags=["runs"])
def runs(desk: Here, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
    """Newest first."""
    return {"runs": [desk.describe(run) for run in desk.store.runs(limit)]}


@router.get("/runs/{run_id}", summary="One run as it stands", tags=["runs"], responses=_errors(404))
def one(run_id: str, desk: Here) -> dict[str, Any]:
    """`queue_position` is 0 while it is painted, 1 if it is next, null once it has ended."""
    return desk.describe(desk.store.run(run_id))


@router.get("/runs/{run_id}/events", summary="What happened to a run", tags=["runs"], responses=_errors(404))
async def events(
    run_id: str,
    desk: Here,
    after: Annotated[int, Query(ge=0)] = 0,
    wait: Annotated[float, Query(ge=0, le=PATIENCE)] = 0,
) -> dict[str, Any]:
    """Events with a number above `after`; if there is none, one is waited for `wait` seconds. Ask again with `last`."""
    ended = desk.store.run(run_id).state.ended
    found = desk.store.events(run_id, after)
    if wait and not found and not ended:
        found = await desk.store.wait(run_id, after, wait)
    return {"events": found, "last": found[-1]["n"] if found else after}


@router.get(
    "/runs/{run_id}/frames/{n}.jpg",
    summary="The frame of epoch n",
    tags=["runs"],
    responses=_errors(404),
    response_class=FileResponse,
)
def frame(run_id: str, n: int, desk: Here) -> FileResponse:
    """It never changes. Epoch 0 is the start."""
    return FileResponse(desk.store.frame(run_id, n), media_type="image/jpeg", headers=IMMUTABLE)


@router.get(
    "/runs/{run_id}/result.png",
    summary="The finished picture",
    tags=["runs"],
    responses=_errors(404),
    response_class=FileResponse,
)
def result(run_id: str, desk: Here) -> FileResponse:
    """Of a run that was stopped or failed: what there was by then."""
    return FileResponse(desk.store.result(run_id), media_type="image/png", headers=IMMUTABLE)


@router.post("/runs/{run_id}/stop", status_code=202, summary="Stop a run", tags=["runs"], responses=_errors(404, 409))
def stop(run_id: str, desk: Here) -> dict[str, Any]:
    """At once if it waits, else after the step it is at; the picture so far is kept."""
    desk.queue.stop(run_id)
    return desk.describe(desk.store.run(run_id))


# Pictures -------------------------------------------------------------------------------------------------------------


@router.get("/samples", summary="The sample pictures", tags=["pictures"])
def sample_list() -> dict[str, Any]:
    """Drawn by this program; each with its address and a thumbnail's."""
    return {
        "samples": [
            {
                "name": each.name,
                "title": each.title,
                "kind": each.kind,
                "picture": f"/api/v1/samples/{each.name}.png",
                "thumbnail": f"/api/v1/samples/{each.name}.jpg",
            }
            for each in (*CONTENTS, *STYLES)
        ]
    }


@router.get("/samples/{name}.png", summary="A sample", tags=["pictures"], responses=_errors(404))
def sample(name: str, desk: Here) -> FileResponse:
    """The picture itself."""
    return FileResponse(desk.gallery.path(name), headers={"Cache-Control": "private, max-age=86400"})


def _shown(side: int) -> int:
    """Refuse other sizes than the page's: each is kept as a file. Raises ValueError."""
    if side not in SIDES:
        raise ValueError(f"must be one of {', '.join(map(str, SIDES))}")
    return side


Side = Annotated[int, Query(json_schema_extra={"enum": list(SIDES)}), AfterValidator(_shown)]


@router.get("/samples/{name}.jpg", summary="A sample, small", tags=["pictures"], responses=_errors(404, 422))
def sample_thumbnail(name: str, desk: Here, side: Side = SIDES[0]) -> Response:
    """Within `side` x `side` px."""
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(desk.thumbnail(f"samples/{name}", side), media_type="image/jpeg", headers=headers)


@router.get("/uploads/{upload_id}.jpg", summary="An upload, small", tags=["pictures"], responses=_errors(404, 422))
def upload_thumbnail(upload_id: str, desk: Here, side: Side = SIDES[0]) -> Response:
    """Within `side` x `side` px."""
    return Response(desk.thumbnail(f"uploads/{upload_id}", side), media_type="image/jpeg", headers=IMMUTABLE)


@router.api_route("/{rest:path}", methods=METHODS, include_in_schema=False)
def unknown(request: Request, rest: str) -> None:
    """The last route: Dash would answer any other path with its page."""
    there = [route for route in router.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    allowed = ", ".join(sorted({method for route in there for method in getattr(route, "methods", ())}))
    if allowed:
        message = f"/api/v1/{rest[:80]} answers {allowed}, got {request.method}"
        raise HTTPException(405, message, {"Allow": allowed})
    raise HTTPException(404, f"there is nothing at /api/v1/{rest[:80]}")
