"""Timelapses of runs. Each is encoded on request in a process of its own, so that the server stays responsive."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from nst.errors import Busy, Conflict, DiskFull, NotFound, NstError
from nst.jobs.storage.store import Store
from nst.pictures.timelapse import TIMELAPSE_FORMATS, TimelapseOptions, write
from nst.runs.run import Run

ENCODER_NICENESS = 15  # above the workers' (cluster.py): an encoding must not slow a run


class Timelapses:
    """The timelapses of a store's runs, one file for each format in the run's folder. One is encoded at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()  # guards the fields below
        self._process: BaseProcess | None = None
        self._thread: threading.Thread | None = None
        self._making: dict[str, Any] = {}  # {"run", "format", "done", "total"}; {} if none
        self._errors: dict[str, str] = {}  # why the last encoding of a run failed, by run id

    def make(self, run: Run, options: TimelapseOptions) -> None:
        """Start to encode the frames that are stored now.

        Raises Conflict if there are none, Busy if another is encoded, and DiskFull where a file as large as the frames
        would not fit.
        """
        kept = self._store.files.frames(run.id)
        frames = [self._store.files.frame(run.id, frame["epoch"]) for frame in kept]
        if not frames:
            raise Conflict("the run has no frame yet to make a timelapse of")
        if self._store.database.free_bytes() < sum(frame["bytes"] for frame in kept):
            raise DiskFull(f"cannot keep a timelapse in {self._store.folder}: the disk is full")
        with self._lock:
            if self._making:
                raise Busy("a timelapse is being made: try again when it is done")
            self._errors.pop(run.id, None)
            self._making = {"run": run.id, "format": options.format, "done": 0, "total": len(frames)}
            context = get_context("spawn")
            receiver, sender = context.Pipe(duplex=False)
            arguments = self._path(run.id, options.format), frames, run.height, run.width, options, sender
            self._process = context.Process(target=write_timelapse, args=arguments, daemon=True)
            try:
                self._process.start()
            except OSError:
                self._making = {}
                raise
            sender.close()  # the process has a copy: when it ends, `receiver` reads the end of the stream
            self._thread = threading.Thread(
                target=self._watch, args=(run.id, receiver), name="nst-timelapse", daemon=True
            )
            self._thread.start()

    def describe(self, run_id: str) -> dict[str, Any]:
        """Describe the timelapses of a run.

        Returns {"making": {"format", "done", "total"} (frames) or None, "made": [{"format", "bytes", "url"}], "error"}.
        """
        with self._lock:
            making = {name: value for name, value in self._making.items() if name != "run"}
            of_this_run, error = self._making.get("run") == run_id, self._errors.get(run_id, "")
        made = [
            {"format": path.suffix[1:], "bytes": path.stat().st_size, "url": f"/api/v1/runs/{run_id}/{path.name}"}
            for path in (self._path(run_id, format) for format in TIMELAPSE_FORMATS)
            if path.exists()
        ]
        return {"making": making if of_this_run else None, "made": made, "error": error}

    def path(self, run_id: str, format: str) -> Path:
        """Return the path of a finished timelapse. Raises NotFound."""
        if format not in TIMELAPSE_FORMATS or not self._path(run_id, format).exists():
            raise NotFound(f"there is no timelapse of run {run_id} in the format {format[:80]!r}")
        return self._path(run_id, format)

    def close(self) -> None:
        """Stop the encoding that goes on, and drop its file. Can be called more than once."""
        with self._lock:
            process, thread = self._process, self._thread
        if process is not None and thread is not None:
            process.terminate()
            thread.join()

    def _path(self, run_id: str, format: str) -> Path:
        return self._store.files.folder(run_id) / f"timelapse.{format}"

    def _watch(self, run_id: str, receiver: Connection) -> None:
        """Take over the progress that the process sends, until it ends."""
        error = "the process that made it ended unexpectedly"
        with receiver, suppress(EOFError):
            while isinstance(message := receiver.recv(), dict):
                with self._lock:
                    self._making |= message
            error = message
        with self._lock:
            self._making = {}
            if error:
                self._errors[run_id] = error


def write_timelapse(
    path: Path, frames: Sequence[Path], height: int, width: int, options: TimelapseOptions, sender: Connection
) -> None:
    """Write a timelapse by `timelapse.write`; send {"done", "total"} (frames), at the end the error message or ""."""
    _run_in_background()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # `write` then removes the unfinished file
    error = ""
    try:
        write(path, frames, height, width, options, lambda done, total: sender.send({"done": done, "total": total}))
    except (NstError, OSError) as failure:
        error = str(failure)
    sender.send(error)


def _run_in_background() -> None:
    """Lower the priority of this process, and leave Ctrl-C to the server, which ends this process when it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(ENCODER_NICENESS)
