"""Processes that tests start."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def server_process(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of `command`, which ends with the block, at once and with all it has started."""
    options = {"cwd": ROOT, "text": True, "start_new_session": True} | options
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
