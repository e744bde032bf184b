"""Requests to a run that is being painted: any thread makes them, the worker reads them after each step."""

import threading
from collections.abc import Callable, Mapping
from typing import Any


class Control:
    """The requests to one run. `abandoned` may be set to a function that returns whether its result is unwanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}  # of the newest change of each option
        self._stop = False
        self.pause_requested = False
        self.abandoned: Callable[[], bool] = lambda: False

    @property
    def stop_requested(self) -> bool:
        """The run is to end."""
        return self._stop or self.abandoned()

    def stop(self) -> None:
        """Request that the run ends with the picture so far."""
        self._stop = True

    def pause(self) -> None:
        """Request that the run pauses, to be resumed later."""
        self.pause_requested = True

    def steer(self, changes: Mapping[str, Any], number: int = 0) -> None:
        """Request changes of live options, in addition to those requested and not taken yet.

        Of requests that change the same option, the one with the highest `number` counts, whatever their order.
        """
        with self._lock:
            newest = {name: value for name, value in changes.items() if number >= self._numbers.get(name, 0)}
            self._changes |= newest
            self._numbers |= dict.fromkeys(newest, number)

    def take_changes(self) -> dict[str, Any]:
        """The changes requested since the last call, {} if none."""
        with self._lock:
            changes, self._changes = self._changes, {}
        return changes
