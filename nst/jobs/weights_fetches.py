"""The downloads of weights: their last events, and how earlier ones of the same folder ended.

fetches.json   {extractor: outcome of its last download}

A download that was cancelled or refused is not started automatically again, only on request.
"""

import json
import logging
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from nst.atomic_write import atomic_write
from nst.runs.events import Fetching

log = logging.getLogger(__name__)

FILE = "fetches.json"


class Place(NamedTuple):
    """Where a download is in progress."""

    worker: str  # its address
    fetch_id: str


class WeightsFetches:
    """The downloads of one pool, whose lock the caller holds."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._last: dict[str, Fetching] = {}
        self._places: dict[str, Place] = {}
        self._outcomes: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError):  # there is no file, or it is damaged
            self._outcomes |= json.loads(self._file.read_text())

    @property
    def last(self) -> dict[str, Fetching]:
        """The last event of each download since the server started, by extractor."""
        return dict(self._last)

    def due(self, name: str) -> bool:
        """Whether it may start automatically: it never has, or it was broken off while another server ran."""
        return name not in self._last and self._outcomes.get(name, "broken") == "broken"

    def place(self, name: str) -> Place | None:
        """Where the download of `name` is in progress."""
        return self._places.get(name)

    def start(self, name: str, worker: str) -> str:
        """Record that the worker at that address is to download `name`; returns an id of the download."""
        self._last[name] = Fetching(name, 0, 0)
        self._places[name] = Place(worker, uuid.uuid4().hex)
        self._save(name, "")
        return self._places[name].fetch_id

    def cancel(self, name: str) -> None:
        """Record that a download is to be cancelled; that stays its outcome even if its worker is lost."""
        self._save(name, "cancelled")

    def update(self, event: Fetching, worker: str) -> None:
        """Record an event; dropped if the worker at that address has no such download."""
        place = self._places.get(event.name)
        if place is None or place.worker != worker:
            return
        self._last[event.name] = event
        if event.done:
            del self._places[event.name]
            self._save(event.name, event.outcome)

    def remove_worker(self, worker: str, error: str) -> None:
        """Record that the downloads of a lost worker were broken off."""
        for name in [name for name, place in self._places.items() if place.worker == worker]:
            outcome = self._outcomes.get(name) or "broken"
            self.update(replace(self._last[name], outcome=outcome, error=error if outcome == "broken" else ""), worker)

    def _save(self, name: str, outcome: str) -> None:
        self._outcomes[name] = outcome
        if not outcome:
            del self._outcomes[name]
        try:
            with atomic_write(self._file) as part:
                part.write_text(json.dumps(self._outcomes))
        except OSError as error:
            log.warning("the outcome of a download cannot be saved: %s", error)
