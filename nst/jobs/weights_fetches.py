"""Downloads of weights: as they stand, and how earlier ones of the same folder ended.

fetches.json   {extractor: outcome of its last download}

What began by itself and was cancelled, or was refused, does not begin by itself again: only who asks for it gets it.
"""

import json
import logging
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nst.jobs.run_files import write
from nst.runs.events import Fetching

log = logging.getLogger(__name__)

FILE = "fetches.json"


class WeightsFetches:
    """The downloads of one queue, whose lock is held by who calls."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._now: dict[str, Fetching] = {}
        self._at: dict[str, tuple[str, str]] = {}  # (worker's address, ticket) of those that go on
        self._outcomes: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError):  # there were none, or what was kept of them is damaged
            self._outcomes |= json.loads(self._file.read_text())

    @property
    def now(self) -> dict[str, Fetching]:
        """Those since the server is up, by extractor, each as it stands."""
        return dict(self._now)

    def due(self, name: str) -> bool:
        """It may begin by itself: none has yet, or the last one was broken off under an earlier server."""
        return name not in self._now and self._outcomes.get(name, "broken") == "broken"

    def going(self, name: str) -> tuple[str, str] | None:
        """(address of its worker, its ticket) while it goes on."""
        return self._at.get(name)

    def begin(self, name: str, address: str) -> str:
        """The worker at `address` is about to be asked for it; returns the ticket."""
        self._now[name] = Fetching(name, 0, 0)
        self._at[name] = address, uuid.uuid4().hex
        self._keep(name, "")
        return self._at[name][1]

    def cancel(self, name: str) -> None:
        """It is about to be cancelled; from now on it counts as such, whatever becomes of its worker."""
        self._keep(name, "cancelled")

    def hear(self, event: Fetching, address: str) -> None:
        """A word of the worker at `address`; dropped if that has no such download."""
        if self._at.get(event.name, ("",))[0] != address:
            return
        self._now[event.name] = event
        if event.done:
            del self._at[event.name]
            self._keep(event.name, event.outcome)

    def give_up(self, address: str, error: str) -> None:
        """The worker at `address` is gone."""
        for name in [name for name, (at, _) in self._at.items() if at == address]:
            outcome = self._outcomes.get(name) or "broken"
            self.hear(replace(self._now[name], outcome=outcome, error=error if outcome == "broken" else ""), address)

    def _keep(self, name: str, outcome: str) -> None:
        self._outcomes[name] = outcome
        if not outcome:
            del self._outcomes[name]
        try:
            write(self._file, json.dumps(self._outcomes).encode())
        except OSError as error:
            log.warning("cannot keep how a download ended: %s", error)
