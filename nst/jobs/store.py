"""Runs, their events and uploads, kept in one folder (folder.py). SQL is spoken in these two, tables.py and archive.py.

Every method may be called from any thread. What is written is written before the method returns, an event together
with the state it leads to and the files it brings. A disk that is full or read-only is an NstError of one line.
"""

import asyncio
import dataclasses
import hashlib
import json
import math
import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nst.errors import Conflict, NotFound, NstError
from nst.jobs.run_files import FRAMES_BUDGET, Folder, write
from nst.options.style_options import StyleOptions
from nst.runs.events import Continued, Epoch, Event, Failed, Interrupted, Kept, Queued
from nst.runs.run import Run, State


class Store(Folder):
    """Runs, events and pictures under `folder`, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, folder: Path, frames_budget: int = FRAMES_BUDGET) -> None:
        super().__init__(folder, frames_budget)
        self._waiters: dict[str, set[_Waiter]] = {}
        self._closed = False
        self._active: list[Run] = []
        self._active_at = -1  # what `changes` was when they were read

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
        with self.transaction() as database:
            write(self._upload_file(upload_id), data)
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
        rows = self.rows("SELECT name FROM uploads WHERE id = ?", upload_id)
        return rows[0][0] if rows else ""

    def use_upload(self, upload_id: str) -> str:
        """An upload that is about to be used, and so is not old; returns its id. Raises NotFound."""
        with self._plain_errors():
            os.utime(self.upload_path(upload_id))
        return upload_id

    def drop_upload(self, upload_id: str) -> None:
        """Forget an upload that no run uses."""
        with self.transaction() as database:
            database.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
            self._upload_file(upload_id).unlink(missing_ok=True)

    def _upload_file(self, upload_id: str) -> Path:
        return self.folder / "uploads" / upload_id

    # Runs -------------------------------------------------------------------------------------------------------------

    def create(self, options: StyleOptions, content: str, style: str, init: str | None = None, **more: Any) -> Run:
        """A new run, queued, of uploads that are there; its first event says so. `more`: fields of Run. NotFound."""
        for upload_id in (content, style, *([init] if init else [])):
            self.upload_path(upload_id)
        run = Run(
            **{"id": uuid.uuid4().hex, "created": time.time(), "epochs": options.most_epochs, **more},
            options=options,
            content=content,
            style=style,
            init=init,
        )
        with self.transaction() as database:
            database.execute(
                "INSERT INTO runs (id, state, run, client, parent) VALUES (?, ?, ?, ?, ?)",
                (run.id, run.state, _json(run.to_json()), run.client, run.parent),
            )
            _insert(database, run, Queued())
        return run

    def branch(self, parent: Run, epoch: int, options: StyleOptions, **more: Any) -> Run:
        """A new run, queued, that begins with the frame of `epoch` of `parent`. Raises NotFound."""
        frame = self.frame(parent.id, epoch)
        run_id = uuid.uuid4().hex
        with self._plain_errors():
            write(self._run_folder(run_id) / "start.jpg", frame.read_bytes())
        pictures, network = (parent.content, parent.style, parent.init), (parent.extractor, parent.precision)
        more |= dict(zip(("extractor", "precision"), network, strict=True))
        return self.create(options, *pictures, id=run_id, parent=parent.id, first=epoch, **more)

    def run(self, run_id: str) -> Run:
        """The run as it stands. Raises NotFound."""
        rows = self.rows("SELECT run FROM runs WHERE id = ? AND deleted IS NULL", run_id)
        if not rows:
            raise NotFound(f"there is no run {run_id[:80]!r}")
        return Run.from_json(json.loads(rows[0][0]))

    def runs(self, limit: int = 50) -> list[Run]:
        """The newest runs, newest first."""
        return self._runs("deleted IS NULL ORDER BY number DESC LIMIT ?", limit)

    def active(self) -> list[Run]:
        """Runs that are queued or running, in order of arrival."""
        with self._lock:
            if self._active_at != self.changes:  # it is asked for again and again
                where = "state IN (?, ?) AND deleted IS NULL ORDER BY number"
                self._active, self._active_at = self._runs(where, State.QUEUED, State.RUNNING), self.changes
            return list(self._active)

    def children(self, run: Run) -> list[str]:
        """The ids of the runs that the same client branched from this one, oldest first."""
        query = "SELECT id FROM runs WHERE parent = ? AND client = ? AND deleted IS NULL ORDER BY number"
        rows = self.rows(query, run.id, run.client)
        return [found for (found,) in rows]

    def job(self, run: Run) -> dict[str, Any]:
        """What a painter gets of a run, as worker.py says. Reads files. Raises NotFound, NstError."""
        pictures = {"content": run.content, "style": run.style, "init": run.init}
        return {
            **{role: picture and self.upload(picture) for role, picture in pictures.items()},
            "extractor": run.extractor,
            "precision": run.precision,
            "options": run.options.to_json(),
            "epochs": run.epochs if run.prolonged else None,
            "steered": list(run.steered),
            "checkpoint": self.checkpoint(run.id),
            "start": self.start(run.id),
            "first": run.first,
            "seconds": run.seconds,
        }

    def keyed(self, client: str, key: str) -> Run | None:
        """The run that `client` created under an idempotency key, also if it was deleted; None if there is none."""
        found = self._runs("client = ? AND idempotency = ?", client, key)
        return found[0] if found else None

    def set_key(self, run: Run, key: str) -> None:
        """Remember the idempotency key that a run was created under."""
        with self.transaction() as database:
            database.execute("UPDATE runs SET idempotency = ? WHERE id = ?", (key, run.id))

    def interrupt_running(self, reason: str = "the server was stopped before this run had ended") -> None:
        """End every run that a server left half painted; those in the line stay there. Call it while no worker is."""
        for run in self.active():
            if run.state is State.RUNNING:
                self.append(run.id, Interrupted(reason))

    def _runs(self, where: str, *values: object) -> list[Run]:
        return [
            Run.from_json(json.loads(text)) for (text,) in self.rows(f"SELECT run FROM runs WHERE {where}", *values)
        ]

    # Events -----------------------------------------------------------------------------------------------------------

    def append(self, run_id: str, *events: Event) -> int:
        """Let events happen to a run, all or none of them, and wake who waits; returns the last one's number.

        A run that has ended stays as it is, unless it is continued: what a worker still had to say is dropped, but for
        a checkpoint, and the last number is returned. Raises NotFound, and Conflict where the run's state does not
        allow the event.
        """
        with self._staged(run_id, events) as files, self.transaction() as database:
            run = self.run(run_id)
            for event in events:
                if run.state.ended and not isinstance(event, Continued | Kept):
                    continue
                quiet, run = run.hears_quietly(event), run.after(event)
                self._keep_files(database, run_id, event, files)
                if not quiet:
                    _insert(database, run, event)
            self._update(database, run)
        self._wake(run_id)
        return run.last

    def _update(self, database: sqlite3.Connection, run: Run) -> None:
        database.execute("UPDATE runs SET state = ?, run = ? WHERE id = ?", (run.state, _json(run.to_json()), run.id))

    def slim(self, run_id: str) -> int:
        """Keep of a run that has ended its first, last and marked frames and its result; returns the bytes saved."""
        with self.transaction() as database:
            run = self.run(run_id)
            if not run.state.ended:
                return 0
            self._update(database, dataclasses.replace(run, kept=None))
            return self._drop_checkpoint(run_id) + self._thin_out(database, run_id, 0)

    def fail(self, run_id: str, reason: str) -> None:
        """End a run whose story cannot be kept, with what the reserve leaves room for. Raises NstError, Conflict."""
        try:
            self.append(run_id, Failed(reason))
        except Conflict:
            raise
        except NstError:
            self._reserve.unlink(missing_ok=True)
            self.append(run_id, Failed(reason))

    def events(self, run_id: str, after: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        """Events with a number above `after`, oldest first: {"n", "time" (s since 1970), "kind", ...}. Raises NotFound.

        One that brought a frame has its number as "frame", for `frame`. What is not finite is None.
        """
        rows = self.rows(
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

    # Underneath -------------------------------------------------------------------------------------------------------

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
