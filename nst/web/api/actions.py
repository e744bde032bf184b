"""The course of a run: stopped, paused, steered, continued, branched. All answer 202: the worker hears of it next."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from nst.errors import Conflict
from nst.runs.run import Run, State
from nst.web.api import request_parsing, responses
from nst.web.api.access import Client, Here, Own
from nst.web.api.openapi import BRANCH, CONTINUE, WEIGHTS, Said, errors
from nst.web.api.runs import begun
from nst.web.service.service import Service

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["course"])
ASKED: Said = {202: {"model": responses.RunSaid, "description": "It is asked for"}}
CHANGED = ASKED | errors(403, 404, 409)
GOES_ON = ASKED | errors(400, 403, 404, 409, 429, 503)


def _now(service: Service, run: Run) -> dict[str, Any]:
    return service.runs.describe(service.store.run(run.id))


@router.post("/stop", status_code=202, summary="Stop a run", responses=CHANGED)
def stop(run: Own, service: Here) -> dict[str, Any]:
    """At once if it waits, else after the step it is at; the picture so far is kept."""
    service.queue.stop(run.id)
    return _now(service, run)


@router.post("/pause", status_code=202, summary="Put a run aside", responses=CHANGED)
def pause(run: Own, service: Here) -> dict[str, Any]:
    """As stop; its worker is free for the next run until this one is resumed."""
    service.queue.pause(run.id)
    return _now(service, run)


@router.post("/resume", status_code=202, summary="Resume a paused run", responses=GOES_ON)
def resume(run: Own, service: Here) -> dict[str, Any]:
    """It takes its place in the line."""
    if run.state is not State.PAUSED:
        raise Conflict(f"run {run.id} cannot be resumed: it is {run.state}")
    service.runs.resume(run.id)
    return _now(service, run)


@router.post(
    "/continue", status_code=202, summary="Continue a run that rests", responses=GOES_ON, openapi_extra=CONTINUE
)
async def go_on(request: Request, run: Own, service: Here) -> dict[str, Any]:
    """For `epochs` more than it was to have, with other live `options` if some are given."""
    asked = request_parsing.fields(await request.body(), [request_parsing.MORE], others=["options"])
    await asyncio.to_thread(service.runs.resume, run.id, asked["epochs"], asked["options"])
    return await asyncio.to_thread(_now, service, run)


@router.post(
    "/branch",
    status_code=202,
    summary="Begin a new run with a frame of this one",
    responses={202: {"model": responses.Begun}, **errors(400, 403, 404, 409, 429, 503)},
    openapi_extra=BRANCH,
)
async def branch(request: Request, run: Own, service: Here, client: Client) -> JSONResponse:
    """From the frame of `epoch`, with other live `options` if some are given, to the same end and `epochs` more."""
    asked = request_parsing.fields(
        await request.body(), [request_parsing.EPOCH, request_parsing.MORE], ["epoch"], ["options"]
    )
    child = await asyncio.to_thread(
        service.runs.branch, run.id, asked["epoch"], asked["options"], asked["epochs"], client
    )
    return begun(child)


@router.patch(
    "/weights",
    status_code=202,
    summary="Change live options of a run",
    responses=ASKED | errors(400, 403, 404, 409),
    openapi_extra=WEIGHTS,
)
async def weights(request: Request, run: Own, service: Here) -> dict[str, Any]:
    """From its next step on; the event `steered` says from which."""
    await asyncio.to_thread(service.runs.steer, run.id, request_parsing.changes(await request.body()))
    return await asyncio.to_thread(_now, service, run)
