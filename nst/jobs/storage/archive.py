"""The runs of a store as a collection: search, favorites, deletion and its undo, and the limit of disk space."""

import dataclasses
import json
import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nst.errors import Busy, Conflict, DiskFull
from nst.jobs.storage.database import APPENDED_BYTES, RESERVE
from nst.jobs.storage.run_files import uploads_of, uploads_of_unrecorded
from nst.jobs.storage.run_rows import run_of
from nst.jobs.storage.store import Store
from nst.options.picture_roles import STYLE_ROLES
from nst.runs.humanize import GIGABYTE
from nst.runs.run import Run, State

UNDO = 600.0  # seconds for which a deleted run can be restored
FRESH = 86400.0  # seconds for which an upload that no run uses, or a quick run, is kept: its page may still be open
IN_USE = 3600.0  # seconds for which an upload is kept even if space is short: its page may be about to use it
SEARCHED = " || ' ' || ".join(  # in SQL
    [
        *(f"json_extract(run, '$.{name}')" for name in ("options", "extractor")),
        *(
            f"coalesce(json_extract(run, '$.names.{role}'),"
            f" (SELECT name FROM uploads WHERE id = json_extract(run, '$.{role}')), '')"
            for role in ("content", *STYLE_ROLES)
        ),
        "name",
        "notes",
    ]
)


@dataclass(frozen=True)
class Annotations:
    """What a client has added to a run."""

    favorite: bool
    name: str  # "" if none
    notes: str


class Archive:
    """The runs of a store, which may take `limit` bytes. A client finds its own runs only, "" all."""

    def __init__(self, store: Store, limit: float) -> None:
        self._store, self.limit = store, limit

    def find(
        self,
        client: str = "",
        words: str = "",
        state: str = "",
        favorite: bool = False,
        before: str = "",
        limit: int = 50,
        fast: bool = False,
        runs: Collection[str] = (),
    ) -> list[tuple[Run, bool]]:
        """(run, whether it is a favorite), newest first, at most `limit` older than the run `before`. Raises NotFound.

        `words` must all be found in a run's settings, network, name or notes or the names of its pictures, in any case.
        With `fast`, only pictures that were painted in one pass; with `runs`, only those of these ids. A quick run of a
        grid of variations is found only if it is a favorite.
        """
        where, values = ["deleted IS NULL", "(variations = '' OR favourite = 1)"], []
        if client:
            where.append("client = ?")
            values.append(client)
        if state:
            where.append("state = ?")
            values.append(state)
        if fast:
            where.append("json_extract(run, '$.fast') IS NOT NULL")
        if favorite:
            where.append("favourite = 1")
        if runs:
            where.append(f"id IN ({', '.join('?' * len(runs))})")
            values.extend(runs)
        if before:
            where.append("number < (SELECT number FROM runs WHERE id = ?)")
            values.append(self._store.run(before).id)
        for word in words.casefold().split():
            where.append(f"instr(casefold({SEARCHED}), ?)")
            values.append(word)
        query = f"SELECT run, favourite FROM runs WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT {limit:d}"
        rows = self._store.database.rows(query, *values)
        return [(run_of(text), bool(liked)) for text, liked in rows]

    def count(self) -> dict[State, int]:
        """How many runs there are of each state."""
        rows = self._store.database.rows("SELECT state, count(*) FROM runs WHERE deleted IS NULL GROUP BY state")
        return {State(state): number for state, number in rows}

    def annotations(self, run_id: str) -> Annotations:
        """What a client has added to a run. Raises NotFound."""
        self._store.run(run_id)
        query = "SELECT favourite, name, notes FROM runs WHERE id = ?"
        liked, name, notes = self._store.database.rows(query, run_id)[0]
        return Annotations(bool(liked), name, notes)

    def annotate(self, run_id: str, **changes: str | bool) -> None:
        """Change fields of a run's annotations. Raises NotFound."""
        new = dataclasses.replace(self.annotations(run_id), **changes)  # type: ignore[arg-type]
        with self._store.database.transaction() as connection:
            connection.execute(
                "UPDATE runs SET favourite = ?, name = ?, notes = ? WHERE id = ?",
                (new.favorite, new.name, new.notes, run_id),
            )

    def delete(self, run_id: str) -> None:
        """Delete a run; it can be restored for `UNDO` seconds. Raises NotFound, and Conflict while it is active.

        Where disk space is short, its checkpoint and all frames but the first, last and marked are deleted for good.
        """
        run = self._store.run(run_id)
        if not run.state.rests:
            raise Conflict(f"run {run_id} cannot be deleted: it is {run.state}; stop it first")
        database = self._store.database
        if database.free_bytes() < RESERVE or self.used() > self.limit:
            database.with_reserve(lambda: self._store.drop_intermediate_frames(run_id))
        database.with_reserve(lambda: self._set_deleted(run_id, time.time()))
        database.restore_reserve()

    def deleted(self, run_id: str) -> Run:
        """A run that can be restored, or was not deleted. Raises NotFound."""
        rows = self._store.database.rows("SELECT run FROM runs WHERE id = ? AND deleted IS NOT NULL", run_id)
        return run_of(rows[0][0]) if rows else self._store.run(run_id)

    def restore(self, run_id: str) -> None:
        """Restore a deleted run. Raises NotFound if it was removed."""
        self.deleted(run_id)
        self._set_deleted(run_id, None)

    def _set_deleted(self, run_id: str, when: float | None) -> None:
        with self._store.database.transaction() as connection:
            connection.execute("UPDATE runs SET deleted = ? WHERE id = ?", (when, run_id))

    def used(self) -> int:
        """Bytes that runs and uploads take on the disk."""
        return sum(_bytes_below(self._store.folder / name) for name in ("runs", "uploads"))

    def check_capacity(self, run_to_keep: str = "") -> None:
        """Free disk space, as much as the limit demands, for a new run. Raises Busy if that is not enough.

        First deleted runs, old quick runs and unused uploads are removed, then the checkpoints of ended runs and the
        frames between their first and last, oldest first; never a result, a marked frame, or anything of a favorite or
        of the run `run_to_keep`.
        """
        self.remove_expired()
        self._store.database.restore_reserve()
        self._keep_limit(run_to_keep=run_to_keep)

    def _keep_limit(self, more: int = 0, run_to_keep: str = "", thin: bool = True) -> None:
        """Free disk space until `more` bytes are within the limit, as `_free_space` does. Raises Busy.

        With `thin` also at the cost of checkpoints and frames of runs that are kept.
        """
        over = self.used() + more - self.limit
        if over > 0 and (over := self._free_space(over, run_to_keep, thin)) > 0:
            raise Busy(
                f"runs and pictures take {(over + self.limit) / GIGABYTE:.2f} of {self.limit / GIGABYTE:.2f} GB: "
                "delete some in the gallery, or let them have more with --disk"
            )

    def put_upload(self, data: bytes, name: str, client: str = "") -> str:
        """Keep an upload for a client; returns its id.

        Over the limit it replaces deleted runs, old quick runs and unused uploads, on a full disk all that
        `check_capacity` removes. Raises Busy over the limit, and DiskFull.
        """
        if not self._store.has_upload(data):
            self._keep_limit(len(data), thin=False)
        try:
            return self._store.put_upload(data, name, client)
        except DiskFull:
            database = self._store.database
            database.release_reserve()  # deleting rows needs space, too
            wanted = len(data) + RESERVE + APPENDED_BYTES
            self._free_space(wanted - database.free_bytes())
            enough = database.free_bytes() >= wanted
            database.restore_reserve()
            if not enough:
                raise
            return self._store.put_upload(data, name, client)

    def _free_space(self, excess: float, run_to_keep: str = "", thin: bool = True) -> float:
        """Free `excess` bytes, as `check_capacity` describes; returns the bytes that could not be freed.

        Without `thin` the runs that are kept stay as they are, with their checkpoints and frames.
        """
        before = self.used()
        self._delete_quick_runs()
        self.remove_expired(0.0)
        excess -= before - self.used()
        for path in self._unused_uploads(IN_USE):
            if excess <= 0:
                break
            excess -= self._drop_upload(path, IN_USE)
        for run in self._runs_to_thin() if thin else ():
            if excess <= 0:
                break
            if run.id != run_to_keep:
                excess -= self._store.drop_intermediate_frames(run.id)
        return excess

    def _delete_quick_runs(self) -> None:
        """Delete the ended runs of grids of variations that are older than `FRESH` seconds and no favorites."""
        old = "json_extract(run, '$.created') < ? AND variations != '' AND favourite = 0 AND deleted IS NULL"
        now = time.time()
        with self._store.database.transaction() as connection:
            for run_id, text in connection.execute(f"SELECT id, run FROM runs WHERE {old}", (now - FRESH,)).fetchall():
                if run_of(text).state.ended:
                    connection.execute("UPDATE runs SET deleted = ? WHERE id = ?", (now - UNDO, run_id))

    def remove_expired(self, undo: float = UNDO) -> None:
        """Remove runs that were deleted more than `undo` seconds ago, and old uploads that no run uses."""
        removed = self._store.database.rows("SELECT id FROM runs WHERE deleted < ?", time.time() - undo)
        for (run_id,) in removed:
            with self._store.database.transaction() as connection, suppress(OSError):
                deleted = connection.execute("SELECT deleted FROM runs WHERE id = ?", (run_id,)).fetchone()
                if deleted and deleted[0] is not None:  # it was not restored meanwhile
                    self._store.files.set_aside(run_id)  # where a file of it is being sent, some systems refuse
                    for table, column in (("events", "run"), ("frames", "run"), ("runs", "id")):
                        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (run_id,))
        self._store.files.delete_set_aside()
        for path in self._unused_uploads(FRESH):
            self._drop_upload(path, FRESH)

    def _unused_uploads(self, seconds: float) -> list[Path]:
        """Uploads that no run uses, older than some seconds, oldest first."""
        rows = self._store.database.rows("SELECT id, run FROM runs")
        used = uploads_of_unrecorded(self._store.folder, {run_id for run_id, _ in rows})
        used.update(*(uploads_of(json.loads(text)) for _, text in rows))
        dates = {}
        for path in (self._store.folder / "uploads").iterdir():
            with suppress(FileNotFoundError):  # it is written, or was deleted, meanwhile
                dates[path] = path.stat().st_mtime
        latest = time.time() - seconds
        return sorted((path for path in dates if path.name not in used and dates[path] < latest), key=dates.__getitem__)

    def _drop_upload(self, path: Path, seconds: float) -> int:
        """Delete an upload, unless it was used within some seconds; returns the bytes that this saves."""
        with self._store.database.lock, suppress(FileNotFoundError):
            found = path.stat()
            if found.st_mtime < time.time() - seconds:
                self._store.drop_upload(path.name)
                return found.st_size
        return 0

    def _runs_to_thin(self) -> list[Run]:
        """Runs whose frames may be deleted: ended, not interrupted, no favorites; oldest first."""
        query = "SELECT run FROM runs WHERE favourite = 0 AND deleted IS NULL ORDER BY number"
        runs = [run_of(text) for (text,) in self._store.database.rows(query)]
        return [run for run in runs if run.state.ended and run.state is not State.INTERRUPTED]


def _bytes_below(folder: Path) -> int:
    """The bytes of all files in a folder; those that are deleted meanwhile count as 0."""
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found += os.stat(os.path.join(parent, name)).st_size
    return found
