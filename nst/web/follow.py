"""Follow a run: replay what happened, then wait for the next; and put it in words. Knows no component."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from nst.errors import NotFound
from nst.humanize import converged, count, duration, ordinal, roughly
from nst.runs.run import Run, State
from nst.web.service.service import Service

PATIENCE = 2.0  # seconds that a poll waits for something new
GLANCE = 0.25  # seconds between two looks at what has no one to wake us


@dataclass(frozen=True)
class News:
    """What a page has not seen yet."""

    run: Run | None  # as it stands; None if the page shows none, or if there is none of that id
    place: int | None  # in the line, 1 is being painted
    events: list[dict[str, Any]]  # after the page's cursor
    studio: dict[str, Any]  # see `studio_of`
    missing: str = ""  # why `run` is None, if the page asked for one
    frames: list[dict[str, Any]] = field(default_factory=list)  # those that are kept, as `Store.frames` tells
    starts_in: float | None = None  # seconds, of a run that waits
    children: list[str] = field(default_factory=list)  # runs that were branched from it


async def follow(service: Service, run_id: str, after: int, seen: dict[str, Any] | None) -> News:
    """News of a run ("" for none) after its event `after`, as soon as there is any, or after PATIENCE.

    `seen` is the state of the studio that the page shows; None asks for an answer at once.
    """
    if not run_id:
        await _other_studio(service, seen)
        return News(None, None, [], studio_of(service))
    try:
        events = await _events(service, run_id, after, seen)
        run = service.store.run(run_id)
    except NotFound as error:
        await _other_studio(service, seen)
        return News(None, None, [], studio_of(service), str(error))
    kept, children = (service.store.frames(run_id), service.store.children(run)) if events else ([], [])
    waits = await asyncio.to_thread(service.forecasts.starts_in, run) if run.state is State.QUEUED else None
    return News(
        run, await asyncio.to_thread(service.runs.place, run), events, studio_of(service), "", kept, waits, children
    )


async def _events(service: Service, run_id: str, after: int, seen: dict[str, Any] | None) -> list[dict[str, Any]]:
    """All events after `after`; waits for one, or for the studio to change, only if there is none."""
    found = service.store.events(run_id, after, limit=100_000)
    end = time.monotonic() + PATIENCE
    while not found and seen is not None and studio_of(service) == seen and time.monotonic() < end:
        found = await service.store.wait(run_id, after, GLANCE)
    return found


async def _other_studio(service: Service, seen: dict[str, Any] | None) -> None:
    """Wait until the studio is not as `seen`, at most PATIENCE."""
    end = time.monotonic() + PATIENCE
    while seen is not None and studio_of(service) == seen and time.monotonic() < end:
        await asyncio.sleep(GLANCE)


def studio_of(service: Service) -> dict[str, Any]:
    """Worker, networks and downloads as they stand: plain values that a page can compare."""
    health = service.queue.health()
    return {
        "worker": health["worker"],
        "trouble": health.get("error", ""),
        "networks": service.queue.extractors(),
        "fetching": {name: event.to_json() for name, event in service.queue.fetching.items()},
        "many": service.settings.many,
        "gpu": service.queue.has_gpu,
    }


def status(news: News) -> str:
    """A sentence for a run's state: what the page's live region says."""
    run = news.run
    if run is None:
        return f"{news.missing[:1].upper()}{news.missing[1:]}. Start a new one here." if news.missing else READY
    if run.state is State.QUEUED:
        if run.gpu and not news.studio["gpu"]:
            return "Queued: it waits for a worker with a graphics card, and none is there."
        when = f", starts in about {roughly(news.starts_in)}" if news.starts_in else ""
        why = when if news.studio["worker"] == "warm" else ", the worker is getting ready"
        return f"Queued: {ordinal(news.place or 1)} in line{why}."
    if run.state is State.RUNNING:
        return f"Running: {run.extractor} paints at {run.width} × {run.height} px."
    if run.state is State.PAUSED:
        return f"Paused at epoch {run.epoch} of {run.epochs}." if run.frames else "Paused before it was painted."
    if run.converged:
        return f"Finished in {duration(run.seconds)}: {converged(run.epoch, run.planned)}."
    if run.state is State.FINISHED:
        return f"Finished: {count(run.epochs, 'epoch')} in {duration(run.seconds)}."
    if run.state is State.STOPPED:
        most = "at most " if run.options.epochs == "auto" else ""
        return (
            f"Stopped at epoch {run.epoch} of {most}{run.epochs}." if run.frames else "Stopped before it was painted."
        )
    if run.state is State.INTERRUPTED:
        return f"Interrupted: {run.error}. Continue takes it up where it was kept."
    return f"Failed: {run.error}"


READY = "Ready. Choose two pictures and press Start."


def numbers(run: Run | None) -> str:
    """Epochs, speed and time left of a run, "" before its first epoch."""
    if run is None or not run.frames:
        return ""
    sooner = "at most " if run.options.epochs == "auto" and run.state is not State.FINISHED else ""
    parts = [f"Epoch {run.epoch} of {sooner}{run.epochs}"]
    if run.state is State.RUNNING:
        if run.steps_per_second:
            parts.append(f"{run.steps_per_second:.3g} steps/s")
        if run.seconds_left is not None and run.epoch:
            parts.append(f"{sooner}{duration(run.seconds_left)} left")
    elif run.seconds:
        parts.append(duration(run.seconds))
    return " · ".join(parts)
