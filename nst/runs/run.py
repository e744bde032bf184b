"""What a run is: its states, the moves between them, and how each event changes it.

A run is the fold of its events: `run.after(event)` is the only way to change it. No disk and no worker is used here.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from nst.errors import Conflict
from nst.options.picture_roles import by_role
from nst.options.style_options import StyleOptions
from nst.runs.events import (
    Checkpointed,
    Continued,
    Epoch,
    Event,
    Failed,
    Finished,
    Interrupted,
    Losses,
    Paused,
    Started,
    Steered,
    Stopped,
)


class State(StrEnum):
    """What a run is doing, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """The run has ended; only a request to continue it changes that."""
        return self in _ENDINGS.values()

    @property
    def rests(self) -> bool:
        """The run has ended or is paused: nothing happens to it without a request."""
        return self.ended or self is State.PAUSED


_ENDINGS: dict[type[Event], State] = {
    Finished: State.FINISHED,
    Stopped: State.STOPPED,
    Failed: State.FAILED,
    Interrupted: State.INTERRUPTED,
}
_CUT_SHORT = {event: state for event, state in _ENDINGS.items() if event is not Finished}

# From a state, by an event, to a state; every other move is refused.
MOVES: dict[State, dict[type[Event], State]] = {
    State.QUEUED: {
        Started: State.RUNNING,
        **dict.fromkeys((Steered, Checkpointed), State.QUEUED),
        Paused: State.PAUSED,
        **_CUT_SHORT,
    },
    State.RUNNING: {
        **dict.fromkeys((Epoch, Steered, Checkpointed), State.RUNNING),
        Paused: State.PAUSED,
        **_ENDINGS,
    },
    State.PAUSED: {
        Continued: State.QUEUED,
        **dict.fromkeys((Steered, Checkpointed), State.PAUSED),
        Stopped: State.STOPPED,
    },
    **{ended: {Continued: State.QUEUED, Checkpointed: ended} for ended in _ENDINGS.values()},
}


@dataclass(frozen=True)
class Run:
    """One job from upload to result, as its events so far have made it."""

    id: str  # uuid4, 32 hex digits
    created: float  # seconds since 1970
    options: StyleOptions  # as it began; `options_now` are those in force
    content: str  # id of an upload
    style: str
    init: str | None = None
    more_styles: tuple[str, ...] = ()  # further paintings
    mask: str | None = None
    fast: dict[str, Any] | None = None  # how a picture in one pass was made, FastProvenance.to_json; None of a run
    names: dict[str, str] = field(default_factory=dict)  # of the pictures' files, by role; {} in older stores
    client: str = ""  # that created it; never shown
    gpu: bool = False  # only a worker with a graphics card may paint it
    parent: str = ""  # the run it was branched from, "" if none
    variations: str = ""  # the grid that it is a quick run of, "" if none
    first: int = 0  # epoch it begins with: 0, or that of its parent's frame
    state: State = State.QUEUED
    epoch: int = 0  # the last one done
    epochs: int = 0  # of the whole run; once it has finished, those it took
    planned: int = 0  # what `epochs` was until it finished
    converged: bool = False  # it finished before its epochs were done: more would have changed nothing visible
    prolonged: bool = False  # or cut: `epochs` are not those of its options
    frames: int = 0  # pictures so far, that of the first epoch included
    scales: tuple[tuple[int, int], ...] = ()  # (first epoch, long side in px) of each scale so far, coarse to fine
    losses: Losses | None = None  # of the last epoch
    extractor: str = ""  # the network, known once the run has started
    note: str = ""
    precision: str = ""  # as `extractor`
    tiled: bool = False
    width: int = 0  # of the result, px; 0 until the run has started
    height: int = 0
    error: str = ""
    seconds: float = 0.0  # of painting
    seconds_left: float | None = None  # None until the first epoch is done
    steps_per_second: float = 0.0  # of the last epoch
    steered: tuple[dict[str, Any], ...] = ()  # {"step", "epoch", "changes"}, oldest first
    kept: int | None = None  # step of the last checkpoint, None if there is none
    # A run whose worker or server is lost is queued again, but not for ever: one that ends each worker it is given to
    # must not end all. `lost` is the checkpoint that it had at the last loss, as `kept`, 0 for None; None if there was
    # no loss. `stalls` counts the losses in a row between which no later checkpoint came.
    lost: int | None = None
    stalls: int = 0
    last: int = 1  # number of the last event; the first says that it was queued
    has_result: bool = False

    @property
    def uploads(self) -> dict[str, str]:
        """The ids of its pictures by role, those of `ROLES` that it has."""
        return by_role(self.content, self.styles, self.init, self.mask)

    @property
    def styles(self) -> tuple[str, ...]:
        """The ids of its paintings."""
        return (self.style, *self.more_styles)

    @property
    def options_now(self) -> StyleOptions:
        """The options with all changes so far."""
        return self.options.with_changes(*(change["changes"] for change in self.steered))

    def with_its_colors(self, options: StyleOptions) -> StyleOptions:
        """`options` with the color transfer that this run began with, even if a changed strength makes it another."""
        amount = self.options.color_transfer_amount
        is_same = options.color_transfer_amount == amount
        return options if is_same else options.with_changes({"color_transfer": amount})

    def after(self, event: Event) -> Self:
        """The run once `event` has happened to it. Raises Conflict where MOVES does not allow it."""
        state = MOVES.get(self.state, {}).get(type(event))
        if state is None:
            raise Conflict(f"run {self.id} is {self.state}: {event.kind!r} cannot happen to it")
        if isinstance(event, Epoch) and self.frames and event.epoch <= self.epoch:
            raise Conflict(f"run {self.id} is past epoch {self.epoch}: epoch {event.epoch} cannot happen to it")
        changes: dict[str, Any] = {"state": state, "last": self.last + self.is_numbered(event)}
        names = {f.name for f in dataclasses.fields(self)}
        changes |= {f.name: getattr(event, f.name) for f in dataclasses.fields(event) if f.name in names}
        changes |= self._derived_from(event)
        if state is State.FINISHED:
            changes["epochs"] = self.epoch  # it may have ended before its schedule
        if state.rests:
            changes["seconds_left"] = 0.0 if state.ended else self.seconds_left
            changes["has_result"] = self.has_result or bool(getattr(event, "image", b""))
        return dataclasses.replace(self, **changes)

    @property
    def got_further(self) -> bool:
        """Whether there is a later checkpoint than at the last loss of a worker or server; True if none was lost."""
        return self.lost is None or (self.kept or 0) > self.lost

    def is_numbered(self, event: Event) -> bool:
        """Whether the store numbers `event`.

        A checkpoint that comes once the run has ended or paused gets no number, so that the end stays the last event.
        """
        return not (isinstance(event, Checkpointed) and self.state.rests)

    def _derived_from(self, event: Event) -> dict[str, Any]:
        """What an event changes besides the fields of the same name."""
        match event:
            case Started():
                kept = tuple(scale for scale in self.scales if event.resumed and scale[0] <= event.epoch)
                return {"frames": max(0, event.epoch - self.first + 1) if event.resumed else 0, "scales": kept}
            case Epoch():  # the frame may be smaller than the result
                size = {"width": self.width, "height": self.height}
                return {"frames": self.frames + 1, "scales": self._scales_with(event), **size}
            case Steered():
                change = {"step": event.step, "epoch": event.epoch, "changes": event.changes}
                return {"steered": (*self.steered, change), "epoch": self.epoch}
            case Checkpointed():  # epochs may have been recorded while it was sent
                return {"kept": event.step, "seconds": max(self.seconds, event.seconds)}
            case Interrupted():
                return {"lost": self.kept or 0, "stalls": 1 if self.got_further else self.stalls + 1}
            case Continued():
                other = self.prolonged or event.epochs != self.epochs
                return {"error": "", "seconds_left": None, "prolonged": other, "converged": False}
            case Finished():
                return {"planned": self.epochs}
        return {}

    def _scales_with(self, epoch: Epoch) -> tuple[tuple[int, int], ...]:
        side = max(epoch.width, epoch.height)
        is_known = bool(self.scales) and self.scales[-1][1] == side
        return self.scales if is_known else (*self.scales, (epoch.epoch, side))

    def to_json(self) -> dict[str, Any]:
        """Plain values under the fields' names; `from_json` reads them back."""
        return {**dataclasses.asdict(self), "state": str(self.state), "options": self.options.to_json()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """The run that `to_json` was called on."""
        losses = given["losses"]
        return cls(
            **{
                **given,
                "state": State(given["state"]),
                "options": StyleOptions.from_record(given["options"]),
                "losses": losses and Losses(**losses),
                "steered": tuple(given.get("steered", ())),
                "more_styles": tuple(given.get("more_styles", ())),
                "scales": tuple((epoch, side) for epoch, side in given.get("scales", ())),
            }
        )
