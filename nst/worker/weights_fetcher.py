"""Which networks a worker's machine has, and how it gets the others."""

import threading
import time
from collections.abc import Callable
from typing import Any

from nst.engine import weights
from nst.engine.extractors import ARCHITECTURES
from nst.errors import WeightsError
from nst.runs.events import Fetching

PAUSE = 0.2  # seconds between two words of how far a download is


def extractors() -> dict[str, dict[str, Any]]:
    """{name: {"installed": bool, "how": how to get it, "" if it is here, "fetchable": `fetch` can bring it}}.

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
    """Download the weights of `name`, telling how far it is.

    Returns:
        {"extractors"}: what the answer of `warm_up` says of them now.

    Raises:
        Unfetched, or Cancelled once `stop` is set.
    """
    told = 0.0

    def progress(received: int, size: int) -> None:
        nonlocal told
        if time.monotonic() - told > PAUSE or received == size:
            told = time.monotonic()
            emit(Fetching(name, received, size))

    weights.fetch(name, progress, stop=stop)
    return {"extractors": extractors()}
