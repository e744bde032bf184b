"""A Dask preload that ends the worker process while it starts, as long as a file exists that the environment names."""

import os
import signal
from pathlib import Path
from typing import Any

FILE = "TEST_ENDING_WORKER"


def dask_setup(worker: Any) -> None:
    if Path(os.environ[FILE]).exists():
        os.kill(os.getpid(), signal.SIGKILL)
