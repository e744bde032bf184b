"""Make the ASGI application of the REST interface and the pages. Making it starts nothing; its lifespan does."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from dash import Dash
from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from nst import __version__
from nst.errors import OptionError
from nst.jobs.queue import Queue
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.pictures import images
from nst.runs.humanize import GIGABYTE
from nst.web import api, callbacks, problems
from nst.web.api import docs
from nst.web.api.openapi import DESCRIPTION
from nst.web.middleware.body_limit import BodyLimit
from nst.web.middleware.cached_assets import CachedAssets
from nst.web.middleware.clients import Clients
from nst.web.middleware.head_requests import HeadRequests
from nst.web.middleware.json_limit import JsonLimit
from nst.web.middleware.login import Login
from nst.web.middleware.metrics import Metrics, RequestMetrics
from nst.web.middleware.origin_check import OriginCheck, is_loopback
from nst.web.middleware.security_headers import SecurityHeaders, script_hash
from nst.web.pages import studio
from nst.web.pages.html_page import THEME_SCRIPT
from nst.web.pages.plotly_bundle import PLOTLY_SCRIPT, PLOTLY_URL
from nst.web.service.service import Service

GZIP_LEVEL = 6
# Pictures, streams of events and archives; style files are of this type.
NOT_COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
THREADS = 64  # of the server, for what would block its event loop; more than requests that may decode pictures

# Beside app.py in a checkout, inside the package once installed.
ASSETS = next(
    folder
    for folder in (Path(__file__).parent / "assets", Path(__file__).parents[2] / "assets")
    if folder.is_dir() or folder.parent == Path(__file__).parents[2]
)

INDEX = f"""<!DOCTYPE html>
<html lang="en">
<head>
{{%metas%}}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{%title%}}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script>{THEME_SCRIPT}</script>
<script>{PLOTLY_SCRIPT}</script>
<script src="{PLOTLY_URL}" defer></script>
{{%css%}}
</head>
<body>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


def create_app(settings: Settings, store: Store, queue: Queue) -> FastAPI:
    """Make the application. Its lifespan starts the queue, and closes the queue and the store.

    Raises OptionError where other machines would reach it without a token: `with_token` makes one.
    """
    if not (settings.token or is_loopback(settings.host)):
        raise OptionError(f"a studio on {settings.host!r} needs a token: other machines reach it", "token")

    @asynccontextmanager
    async def lifespan(server: FastAPI) -> AsyncIterator[None]:
        # asyncio's own pool has four threads more than the machine has cores: a few pictures that are slow to decode
        # would hold them all, and with them every page.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "nst-web"))
        store.interrupt_running()
        with images.apart():
            queue.start()
            yield
            await asyncio.to_thread(service.timelapses.close)
            await asyncio.to_thread(queue.close)
        store.close()

    server = FastAPI(
        title="nst studio",
        description=DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,  # `docs.router` has the document
        docs_url=None,
        redoc_url=None,
    )
    server.state.service = service = Service(settings, store, queue, Archive(store, settings.disk * GIGABYTE))
    server.state.metrics = metrics = Metrics(service)
    problems.install(server)
    server.include_router(docs.router)
    server.include_router(api.router)  # before Dash, whose route matches every other path
    pages = _add_pages(server, service, logout=bool(settings.token))
    hashes = [*map(script_hash, (THEME_SCRIPT, PLOTLY_SCRIPT)), *pages.csp_hashes()]
    _add_middleware(server, settings, metrics, hashes)
    return server


def _add_pages(server: FastAPI, service: Service, logout: bool) -> Dash:
    pages = Dash(
        "nst",
        server=server,
        assets_folder=str(ASSETS),
        assets_path_ignore=["^docs$", "^plotly$"],  # files of /docs, and what INDEX names
        index_string=INDEX,
        title="nst studio",
        update_title=None,
    )
    pages.layout = partial(studio.layout, logout=logout)
    callbacks.register(pages, service)
    pages._setup_server()  # Dash does this at the first request for "/"; without it, /gallery would have no scripts
    return pages


def _add_middleware(server: FastAPI, settings: Settings, metrics: Metrics, script_hashes: list[str]) -> None:
    """Add the middleware. The one that is added last handles a request first."""
    server.add_middleware(JsonLimit)
    if settings.token:
        server.add_middleware(Login, token=settings.token, file=settings.data / "sessions")
    if settings.many:
        server.add_middleware(Clients)
    server.add_middleware(BodyLimit)
    server.add_middleware(OriginCheck, host=settings.host, any_name=bool(settings.token))
    server.add_middleware(RequestMetrics, metrics=metrics)
    server.add_middleware(CachedAssets)
    server.add_middleware(GZipMiddleware, compresslevel=GZIP_LEVEL, exclude_content_types=NOT_COMPRESSED)
    server.add_middleware(SecurityHeaders, script_hashes=script_hashes)
    server.add_middleware(HeadRequests)
