"""Runs: started, waited for, listed, annotated, deleted and restored."""

import asyncio
import base64
import time
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from nst.errors import Busy, Conflict, NotFound
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.runs.run import Run, State
from nst.web.api import request_parsing, responses
from nst.web.api.access import Client, OwnDeletedRun, OwnRun, ServiceDep, VisibleRun
from nst.web.api.openapi import ANNOTATIONS_BODY, ESTIMATE_BODY, RUN_BODY, Responses, errors, file_response
from nst.web.service.result_archive import result_archive
from nst.web.service.runs import MOST_NAMED_RUNS
from nst.web.service.service import Service

DISCONNECT_CHECK_SECONDS = 0.5  # between two checks whether a client that waits for a picture is still connected
ZIP_CHUNK = 2**18  # bytes that are sent at once
CLIENT_CLOSED_REQUEST = 499  # status for logs and metrics: the client has disconnected

router = APIRouter(prefix="/api/v1", tags=["runs"])
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[ -~]{1,255}$",
        description="a repeated request of the client with the same key and the same contents returns the first run",
    ),
]


@router.post(
    "/runs",
    status_code=202,
    summary="Start a run",
    responses={202: {"model": responses.RunStarted}, **errors(400, 409, 413, 415, 429, 503, 507)},
    openapi_extra=RUN_BODY,
)
async def create(request: Request, service: ServiceDep, client: Client, key: IdempotencyKey = None) -> JSONResponse:
    """Queue a run of two pictures (three if `init` is image) and options, as JSON with base64 or as a form.

    Up to four paintings are mixed by `style_mix`: a list in JSON, a repeated field of a form. A `mask` of the content's
    shape says by `mask_use` where it is white that the content is kept, or how it is painted.

    A client that did not receive the answer repeats the request with the same `Idempotency-Key`, of 1 to 255 printable
    ASCII characters, and gets the same run, even if it was deleted since. A request with other contents and the same
    key is refused with 409.
    """
    run, forecast = await _start(request, service, client, key or "")
    return run_started(run, forecast)


def run_started(run: Run, forecast: dict[str, Any] | None = None) -> JSONResponse:
    """Return the answer to a request that started a run."""
    url = f"/api/v1/runs/{run.id}"
    answer = {"id": run.id, "run": url, "page": f"/?run={run.id}", "estimate": forecast}
    return JSONResponse(answer, 202, {"Location": url})


async def _start(request: Request, service: Service, client: str, key: str = "") -> tuple[Run, dict[str, Any] | None]:
    """Start the run that a request describes; returns (the run, its forecast)."""
    if request_parsing.is_form(request):
        given = await request_parsing.run_request_from_form(request)
    else:
        given = await asyncio.to_thread(request_parsing.run_request, await request.body())
    options = StyleOptions.from_json(given.options)
    request_parsing.check_pair(given.pictures)
    refs: dict[str, Any] = {}
    names = {role: name for role, (_, name) in given.pictures.items()}
    for role, (data, name) in given.pictures.items():
        with request_parsing.errors_of_picture(role):
            refs[role] = await asyncio.to_thread(service.pictures.keep, data, name)
    content, styles = refs["content"], [refs[role] for role in STYLE_ROLES if role in refs]
    masked = "mask" in refs
    options.check_pictures(len(styles), masked)
    forecast = await asyncio.to_thread(service.forecasts.forecast, options, content, *styles, masked=masked)
    more: dict[str, Any] = {"names": names, "client": client, "gpu": given.gpu, "key": key}
    more |= {"init": refs.get("init"), "mask": refs.get("mask"), "more_styles": styles[1:]}
    run = await asyncio.to_thread(service.runs.start, options, content, styles[0], **more)
    return run, forecast


_STYLIZED: Responses = {
    200: {
        "model": responses.Stylized,
        "description": "The result",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/stylize",
    summary="Start a run, and wait for its result",
    responses={**_STYLIZED, **errors(400, 409, 413, 415, 429, 500, 503, 504, 507)},
    openapi_extra=RUN_BODY,
)
async def stylize(
    request: Request,
    service: ServiceDep,
    client: Client,
    timeout: Annotated[float, Query(ge=1, le=3600, description="seconds, with those in the queue")] = 600,
) -> Response:
    """Return the result as {"image": base64, "run": ...}, or as PNG where `Accept` names image/png.

    The request is that of `POST /api/v1/runs`. A run that is not finished in time is stopped, and so is that of a
    client that disconnects; the run's id is in the header `NST-Run` and in the error message.
    """
    end = time.monotonic() + timeout
    run, _ = await _start(request, service, client)
    last = 0  # number of the last event
    while not run.state.rests:
        left = end - time.monotonic()
        if left <= 0 or await request.is_disconnected():
            await _stop(service, run)
            if left > 0:
                return Response(status_code=CLIENT_CLOSED_REQUEST)
            raise HTTPException(504, f"run {run.id} was not finished within {timeout:g} s, and is stopped")
        events = await service.store.wait(run.id, last, min(DISCONNECT_CHECK_SECONDS, left))
        last = events[-1]["n"] if events else last
        run = await asyncio.to_thread(service.store.run, run.id)
    return await asyncio.to_thread(_result, request, service, run)


async def _stop(service: Service, run: Run) -> None:
    with suppress(Conflict):  # it has just ended
        await asyncio.to_thread(service.queue.stop, run.id)


def _result(request: Request, service: Service, run: Run) -> Response:
    """Return the result of a run that has ended. Raises Conflict, HTTPException if there is none."""
    if run.state in (State.FAILED, State.INTERRUPTED):
        raise HTTPException(500, f"run {run.id} {run.state}: {run.error}")
    if run.state is not State.FINISHED:
        raise Conflict(f"run {run.id} was not finished: it is {run.state}")
    headers = {"NST-Run": run.id}
    picture = service.store.files.result(run.id).read_bytes()
    if "image/png" in request.headers.get("accept", ""):
        return Response(picture, media_type="image/png", headers=headers)
    answer = {"image": base64.b64encode(picture).decode(), "run": service.runs.describe(run)}
    return JSONResponse(answer, headers=headers)


@router.post(
    "/estimate",
    summary="Estimate the time and memory of a run",
    responses={200: {"model": responses.Forecast}, **errors(400, 404, 503)},
    openapi_extra=ESTIMATE_BODY,
)
async def estimate(request: Request, service: ServiceDep) -> dict[str, Any]:
    """Return the `seconds` and the `bytes` of memory that a run takes on this server's worker, and its `tile` in px.

    `tile` is null where the picture is not split into tiles; `at_most` means that the run may end sooner. A run that
    does not fit into memory is refused as by `POST /api/v1/runs`, with the largest `size` that fits.
    """
    content, styles, given = request_parsing.estimate_request(await request.body())
    forecast = await asyncio.to_thread(service.forecasts.forecast, StyleOptions.from_json(given), content, *styles)
    if forecast is None or forecast["seconds"] is None:
        error = service.queue.health().get("error")
        raise Busy(error or "the worker has not measured this machine yet: try again in a moment")
    return forecast


@router.get("/runs", summary="List and search runs", responses={200: {"model": responses.Runs}, **errors(404)})
def runs(
    service: ServiceDep,
    client: Client,
    words: Annotated[
        str,
        Query(
            max_length=200,
            description="all of which occur in its settings, network, name or notes, or its pictures' names",
        ),
    ] = "",
    state: Annotated[State | None, Query(description="only runs in that state")] = None,
    favorite: Annotated[bool, Query(description="only favorites")] = False,
    old_favorite: Annotated[bool, Query(alias=request_parsing.FAVORITE.old_name, include_in_schema=False)] = False,
    before: Annotated[str, Query(max_length=64, description="the id of a run: only older ones")] = "",
    run: Annotated[
        tuple[str, ...],
        Query(max_length=MOST_NAMED_RUNS, description="only those of these ids, without quick runs of a grid"),
    ] = (),
    limit: Annotated[int, Query(ge=1, le=MOST_NAMED_RUNS)] = 50,
) -> dict[str, Any]:
    """List runs, newest first; where several people share the studio, only those of the client."""
    found = service.archive.find(client, words, state or "", favorite or old_favorite, before, limit, runs=run)
    return {"runs": [service.runs.describe(each) for each, _ in found]}


@router.get(
    "/results.zip",
    summary="The results of several runs",
    response_class=StreamingResponse,
    responses=file_response("application/zip", 404, 409, 507),
)
def results(
    service: ServiceDep,
    run: Annotated[list[str], Query(min_length=1, max_length=MOST_NAMED_RUNS, description="ids of runs")],
) -> StreamingResponse:
    """Return the results of those runs that are there and have one as a ZIP file, each named after its photograph."""
    runs = []
    for run_id in dict.fromkeys(run):
        with suppress(NotFound):  # it was deleted
            runs.append(service.store.run(run_id))
    if not runs:
        raise NotFound("none of these runs is there")
    file = result_archive(service.store, service.pictures, runs)
    headers = {"Content-Disposition": 'attachment; filename="paintings.zip"'}
    chunks = iter(lambda: file.read(ZIP_CHUNK), b"")
    return StreamingResponse(
        chunks, media_type="application/zip", headers=headers, background=BackgroundTask(file.close)
    )


@router.get("/runs/{run_id}", summary="One run", responses={200: {"model": responses.RunAnswer}, **errors(404)})
def one(run: VisibleRun, service: ServiceDep) -> dict[str, Any]:
    """Describe a run; `queue_position` is 0 while it runs, 1 if it is next, null if it has paused or ended."""
    return service.runs.describe(run)


@router.patch(
    "/runs/{run_id}",
    summary="Name a run, note something, make it a favorite",
    responses={200: {"model": responses.RunAnswer}, **errors(400, 403, 404)},
    openapi_extra=ANNOTATIONS_BODY,
)
async def change(request: Request, run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Set `name`, `notes`, and whether a run is a `favorite`: nothing of one is dropped when the disk is full."""
    changes = request_parsing.annotations(await request.body())
    await asyncio.to_thread(lambda: service.archive.annotate(run.id, **changes))
    return await asyncio.to_thread(service.runs.describe, run)


@router.delete("/runs/{run_id}", status_code=204, summary="Delete a run", responses=errors(403, 404, 409))
def delete(run: OwnRun, service: ServiceDep) -> None:
    """Delete a paused or ended run with all its pictures. It can be restored within ten minutes."""
    service.archive.delete(run.id)


@router.post(
    "/runs/{run_id}/restore",
    summary="Restore a deleted run",
    responses={200: {"model": responses.RunAnswer}, **errors(403, 404)},
)
def restore(run: OwnDeletedRun, service: ServiceDep) -> dict[str, Any]:
    """Restore a run within ten minutes of its deletion; one that is not deleted stays as it is."""
    service.archive.restore(run.id)
    return service.runs.describe(run)
