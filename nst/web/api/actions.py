"""Actions on a run: stop, move, pause, resume, continue, branch, upscale, steer.

All answer 202: a worker acts soon after.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from nst.errors import Conflict
from nst.runs.run import Run, State
from nst.web.api import request_parsing, responses
from nst.web.api.access import Client, OwnRun, ServiceDep
from nst.web.api.openapi import BRANCH_BODY, CONTINUE_BODY, UPSCALE_BODY, WEIGHTS_BODY, Responses, errors
from nst.web.api.runs import run_started
from nst.web.service.service import Service

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["actions"])
ACCEPTED: Responses = {202: {"model": responses.RunAnswer, "description": "Accepted"}}
CHANGE = ACCEPTED | errors(403, 404, 409, 507)
RESUME = ACCEPTED | errors(400, 403, 404, 409, 429, 503, 507)


def _describe(service: Service, run: Run) -> dict[str, Any]:
    """The run as it is after the action."""
    return service.runs.describe(service.store.run(run.id))


@router.post("/stop", status_code=202, summary="Stop a run", responses=CHANGE)
def stop(run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Stop a queued run at once, a running one after its current step; the picture so far is kept."""
    service.queue.stop(run.id)
    return _describe(service, run)


@router.post("/move", status_code=202, summary="Move a waiting run", responses=CHANGE)
def move(
    run: OwnRun,
    service: ServiceDep,
    places: Annotated[int, Query(ge=-10_000, le=10_000, description="below 0 is sooner")],
) -> dict[str, Any]:
    """Move a run that waits by so many places among those of its client."""
    service.queue.move(run.id, places)
    return _describe(service, run)


@router.post("/pause", status_code=202, summary="Pause a run", responses=CHANGE)
def pause(run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Pause a queued run at once, a running one after its current step; the worker takes the next run."""
    service.queue.pause(run.id)
    return _describe(service, run)


@router.post("/resume", status_code=202, summary="Resume a paused run", responses=RESUME)
def resume(run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Queue a paused run again."""
    if run.state is not State.PAUSED:
        raise Conflict(f"run {run.id} cannot be resumed: it is {run.state}")
    service.runs.resume(run.id)
    return _describe(service, run)


@router.post(
    "/continue",
    status_code=202,
    summary="Continue a paused or ended run",
    responses=RESUME,
    openapi_extra=CONTINUE_BODY,
)
async def continue_run(request: Request, run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Queue a run again for `epochs` more epochs than planned, with other live `options` if given."""
    fields = request_parsing.fields(await request.body(), [request_parsing.MORE_EPOCHS], others=["options"])
    await asyncio.to_thread(service.runs.resume, run.id, fields["epochs"], fields["options"])
    return await asyncio.to_thread(_describe, service, run)


@router.post(
    "/branch",
    status_code=202,
    summary="Start a new run from a frame of this one",
    responses={202: {"model": responses.RunStarted}, **errors(400, 403, 404, 409, 429, 503, 507)},
    openapi_extra=BRANCH_BODY,
)
async def branch(request: Request, run: OwnRun, service: ServiceDep, client: Client) -> JSONResponse:
    """Start from the frame of `epoch`, with other live `options`; the last epoch is that of this run plus `epochs`."""
    rules = [request_parsing.EPOCH, request_parsing.MORE_EPOCHS]
    fields = request_parsing.fields(await request.body(), rules, ["epoch"], ["options"])
    arguments = fields["epoch"], fields["options"], fields["epochs"]
    child = await asyncio.to_thread(service.runs.branch, run.id, *arguments, client)
    return run_started(child)


@router.post(
    "/upscale",
    status_code=202,
    summary="Paint a result larger",
    responses={202: {"model": responses.RunStarted}, **errors(400, 403, 404, 409, 429, 503, 507)},
    openapi_extra=UPSCALE_BODY,
)
async def upscale(request: Request, run: OwnRun, service: ServiceDep, client: Client) -> JSONResponse:
    """Start a run that begins with the result of this one and paints it at `size` px for a few `epochs`."""
    fields = request_parsing.fields(await request.body(), [request_parsing.LARGER, request_parsing.FEW_EPOCHS])
    child = await asyncio.to_thread(service.runs.upscale, run.id, fields["size"], fields["epochs"], client)
    return run_started(child)


@router.patch(
    "/weights",
    status_code=202,
    summary="Change live options of a run",
    responses=ACCEPTED | errors(400, 403, 404, 409, 507),
    openapi_extra=WEIGHTS_BODY,
)
async def weights(request: Request, run: OwnRun, service: ServiceDep) -> dict[str, Any]:
    """Change options from the run's next step on; the event `steered` contains that step.

    A value that is in force already changes nothing, and no event follows.
    """
    await asyncio.to_thread(service.runs.steer, run.id, request_parsing.json_body(await request.body()))
    return await asyncio.to_thread(_describe, service, run)
