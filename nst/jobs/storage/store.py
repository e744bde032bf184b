"""Runs, their events and uploads, kept in one folder: rows in its database, pictures in files (run_files.py).

Every method may be called from any thread. What is written is written before the method returns, an event together
with the state that follows from it and the files it brings. A disk that is full or read-only raises NstError, one line.
"""

import asyncio
import dataclasses
import hashlib
import json
import os
import re
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from nst.atomic_write import atomic_write
from nst.errors import NotFound, NstError
from nst.jobs.storage.database import Database
from nst.jobs.storage.run_files import FRAMES_BUDGET, RunFiles
from nst.jobs.storage.run_rows import insert_event, insert_run, run_of, update_run
from nst.jobs.storage.upload_owners import forget_upload, is_open_to, name_for, record_upload
from nst.jobs.storage.waiters import Waiters
from nst.options.style_options import StyleOptions
from nst.runs.events import Checkpointed, Continued, Event, Failed, Finished, Interrupted, Queued, Started, Stopped
from nst.runs.job import StyleJob
from nst.runs.run import Run, State

UPLOAD_ID = re.compile("[0-9a-f]{64}")  # the SHA-256 of its bytes, and the name of its file


class Store:
    """Runs, events and pictures under `folder`, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, folder: Path, frames_budget: int = FRAMES_BUDGET) -> None:
        self.folder = folder
        self.database = Database(folder)
        self.files = RunFiles(self.database, frames_budget)
        with self.database.plain_errors():
            (folder / "uploads").mkdir(exist_ok=True)
        self._waiters = Waiters()
        self._closed = False
        self._active: list[Run] = []
        self._active_at = -1  # the database's `changes` when they were read

    def close(self) -> None:
        """Close the database; whoever waits for events gets []. May be called again."""
        self._closed = True
        self.database.close()
        self._waiters.wake_all()

    # Uploads ----------------------------------------------------------------------------------------------------------

    def put_upload(self, data: bytes, name: str = "", client: str = "") -> str:
        """Keep a picture's bytes for a client; returns its id, their SHA-256: the same bytes are kept once.

        The database is free while they are written: the file gets its name in the transaction.
        """
        upload_id = hashlib.sha256(data).hexdigest()
        file = self._upload_file(upload_id)
        with ExitStack() as transaction, self.database.plain_errors(), atomic_write(file) as part:
            part.write_bytes(data)
            connection = transaction.enter_context(self.database.transaction())
            record_upload(connection, upload_id, name, client)
        return upload_id

    def has_upload(self, data: bytes) -> bool:
        """Whether a picture's bytes are kept."""
        return self._upload_file(hashlib.sha256(data).hexdigest()).exists()

    def upload(self, upload_id: str) -> bytes:
        """The bytes of an upload. Raises NotFound."""
        with self.database.plain_errors():
            return self.upload_path(upload_id).read_bytes()

    def upload_path(self, upload_id: str) -> Path:
        """The file of an upload. Raises NotFound."""
        if not UPLOAD_ID.fullmatch(upload_id) or not self._upload_file(upload_id).exists():
            raise NotFound(f"there is no upload {upload_id[:80]!r}")
        return self._upload_file(upload_id)

    def check_upload(self, upload_id: str, client: str) -> None:
        """Check that a client may use an upload, if it is kept. Raises NotFound for another client's."""
        if not is_open_to(self.database, upload_id, client):
            raise NotFound(f"there is no upload {upload_id[:80]!r} of yours")

    def upload_name(self, upload_id: str, client: str = "") -> str:
        """The last file name that a client gave with an upload, "" if none. Raises NotFound."""
        self.upload_path(upload_id)
        return name_for(self.database, upload_id, client)

    def names_of(self, uploads: Mapping[str, str], client: str) -> dict[str, str]:
        """The last names that a client gave with uploads, by role. Raises NotFound."""
        return {role: self.upload_name(upload_id, client) for role, upload_id in uploads.items()}

    def use_upload(self, upload_id: str) -> str:
        """Renew the date of an upload, so that it is not deleted as unused; returns its id. Raises NotFound."""
        with self.database.plain_errors():
            os.utime(self.upload_path(upload_id))
        return upload_id

    def drop_upload(self, upload_id: str) -> None:
        """Delete an upload that no run uses."""
        with self.database.transaction() as connection:
            forget_upload(connection, upload_id)
            self._upload_file(upload_id).unlink(missing_ok=True)

    def _upload_file(self, upload_id: str) -> Path:
        return self.folder / "uploads" / upload_id

    # Runs -------------------------------------------------------------------------------------------------------------

    def create(self, options: StyleOptions, content: str, style: str, init: str | None = None, **more: Any) -> Run:
        """Create a queued run of uploads, and record its first event. `more`: fields of Run. Raises NotFound.

        Names of files that are not given are those of `names_of`.
        """
        given_names = more.pop("names", {})
        run = Run(
            **{"id": uuid.uuid4().hex, "created": time.time(), "epochs": options.most_epochs, **more},
            options=options,
            content=content,
            style=style,
            init=init,
        )
        run = dataclasses.replace(run, names=self.names_of(run.uploads, run.client) | given_names)
        with self.files.removed_after_error(run.id), self.database.transaction() as connection:
            self.files.write_description(run)
            insert_run(connection, run)
            insert_event(connection, run, Queued())
        return run

    def restore_run(self, run: Run, frames: Sequence[tuple[int, int]]) -> None:
        """Record a run that has ended, of which the database knows nothing, and its frames, (epoch, bytes) each."""
        started = Started(
            extractor=run.extractor,
            width=run.width,
            height=run.height,
            epochs=run.epochs,
            steps=run.epochs * run.options.steps_per_epoch,
            precision=run.precision,
        )
        end = Finished(seconds=run.seconds) if run.state is State.FINISHED else Stopped(seconds=run.seconds)
        events = [Queued(), *([started] if frames else []), end]
        run = dataclasses.replace(run, last=len(events), variations="")  # its grid may be lost
        with self.database.transaction() as connection:
            insert_run(connection, run)
            for number, event in enumerate(events, 1):
                insert_event(connection, dataclasses.replace(run, last=number), event)
            connection.executemany(
                "INSERT INTO frames (run, epoch, bytes) VALUES (?, ?, ?)", [(run.id, *frame) for frame in frames]
            )

    def branch(self, parent: Run, epoch: int, options: StyleOptions, **more: Any) -> Run:
        """Create a queued run that begins with the frame of `epoch` of `parent`. Raises NotFound."""
        frame = self.files.frame(parent.id, epoch)
        run_id = uuid.uuid4().hex
        pictures, network = (parent.content, parent.style, parent.init), (parent.extractor, parent.precision)
        more |= dict(zip(("extractor", "precision"), network, strict=True))
        more |= {"more_styles": parent.more_styles, "mask": parent.mask}
        more |= {"names": parent.names, "parent": parent.id, "first": epoch}
        with self.files.removed_after_error(run_id):
            self.files.write_start(run_id, frame)
            return self.create(options, *pictures, id=run_id, **more)

    def created_count(self) -> int:
        """How many runs were ever created here, deleted ones among them."""
        return self.database.rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'runs'")[0][0]

    def run(self, run_id: str) -> Run:
        """The run as it is now. Raises NotFound."""
        found = self._runs("id = ? AND deleted IS NULL", run_id)
        if not found:
            raise NotFound(f"there is no run {run_id[:80]!r}")
        return found[0]

    def runs(self, limit: int = 50) -> list[Run]:
        """The newest runs, newest first."""
        return self._runs("deleted IS NULL ORDER BY number DESC LIMIT ?", limit)

    def active(self) -> list[Run]:
        """Runs that are queued or running, in order of arrival."""
        with self.database.lock:
            if self._active_at != self.database.changes:  # callers poll this
                where = "state IN (?, ?) AND deleted IS NULL ORDER BY number"
                self._active, self._active_at = self._runs(where, State.QUEUED, State.RUNNING), self.database.changes
            return list(self._active)

    def children(self, run: Run) -> list[str]:
        """The ids of the runs that the same client branched from this one, oldest first."""
        query = "SELECT id FROM runs WHERE parent = ? AND client = ? AND deleted IS NULL ORDER BY number"
        return [found for (found,) in self.database.rows(query, run.id, run.client)]

    def job(self, run: Run) -> StyleJob:
        """What a worker needs to paint a run; reads files. Raises NotFound, NstError."""
        return StyleJob(
            content=self.upload(run.content),
            style=self.upload(run.style),
            options=run.options,
            init=self.upload(run.init) if run.init else None,
            more_styles=tuple(self.upload(style) for style in run.more_styles),
            mask=self.upload(run.mask) if run.mask else None,
            extractor=run.extractor,
            precision=run.precision,
            # A branch ends where its parent would have, although scales that converged early had fewer steps.
            epochs=run.epochs if run.prolonged or (run.parent and run.options.epochs != "auto") else None,
            steered=tuple((change["step"], change["changes"]) for change in run.steered),
            checkpoint=self.files.checkpoint(run.id),
            start=self.files.start(run.id),
            first=run.first,
            seconds=run.seconds,
            checkpoints=not run.variations,
        )

    def keyed(self, client: str, key: str) -> Run | None:
        """The run that `client` created under an idempotency key, even if it was deleted; None if there is none."""
        found = self._runs("client = ? AND idempotency = ?", client, key)
        return found[0] if found else None

    def set_key(self, run: Run, key: str) -> None:
        """Record the idempotency key that a run was created under."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE runs SET idempotency = ? WHERE id = ?", (key, run.id))

    def interrupt_running(self, reason: str = "the server was stopped before this run had ended") -> None:
        """Interrupt every run that is recorded as running; queued ones stay queued. No worker may be running one."""
        for run in self.active():
            if run.state is State.RUNNING:
                self.database.with_reserve(partial(self.append, run.id, Interrupted(error=reason)))

    def _runs(self, where: str, *values: object) -> list[Run]:
        rows = self.database.rows(f"SELECT run FROM runs WHERE {where}", *values)
        return [run_of(text) for (text,) in rows]

    # Events -----------------------------------------------------------------------------------------------------------

    def append(self, run_id: str, *events: Event) -> int:
        """Record events of a run, all or none of them, and wake those who wait; returns the number of its last event.

        Of the events of a run that has ended, only Continued and Checkpointed are recorded. Raises NotFound, and
        Conflict where the run's state does not allow the event.
        """
        with self.files.staged(run_id, events) as files, self.database.transaction() as connection:
            run = self.run(run_id)
            for event in events:
                if run.state.ended and not isinstance(event, Continued | Checkpointed):
                    continue
                recorded, run = run.is_numbered(event), run.after(event)
                self.files.apply_event(connection, run_id, event, files)
                if recorded:
                    insert_event(connection, run, event)
            update_run(connection, run)
        self._waiters.wake(run_id)
        return run.last

    def drop_intermediate_frames(self, run_id: str) -> int:
        """Delete the checkpoint of a run at rest and all frames but the first, last and marked; returns bytes saved."""
        with self.database.transaction() as connection:
            run = self.run(run_id)
            if not run.state.rests:
                return 0
            update_run(connection, dataclasses.replace(run, kept=None))
            return self.files.drop_checkpoint(run_id) + self.files.thin_out(connection, run_id, 0)

    def fail(self, run_id: str, reason: str) -> None:
        """Record the failure of a run, on a full disk by means of the reserve. Raises NstError, Conflict."""
        self.database.with_reserve(lambda: self.append(run_id, Failed(error=reason)))

    def events(self, run_id: str, after: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        """Events with a number above `after`, oldest first: {"n", "time" (s since 1970), "kind", ...}. Raises NotFound.

        One that brought a frame has its number as "frame", for `RunFiles.frame`. A number that is not finite is None.
        """
        query = "SELECT event FROM events WHERE run = ? AND n > ? ORDER BY n LIMIT ?"
        rows = self.database.rows(query, run_id, min(after, sys.maxsize), limit)
        if not rows:
            self.run(run_id)  # for NotFound
        return [json.loads(text) for (text,) in rows]

    async def wait(self, run_id: str, after: int, timeout: float) -> list[dict[str, Any]]:
        """`events`, as soon as there is one; [] after `timeout` seconds. Raises NotFound. They are read in a thread."""
        end = asyncio.get_running_loop().time() + timeout
        with self._waiters.waiter(run_id) as waiter, suppress(TimeoutError):
            while not self._closed:
                try:
                    found = await asyncio.to_thread(self.events, run_id, after)
                except NstError:
                    if self._closed:  # meanwhile
                        break
                    raise
                if found:
                    return found
                async with asyncio.timeout_at(end):
                    await waiter.woken()
        return []
