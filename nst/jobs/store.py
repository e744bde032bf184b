"""One folder of runs: SQLite for runs, events and names of uploads; files for pictures. The only SQL in the house.

    studio.sqlite
    uploads/<sha256>             as they came
    runs/<id>/frames/<epoch>.jpg
    runs/<id>/result.png

Every method may be called from any thread. What is written is written before the method returns, an event together
with the state it leads to and the picture it brings. A disk that is full or read-only is an NstError of one line.
"""

import asyncio
import hashlib
import json
import math
import os
import re
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nst.errors import NotFound, NstError
from nst.events import Epoch, Event, Interrupted, Queued
from nst.jobs.run import Run, State
from nst.options import StyleOptions

VERSION = 1  # of the tables below, kept in the file's user_version

TABLES = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order of arrival
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                        -- also in `run`; here to be searched
    run TEXT NOT NULL                           -- Run.to_json
);
CREATE INDEX runs_by_state ON runs (state);
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,                         -- 1, 2, ... without a gap
    event TEXT NOT NULL,                        -- JSON
    PRIMARY KEY (run, n)
) WITHOUT ROWID;
CREATE TABLE uploads (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
"""


class Store:
    """Runs, events and pictures under `folder`, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._waiters: dict[str, set[_Waiter]] = {}
        self._closed = False
        with self._plain_errors():
            (folder / "uploads").mkdir(parents=True, exist_ok=True)
            self._database = _open(folder / "studio.sqlite")

    def close(self) -> None:
        """Let go of the database; whoever waits gets an empty answer. May be called again."""
        with self._lock:
            self._closed = True
            self._database.close()
            for run_id in list(self._waiters):
                self._wake(run_id)

    # Uploads ----------------------------------------------------------------------------------------------------------

    def put_upload(self, data: bytes, name: str = "") -> str:
        """Keep a picture's bytes as they are; its id is their SHA-256, so the same bytes are kept once."""
        upload_id = hashlib.sha256(data).hexdigest()
        with self._transaction() as database:
            _write(self._upload_file(upload_id), data)
            database.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?)", (upload_id, name))
        return upload_id

    def upload(self, upload_id: str) -> bytes:
        """The bytes of an upload. Raises NotFound."""
        with self._plain_errors():
            return self.upload_path(upload_id).read_bytes()

    def upload_path(self, upload_id: str) -> Path:
        """The file of an upload. Raises NotFound."""
        if not re.fullmatch("[0-9a-f]{64}", upload_id) or not self._upload_file(upload_id).exists():
            raise NotFound(f"there is no upload {upload_id[:80]!r}")
        return self._upload_file(upload_id)

    def upload_name(self, upload_id: str) -> str:
        """The name an upload last came with, "" if none. Raises NotFound."""
        self.upload_path(upload_id)
        rows = self._rows("SELECT name FROM uploads WHERE id = ?", upload_id)
        return rows[0][0] if rows else ""

    def _upload_file(self, upload_id: str) -> Path:
        return self.folder / "uploads" / upload_id

    # Runs -------------------------------------------------------------------------------------------------------------

    def create(self, options: StyleOptions, content: str, style: str, init: str | None = None) -> Run:
        """A new run, queued, of uploads that are there; its first event says so. Raises NotFound."""
        for upload_id in (content, style, *([init] if init else [])):
            self.upload_path(upload_id)
        run = Run(uuid.uuid4().hex, time.time(), options, content, style, init, epochs=options.most_epochs)
        with self._transaction() as database:
            database.execute(
                "INSERT INTO runs (id, state, run) VALUES (?, ?, ?)", (run.id, run.state, _json(run.to_json()))
            )
            _insert(database, run, Queued())
        return run

    def run(self, run_id: str) -> Run:
        """The run as it stands. Raises NotFound."""
        rows = self._rows("SELECT run FROM runs WHERE id = ?", run_id)
        if not rows:
            raise NotFound(f"there is no run {run_id[:80]!r}")
        return Run.from_json(json.loads(rows[0][0]))

    def runs(self, limit: int = 50) -> list[Run]:
        """The newest runs, newest first."""
        rows = self._rows("SELECT run FROM runs ORDER BY number DESC LIMIT ?", limit)
        return [Run.from_json(json.loads(text)) for (text,) in rows]

    def active(self) -> list[Run]:
        """Runs that have not ended, queued or running, in order of arrival."""
        rows = self._rows("SELECT run FROM runs WHERE state IN (?, ?) ORDER BY number", State.QUEUED, State.RUNNING)
        return [Run.from_json(json.loads(text)) for (text,) in rows]

    def interrupt_running(self, reason: str = "the server was stopped before this run had ended") -> None:
        """End every run that a server left half painted; those in the line stay there. Call it while no worker is."""
        for run in self.active():
            if run.state is State.RUNNING:
                self.append(run.id, Interrupted(reason))

    # Events -----------------------------------------------------------------------------------------------------------

    def append(self, run_id: str, event: Event) -> int:
        """Let `event` happen to a run, and wake who waits for it; returns its number.

        A run that has ended stays as it is: what a worker still had to say is dropped, and the last number is returned.
        Raises NotFound, and Conflict where the run's state does not allow the event.
        """
        with self._transaction() as database:
            run = self.run(run_id)
            if run.state.ended:
                return run.last
            run = run.after(event)
            self._keep_picture(run, event)
            database.execute(
                "UPDATE runs SET state = ?, run = ? WHERE id = ?", (run.state, _json(run.to_json()), run.id)
            )
            _insert(database, run, event)
        self._wake(run_id)
        return run.last

    def events(self, run_id: str, after: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        """Events with a number above `after`, oldest first: {"n", "time" (s since 1970), "kind", ...}. Raises NotFound.

        One that brought a frame has its number as "frame", for `frame`. What is not finite is None.
        """
        rows = self._rows(
            "SELECT event FROM events WHERE run = ? AND n > ? ORDER BY n LIMIT ?",
            run_id,
            min(after, sys.maxsize),
            limit,
        )
        if not rows:
            self.run(run_id)  # for NotFound
        return [json.loads(text) for (text,) in rows]

    async def wait(self, run_id: str, after: int, timeout: float) -> list[dict[str, Any]]:
        """`events`, as soon as there is one; [] after `timeout` seconds. Raises NotFound."""
        waiter = _Waiter()
        with self._lock:
            self._waiters.setdefault(run_id, set()).add(waiter)
        try:
            async with asyncio.timeout(timeout):
                while not self._closed and not (found := self.events(run_id, after)):
                    await waiter.woken()
            return [] if self._closed else found
        except TimeoutError:
            return []
        finally:
            self._forget(run_id, waiter)

    # Pictures ---------------------------------------------------------------------------------------------------------

    def frame(self, run_id: str, n: int) -> Path:
        """The frame of epoch `n`, a JPEG file that never changes. Raises NotFound."""
        return self._picture(run_id, f"frames/{n:d}.jpg", f"run {run_id[:80]!r} has no frame {n}")

    def result(self, run_id: str) -> Path:
        """The result, a PNG file; of a run that was stopped or failed, what there was by then. Raises NotFound."""
        return self._picture(run_id, "result.png", f"run {run_id[:80]!r} has no result")

    def _picture(self, run_id: str, name: str, missing: str) -> Path:
        path = self._run_folder(run_id) / name
        if not re.fullmatch("[0-9a-f]{32}", run_id) or not os.path.exists(path):  # False also for a name too long
            raise NotFound(missing)
        return path

    def _run_folder(self, run_id: str) -> Path:
        return self.folder / "runs" / run_id

    def _keep_picture(self, run: Run, event: Event) -> None:
        image = getattr(event, "image", b"")
        if image:
            name = f"frames/{event.epoch}.jpg" if isinstance(event, Epoch) else "result.png"
            _write(self._run_folder(run.id) / name, image)

    # Underneath -------------------------------------------------------------------------------------------------------

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._plain_errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one at a time, over threads and over processes that share the folder."""
        with self._lock, self._plain_errors():
            self._database.execute("BEGIN IMMEDIATE")
            with self._database:  # commits, or rolls back if something is raised
                yield self._database

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise NstError(f"cannot keep runs in {self.folder}: {error}") from error

    def _wake(self, run_id: str) -> None:
        with self._lock:
            for waiter in self._waiters.get(run_id, ()):
                waiter.wake()

    def _forget(self, run_id: str, waiter: "_Waiter") -> None:
        with self._lock:
            self._waiters[run_id].discard(waiter)
            if not self._waiters[run_id]:
                del self._waiters[run_id]


class _Waiter:
    """Sleeps on the event loop that made it until any thread wakes it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def woken(self) -> None:
        await self._event.wait()
        self._event.clear()

    def wake(self) -> None:
        with suppress(RuntimeError):  # the loop was closed, and nobody sleeps there any more
            self._loop.call_soon_threadsafe(self._event.set)


def _open(path: Path) -> sqlite3.Connection:
    """The database, with its tables made if it is new. Raises NstError if a newer program made it."""
    database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NstError(
                f"{path} was written by a newer version of this program (its format is {version}, "
                f"this program knows {VERSION}): update the program, or choose another folder"
            )
        if version < 1:
            database.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    except BaseException:
        database.close()
        raise
    return database


def _insert(database: sqlite3.Connection, run: Run, event: Event) -> None:
    """Write `event` down as the last one of `run`."""
    record = {"n": run.last, "time": time.time(), **event.to_json()}
    if isinstance(event, Epoch) and event.image:
        record["frame"] = event.epoch
    database.execute("INSERT INTO events VALUES (?, ?, ?)", (run.id, run.last, _json(record)))


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    """`value` with None for every number that JSON has no word for."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
