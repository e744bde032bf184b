"""The files of runs in the folder of a store, and the table of their frames.

studio.sqlite                database.py
fetches.json                 weights_fetches.py
reserve                      database.py
uploads/<sha256>             as they came: store.py
runs/<id>/frames/<epoch>.jpg
runs/<id>/result.png
runs/<id>/checkpoint.npz     the last one
runs/<id>/start.jpg          what a branch begins with
runs/<id>/run.json           the run as it was created, for a repair
runs/<id>.deleted            what is left to delete of a run without a row
"""

import json
import os
import re
import shutil
import sqlite3
import uuid
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nst.atomic_write import atomic_write
from nst.errors import NotFound
from nst.jobs.storage.database import Database
from nst.runs.events import Checkpointed, Epoch, Event, Started, Steered
from nst.runs.run import Run

FETCHES = "fetches.json"  # of the folder of a store
RUN_ID = re.compile("[0-9a-f]{32}")  # the name of its folder
DELETED = ".deleted"  # suffix
PICTURES = ("content", "style", "init", "mask")  # fields of a run that name one upload; "more_styles" names several
FRAMES_BUDGET = 64 * 10**6  # bytes of one run's frames


def unrecorded(folder: Path, known: Container[str]) -> list[str]:
    """The ids of runs that have a folder in a store, but are not among the `known` ones, oldest first."""
    folders = [path for path in (folder / "runs").glob("*") if RUN_ID.fullmatch(path.name) and path.is_dir()]
    return [path.name for path in sorted(folders, key=os.path.getmtime) if path.name not in known]


def recordable(folder: Path, known: Container[str]) -> list[str]:
    """The runs of `unrecorded` with a file that may tell what they were, so that a repair may record them again."""
    return [
        found
        for found in unrecorded(folder, known)
        if any((folder / "runs" / found / name).exists() for name in ("run.json", "result.png"))
    ]


def uploads_of(run: Mapping[str, Any]) -> set[str]:
    """The ids of the uploads of a run, which is given as its JSON form."""
    return {run[name] for name in PICTURES if run.get(name)} | set(run.get("more_styles", ()))


def uploads_of_unrecorded(folder: Path, known: Container[str]) -> set[str]:
    """The ids of the uploads that the descriptions of `unrecorded` runs name: a repair may record these runs again."""
    found = set[str]()
    for run_id in unrecorded(folder, known):
        with suppress(OSError, ValueError, AttributeError, TypeError):  # it has no description, or a damaged one
            found |= uploads_of(json.loads((folder / "runs" / run_id / "run.json").read_bytes()))
    return found


class RunFiles:
    """Frames, results and checkpoints, below the folder of `database`; a run's frames take `frames_budget` bytes."""

    def __init__(self, database: Database, frames_budget: int = FRAMES_BUDGET) -> None:
        self._database, self._frames_budget = database, frames_budget

    def folder(self, run_id: str) -> Path:
        """The folder of a run, which exists once it has files."""
        return self._database.folder / "runs" / run_id

    def frame(self, run_id: str, n: int) -> Path:
        """The frame of epoch `n`, a JPEG file. Raises NotFound, also where it was deleted to save space."""
        missing = f"run {run_id[:80]!r} has no frame {n}"
        try:
            return self._file(run_id, f"frames/{n:d}.jpg", missing)
        except NotFound:
            near = min(self.frames(run_id), key=lambda kept: abs(kept["epoch"] - n), default=None)
            raise NotFound(missing + (f"; the nearest that is kept is {near['epoch']}" if near else "")) from None

    def frames(self, run_id: str) -> list[dict[str, Any]]:
        """The frames that are kept, {"epoch", "bytes", "marked"}, oldest first."""
        rows = self._database.rows("SELECT epoch, bytes, marked FROM frames WHERE run = ? ORDER BY epoch", run_id)
        return [{"epoch": epoch, "bytes": size, "marked": bool(marked)} for epoch, size, marked in rows]

    def mark(self, run_id: str, epoch: int, marked: bool = True) -> None:
        """Protect a frame from being deleted to save space, or end that. Raises NotFound."""
        self.frame(run_id, epoch)
        with self._database.transaction() as connection:
            connection.execute("UPDATE frames SET marked = ? WHERE run = ? AND epoch = ?", (marked, run_id, epoch))

    def partial(self, run_id: str) -> Path:
        """The newest frame, a JPEG file. Raises NotFound."""
        rows = self._database.rows("SELECT max(epoch) FROM frames WHERE run = ?", run_id)
        if rows[0][0] is None:
            raise NotFound(f"run {run_id!r} has no frame yet")
        return self.frame(run_id, rows[0][0])

    def result(self, run_id: str) -> Path:
        """The result, a PNG file; of a paused, stopped or failed run, the picture at that time. Raises NotFound."""
        return self._file(run_id, "result.png", f"run {run_id[:80]!r} has no result")

    def checkpoint(self, run_id: str) -> bytes | None:
        """The last checkpoint, None if there is none. Raises NstError."""
        return self._bytes(run_id, "checkpoint.npz")

    def start(self, run_id: str) -> bytes | None:
        """The frame that a branch begins with, None of another run. Raises NstError."""
        return self._bytes(run_id, "start.jpg")

    def write_start(self, run_id: str, frame: Path) -> None:
        """Copy a frame as what the branch `run_id` begins with. Raises NstError."""
        with self._database.plain_errors(), atomic_write(self.folder(run_id) / "start.jpg") as part:
            part.write_bytes(frame.read_bytes())

    def write_description(self, run: Run) -> None:
        """Write the run as it is, from which a lost database can be rebuilt. Raises NstError."""
        with self._database.plain_errors(), atomic_write(self.folder(run.id) / "run.json") as part:
            part.write_text(json.dumps(run.to_json()))

    @contextmanager
    def removed_after_error(self, run_id: str) -> Iterator[None]:
        """Delete the folder of a new run if an exception is raised: without a row it would be taken for a lost run."""
        try:
            yield
        except BaseException:
            shutil.rmtree(self.folder(run_id), ignore_errors=True)
            raise

    def set_aside(self, run_id: str) -> None:
        """Rename the folder of a run that is to be deleted, if it has one, for `delete_set_aside`. Raises OSError."""
        with suppress(FileNotFoundError):
            self.folder(run_id).rename(self.folder(run_id).with_suffix(DELETED))

    def delete_set_aside(self) -> None:
        """Delete the folders that were set aside, also those that an earlier process left."""
        for folder in (self._database.folder / "runs").glob(f"*{DELETED}"):
            shutil.rmtree(folder, ignore_errors=True)

    def write_ended(self, run: Run, frame: bytes, result: bytes) -> None:
        """Write the files of a run that was not painted here: its one frame, a JPEG file, and its result, a PNG."""
        self.write_description(run)
        folder = self.folder(run.id)
        with self._database.plain_errors():
            (folder / "frames").mkdir(exist_ok=True)
            for path, data in ((folder / f"frames/{run.epoch}.jpg", frame), (folder / "result.png", result)):
                with atomic_write(path) as part:
                    part.write_bytes(data)

    def drop_checkpoint(self, run_id: str) -> int:
        """Delete the checkpoint of a run, if there is one; returns the bytes that this saves."""
        checkpoint = self.folder(run_id) / "checkpoint.npz"
        saved = checkpoint.stat().st_size if checkpoint.exists() else 0
        checkpoint.unlink(missing_ok=True)
        return saved

    def _bytes(self, run_id: str, name: str) -> bytes | None:
        try:
            path = self._file(run_id, name, "")
        except NotFound:
            return None
        with self._database.plain_errors():
            return path.read_bytes()

    def _file(self, run_id: str, name: str, missing: str) -> Path:
        path = self.folder(run_id) / name
        if not RUN_ID.fullmatch(run_id) or not os.path.exists(path):  # False also for a name too long
            raise NotFound(missing)
        return path

    # What events bring ------------------------------------------------------------------------------------------------

    @contextmanager
    def staged(self, run_id: str, events: Sequence[Event]) -> Iterator[dict[int, Path]]:
        """Write the bytes of events under temporary names, by id(event), before the transaction of `apply_event`.

        So the database is free while they are written. What `apply_event` did not move is deleted at the end.
        """
        files: dict[int, Path] = {}
        try:
            with self._database.plain_errors():
                for event in events:
                    if data := getattr(event, "image", b"") or getattr(event, "checkpoint", b""):
                        self.folder(run_id).mkdir(parents=True, exist_ok=True)
                        files[id(event)] = part = self.folder(run_id) / f"{uuid.uuid4().hex}.part"
                        part.write_bytes(data)
            yield files
        finally:
            for part in files.values():
                part.unlink(missing_ok=True)

    def apply_event(self, connection: sqlite3.Connection, run_id: str, event: Event, files: Mapping[int, Path]) -> None:
        """Move an event's staged file to its final name, and update the table of frames in a transaction.

        An Epoch adds its frame, and others are thinned out to their budget; Started deletes the frames after its epoch;
        Steered marks the frame of its epoch.
        """
        folder, part = self.folder(run_id), files.get(id(event))
        if part and isinstance(event, Checkpointed):
            os.replace(part, folder / "checkpoint.npz")
        elif part and isinstance(event, Epoch):
            (folder / "frames").mkdir(exist_ok=True)
            os.replace(part, folder / f"frames/{event.epoch}.jpg")
            connection.execute(
                "INSERT INTO frames (run, epoch, bytes) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
                (run_id, event.epoch, len(event.image)),
            )
            self.thin_out(connection, run_id, self._frames_budget)
        elif part:
            os.replace(part, folder / "result.png")
        if isinstance(event, Started):
            self._drop_frames_after(connection, run_id, event.epoch)
        if isinstance(event, Steered):
            connection.execute("UPDATE frames SET marked = 1 WHERE run = ? AND epoch = ?", (run_id, event.epoch))

    def _drop_frames_after(self, connection: sqlite3.Connection, run_id: str, epoch: int) -> None:
        """Delete the frames after the epoch that a run resumes at: those epochs are painted again."""
        query = "DELETE FROM frames WHERE run = ? AND epoch > ? RETURNING epoch"
        for (stale,) in connection.execute(query, (run_id, epoch)).fetchall():
            (self.folder(run_id) / f"frames/{stale}.jpg").unlink(missing_ok=True)

    def thin_out(self, connection: sqlite3.Connection, run_id: str, budget: int) -> int:
        """Delete frames until the rest is within `budget` bytes: each time the one that leaves the smallest gap.

        Never the first, the last or a marked one. Returns the bytes that this saves; `connection` is in a transaction.
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
            connection.execute("DELETE FROM frames WHERE run = ? AND epoch = ?", (run_id, dropped["epoch"]))
            (self.folder(run_id) / f"frames/{dropped['epoch']}.jpg").unlink(missing_ok=True)
        return before - size
