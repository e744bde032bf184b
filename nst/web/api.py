"""The REST interface, /api/v1: runs, their events and pictures, options, samples, uploads."""

import asyncio
import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import AfterValidator
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.routing import Match

from nst.errors import InputError
from nst.options import LayerWeights, Option, StyleOptions, did_you_mean, options_of
from nst.web.desk import Desk
from nst.web.gallery import CONTENTS, SIDES, STYLES
from nst.web.problems import Malformed, Refused

PICTURES = ("content", "style", "init")
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
        503: "Too many runs wait, or no worker is there",
    }.items()
}


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: ERRORS[code] for code in codes}


def _run_request_schema() -> dict[str, Any]:
    options = {"type": "object", "properties": {o.name: schema_of(o) for o in options_of(StyleOptions)}}
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
    bounds = {
        "minimum": option.low,
        "maximum": option.high,
        "enum": list(option.choices) or None,
        "x-unit": option.unit,
    }
    return {
        "type": names[option.type],
        "default": option.default,
        "description": option.help,
        "x-group": option.group,
        **{name: value for name, value in bounds.items() if value not in (None, "")},
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
        pictures, given = await _from_form(request)
    else:
        pictures, given = await asyncio.to_thread(_from_json, await request.body())
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
    run = await asyncio.to_thread(desk.start, options, **refs)
    place = f"/api/v1/runs/{run.id}"
    return JSONResponse({"id": run.id, "run": place, "page": f"/?run={run.id}"}, 202, {"Location": place})


def _from_json(text: bytes) -> tuple[dict[str, tuple[bytes, str]], Any]:
    """({role: (bytes, name)}, options) of a JSON body. Slow for large pictures: use a thread."""
    try:
        body = _parsed(text)
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Malformed(f"the body must be a JSON object, got {type(body).__name__}")
    for name in body:
        if name not in (*PICTURES, "options"):
            raise Refused(name, InputError(f"there is no field {name!r}{did_you_mean(name, (*PICTURES, 'options'))}"))
    given = {role: body[role] for role in PICTURES if body.get(role) is not None}
    options = body.get("options")
    return {role: (decode(role, data), role) for role, data in given.items()}, {} if options is None else options


async def _from_form(request: Request) -> tuple[dict[str, tuple[bytes, str]], Any]:
    """({role: (bytes, name)}, options) of a form; options come as one JSON field, or one field each."""
    pictures: dict[str, tuple[bytes, str]] = {}
    given: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if name in PICTURES and isinstance(value, UploadFile):
                pictures[name] = (await value.read(), value.filename or name)
            elif isinstance(value, UploadFile) or (name in PICTURES and name != "init"):
                expected = "a file" if name in PICTURES else "text"
                raise Refused(name, InputError(f"`{name}` must be {expected}"))
            elif name == "options":
                given |= _object(value)
            else:
                given[name] = _plain(value)
    return pictures, given


def decode(field: str, text: Any) -> bytes:
    """The bytes of base64 or of a data URL. Raises Refused, which names `field`."""
    if not isinstance(text, str):
        raise Refused(field, InputError(f"`{field}` must be a picture in base64, got {type(text).__name__}"))
    head, comma, tail = text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise Refused(field, InputError(f"`{field}` must be base64 or a data URL, got {text[:40]!r}"))
    try:
        return base64.b64decode("".join((tail if comma else head).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(field, InputError(f"`{field}` is not base64: {error}")) from error


def _parsed(text: str | bytes) -> Any:
    """What JSON says. Raises ValueError, also where it is nested too deeply, or has half a character (`"\\ud800"`)."""
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError as error:
        raise ValueError(f"it has half of a surrogate pair, {error.object[error.start]!r}") from None
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        given = _parsed(text)
    except ValueError as error:
        raise Refused("options", InputError(f"`options` is not JSON: {error}")) from error
    if not isinstance(given, dict):
        raise Refused("options", InputError(f"`options` must be an object, got {type(given).__name__}"))
    return given


def _plain(text: str) -> Any:
    """The number or truth value that a form's text spells, else the text."""
    try:
        return _parsed(text)
    except ValueError:
        return text


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
