"""Fast styles: pictures painted with them in one pass; the styles themselves shown, brought, named anew and removed."""

import asyncio
import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from nst.errors import Conflict, ImageError, NotFound, StyleError
from nst.options.fast_options import FastOptions
from nst.styles.style_file import SUFFIX
from nst.styles.style_library import Entry
from nst.web.api import request_parsing, responses
from nst.web.api.access import Here
from nst.web.api.openapi import FAST, NEW_NAME, STYLE_FILE, Said, errors, file_of
from nst.web.problems import Refused
from nst.web.service.service import Service

SECONDS = "NST-Seconds"
CHANGING = {"Cache-Control": "private, no-cache"}
BINARY = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(prefix="/api/v1", tags=["fast styles"])
Name = Annotated[str, InPath(description="as in the list", examples=["starry-night"])]


async def desk_to_change(service: Here) -> Service:
    """The service of a studio whose visitors may change its styles, which are everybody's. Raises HTTPException."""
    try:
        service.permissions.check_change_styles()
    except Conflict as error:
        raise HTTPException(403, str(error)) from error
    return service


Changeable = Annotated[Service, Depends(desk_to_change)]


def told(entry: Entry) -> dict[str, Any]:
    """A style as lists show it."""
    base = f"/api/v1/styles/fast/{entry.name}"
    return {**entry.to_json(), "thumbnail": f"{base}/thumbnail.jpg", "file": f"{base}{SUFFIX}"}


_PAINTED: Said = {
    200: {
        "model": responses.FastPainted,
        "description": "The result",
        "content": {"image/png": BINARY, "image/jpeg": BINARY},
        "headers": {SECONDS: {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/stylize/fast",
    summary="Paint a picture in one pass",
    responses={**_PAINTED, **errors(400, 404, 413, 415, 429, 500, 503)},
    openapi_extra=FAST,
)
async def stylize_fast(request: Request, service: Here) -> Response:
    """The result as a picture, or as {"image": base64, "mix": ...} where `Accept` names application/json.

    `content` is a picture, or the ref of one that is here; `style` the name of a fast style, or up to four of one
    network with their weights. It is painted beside the run of the moment; `NST-Seconds` says how long that took. The
    file says under `nst-fast` how it was made: a PNG in its text, a JPEG in its comment.
    """
    if request_parsing.is_form(request):
        order = await request_parsing.fast_order_of_form(request)
    else:
        order = await asyncio.to_thread(request_parsing.fast_order, await request.body())
    options = FastOptions.from_json(order.options)
    content = order.content
    if isinstance(content, str):
        try:
            content = await asyncio.to_thread(service.pictures.read, content)
        except NotFound as error:
            raise Refused("content", error) from error
    try:  # not by asyncio.to_thread: those few threads are the page's, and must not all wait for pictures
        painted = await run_in_threadpool(service.fast_styles.stylize, content, order.style, options, order.format)
    except (StyleError, NotFound) as error:
        raise Refused("style", error) from error
    except ImageError as error:
        raise Refused("content", error) from error
    headers = {SECONDS: f"{painted.seconds:.3f}"}
    if "application/json" not in request.headers.get("accept", ""):
        return Response(painted.data, media_type=f"image/{order.format}", headers=headers)
    facts = {name: getattr(painted, name) for name in ("width", "height", "seconds", "mix")}
    return JSONResponse({"image": base64.b64encode(painted.data).decode(), **facts}, headers=headers)


@router.post(
    "/styles/fast",
    status_code=201,
    summary="Bring a fast style",
    responses={201: {"model": responses.FastStyles}, **errors(400, 403, 413, 500)},
    openapi_extra=STYLE_FILE,
)
async def bring(request: Request, service: Changeable) -> dict[str, Any]:
    """The styles of a file that a studio or `nst train` wrote, as the form's `file`; it is checked before it is kept.

    It is refused where a style of that name is here already. Where several people share the studio, only who runs it
    brings, renames and removes styles, with `nst styles`.
    """
    data, name = await request_parsing.file_of_form(request)
    names = await asyncio.to_thread(service.library.add, data, name)
    return {"fast": [told(service.library.find(name)) for name in names]}


@router.get(
    "/styles/fast/{name}/thumbnail.jpg",
    summary="What a fast style learned from",
    response_class=Response,
    responses=file_of("image/jpeg", 404),
)
def thumbnail(name: Name, service: Here) -> Response:
    """The painting, small."""
    return Response(service.library.find(name).style.picture, media_type="image/jpeg", headers=CHANGING)


@router.get(
    "/styles/fast/{name}.style",
    summary="A fast style as a file",
    response_class=Response,
    responses=file_of("application/octet-stream", 404),
)
def export(name: Name, service: Here) -> Response:
    """The style and its network: for another studio, or for `nst apply`."""
    headers = {**CHANGING, "Content-Disposition": f'attachment; filename="{name}{SUFFIX}"'}
    return Response(service.library.export(name), media_type="application/octet-stream", headers=headers)


@router.patch(
    "/styles/fast/{name}",
    summary="Give a fast style another name or title",
    responses={200: {"model": responses.FastStyle}, **errors(400, 403, 404, 500)},
    openapi_extra=NEW_NAME,
)
async def rename(request: Request, name: Name, service: Changeable) -> dict[str, Any]:
    """Those that came with the program keep theirs."""
    new, title = request_parsing.name_of_style(await request.body())
    return told(await asyncio.to_thread(service.library.rename, name, name if new is None else new, title))


@router.delete("/styles/fast/{name}", status_code=204, summary="Remove a fast style", responses=errors(403, 404, 500))
def remove(name: Name, service: Changeable) -> None:
    """For good; those that came with the program stay."""
    service.library.remove(name)
