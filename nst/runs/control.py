"""What others ask of a run while it is painted: the painter looks after each step, any thread may ask."""

import threading
from collections.abc import Callable, Mapping
from typing import Any


class Control:
    """A mailbox beside one painting. `abandoned` may be set to what says that nobody wants the painting any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[str, Any] = {}
        self._stop = False
        self.pause_requested = False
        self.abandoned: Callable[[], bool] = lambda: False

    @property
    def stop_requested(self) -> bool:
        """The painting is to end."""
        return self._stop or self.abandoned()

    def stop(self) -> None:
        """End the run with the picture so far."""
        self._stop = True

    def pause(self) -> None:
        """Put the run aside, to be taken up again."""
        self.pause_requested = True

    def steer(self, changes: Mapping[str, Any]) -> None:
        """Change options that are live; what was asked before and not yet heard still holds."""
        with self._lock:
            self._changes |= changes

    def take_changes(self) -> dict[str, Any]:
        """The changes asked since they were last taken, {} if none."""
        with self._lock:
            changes, self._changes = self._changes, {}
        return changes
