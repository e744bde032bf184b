"""What happens to a run, as it happens: asked for, waited for, or streamed. No thread waits with a client."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from nst.runs.run import Run
from nst.web.api import responses
from nst.web.api.access import Here, Seen
from nst.web.api.openapi import errors
from nst.web.service.service import Service

PATIENCE = 30.0  # seconds that a request for events may wait
SILENCE = 15.0  # seconds after which a stream says that it is still there
MOST = 2**53  # what JavaScript counts to
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "its number"},
        "event": {"type": "string", "description": "its kind"},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "all of it"},
    },
}

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["events"])
After = Annotated[int, Query(ge=0, le=MOST, description="the number of the last event that is known")]


@router.get("/events", summary="What happened to a run", responses={200: {"model": responses.Events}, **errors(404)})
async def events(
    run: Seen,
    service: Here,
    after: After = 0,
    wait: Annotated[float, Query(ge=0, le=PATIENCE, description="seconds")] = 0,
) -> dict[str, Any]:
    """Events with a number above `after`; if there is none, one is waited for `wait` seconds. Ask again with `last`."""
    found = service.store.events(run.id, after)
    if wait and not found and not run.state.ended:
        found = await service.store.wait(run.id, after, wait)
    return {"events": found, "last": found[-1]["n"] if found else after}


@router.get(
    "/stream",
    summary="What happens to a run, as server-sent events",
    response_class=Response,
    responses={
        200: {"description": "Events", "content": {"text/event-stream": {"itemSchema": EVENT}}},
        204: {"description": "All is said: who reconnects need not come again"},
        **errors(404),
    },
)
async def stream(
    run: Seen,
    service: Here,
    after: After = 0,
    last_event_id: Annotated[int | None, Header(ge=0, le=MOST, description="instead of `after`")] = None,
) -> Response:
    """Events with a number above `after`, each as `data` in JSON under its kind and number, until the run rests."""
    seen = after if last_event_id is None else last_event_id
    if run.state.rests and run.last <= seen:
        return Response(status_code=204)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_told(service, run, seen), headers=headers)


async def _told(service: Service, run: Run, seen: int) -> AsyncIterator[bytes]:
    """The events of a run after `seen`, as they are sent, until it rests; now and then a comment."""
    while not (run.state.rests and run.last <= seen):
        found = service.store.events(run.id, seen) or await service.store.wait(run.id, seen, SILENCE)
        for event in found:
            yield format_sse_event(data_str=json.dumps(event), event=event["kind"], id=str(event["n"]))
            seen = event["n"]
        if not found:
            yield KEEPALIVE_COMMENT
        run = service.store.run(run.id)
