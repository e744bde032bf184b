"""Timelapses of runs, each made on demand by a process beside the server, which stays quick meanwhile."""

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

from nst.errors import Busy, Conflict, NotFound, NstError
from nst.jobs.store import Store
from nst.pictures.timelapse import FORMATS, TimelapseOptions, write
from nst.runs.run import Run

NICENESS = 15  # more than the worker's: what it paints is waited for


class Timelapses:
    """The timelapses of a store's runs, one file a format in each run's folder, of which one is made at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()  # over all below
        self._process: BaseProcess | None = None
        self._thread: threading.Thread | None = None
        self._making: dict[str, Any] = {}  # {"run", "format", "done", "total"}; {} if none
        self._errors: dict[str, str] = {}  # why the last one of a run was not made

    def make(self, run: Run, options: TimelapseOptions) -> None:
        """Begin to make the timelapse of the frames that are kept by now. Raises Conflict without one, Busy."""
        frames = [self._store.files.frame(run.id, frame["epoch"]) for frame in self._store.files.frames(run.id)]
        if not frames:
            raise Conflict(f"run {run.id} has no frame yet to make a timelapse of")
        with self._lock:
            if self._making:
                raise Busy("a timelapse is being made: try again when it is done")
            self._errors.pop(run.id, None)
            self._making = {"run": run.id, "format": options.format, "done": 0, "total": len(frames)}
            context = get_context("spawn")
            listener, speaker = context.Pipe(duplex=False)
            given = self._path(run.id, options.format), frames, run.height, run.width, options, speaker
            self._process = context.Process(target=write_timelapse, args=given, daemon=True)
            self._process.start()
            speaker.close()  # the process has its own: once it has ended, nothing more comes
            self._thread = threading.Thread(target=self._hear, args=(run.id, listener), name="nst-film", daemon=True)
            self._thread.start()

    def describe(self, run_id: str) -> dict[str, Any]:
        """{"making": {"format", "done", "total"} (frames) or None, "made": [{"format", "bytes", "url"}], "error"}."""
        with self._lock:
            making = {name: value for name, value in self._making.items() if name != "run"}
            mine, error = self._making.get("run") == run_id, self._errors.get(run_id, "")
        made = [
            {"format": path.suffix[1:], "bytes": path.stat().st_size, "url": f"/api/v1/runs/{run_id}/{path.name}"}
            for path in (self._path(run_id, format) for format in FORMATS)
            if path.exists()
        ]
        return {"making": making if mine else None, "made": made, "error": error}

    def path(self, run_id: str, format: str) -> Path:
        """The file of a timelapse. Raises NotFound."""
        if format not in FORMATS or not self._path(run_id, format).exists():
            raise NotFound(f"there is no timelapse of run {run_id} in the format {format[:80]!r}")
        return self._path(run_id, format)

    def close(self) -> None:
        """Make no more; what is not finished is dropped. May be called again."""
        with self._lock:
            process, thread = self._process, self._thread
        if process is not None and thread is not None:
            process.terminate()
            thread.join()

    def _path(self, run_id: str, format: str) -> Path:
        return self._store.files.folder(run_id) / f"timelapse.{format}"

    def _hear(self, run_id: str, listener: Connection) -> None:
        """Hear the process out."""
        error = "the process that made it ended unexpectedly"
        with listener, suppress(EOFError):
            while isinstance(told := listener.recv(), dict):
                with self._lock:
                    self._making |= told
            error = told
        with self._lock:
            self._making = {}
            if error:
                self._errors[run_id] = error


def write_timelapse(
    path: Path, frames: Sequence[Path], height: int, width: int, options: TimelapseOptions, speaker: Connection
) -> None:
    """Write a timelapse as `timelapse.write` does; send {"done", "total"} (frames), last what went wrong or ""."""
    _run_in_background()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what is half written is removed
    error = ""
    try:
        write(path, frames, height, width, options, lambda done, total: speaker.send({"done": done, "total": total}))
    except (NstError, OSError) as trouble:
        error = str(trouble)
    speaker.send(error)


def _run_in_background() -> None:
    """Lower this process's priority, and leave Ctrl-C to the server, which ends this process when it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
