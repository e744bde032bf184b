"""The networks that are installed on a worker's machine, and the download of others."""

import threading
import time
from collections.abc import Callable
from typing import Any

from nst.engine.networks import weights
from nst.engine.networks.extractors import ARCHITECTURES
from nst.errors import WeightsError
from nst.runs.events import Fetching

PROGRESS_INTERVAL = 0.2  # seconds between two events of a download


def extractors() -> dict[str, dict[str, Any]]:
    """{name: {"installed": bool, "how": how to get it, "" if it is installed, "fetchable": whether `fetch` can}}.

    A network whose file is damaged is not installed.
    """
    return {name: _state(name) for name in ARCHITECTURES}


def _state(name: str) -> dict[str, Any]:
    try:
        weights.load(name, ARCHITECTURES[name].shapes())
    except WeightsError as error:
        how = weights.how_to_get(name) if weights.locate(name) is None else str(error)
        return {"installed": False, "how": how, "fetchable": weights.fetchable(name)}
    return {"installed": True, "how": "", "fetchable": False}


def fetch(name: str, emit: Callable[[Fetching], None], stop: threading.Event) -> dict[str, Any]:
    """Download the weights of `name`, and emit its progress.

    Returns:
        {"extractors"}: the new value of that part of `warm_up`'s answer.

    Raises:
        Unfetched, or Cancelled once `stop` is set.
    """
    emitted = 0.0  # when, time.monotonic()

    def progress(received: int, size: int) -> None:
        nonlocal emitted
        if time.monotonic() - emitted > PROGRESS_INTERVAL or received == size:
            emitted = time.monotonic()
            emit(Fetching(name=name, received=received, size=size))

    weights.fetch(name, progress, stop=stop)
    return {"extractors": extractors()}
