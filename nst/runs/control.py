"""Requests to a run that is being painted: any thread makes them, the worker reads them after each step."""

import threading
from collections.abc import Callable, Mapping
from typing import Any


class Control:
    """The requests to one run. `abandoned` may be set to a function that returns whether its result is unwanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, Any] = {}
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

    def steer(self, changes: Mapping[str, Any]) -> None:
        """Request changes of live options, in addition to those requested and not taken yet."""
        with self._lock:
            self._changes |= changes

    def take_changes(self) -> dict[str, Any]:
        """The changes requested since the last call, {} if none."""
        with self._lock:
            changes, self._changes = self._changes, {}
        return changes
