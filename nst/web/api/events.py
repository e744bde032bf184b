"""Events of a run: listed, waited for, or streamed. Waiting requests hold no thread."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from nst.runs.run import Run
from nst.web.api import responses
from nst.web.api.access import ServiceDep, VisibleRun
from nst.web.api.openapi import errors
from nst.web.service.service import Service

MAX_WAIT_SECONDS = 30.0  # that a request for events may wait
KEEPALIVE_SECONDS = 15.0  # without an event after which a stream sends a comment
MAX_EVENT_NUMBER = 2**53  # the largest integer that JavaScript represents exactly
EVENT_SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "its number"},
        "event": {"type": "string", "description": "its kind"},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "all of its fields"},
    },
}

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["events"])
After = Annotated[int, Query(ge=0, le=MAX_EVENT_NUMBER, description="the number of the last event that is known")]


@router.get("/events", summary="Events of a run", responses={200: {"model": responses.Events}, **errors(404)})
async def events(
    run: VisibleRun,
    service: ServiceDep,
    after: After = 0,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="seconds")] = 0,
) -> dict[str, Any]:
    """Return the events with a number above `after`; if there are none, wait `wait` seconds for one.

    The next request sends `last` as `after`.
    """
    if wait and not run.state.ended:
        found = await service.store.wait(run.id, after, wait)
    else:
        found = await asyncio.to_thread(service.store.events, run.id, after)
    return {"events": found, "last": found[-1]["n"] if found else after}


@router.get(
    "/stream",
    summary="Events of a run as server-sent events",
    response_class=Response,
    responses={
        200: {"description": "Events", "content": {"text/event-stream": {"itemSchema": EVENT_SCHEMA}}},
        204: {"description": "There are no more events: the client need not reconnect"},
        **errors(404),
    },
)
async def stream(
    run: VisibleRun,
    service: ServiceDep,
    after: After = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=MAX_EVENT_NUMBER, description="instead of `after`")] = None,
) -> Response:
    """Send the events with a number above `after`, each as JSON in `data`, until the run has paused or ended."""
    last = after if last_event_id is None else last_event_id
    if run.state.rests and run.last <= last:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_stream(service, run, last), headers=headers)


async def _stream(service: Service, run: Run, last: int) -> AsyncIterator[bytes]:
    """Yield the events after number `last` as server-sent events, with a comment where none comes for long."""
    while not (run.state.rests and run.last <= last):
        found = await service.store.wait(run.id, last, KEEPALIVE_SECONDS)
        for event in found:
            yield format_sse_event(data_str=json.dumps(event), event=event["kind"], id=str(event["n"]))
            last = event["n"]
        if not found:
            yield KEEPALIVE_COMMENT
        run = await asyncio.to_thread(service.store.run, run.id)
