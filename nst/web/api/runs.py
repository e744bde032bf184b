"""Runs: begun, awaited, listed, liked, deleted and brought back."""

import asyncio
import base64
import time
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from nst.errors import Busy, Conflict, InputError
from nst.options.style_options import StyleOptions
from nst.runs.run import Run, State
from nst.web.api import request_parsing, responses
from nst.web.api.access import Client, Here, Own, OwnDeleted, Seen
from nst.web.api.openapi import ESTIMATE, LIKE, ORDER, Said, errors
from nst.web.problems import Refused
from nst.web.service.service import Service

GLANCE = 0.5  # seconds between two looks whether the client who waits for a picture is still there
HUNG_UP = 499  # the status that nobody reads

router = APIRouter(prefix="/api/v1", tags=["runs"])
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[ -~]{1,255}$",
        description="asked again with the same key, by the same client, for the same painting: the same run",
    ),
]


@router.post(
    "/runs",
    status_code=202,
    summary="Start a run",
    responses={202: {"model": responses.Begun}, **errors(400, 409, 413, 415, 429, 503)},
    openapi_extra=ORDER,
)
async def create(request: Request, service: Here, client: Client, key: Key = None) -> JSONResponse:
    """Queue a painting: two pictures (a third if `init` is image) and options, as JSON in base64 or as a form.

    A client that may have lost the answer asks again under the same `Idempotency-Key`, of 1 to 255 printable ASCII
    characters, and is told the same run, though it was deleted since. For another painting the key is refused with 409.
    """
    run, forecast = await _begin(request, service, client, key or "")
    return begun(run, forecast)


def begun(run: Run, forecast: dict[str, Any] | None = None) -> JSONResponse:
    """What is answered to who began a run."""
    place = f"/api/v1/runs/{run.id}"
    answer = {"id": run.id, "run": place, "page": f"/?run={run.id}", "estimate": forecast}
    return JSONResponse(answer, 202, {"Location": place})


async def _begin(request: Request, service: Service, client: str, key: str = "") -> tuple[Run, dict[str, Any] | None]:
    """(the run that a request asks for, what it will take)."""
    if request_parsing.is_form(request):
        order = await request_parsing.order_of_form(request)
    else:
        order = await asyncio.to_thread(request_parsing.order, await request.body())
    options = StyleOptions.from_json(order.options)
    for role in ("content", "style"):
        if role not in order.pictures:
            raise Refused(role, InputError(f"`{role}` is missing: give a picture"))
    refs: dict[str, Any] = {}
    for role, (data, name) in order.pictures.items():
        try:
            refs[role] = await asyncio.to_thread(service.pictures.keep, data, name)
        except InputError as error:
            raise Refused(role, error) from error
    forecast = await asyncio.to_thread(service.forecasts.forecast, options, refs["content"], refs["style"])
    run = await asyncio.to_thread(service.runs.start, options, **refs, client=client, gpu=order.gpu, key=key)
    return run, forecast


_PAINTED: Said = {
    200: {
        "model": responses.Painted,
        "description": "The result",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/stylize",
    summary="Paint a picture, and wait for it",
    responses={**_PAINTED, **errors(400, 409, 413, 415, 429, 500, 503, 504)},
    openapi_extra=ORDER,
)
async def stylize(
    request: Request,
    service: Here,
    client: Client,
    timeout: Annotated[float, Query(ge=1, le=3600, description="seconds, of which some may pass in the line")] = 600,
) -> Response:
    """The result as {"image": base64, "run": ...}, or as PNG where `Accept` names image/png.

    Takes what `POST /api/v1/runs` takes. A run that is not finished in time is stopped, and so is that of a client who
    hangs up; its id is in the header `NST-Run` and in the message.
    """
    end = time.monotonic() + timeout
    run, _ = await _begin(request, service, client)
    seen = 0
    while not run.state.rests:
        left = end - time.monotonic()
        if left <= 0 or await request.is_disconnected():
            await _stop(service, run)
            if left > 0:
                return Response(status_code=HUNG_UP)
            raise HTTPException(504, f"run {run.id} was not finished within {timeout:g} s, and is stopped")
        news = await service.store.wait(run.id, seen, min(GLANCE, left))
        seen = news[-1]["n"] if news else seen
        run = service.store.run(run.id)
    return await asyncio.to_thread(_result, request, service, run)


async def _stop(service: Service, run: Run) -> None:
    with suppress(Conflict):  # it ended in this moment
        await asyncio.to_thread(service.queue.stop, run.id)


def _result(request: Request, service: Service, run: Run) -> Response:
    """The picture of a run that was waited for. Raises Conflict, HTTPException if there is none."""
    if run.state in (State.FAILED, State.INTERRUPTED):
        raise HTTPException(500, f"run {run.id} {run.state}: {run.error}")
    if run.state is not State.FINISHED:
        raise Conflict(f"run {run.id} was not finished: it is {run.state}")
    headers = {"NST-Run": run.id}
    picture = service.store.result(run.id).read_bytes()
    if "image/png" in request.headers.get("accept", ""):
        return Response(picture, media_type="image/png", headers=headers)
    answer = {"image": base64.b64encode(picture).decode(), "run": service.runs.describe(run)}
    return JSONResponse(answer, headers=headers)


@router.post(
    "/estimate",
    summary="What a run would take",
    responses={200: {"model": responses.Forecast}, **errors(400, 404, 503)},
    openapi_extra=ESTIMATE,
)
async def estimate(request: Request, service: Here) -> dict[str, Any]:
    """`seconds` of painting and `bytes` of memory on this server's worker, and `tile`, the side of the tiles in px.

    `tile` is null where the picture is painted whole; `at_most` says that the run may end sooner. What would not fit is
    refused as `POST /api/v1/runs` refuses it, with the largest `size` that does.
    """
    content, style, given = request_parsing.to_be_estimated(await request.body())
    forecast = await asyncio.to_thread(service.forecasts.forecast, StyleOptions.from_json(given), content, style)
    if forecast is None or forecast["seconds"] is None:
        trouble = service.queue.health().get("error")
        raise Busy(trouble or "the worker has not measured this machine yet: try again in a moment")
    return forecast


@router.get("/runs", summary="Find runs", responses={200: {"model": responses.Runs}, **errors(404)})
def runs(
    service: Here,
    client: Client,
    words: Annotated[
        str, Query(max_length=200, description="all found in its settings, its network or its pictures' names")
    ] = "",
    state: Annotated[State | None, Query(description="only runs in that state")] = None,
    favourite: Annotated[bool, Query(description="only favourites")] = False,
    before: Annotated[str, Query(max_length=64, description="the id of a run: only older ones")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """Newest first. Where several people share the studio: one's own."""
    found = service.archive.find(client, words, state or "", favourite, before, limit)
    return {"runs": [service.runs.describe(run) for run, _ in found]}


@router.get(
    "/runs/{run_id}", summary="One run as it stands", responses={200: {"model": responses.RunSaid}, **errors(404)}
)
def one(run: Seen, service: Here) -> dict[str, Any]:
    """`queue_position` is 0 while it is painted, 1 if it is next, null once it rests."""
    return service.runs.describe(run)


@router.patch(
    "/runs/{run_id}",
    summary="Make a run a favourite, or not",
    responses={200: {"model": responses.RunSaid}, **errors(400, 403, 404)},
    openapi_extra=LIKE,
)
async def change(request: Request, run: Own, service: Here) -> dict[str, Any]:
    """Favourites keep all that is kept of them when the disk gets full."""
    asked = request_parsing.fields(await request.body(), [request_parsing.FAVOURITE], required=["favourite"])
    await asyncio.to_thread(service.archive.like, run.id, asked["favourite"])
    return await asyncio.to_thread(service.runs.describe, run)


@router.delete("/runs/{run_id}", status_code=204, summary="Delete a run", responses=errors(403, 404, 409))
def delete(run: Own, service: Here) -> None:
    """One that rests, with all its pictures. For ten minutes it can be brought back."""
    service.archive.delete(run.id)


@router.post(
    "/runs/{run_id}/restore",
    summary="Bring a deleted run back",
    responses={200: {"model": responses.RunSaid}, **errors(403, 404)},
)
def restore(run: OwnDeleted, service: Here) -> dict[str, Any]:
    """Within ten minutes. One that was not deleted stays as it is."""
    service.archive.restore(run.id)
    return service.runs.describe(run)
