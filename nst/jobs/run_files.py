"""The folder of a store: its database, and the files of each run. What happens to runs is store.py's.

studio.sqlite
fetches.json                 how downloads of weights ended: fetches.py
reserve                      given up when the disk is full, so that this can still be written down
uploads/<sha256>             as they came
runs/<id>/frames/<epoch>.jpg
runs/<id>/result.png
runs/<id>/checkpoint.npz     the last one
runs/<id>/start.jpg          what a branch begins with
"""

import os
import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nst.errors import NotFound, NstError
from nst.jobs.schema import open_database
from nst.runs.events import Epoch, Event, Kept, Started, Steered

RESERVE = 2**22  # bytes
FRAMES_BUDGET = 64 * 10**6  # bytes of one run's frames


class Folder:
    """Database and files under `path`, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, path: Path, frames_budget: int) -> None:
        self.folder, self._frames_budget = path, frames_budget
        self._lock = threading.RLock()
        self.changes = 0  # transactions so far
        with self._plain_errors():
            (path / "uploads").mkdir(parents=True, exist_ok=True)
            self._database = open_database(path)
        with suppress(OSError):  # who has no room for it can still look at what is there
            if not self._reserve.exists():
                self._reserve.write_bytes(bytes(RESERVE))

    def frame(self, run_id: str, n: int) -> Path:
        """The frame of epoch `n`, a JPEG file. Raises NotFound, also where it was thinned out."""
        missing = f"run {run_id[:80]!r} has no frame {n}"
        try:
            return self._file(run_id, f"frames/{n:d}.jpg", missing)
        except NotFound:
            near = min(self.frames(run_id), key=lambda kept: abs(kept["epoch"] - n), default=None)
            raise NotFound(missing + (f"; the nearest that is kept is {near['epoch']}" if near else "")) from None

    def frames(self, run_id: str) -> list[dict[str, Any]]:
        """The frames that are kept, {"epoch", "bytes", "marked"}, oldest first."""
        rows = self.rows("SELECT epoch, bytes, marked FROM frames WHERE run = ? ORDER BY epoch", run_id)
        return [{"epoch": epoch, "bytes": size, "marked": bool(marked)} for epoch, size, marked in rows]

    def mark(self, run_id: str, epoch: int, marked: bool = True) -> None:
        """Say that a frame must not be thinned out, or that it may. Raises NotFound."""
        self.frame(run_id, epoch)
        with self.transaction() as database:
            database.execute("UPDATE frames SET marked = ? WHERE run = ? AND epoch = ?", (marked, run_id, epoch))

    def result(self, run_id: str) -> Path:
        """The result, a PNG file; of a run that was paused, stopped or failed, what there was by then. NotFound."""
        return self._file(run_id, "result.png", f"run {run_id[:80]!r} has no result")

    def partial(self, run_id: str) -> Path:
        """The newest frame, a JPEG file. Raises NotFound."""
        rows = self.rows("SELECT max(epoch) FROM frames WHERE run = ?", run_id)
        if rows[0][0] is None:
            raise NotFound(f"run {run_id!r} has no frame yet")
        return self.frame(run_id, rows[0][0])

    def checkpoint(self, run_id: str) -> bytes | None:
        """The last checkpoint, None if there is none."""
        return self._bytes(run_id, "checkpoint.npz")

    def start(self, run_id: str) -> bytes | None:
        """The frame of its parent that a branch begins with, None if it is none."""
        return self._bytes(run_id, "start.jpg")

    def _drop_checkpoint(self, run_id: str) -> int:
        """Bytes saved."""
        checkpoint = self._run_folder(run_id) / "checkpoint.npz"
        saved = checkpoint.stat().st_size if checkpoint.exists() else 0
        checkpoint.unlink(missing_ok=True)
        return saved

    def _bytes(self, run_id: str, name: str) -> bytes | None:
        try:
            path = self._file(run_id, name, "")
        except NotFound:
            return None
        with self._plain_errors():
            return path.read_bytes()

    def _file(self, run_id: str, name: str, missing: str) -> Path:
        path = self._run_folder(run_id) / name
        if not re.fullmatch("[0-9a-f]{32}", run_id) or not os.path.exists(path):  # False also for a name too long
            raise NotFound(missing)
        return path

    def _run_folder(self, run_id: str) -> Path:
        return self.folder / "runs" / run_id

    @contextmanager
    def _staged(self, run_id: str, events: Sequence[Event]) -> Iterator[dict[int, Path]]:
        """The bytes of events in files that still want their names: nobody has to wait for the disk."""
        files: dict[int, Path] = {}
        try:
            with self._plain_errors():
                for number, event in enumerate(events):
                    if data := bytes_of(event):
                        files[id(event)] = stage(self._run_folder(run_id) / f"{uuid.uuid4().hex}-{number}", data)
            yield files
        finally:
            for part in files.values():
                part.unlink(missing_ok=True)

    def _keep_files(self, database: sqlite3.Connection, run_id: str, event: Event, files: Mapping[int, Path]) -> None:
        """Give the staged bytes of an event their name; a frame keeps within the budget of frames."""
        folder, part = self._run_folder(run_id), files.get(id(event))
        if part and isinstance(event, Kept):
            os.replace(part, folder / "checkpoint.npz")
        elif part and isinstance(event, Epoch):
            (folder / "frames").mkdir(exist_ok=True)
            os.replace(part, folder / f"frames/{event.epoch}.jpg")
            database.execute(
                "INSERT INTO frames (run, epoch, bytes) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
                (run_id, event.epoch, len(event.image)),
            )
            self._thin_out(database, run_id, self._frames_budget)
        elif part:
            os.replace(part, folder / "result.png")
        if isinstance(event, Started):
            self._drop_frames_after(database, run_id, event.epoch)
        if isinstance(event, Steered):
            database.execute("UPDATE frames SET marked = 1 WHERE run = ? AND epoch = ?", (run_id, event.epoch))

    def _drop_frames_after(self, database: sqlite3.Connection, run_id: str, epoch: int) -> None:
        """Forget what was painted beyond where a run is taken up: it is painted again."""
        query = "DELETE FROM frames WHERE run = ? AND epoch > ? RETURNING epoch"
        for (stale,) in database.execute(query, (run_id, epoch)).fetchall():
            (self._run_folder(run_id) / f"frames/{stale}.jpg").unlink(missing_ok=True)

    def _thin_out(self, database: sqlite3.Connection, run_id: str, budget: int) -> int:
        """Drop frames until the rest is within `budget` bytes: each time the one that leaves the smallest gap.

        Never the first, the last or a marked one. Returns the bytes that were saved.
        """
        kept = self.frames(run_id)
        size = before = sum(frame["bytes"] for frame in kept)
        while size > budget:
            gaps = [
                (after["epoch"] - before["epoch"], n)
                for n, (before, frame, after) in enumerate(zip(kept, kept[1:], kept[2:], strict=False), 1)
                if not frame["marked"]
            ]
            if not gaps:
                break
            dropped = kept.pop(min(gaps)[1])
            size -= dropped["bytes"]
            database.execute("DELETE FROM frames WHERE run = ? AND epoch = ?", (run_id, dropped["epoch"]))
            (self._run_folder(run_id) / f"frames/{dropped['epoch']}.jpg").unlink(missing_ok=True)
        return before - size

    # Underneath -------------------------------------------------------------------------------------------------------

    @property
    def _reserve(self) -> Path:
        return self.folder / "reserve"

    def rows(self, query: str, *values: object) -> list[Any]:
        """What a query finds."""
        with self._lock, self._plain_errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one at a time, over threads and over processes that share the folder."""
        with self._lock, self._plain_errors():
            self._database.execute("BEGIN IMMEDIATE")
            self.changes += 1
            with self._database:  # commits, or rolls back if something is raised
                yield self._database

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise NstError(f"cannot keep runs in {self.folder}: {error}") from error


def bytes_of(event: Event) -> bytes:
    """What an event brings to be kept as a file, b"" if nothing."""
    return getattr(event, "image", b"") or getattr(event, "checkpoint", b"")


def stage(path: Path, data: bytes) -> Path:
    """A file with these bytes beside `path`, to be given that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def write(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all."""
    os.replace(stage(path, data), path)
