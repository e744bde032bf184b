"""A worker process as the queue sees it."""

import threading
from dataclasses import dataclass, field

from distributed import Future

from nst.events import Event


@dataclass
class Place:
    """What is known of one worker, and what it has."""

    ready: bool = False  # its warm-up is over, well or not
    warm: bool = False
    task: Future | None = None  # the warm-up or the run; Dask drops what nobody holds
    run: str = ""  # the id of the run it has, "" if none
    ticket: str = ""  # of this hand-over: what still comes of an earlier one is dropped
    asked: type[Event] | None = None  # Stopped or Paused, if the run was asked for that
    told_end: bool = False  # the painter has said how the run ended
    gpu: bool = False
    taking: threading.Thread | None = None  # takes its newest checkpoint
    fetching: set[str] = field(default_factory=set)  # extractors whose weights it downloads
