"""The events of a run. Each is frozen and has a JSON form; the store numbers them.

An event carries its picture as `image` (bytes), and the state to resume a run from as `checkpoint`, because worker and
store need not share a disk. The store keeps both as files, so `to_json` leaves them out.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

# How a download of weights ends. It is "broken" if the network failed or its worker ended, and may succeed later; a
# "refused" one would be refused again.
OUTCOMES = ("installed", "cancelled", "broken", "refused")
BYTES = ("image", "checkpoint")  # fields that are kept as files


@dataclass(frozen=True)
class Losses:
    """The objective and its weighted parts: total = content + style + tv + neighbors."""

    total: float
    content: float
    style: float
    tv: float
    neighbors: float = 0.0  # that of early runs, which had no such loss


LOSS_NAMES = {
    "total": "Total",
    "content": "Content",
    "style": "Style",
    "tv": "Smoothness",
    "neighbors": "Neighbors",
}  # by the fields above


@dataclass(frozen=True)
class Event:
    """Base of all events; `kind` is the class name in lower case, unless the class has a name of its own for it."""

    kind: ClassVar[str] = "event"
    registry: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__dict__.get("kind", cls.__name__.lower())
        Event.registry[cls.kind] = cls

    def to_wire(self) -> dict[str, Any]:
        """Plain values, bytes included."""
        return {"kind": self.kind, **dataclasses.asdict(self)}

    def to_json(self) -> dict[str, Any]:
        """Plain values without bytes."""
        return {name: value for name, value in self.to_wire().items() if name not in BYTES}

    @staticmethod
    def from_wire(wire: Mapping[str, Any]) -> "Event":
        """The event that `to_wire` (or `to_json`, then without its bytes) was called on."""
        values = dict(wire)
        cls = Event.registry[values.pop("kind")]
        if "losses" in values:
            values["losses"] = Losses(**values["losses"])
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class Queued(Event):
    """The run waits for a worker."""


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A worker has begun to paint.

    `note` has sentences for the user, "" if there are none: why "auto" chose `extractor`, which layers were replaced,
    what a mask of one value does, whether a checkpoint was damaged.
    `epochs` and `steps` are those of the schedule: a run whose `epochs` is "auto" may finish before.
    """

    extractor: str
    note: str = ""
    width: int  # of the result, px
    height: int
    epochs: int
    steps: int
    precision: str = "float32"  # of the network's arithmetic: "float32" or "bfloat16"
    tiled: bool = False  # the gradient of a picture too large for the memory is summed over tiles
    epoch: int = 0  # at which it begins; later epochs, painted before a worker was lost, are painted again
    resumed: bool = False  # from a checkpoint: the frame of that epoch exists


@dataclass(frozen=True, kw_only=True)
class Epoch(Event):
    """An epoch is done; epoch 0 is the start before any step. `image` is its frame, JPEG, at the current scale."""

    epoch: int
    step: int
    losses: Losses
    width: int  # of the frame, px
    height: int
    seconds: float  # since the run started
    steps_per_second: float  # of this epoch
    seconds_left: float  # estimated from the schedule
    image: bytes = b""
    in_float32: bool = False  # whether the next steps on this scale are, also if the run began in bfloat16


@dataclass(frozen=True, kw_only=True)
class Checkpointed(Event):
    """The run can be resumed after `step`, from `checkpoint`.

    A large checkpoint takes long to send: the run may have ended when it arrives.
    """

    kind: ClassVar[str] = "kept"
    step: int
    seconds: float  # of painting until then
    checkpoint: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Steered(Event):
    """Live options were changed: `changes`, by name, are used from step `step` on."""

    step: int
    epoch: int  # the last one that was complete before
    changes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Paused(Event):
    """The run was paused, to be resumed; `image` is the picture so far, PNG, empty if there is none."""

    seconds: float
    image: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Continued(Event):
    """A paused or ended run is queued again, to be painted to `epochs` in all."""

    epochs: int


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The run has ended by itself; `image` is the result, PNG."""

    seconds: float
    image: bytes = b""
    converged: bool = False  # before its epochs were done: more of them would have changed nothing visible


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The user stopped the run; `image` is the result so far, PNG, empty if nothing was painted."""

    seconds: float
    image: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """The run ended with an error; `image` is the last good picture, PNG, empty if there is none."""

    error: str
    image: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Interrupted(Event):
    """The server or the worker of the run was lost."""

    error: str


@dataclass(frozen=True, kw_only=True)
class Fetching(Event):
    """The progress of a download of weights; it belongs to no run."""

    name: str  # extractor
    received: int  # bytes
    size: int  # bytes, 0 where it is not known
    outcome: str = ""  # "" while it goes on; then one of OUTCOMES
    error: str = ""  # why it was broken or refused

    @property
    def done(self) -> bool:
        """Whether the download has ended, with or without the weights."""
        return bool(self.outcome)
