"""The first visit of a fresh browser: bytes on the wire, and seconds until Start may be pressed and all is drawn."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from benchmarks.browser import VIEWPORT, studio_in_browser
from benchmarks.command import COUNT, command, studio_flags
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio

MOST_BYTES, MOST_SECONDS = 1.2, 2  # MB; until Start
QUIET_MS = 1500  # without a request, of which the poll makes none by then


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("first_load", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=3, help="fresh browsers")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load, sizes, start, drawn = others_load(), [], [], []
    with studio_in_browser(given.studio) as (running, browser):
        for _ in range(given.rounds):
            size, seconds = visit(browser, running)
            sizes.append(size)
            start.append(seconds[0])
            drawn.append(seconds[1])
        version = browser.version
    kinds = sorted({kind for size in sizes for kind in size})
    numbers = [
        Number("on the wire", "MB", tuple(size.total() / 1e6 for size in sizes), at_most=MOST_BYTES),
        *(Number(f"... {kind}", "kB", tuple(size[kind] / 1e3 for size in sizes)) for kind in kinds),
        Number("opened to Start", "s", tuple(start), at_most=MOST_SECONDS),
        Number("opened to figures drawn", "s", tuple(drawn)),
    ]
    report("first_load", numbers, given.folder, browser=version, other_load=load)


def visit(browser: Browser, running: Studio) -> tuple[Counter[str], tuple[float, float]]:
    """(bytes by kind, (seconds until Start, until the figures are drawn)) of a browser without a cache."""
    context = browser.new_context(viewport=VIEWPORT)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    kinds: dict[str, str] = {}
    sizes: Counter[str] = Counter()

    def asked(event: dict[str, Any]) -> None:
        kinds[event["requestId"]] = kind_of(event["request"]["url"])

    def received(event: dict[str, Any]) -> None:
        if kind := kinds.get(event["requestId"]):
            sizes[kind] += event["encodedDataLength"]

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.loadingFinished", received)
    began = time.monotonic()
    page.goto(running.address)
    page.locator("#start:enabled").wait_for()
    start = time.monotonic() - began
    page.locator("#loss-graph .js-plotly-plot .main-svg").first.wait_for(state="attached", timeout=60_000)
    drawn = time.monotonic() - began
    page.wait_for_timeout(QUIET_MS)
    context.close()
    return sizes, (start, drawn)


def kind_of(url: str) -> str:
    """What is counted together: "plotly", "scripts and styles", "pictures" or "the rest"; "" for what is no request."""
    address = urlsplit(url)
    if address.scheme not in ("http", "https"):
        return ""
    if "plotly" in address.path.rpartition("/")[2]:
        return "plotly"
    suffix = address.path.rpartition(".")[2]
    kinds = {"js": "scripts and styles", "css": "scripts and styles", "jpg": "pictures", "png": "pictures"}
    return kinds.get(suffix, "the rest")


if __name__ == "__main__":
    sys.exit(main())
