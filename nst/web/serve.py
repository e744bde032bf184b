"""Serve the studio on one address until Ctrl-C."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from filelock import FileLock, Timeout
from starlette.types import ASGIApp, Receive, Scope, Send

from nst.errors import Busy, NstError, OptionError
from nst.jobs.queue import Queue
from nst.jobs.store import Store
from nst.jobs.worker_tasks import describe_error
from nst.options.settings import SHORTEST_TOKEN, Settings
from nst.web.factory import create_app
from nst.web.middleware.origin_check import loopback

PATIENCE = 3  # seconds that requests in flight may take when the server closes


def build(settings: Settings) -> FastAPI:
    """The application of `settings`, with a store and a queue of its own, which fetches VGG19. The folder is made.

    Raises OptionError if others could reach it and nothing is asked of them.
    """
    if not (settings.token or loopback(settings.host)):
        make = 'python -c "import secrets; print(secrets.token_urlsafe())"'
        raise OptionError(
            f"`host` {settings.host} lets other machines in, which needs a token: set NST_TOKEN to a secret of at "
            f"least {SHORTEST_TOKEN} characters, such as {make} prints",
            "host",
        )
    store = Store(settings.data, int(settings.frames * 10**6))
    return create_app(settings, store, Queue(settings, store, prefetch="vgg19"))


def serve(settings: Settings, open_browser: bool) -> None:
    """Serve until Ctrl-C; the worker warms up behind the page.

    Raises OptionError without a token where one is needed, Busy if the port or the folder is taken, and NstError if the
    application does not start.
    """
    application = build(settings)
    with _listen(settings) as listener, _alone_in(settings.data):
        host, port = listener.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        print(f"The studio is at {url}  (Ctrl-C ends it)", flush=True)
        watched = _Watched(application)
        # Silent until it has started: what keeps it from starting is said once, in one line, below.
        config = uvicorn.Config(
            watched,
            log_level="critical",
            timeout_graceful_shutdown=PATIENCE,
            timeout_keep_alive=75,
            proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,  # of proxies named there, and of no other
        )
        server = _Server(config)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        # Once it has closed, uvicorn sends itself the signal that ended it: that must not cut short the clean-up after.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt, SystemExit):  # uvicorn's own way out of a failed start
            server.run(sockets=[listener])
        if not server.started:
            raise NstError(f"the studio could not start: {watched.trouble}")


class _Server(uvicorn.Server):
    """A server that logs warnings from when it has started until it closes: what that cuts short is nobody's error."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start."""
        await super().startup(sockets)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


class _Watched:
    """ASGI middleware that remembers as `trouble`, in one line, what went wrong last."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.trouble = app, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's lifespan."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.trouble = describe_error(error)
            raise


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder of runs: a second studio would take the first one's for those of a dead server. Raises Busy."""
    try:
        with FileLock(folder / "studio.lock", blocking=False):
            yield
    except Timeout:
        raise Busy(f"another studio keeps its runs in {str(folder)!r}; choose another folder with --data") from None


def _listen(settings: Settings) -> socket.socket:
    """A socket on the settings' address. Raises Busy."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise Busy(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another port with --port"
        ) from error
    listener.listen(2048)
    return listener
