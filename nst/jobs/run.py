"""What a run is: its states, the moves between them, and how each event changes it.

A run is the fold of its events: `run.after(event)` is the only way it changes. This file knows no disk and no worker.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from nst.errors import Conflict
from nst.events import Epoch, Event, Failed, Finished, Interrupted, Losses, Started, Stopped
from nst.options import StyleOptions


class State(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Nothing moves this run any more."""
        return self not in MOVES


_ENDINGS: dict[type[Event], State] = {
    Stopped: State.STOPPED,
    Failed: State.FAILED,
    Interrupted: State.INTERRUPTED,
}

# From a state, by an event, to a state; what is not here is not allowed. A state without a row is an end.
MOVES: dict[State, dict[type[Event], State]] = {
    State.QUEUED: {Started: State.RUNNING, **_ENDINGS},
    State.RUNNING: {Epoch: State.RUNNING, Finished: State.FINISHED, **_ENDINGS},
}


@dataclass(frozen=True)
class Run:
    """One job from upload to result, as its events so far have made it."""

    id: str  # uuid4, 32 hex digits
    created: float  # seconds since 1970
    options: StyleOptions
    content: str  # id of an upload
    style: str
    init: str | None = None
    state: State = State.QUEUED
    epoch: int = 0  # the last one done
    epochs: int = 0  # of the whole run; once it has finished, those it took
    frames: int = 0  # pictures streamed so far, that of epoch 0 included
    losses: Losses | None = None  # of the last epoch
    extractor: str = ""  # the network that paints, known once the run has started
    note: str = ""
    precision: str = ""  # as `extractor`
    tiled: bool = False
    width: int = 0  # of the result, px; 0 until the run has started
    height: int = 0
    error: str = ""
    seconds: float = 0.0  # of painting
    seconds_left: float | None = None  # None until the first epoch is done
    steps_per_second: float = 0.0  # of the last epoch
    last: int = 1  # number of the last event; the first says that it was queued
    has_result: bool = False

    def after(self, event: Event) -> Self:
        """The run once `event` has happened to it. Raises Conflict where MOVES does not allow it."""
        state = MOVES.get(self.state, {}).get(type(event))
        if state is None:
            raise Conflict(f"run {self.id} is {self.state}: {event.kind!r} cannot happen to it")
        if isinstance(event, Epoch) and self.frames and event.epoch <= self.epoch:
            raise Conflict(f"run {self.id} is past epoch {self.epoch}: epoch {event.epoch} cannot happen to it")
        changes: dict[str, Any] = {"state": state, "last": self.last + 1}
        names = {f.name for f in dataclasses.fields(self)}
        changes |= {f.name: getattr(event, f.name) for f in dataclasses.fields(event) if f.name in names}
        if isinstance(event, Epoch):
            changes |= {
                "frames": self.frames + 1,
                "width": self.width,
                "height": self.height,
            }  # the frame may be smaller
        if state is State.FINISHED:
            changes |= {"epochs": self.epoch}  # the schedule's end may not have been reached
        if state.ended:
            changes |= {"seconds_left": 0.0, "has_result": bool(getattr(event, "image", b""))}
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain values under the fields' names, as `GET /api/v1/runs/{id}` shows them; `from_json` reads them back."""
        return {**dataclasses.asdict(self), "state": str(self.state), "options": self.options.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The run that `to_json` was made of."""
        losses = given["losses"]
        return cls(
            **{
                **given,
                "state": State(given["state"]),
                "options": StyleOptions.from_json(given["options"]),
                "losses": losses and Losses(**losses),
            }
        )
