"""The rows of runs and of their events: JSON, written in a transaction."""

import json
import math
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from nst.jobs.storage.upload_owners import record_owner
from nst.runs.events import Epoch, Event
from nst.runs.run import Run


def run_of(text: str | bytes) -> Run:
    """The run whose JSON a row, or its description in a file, holds. Raises ValueError, KeyError, TypeError."""
    return Run.from_json(json.loads(text))


def insert_run(connection: sqlite3.Connection, run: Run) -> None:
    """Insert a new run. Its pictures are its client's from now on."""
    connection.execute(
        "INSERT INTO runs (id, state, run, client, parent, variations) VALUES (?, ?, ?, ?, ?, ?)",
        (run.id, run.state, _json(run.to_json()), run.client, run.parent, run.variations),
    )
    names = {upload_id: run.names.get(role, "") for role, upload_id in run.uploads.items()}
    record_owner(connection, names, run.client)


def insert_event(connection: sqlite3.Connection, run: Run, event: Event) -> None:
    """Insert `event` as the last one of `run`."""
    record = {"n": run.last, "time": time.time(), **event.to_json()}
    if isinstance(event, Epoch) and event.image:
        record["frame"] = event.epoch
    connection.execute("INSERT INTO events VALUES (?, ?, ?)", (run.id, run.last, _json(record)))


def update_run(connection: sqlite3.Connection, run: Run) -> None:
    """Record a run as it is now."""
    connection.execute("UPDATE runs SET state = ?, run = ? WHERE id = ?", (run.state, _json(run.to_json()), run.id))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    """`value` with None for every number that JSON cannot express."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
