"""Join the REST interface and the page into one FastAPI application. Building it starts nothing; serving it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from dash import Dash
from fastapi import FastAPI

from nst import __version__
from nst.jobs.archive import GIGABYTE, Archive
from nst.jobs.queue import Queue
from nst.jobs.store import Store
from nst.options.settings import Settings
from nst.web import api, callbacks, problems
from nst.web.api import reference
from nst.web.middleware.body_limit import BodyLimit
from nst.web.middleware.clients import Clients
from nst.web.middleware.login import Login
from nst.web.middleware.metrics import Measured, Metrics
from nst.web.middleware.origin_check import OriginCheck
from nst.web.pages import studio
from nst.web.service.service import Service

# Beside app.py in a checkout, inside the package once installed.
ASSETS = next(
    place
    for place in (Path(__file__).parent / "assets", Path(__file__).parents[2] / "assets")
    if place.is_dir() or place.parent == Path(__file__).parents[2]
)

# The theme is set before anything is painted, or a dark page would flash white.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script>
document.documentElement.dataset.bsTheme =
  localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
</script>
{%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def create_app(settings: Settings, store: Store, queue: Queue) -> FastAPI:
    """The whole site. Its lifespan starts the queue, and closes queue and store."""

    @asynccontextmanager
    async def lifespan(server: FastAPI) -> AsyncIterator[None]:
        store.interrupt_running()
        queue.start()
        yield
        await asyncio.to_thread(service.timelapses.close)
        await asyncio.to_thread(queue.close)
        store.close()

    server = FastAPI(title="nst studio", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    server.state.service = service = Service(settings, store, queue, Archive(store, settings.disk * GIGABYTE))
    server.state.metrics = metrics = Metrics(service)
    problems.install(server)
    server.include_router(reference.router)
    server.include_router(api.router)  # before Dash, which answers every path that is left
    page = Dash(
        "nst",
        server=server,
        assets_folder=str(ASSETS),
        index_string=INDEX,
        title="nst studio",
        update_title=None,
    )
    page.layout = partial(studio.layout, logout=bool(settings.token))
    callbacks.register(page, service)
    page._setup_server()  # Dash does so when "/" is first asked for: /gallery would come without its scripts
    if settings.token:
        server.add_middleware(Login, token=settings.token)
    if settings.many:
        server.add_middleware(Clients)
    server.add_middleware(BodyLimit)
    server.add_middleware(OriginCheck, host=settings.host, any_name=bool(settings.token))
    server.add_middleware(Measured, metrics=metrics)  # the last one added is the first one asked
    return server
