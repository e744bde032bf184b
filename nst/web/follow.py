"""Follow a run for a page: return what happened since the page last asked, or wait for it."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from nst.errors import NotFound
from nst.runs.run import Run, State
from nst.web.components.run.history import relatives
from nst.web.components.run.run_queue import QueueEntry, queue_entries
from nst.web.current_client import current_client
from nst.web.service.runs import title_of
from nst.web.service.service import Service

POLL_SECONDS = 2.0  # that a poll waits for a change
CHECK_SECONDS = 0.25  # between two checks of the server state, which sends no notification
MAX_EVENTS = 100_000  # in one answer: more than any run has


@dataclass(frozen=True)
class RunUpdate:
    """What changed since a page last asked."""

    run: Run | None  # its current state; None if the page shows no run, or there is none of that id
    position: int | None  # in the queue, see `ServerState.position`
    events: list[dict[str, Any]]  # since the last update
    server: dict[str, Any]  # see `server_state`
    missing: bool = False  # `run` is None although the page asked for one
    frames: list[dict[str, Any]] = field(default_factory=list)  # those stored, as `RunFiles.frames` returns them
    starts_in: float | None = None  # seconds, see `Forecasts.starts_in`
    relatives: dict[str, str] = field(default_factory=dict)  # see `relatives` in history.py
    title: str = ""  # after its pictures
    name: str = ""  # that its client gave it
    notes: str = ""
    queue: list[QueueEntry] | None = None  # what of the client is painted or waits; None if it is what is shown

    @property
    def expecting(self) -> bool:
        """Whether a change is expected soon: a run is active, the worker gets ready, or weights are downloaded."""
        active = bool(self.server["queue"]) or (self.run is not None and not self.run.state.rests)
        downloading = any(not download["outcome"] for download in self.server["fetching"].values())
        return active or self.server["worker"] != "warm" or downloading


async def follow(service: Service, run_id: str, after: int, server: dict[str, Any] | None) -> RunUpdate:
    """Return what changed in a run ("" for none) after its event number `after`.

    Waits for a change of the run or of the server, at most POLL_SECONDS. `server` is the server state that the page
    shows; None asks for an answer without waiting. `after` is 0 if the page does not show the run.
    """
    if not run_id:
        return await _without_run(service, server)
    try:
        events = await _events(service, run_id, after, server)
        run, frames, named = await asyncio.to_thread(_described, service, run_id, whole=bool(events))
    except NotFound:
        return await _without_run(service, None if after else server, missing=True)
    state = await service.server_states.now()  # first of what needs the queue's lock: one thread waits for it
    starts_in = await asyncio.to_thread(service.forecasts.starts_in, run) if run.state is State.QUEUED else None
    now = state.of(current_client())
    queue = await _queue(service, now, server)
    return RunUpdate(run, state.position(run.id), events, now, False, frames, starts_in, queue=queue, **named)


async def _without_run(service: Service, server: dict[str, Any] | None, missing: bool = False) -> RunUpdate:
    """What changed for a page that shows no run, see `RunUpdate.missing`."""
    await _wait_for_server(service, server)
    now = await server_state(service)
    return RunUpdate(None, None, [], now, missing, queue=await _queue(service, now, server))


def _described(service: Service, run_id: str, whole: bool) -> tuple[Run, list[dict[str, Any]], dict[str, Any]]:
    """Return (a run, its frames, its `_names`), the last two empty unless `whole`. Raises NotFound."""
    run = service.store.run(run_id)
    return (run, service.store.files.frames(run_id), _names(service, run)) if whole else (run, [], {})


def _names(service: Service, run: Run) -> dict[str, Any]:
    """What a run and its relatives are called, by the names of fields of RunUpdate."""
    annotations = service.archive.annotations(run.id)
    return {
        "relatives": relatives(service, run),
        "title": title_of(service.runs.pictures(run)),
        "name": annotations.name,
        "notes": annotations.notes,
    }


async def _queue(service: Service, now: dict[str, Any], shown: dict[str, Any] | None) -> list[QueueEntry] | None:
    """The entries of the queue, None if the page shows them already."""
    if shown is not None and shown["queue"] == now["queue"]:
        return None
    return await asyncio.to_thread(queue_entries, service, current_client())


async def _events(service: Service, run_id: str, after: int, server: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The events after number `after`. If there are none, wait for one, or for another server state."""
    found = await asyncio.to_thread(service.store.events, run_id, after, limit=MAX_EVENTS)
    end = time.monotonic() + POLL_SECONDS
    while not found and server is not None and await server_state(service) == server and time.monotonic() < end:
        found = await service.store.wait(run_id, after, CHECK_SECONDS)
    return found


async def _wait_for_server(service: Service, server: dict[str, Any] | None) -> None:
    """Wait until the server state differs from `server`, at most POLL_SECONDS."""
    end = time.monotonic() + POLL_SECONDS
    while server is not None and await server_state(service) == server and time.monotonic() < end:
        await asyncio.sleep(CHECK_SECONDS)


async def server_state(service: Service) -> dict[str, Any]:
    """Return what the current client sees of the server, see `ServerState`."""
    return (await service.server_states.now()).of(current_client())
