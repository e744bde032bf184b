"""The pictures of a run: its frames, its newest frame, its thumbnail, its result, its timelapses, its diagnosis."""

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
from nst.pictures.timelapse import TIMELAPSE_FORMATS, TimelapseOptions
from nst.web.api import request_parsing, responses
from nst.web.api.access import OwnRun, ServiceDep, VisibleRun
from nst.web.api.openapi import TIMELAPSE_BODY, errors, file_response

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
MEDIA_TYPES = {"mp4": "video/mp4", "webp": "image/webp", "gif": "image/gif"}

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["pictures of a run"])
Epoch = Annotated[int, InPath(ge=0, le=10**6, description="epoch", examples=[0])]


def _check_side(side: int) -> int:
    """Allow only the sizes that the pages use, since thumbnails of each size may be stored. Raises ValueError."""
    if side not in SIDES:
        raise ValueError(f"must be one of {', '.join(map(str, SIDES))}")
    return side


Side = Annotated[int, Query(json_schema_extra={"enum": list(SIDES)}), AfterValidator(_check_side)]


def _etag_of(path: Path, *more: object) -> str:
    """The ETag of a file that may change, or of something made from it and from `more`."""
    stat = path.stat()
    return f'"{"-".join(f"{part:x}" for part in (stat.st_mtime_ns, stat.st_size, *more))}"'


def _not_modified(request: Request, etag: str) -> Response | None:
    """304 if the client has the version of that ETag, else None."""
    known = (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(","))
    return Response(status_code=304, headers=_revalidate(etag)) if etag in known else None


def _revalidate(etag: str) -> dict[str, str]:
    return {"Cache-Control": "private, no-cache", "ETag": etag}


def _changing_file(request: Request, path: Path, kind: str) -> Response:
    """A file that may change: clients may store it, but ask each time whether it has changed."""
    etag = _etag_of(path)
    return _not_modified(request, etag) or FileResponse(path, media_type=kind, headers=_revalidate(etag))


@router.get(
    "/frames", summary="The stored frames of a run", responses={200: {"model": responses.Frames}, **errors(404)}
)
def frames(run: VisibleRun, service: ServiceDep) -> dict[str, Any]:
    """List the stored frames, oldest first; epoch 0 is the initial image.

    Of long runs some frames are dropped, but never a marked one.
    """
    base = f"/api/v1/runs/{run.id}/frames"
    return {
        "frames": [{**frame, "url": f"{base}/{frame['epoch']}.jpg"} for frame in service.store.files.frames(run.id)]
    }


@router.get(
    "/frames/{n}.jpg",
    summary="The frame of epoch n",
    response_class=FileResponse,
    responses=file_response("image/jpeg", 404),
)
def frame(run: VisibleRun, n: Epoch, service: ServiceDep) -> FileResponse:
    """Return the frame of an epoch. It never changes."""
    return FileResponse(service.store.files.frame(run.id, n), media_type="image/jpeg", headers=IMMUTABLE)


@router.put("/frames/{n}/mark", status_code=204, summary="Mark a frame, so that it is kept", responses=errors(403, 404))
def mark(run: OwnRun, n: Epoch, service: ServiceDep) -> None:
    """Mark a frame: it is never dropped."""
    service.store.files.mark(run.id, n)


@router.delete("/frames/{n}/mark", status_code=204, summary="Unmark a frame", responses=errors(403, 404))
def unmark(run: OwnRun, n: Epoch, service: ServiceDep) -> None:
    """Unmark a frame: it may be dropped."""
    service.store.files.mark(run.id, n, marked=False)


@router.get(
    "/partial.jpg",
    summary="The newest frame",
    response_class=FileResponse,
    responses=file_response("image/jpeg", 404, headers=("NST-Epoch",)),
)
def partial(run: VisibleRun, service: ServiceDep) -> FileResponse:
    """Return the newest frame; the header `NST-Epoch` contains its epoch."""
    path = service.store.files.partial(run.id)
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "no-store", "NST-Epoch": path.stem})


@router.get(
    "/thumbnail.jpg",
    summary="The thumbnail of a run",
    response_class=Response,
    responses=file_response("image/jpeg", 404, 503),
)
def thumbnail(request: Request, run: VisibleRun, service: ServiceDep, side: Side = SIDES[0]) -> Response:
    """Return the newest frame within `side` x `side` px."""
    try:
        path = service.store.files.partial(run.id)
    except NotFound:
        path = service.store.files.result(run.id)
    etag = _etag_of(path, side)
    return _not_modified(request, etag) or Response(
        images.thumbnail(path.read_bytes(), side), media_type="image/jpeg", headers=_revalidate(etag)
    )


@router.get(
    "/result.png",
    summary="The result of a run",
    response_class=FileResponse,
    responses=file_response("image/png", 404, headers=("ETag",)),
)
def result(request: Request, run: VisibleRun, service: ServiceDep) -> Response:
    """Return the result; of a paused, stopped or failed run the last picture. It changes if the run is continued."""
    return _changing_file(request, service.store.files.result(run.id), "image/png")


@router.post(
    "/timelapse",
    status_code=202,
    summary="Make a timelapse",
    responses={202: {"model": responses.Timelapses}, **errors(400, 403, 404, 409, 503, 507)},
    openapi_extra=TIMELAPSE_BODY,
)
async def make_timelapse(request: Request, run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Start to encode the stored frames, one timelapse at a time. It replaces an earlier one of the same `format`."""
    fields = request_parsing.fields(await request.body(), options_of(TimelapseOptions))
    await asyncio.to_thread(service.timelapses.make, run, TimelapseOptions(**fields))
    return await asyncio.to_thread(service.timelapses.describe, run.id)


@router.get(
    "/timelapse", summary="The timelapses of a run", responses={200: {"model": responses.Timelapses}, **errors(404)}
)
def timelapses(run: VisibleRun, service: ServiceDep) -> dict[str, Any]:
    """List the finished timelapses, and the progress of the one that is being made."""
    return service.timelapses.describe(run.id)


@router.get(
    "/timelapse.{format}",
    summary="A timelapse",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
        },
        **errors(404),
    },
)
def timelapse(
    request: Request,
    run: VisibleRun,
    service: ServiceDep,
    format: Annotated[str, InPath(json_schema_extra={"enum": list(TIMELAPSE_FORMATS)}, examples=["gif"])],
) -> Response:
    """Return the newest timelapse of a format."""
    return _changing_file(request, service.timelapses.path(run.id, format), MEDIA_TYPES[format])


@router.get(
    "/diagnosis",
    summary="What the losses of a frame consist of",
    responses={200: {"model": responses.Diagnosis}, **errors(404, 409, 429, 500, 503)},
)
def diagnosis(
    run: VisibleRun,
    service: ServiceDep,
    epoch: Annotated[int | None, Query(ge=0, le=10**6, description="whose frame; the newest one by default")] = None,
) -> dict[str, Any]:
    """Return each layer's share of the loss, Gram matrices and their targets, and where the picture disagrees.

    A worker computes it from the frame, at 320 px, when it is first asked for.
    """
    return service.diagnoses.of(run, epoch)
