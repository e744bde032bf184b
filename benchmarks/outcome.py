"""How what was timed ended: as it should, or there is no figure."""

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from nst.runs.job import StyleJob

T = TypeVar("T")
GRACE = 10.0  # seconds in which a worker that is lost may be replaced


class NotMeasured(Exception):
    """What was to be measured did not end as it should; the message is one line that says how it did."""


class NotHeld(Exception):
    """The studio did not hold what a benchmark demands of it; the message is one line that says what."""


def must_finish(run: str, state: str, error: str = "") -> None:
    """Raise NotMeasured, with the run's own error, unless its state (or the event that ended it) is "finished"."""
    if state != "finished":
        raise NotMeasured(f"{run} is {state}, not finished{f': {error}' if error else ''}")


class Warmth:
    """Whether a worker is warm, from repeated reports of a queue's health.

    A queue may report "lost" for a moment: before it has met its worker, or while one is replaced.
    """

    def __init__(self) -> None:
        self._lost_at: float | None = None  # time.monotonic(), since when there has been none

    def __call__(self, health: Mapping[str, Any]) -> bool:
        """Raises NotMeasured, with the queue's own error, once there has been no worker for `GRACE` seconds."""
        if health["worker"] != "lost":
            self._lost_at = None
        elif self._lost_at is None:
            self._lost_at = time.monotonic()
        elif time.monotonic() - self._lost_at > GRACE:
            raise NotMeasured(f"there is no worker: {health.get('error', 'it is lost')}")
        return bool(health["worker"] == "warm")


def all_of(count: int, things: Iterable[T]) -> list[T]:
    """The next `count` things. Raises NotMeasured where there are fewer."""
    found = list(islice(things, count))
    if len(found) < count:
        raise NotMeasured(f"it ended after {len(found)} of {count}")
    return found


def paint(job: StyleJob, hear: Callable[[Any], None] = lambda event: None) -> list[Any]:
    """A whole run in this process, as a worker paints it; its events, each told to `hear` as it comes.

    Raises NotMeasured, with the run's own error, unless it finishes.
    """
    from nst.runs.control import Control
    from nst.worker.runner import execute  # TensorFlow, which those that measure a studio from outside do not need

    events: list[Any] = []

    def emit(event: Any) -> None:
        events.append(event)
        hear(event)

    execute(job, emit, Control())
    ends = [event for event in events if event.kind in ("finished", "failed", "stopped", "paused")]
    last = ends[-1] if ends else events[-1]
    must_finish("the run", last.kind, getattr(last, "error", ""))
    return events
