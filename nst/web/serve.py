"""Serve the application on one address until Ctrl-C."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from nst.errors import Busy, NstError
from nst.jobs.queue import Queue
from nst.jobs.storage.database import GONE
from nst.jobs.storage.maintenance import check_recorded, exclusive
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.worker_tasks import describe_error
from nst.options.settings import UMASK, Settings
from nst.web.factory import create_app
from nst.web.middleware.connection_limits import LimitedProtocol
from nst.web.server_token import with_token

SHUTDOWN_SECONDS = 3  # that open requests may still take when the server closes
KEEP_ALIVE_SECONDS = 75  # without a request after which a connection is closed
BACKLOG = 2048  # connections that wait to be accepted
MAX_HEADER_BYTES = 64 * 2**10  # of a request: its first line and its headers


def build(settings: Settings) -> FastAPI:
    """Make the application of `settings`, its store, and its queue, which downloads VGG19. Makes the data folder.

    If other machines could reach it and there is no token, the one in the data folder is used: see `with_token`.
    Raises NstError where the data folder cannot be used, or has lost its database.
    """
    settings = with_token(settings)
    store = Store(settings.data, int(settings.frames * 10**6))
    try:
        check_recorded(store)
        return create_app(settings, store, Queue(settings, store, prefetch="vgg19"))
    except BaseException:
        store.close()
        raise


def serve(settings: Settings, open_browser: bool) -> None:
    """Serve until Ctrl-C. The page is served while the worker still starts.

    Raises Busy if the port or the data folder is in use, and NstError if the application does not start.
    """
    os.umask(UMASK)
    made, settings = not settings.token, with_token(settings)
    application = build(settings)
    with _listen(settings) as listener, exclusive(settings.data):
        host, port = listener.getsockname()[:2]
        urls = links = addresses(host, port)
        print(f"The studio is at {' and '.join(urls)}  (Ctrl-C ends it)", flush=True)
        if made and settings.token:
            links = [f"{url}/login?token={settings.token}" for url in urls]
            print(f"It asks for a token; this link has it: {' or '.join(links)}", flush=True)
        recorder = _ErrorRecorder(application)
        # An error at the start is reported below in one line, and so not logged as well.
        database = application.state.service.store.database
        server = _Server(server_config(recorder, log_level="critical"), database.is_gone)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(links[0],), daemon=True).start()
        # Once it has closed, uvicorn raises the signal that ended it again, which must not interrupt the clean-up here.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt, SystemExit):  # so uvicorn ends when the start fails
            server.run(sockets=[listener])
        if not server.started:
            raise NstError(f"the studio could not start: {recorder.error}")
        if database.is_gone():
            raise NstError(GONE.format(settings.data))


def addresses(host: str, port: int) -> list[str]:
    """Return where a server that listens on the IP address `host` is found, as seen from this machine first."""
    any_address = ip_address(host).is_unspecified  # which says where to listen, and leads nowhere
    loopback = "::1" if ":" in host else "127.0.0.1"
    hosts = [loopback, socket.gethostname()] if any_address else [host]
    return [f"http://{f'[{each}]' if ':' in each else each}:{port}" for each in hosts]


def server_config(application: ASGIApp, **more: Any) -> uvicorn.Config:
    """Return uvicorn's configuration for `application`, in which `more` replaces arguments of `uvicorn.Config`.

    HTTP is parsed by h11: the faster httptools accepts headers without end, which fill the memory.
    """
    arguments: dict[str, Any] = {
        "http": LimitedProtocol,
        "ws": "none",  # no page uses Dash's callbacks over WebSockets, whose messages have no limits
        "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "proxy_headers": "FORWARDED_ALLOW_IPS" in os.environ,  # only those of the proxies named there are used
    }
    return uvicorn.Config(application, **(arguments | more))


class _Server(uvicorn.Server):
    """A server that logs warnings only between its start and its shutdown, which may cut requests short.

    It ends once `is_useless()`.
    """

    def __init__(self, config: uvicorn.Config, is_useless: Callable[[], bool] = lambda: False) -> None:
        super().__init__(config)
        self._is_useless = is_useless

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; called ten times a second."""
        return await super().on_tick(counter) or self._is_useless()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start."""
        await super().startup(sockets)
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


class _ErrorRecorder:
    """ASGI middleware that keeps the last exception in `error`, as one line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.error = app, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the application's lifespan."""
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.error = describe_error(error)
            raise


def _listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the address of `settings`. Raises Busy."""
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
    listener.listen(BACKLOG)
    return listener
