"""The pictures of a run: its frames, the newest of them, its thumbnail, its result, its timelapses."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import AfterValidator

from nst.errors import NotFound
from nst.options.option_field import options_of
from nst.pictures import images
from nst.pictures.samples import SIDES
from nst.pictures.timelapse import FORMATS, TimelapseOptions
from nst.web.api import request_parsing, responses
from nst.web.api.access import Here, Own, Seen
from nst.web.api.openapi import FILM, errors, file_of

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
TYPES = {"mp4": "video/mp4", "webp": "image/webp", "gif": "image/gif"}

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["pictures of a run"])
Epoch = Annotated[int, InPath(ge=0, le=10**6, description="epoch", examples=[0])]


def _shown(side: int) -> int:
    """Refuse other sizes than the page's: each may be kept somewhere. Raises ValueError."""
    if side not in SIDES:
        raise ValueError(f"must be one of {', '.join(map(str, SIDES))}")
    return side


Side = Annotated[int, Query(json_schema_extra={"enum": list(SIDES)}), AfterValidator(_shown)]


def _mark_of(path: Path, *more: object) -> str:
    """The ETag of a file that may change; of what is made of it, with `more` that this depends on."""
    stat = path.stat()
    return f'"{"-".join(f"{part:x}" for part in (stat.st_mtime_ns, stat.st_size, *more))}"'


def _known(request: Request, mark: str) -> Response | None:
    """304 to who has what `mark` stands for already."""
    known = (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(","))
    return Response(status_code=304, headers=_changing(mark)) if mark in known else None


def _changing(mark: str) -> dict[str, str]:
    return {"Cache-Control": "private, no-cache", "ETag": mark}


def _file(request: Request, path: Path, kind: str) -> Response:
    """A file that may change: it is kept by who asks, who asks each time whether it has."""
    mark = _mark_of(path)
    return _known(request, mark) or FileResponse(path, media_type=kind, headers=_changing(mark))


@router.get("/frames", summary="The frames that are kept", responses={200: {"model": responses.Frames}, **errors(404)})
def frames(run: Seen, service: Here) -> dict[str, Any]:
    """Oldest first; epoch 0 is the start. Of long runs some in between are dropped, but never a marked one."""
    base = f"/api/v1/runs/{run.id}/frames"
    return {"frames": [{**kept, "url": f"{base}/{kept['epoch']}.jpg"} for kept in service.store.files.frames(run.id)]}


@router.get(
    "/frames/{n}.jpg",
    summary="The frame of epoch n",
    response_class=FileResponse,
    responses=file_of("image/jpeg", 404),
)
def frame(run: Seen, n: Epoch, service: Here) -> FileResponse:
    """It never changes."""
    return FileResponse(service.store.files.frame(run.id, n), media_type="image/jpeg", headers=IMMUTABLE)


@router.put("/frames/{n}/mark", status_code=204, summary="Mark a frame, so that it is kept", responses=errors(403, 404))
def mark(run: Own, n: Epoch, service: Here) -> None:
    """It is then never thinned out."""
    service.store.files.mark(run.id, n)


@router.delete("/frames/{n}/mark", status_code=204, summary="Unmark a frame", responses=errors(403, 404))
def unmark(run: Own, n: Epoch, service: Here) -> None:
    """It may then be thinned out."""
    service.store.files.mark(run.id, n, marked=False)


@router.get(
    "/partial.jpg",
    summary="The newest frame",
    response_class=FileResponse,
    responses=file_of("image/jpeg", 404, headers=("NST-Epoch",)),
)
def partial(run: Seen, service: Here) -> FileResponse:
    """At any time; the header `NST-Epoch` says of which epoch."""
    path = service.store.files.partial(run.id)
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "no-store", "NST-Epoch": path.stem})


@router.get("/thumbnail.jpg", summary="A run, small", response_class=Response, responses=file_of("image/jpeg", 404))
def thumbnail(request: Request, run: Seen, service: Here, side: Side = SIDES[0]) -> Response:
    """The newest frame within `side` x `side` px."""
    try:
        path = service.store.files.partial(run.id)
    except NotFound:
        path = service.store.files.result(run.id)
    mark = _mark_of(path, side)
    return _known(request, mark) or Response(
        images.thumbnail(path.read_bytes(), side), media_type="image/jpeg", headers=_changing(mark)
    )


@router.get(
    "/result.png",
    summary="The finished picture",
    response_class=FileResponse,
    responses=file_of("image/png", 404, headers=("ETag",)),
)
def result(request: Request, run: Seen, service: Here) -> Response:
    """Of a run that was paused, stopped or failed: what there was by then. It changes if the run goes on."""
    return _file(request, service.store.files.result(run.id), "image/png")


@router.post(
    "/timelapse",
    status_code=202,
    summary="Make a timelapse",
    responses={202: {"model": responses.Timelapses}, **errors(400, 403, 404, 409, 503)},
    openapi_extra=FILM,
)
async def film(request: Request, run: Own, service: Here) -> dict[str, Any]:
    """Of the frames that are kept, beside the painting; one at a time. Another of the same `format` is replaced."""
    asked = request_parsing.fields(await request.body(), options_of(TimelapseOptions))
    await asyncio.to_thread(service.timelapses.make, run, TimelapseOptions(**asked))
    return service.timelapses.describe(run.id)


@router.get(
    "/timelapse", summary="The timelapses of a run", responses={200: {"model": responses.Timelapses}, **errors(404)}
)
def timelapses(run: Seen, service: Here) -> dict[str, Any]:
    """Those that are made, and how far the one is that is being made."""
    return service.timelapses.describe(run.id)


@router.get(
    "/timelapse.{format}",
    summary="A timelapse",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The film",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()},
        },
        **errors(404),
    },
)
def finished_film(
    request: Request,
    run: Seen,
    service: Here,
    format: Annotated[str, InPath(json_schema_extra={"enum": list(FORMATS)}, examples=["gif"])],
) -> Response:
    """As it was made last."""
    return _file(request, service.timelapses.path(run.id, format), TYPES[format])
