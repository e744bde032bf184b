"""A Dask preload that cannot be imported, as long as a file exists that the environment names: the nanny gives up."""

import os
from pathlib import Path

from tests.jobs.ending_worker import FILE

if Path(os.environ[FILE]).exists():
    raise ImportError("this worker cannot start")


def dask_setup(worker: object) -> None:
    """Do nothing: Dask wants a function."""
