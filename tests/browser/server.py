"""The site as the browser tests meet it, in a process of its own.

`python -m tests.browser.server PORT FOLDER FETCH TOKEN`
FETCH is what fetches VGG19 by itself at the first start; if it is empty nothing does. TOKEN is what the site asks for.
"""

import sys
from pathlib import Path

import uvicorn

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from tests.web.sites import queue_of


def main(port: str, folder: str, fetch: str, token: str) -> None:
    settings = Settings(data=Path(folder), port=int(port), token=token)
    store = Store(settings.data)
    by_itself = {"fetch": fetch, "wanted": "vgg19"} if fetch else {}
    application = create_app(settings, store, queue_of(settings, store, **by_itself))
    uvicorn.run(application, port=settings.port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
