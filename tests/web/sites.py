"""What the tests of the web serve: small pictures, a real queue, real servers."""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from PIL import Image
from starlette.types import ASGIApp

from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.options.settings import Settings
from nst.web.serve import server_config


def picture(width: int = 64, height: int = 48, colour: str = "teal", format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").point(lambda v: 255 - v // 2).save(file, format)
    shade = Image.blend(Image.open(file).convert("RGB"), Image.new("RGB", (width, height), colour), 0.6)
    file = io.BytesIO()
    shade.save(file, format)
    return file.getvalue()


def queue_of(settings: Settings, store: Store, fetch: str = "fetch", wanted: str = "") -> Queue:
    names = {"execute": "execute", "warm_up": "warm_up", "fetch": fetch, "apply_style": "apply_style"}
    functions = WorkerFunctions(**{role: f"tests.web.fake_runner:{name}" for role, name in names.items()})
    return Queue(settings, store, functions, wanted)


@contextmanager
def served(site: ASGIApp, **config: Any) -> Iterator[str]:
    """The address of a real server before a site, whose lifespan it does not run; `config` is of `uvicorn.Config`."""
    server = uvicorn.Server(server_config(site, lifespan="off", log_level="error", **config))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
