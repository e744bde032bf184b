"""The real download, of small weights, from the server that the environment names."""

import os
import threading
from collections.abc import Callable
from typing import Any

from nst.engine.networks import weights
from nst.runs.events import Fetching

URL, MD5 = "TEST_WEIGHTS_URL", "TEST_WEIGHTS_MD5"


def warm_up() -> dict[str, Any]:
    return {"extractors": {"vgg19": {"installed": bool(weights.locate("vgg19")), "fetchable": _fetchable()}}}


def _fetchable() -> bool:
    return weights.fetchable("vgg19") and not weights.locate("vgg19")


def fetch(name: str, emit: Callable[[Fetching], None], stop: threading.Event) -> dict[str, Any]:
    def progress(received: int, size: int) -> None:
        emit(Fetching(name=name, received=received, size=size))

    url, md5 = os.environ[URL], os.environ[MD5]
    weights.fetch(name, progress, url, md5=md5, timeout=100, attempts=2, pause=0.1, stop=stop)
    return warm_up()
