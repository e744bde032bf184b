"""Fast styles: pictures stylized in one pass; styles listed, added, exported, renamed and removed."""

import asyncio
import base64
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from nst.errors import ImageError, InputError, NotFound, StyleError
from nst.options.fast_options import FastOptions
from nst.styles.style_file import SUFFIX
from nst.styles.style_library import Entry
from nst.web.api import fast_request_parsing, request_parsing, responses
from nst.web.api.access import ServiceDep
from nst.web.api.fast_request_parsing import ParsedFastRequest
from nst.web.api.openapi import FAST_BODY, RENAME_BODY, STYLE_FILE_BODY, Responses, errors, file_response
from nst.web.current_client import current_client
from nst.web.problems import FieldError
from nst.web.service.service import Service

SECONDS_HEADER, RUN_HEADER = "NST-Seconds", "NST-Run"
REVALIDATE = {"Cache-Control": "private, no-cache"}
BINARY = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(prefix="/api/v1", tags=["fast styles"])
Name = Annotated[str, InPath(description="as in the list", examples=["starry-night"])]


async def service_to_change_styles(service: ServiceDep) -> Service:
    """Return the service if clients may change its styles. Raises Forbidden."""
    service.permissions.check_change_styles()
    return service


StylesDep = Annotated[Service, Depends(service_to_change_styles)]


def describe(entry: Entry) -> dict[str, Any]:
    """Describe a style as lists do."""
    base = f"/api/v1/styles/fast/{entry.name}"
    return {**entry.to_json(), "thumbnail": f"{base}/thumbnail.jpg", "file": f"{base}{SUFFIX}"}


_STYLIZED: Responses = {
    200: {
        "model": responses.FastStylized,
        "description": "The result",
        "content": {"image/png": BINARY, "image/jpeg": BINARY},
        "headers": {name: {"schema": {"type": "string"}} for name in (SECONDS_HEADER, RUN_HEADER)},
    }
}


@router.post(
    "/stylize/fast",
    summary="Stylize a picture in one pass",
    responses={**_STYLIZED, **errors(400, 404, 413, 415, 429, 500, 503, 507)},
    openapi_extra=FAST_BODY,
)
async def stylize_fast(request: Request, service: ServiceDep) -> Response:
    """Return the result as a picture, or as {"image": base64, "mix": ...} where `Accept` names application/json.

    `content` is a picture, or the reference of a stored one. `style` is the name of a fast style; a painting, as a
    picture or by reference, whose style is taken without training; or up to four of these names and references with
    weights, of one network. A worker does this beside its run; `NST-Seconds` is the time it took. The file
    contains under `nst-fast` how it was made: a PNG in its text, a JPEG in its comment. With `keep` the result is put
    into the gallery, as a run that has ended: its id is in `NST-Run`, and JSON has its `run`.
    """
    if request_parsing.is_form(request):
        given = await fast_request_parsing.fast_request_from_form(request)
    else:
        given = await asyncio.to_thread(fast_request_parsing.fast_request, await request.body())
    options = FastOptions.from_json(given.options)
    if given.keep:
        given = await asyncio.to_thread(_stored, service, given)
    content = given.content
    if isinstance(content, str):
        try:
            content = await asyncio.to_thread(service.pictures.read, content)
        except NotFound as error:
            raise FieldError("content", error) from error
    try:
        mix = await asyncio.to_thread(service.fast_styles.choose, given.style)
    except (ImageError, StyleError, NotFound) as error:
        raise FieldError("style", error) from error
    try:
        # In Starlette's thread pool: the few threads of asyncio.to_thread must stay free for the pages.
        found = await run_in_threadpool(service.fast_styles.stylize, content, mix, options, given.format)
    except ImageError as error:
        raise FieldError("content", error) from error
    headers = {SECONDS_HEADER: f"{found.seconds:.3f}"}
    fields = {name: getattr(found, name) for name in ("width", "height", "seconds", "mix")}
    if given.keep:
        run = await asyncio.to_thread(service.kept_results.keep, found, str(given.content), current_client())
        headers[RUN_HEADER], fields["run"] = run.id, await asyncio.to_thread(service.runs.describe, run)
    if "application/json" not in request.headers.get("accept", ""):
        return Response(found.data, media_type=f"image/{given.format}", headers=headers)
    return JSONResponse({"image": base64.b64encode(found.data).decode(), **fields}, headers=headers)


def _stored(service: Service, given: ParsedFastRequest) -> ParsedFastRequest:
    """Store the pictures that were sent with a request; returns it with their references. Raises FieldError."""
    refs: dict[str, Any] = {}
    for field, (data, name) in given.files.items():
        try:
            refs[field] = service.pictures.keep(data, name)
        except ImageError as error:
            raise FieldError(field, error) from error
    return replace(given, **refs)


@router.post(
    "/styles/fast",
    status_code=201,
    summary="Add fast styles",
    responses={201: {"model": responses.FastStyles}, **errors(400, 403, 413, 415, 429, 500, 503, 507)},
    openapi_extra=STYLE_FILE_BODY,
)
async def add(request: Request, service: StylesDep) -> dict[str, Any]:
    """Add the styles of a style file, or the style of a painting under a `name`, without training.

    `file` of the form is either; it is checked first. Refused if a style of the same name exists. Where several people
    share the studio, only its operator adds, renames and removes styles, with `nst styles`.
    """
    data, file_name, given = await fast_request_parsing.style_of_form(request)
    if "name" in given:
        painting = await asyncio.to_thread(fast_request_parsing.painting, "file", data, file_name)
        names = [await run_in_threadpool(service.fast_styles.add, painting, given["name"], given.get("title", ""))]
    elif given:
        raise FieldError("title", InputError("`title` is of a painting's style: give its `name`, too"))
    else:
        names = await asyncio.to_thread(service.library.add, data, file_name)
    return {"fast": [describe(service.library.find(name)) for name in names]}


@router.get(
    "/styles/fast/{name}/thumbnail.jpg",
    summary="The picture of a fast style",
    response_class=Response,
    responses=file_response("image/jpeg", 404),
)
def thumbnail(name: Name, service: ServiceDep) -> Response:
    """Return the picture in the style's file: a small copy of the painting, a texture, or an example; see the list."""
    return Response(service.library.find(name).style.picture, media_type="image/jpeg", headers=REVALIDATE)


@router.get(
    "/styles/fast/{name}.style",
    summary="A fast style as a file",
    response_class=Response,
    responses=file_response("application/octet-stream", 404),
)
def export(name: Name, service: ServiceDep) -> Response:
    """Return a style and its network as a style file, for another studio or for `nst apply`."""
    return _style_file(name, service.library.export(name))


@router.get(
    "/samples/{name}.style",
    summary="The predicted style of a sample, as a file",
    response_class=Response,
    responses=file_response("application/octet-stream", 404, 429, 500, 503),
)
def export_of_sample(
    name: Annotated[str, InPath(description="as in the list", examples=["lily-pond"])], service: ServiceDep
) -> Response:
    """Return the style of a sample painting, taken without training, as a style file."""
    return _style_file(*service.fast_styles.export(f"samples/{name}"))


@router.get(
    "/uploads/{upload_id}.style",
    summary="The predicted style of an upload, as a file",
    response_class=Response,
    responses=file_response("application/octet-stream", 404, 415, 422, 429, 500, 503),
)
def export_of_upload(
    upload_id: Annotated[str, InPath(description="as `POST /api/v1/uploads` gives it in `ref`")], service: ServiceDep
) -> Response:
    """Return the style of a stored painting, taken without training, as a style file."""
    return _style_file(*service.fast_styles.export(f"uploads/{upload_id}"))


def _style_file(name: str, data: bytes) -> Response:
    headers = {**REVALIDATE, "Content-Disposition": f'attachment; filename="{name}{SUFFIX}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.patch(
    "/styles/fast/{name}",
    summary="Rename a fast style",
    responses={200: {"model": responses.FastStyle}, **errors(400, 403, 404, 500, 507)},
    openapi_extra=RENAME_BODY,
)
async def rename(request: Request, name: Name, service: StylesDep) -> dict[str, Any]:
    """Change the name, the title, or both, of a style that did not come with the program."""
    new, title = fast_request_parsing.style_name(await request.body())
    return describe(await asyncio.to_thread(service.library.rename, name, name if new is None else new, title))


@router.delete("/styles/fast/{name}", status_code=204, summary="Remove a fast style", responses=errors(403, 404, 500))
def remove(name: Name, service: StylesDep) -> None:
    """Remove a style that did not come with the program. It cannot be restored."""
    service.library.remove(name)
