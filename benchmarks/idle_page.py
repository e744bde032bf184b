"""What an open page costs while nothing happens: processor time and requests of a real browser, page by page.

A page is opened, left alone until it has stopped asking for pictures, and watched. The hidden tab is one whose document
says that it is hidden, as browsers do of a tab behind others.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import psutil
from playwright.sync_api import Browser, Page

from benchmarks.browser import VIEWPORT, studio_in_browser
from benchmarks.command import command, studio_flags
from benchmarks.outcome import NotMeasured
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio

PAGES = {"studio": "/", "instant": "/instant", "gallery": "/gallery"}
MOST_CPU = 2  # % of a core
SETTLED = 8.0  # seconds without a request after which a page is at rest
PATIENCE = 60.0  # seconds for that; a page that asks regularly never is
HIDE = """
Object.defineProperty(document, "hidden", { get: () => true });
Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
document.dispatchEvent(new Event("visibilitychange"));
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("idle_page", __doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="that each page is watched")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for a page to come to rest")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load, numbers = others_load(), []
    with studio_in_browser(given.studio) as (running, browser):
        for name in PAGES:
            cpu, requests = watch(browser, running, name, given)
            numbers.append(Number(f"{name}: processor", "% of a core", (cpu,), at_most=MOST_CPU))
            numbers.append(Number(f"{name}: requests", "/min", (requests,)))
        cpu, requests = watch(browser, running, "studio", given, hidden=True)
        numbers.append(Number("hidden tab: processor", "% of a core", (cpu,), at_most=MOST_CPU))
        numbers.append(Number("hidden tab: requests", "/min", (requests,), at_most=0))
        version = browser.version
    report("idle_page", numbers, given.folder, browser=version, watched=f"{given.seconds:g} s", other_load=load)


def watch(
    browser: Browser, running: Studio, name: str, given: argparse.Namespace, hidden: bool = False
) -> tuple[float, float]:
    """(processor time of the whole browser in % of a core, requests a minute) of a page at rest."""
    page = browser.new_page(viewport=VIEWPORT)
    asked: list[float] = []
    page.on("request", lambda request: asked.append(time.monotonic()))
    page.goto(running.address + PAGES[name])
    page.wait_for_selector("#worker.pill-warm", state="attached")
    if hidden:
        page.evaluate(HIDE)
    come_to_rest(page, asked, given.patience)
    asked.clear()
    before, began = processor_seconds(), time.monotonic()
    page.wait_for_timeout(1000 * given.seconds)
    lasted = time.monotonic() - began
    used = processor_seconds() - before
    page.close()
    return 100 * used / lasted, 60 * len(asked) / lasted


def come_to_rest(page: Page, asked: list[float], patience: float) -> None:
    """Wait until a page has requested nothing for a while, or for `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end and (not asked or time.monotonic() - asked[-1] < SETTLED):
        page.wait_for_timeout(100)


def processor_seconds() -> float:
    """Processor time that the browser's processes, which descend from this one, have used. Raises NotMeasured."""
    found = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name().lower():
                found += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    if not found:
        raise NotMeasured("no process of the browser was found")
    return found


if __name__ == "__main__":
    sys.exit(main())
