"""A real browser, and a site in a process of its own, for the whole session."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from nst.runs.events import LOSS_NAMES
from tools.browser import FLAGS, chromium

ROOT = Path(__file__).resolve().parents[2]
Visit = Callable[..., Page]
TIMEOUT = 60_000  # ms that a page has for a change: the machine may be busy
SOON = 8000  # ms: a message goes by itself after 12 s
CURVE = "document.querySelector('#loss-graph .js-plotly-plot')?.data?.map((trace) => trace.x)"  # epochs, by trace

expect.set_options(timeout=TIMEOUT)

# Remembers every address that the painting's <image> has had, and when it was painted. Its href is namespaced, which an
# attributeFilter would not see.
WITNESS = """
window.shown = [];
new MutationObserver(() => {
  const href = document.querySelector("#image-graph image")?.href.baseVal;
  if (href && href !== window.shown.at(-1)) window.shown.push(href);
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(5 * TIMEOUT / 1000))


class Site:
    """A server process on a port of its own; `fetch` and `token` are as in server.py."""

    def __init__(self, folder: Path, fetch: str = "", token: str = "") -> None:
        self.folder, self.fetch, self.token = folder, fetch, token
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.launch()
        self.wait_until_warm()

    def launch(self) -> None:
        arguments = (str(self.port), str(self.folder), self.fetch, self.token)
        command = [sys.executable, "-m", "tests.browser.server", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT)

    def wait_until_warm(self) -> None:
        end = time.monotonic() + 2 * TIMEOUT / 1000
        while not self._warm():
            assert self._process.poll() is None, "the server ended"
            if time.monotonic() > end:
                self.kill()
                pytest.fail("the server did not get ready")
            time.sleep(0.1)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(40)

    def stop_runs(self) -> None:
        """Stop what is painted or waits, so that the next test does not wait for what a failed one left."""
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/api/v1/runs", timeout=10) as answer:
            for run in json.load(answer)["runs"]:
                if run["state"] in ("queued", "running", "paused"):
                    request = urllib.request.Request(f"{self.url}/api/v1/runs/{run['id']}/stop", method="POST")
                    with suppress(OSError):
                        urllib.request.urlopen(request, timeout=10).close()

    def kill(self) -> None:
        """End it at once, its workers with it."""
        self._process.kill()
        self._process.wait()

    def _warm(self) -> bool:
        try:
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            request = urllib.request.Request(f"{self.url}/api/v1/health", headers=headers)
            with urllib.request.urlopen(request, timeout=2) as answer:
                return b'"warm"' in answer.read()
        except OSError:
            return False


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of NST_CHROMIUM, of the system, or of Playwright. Without one the tests skip, or fail if CI is set."""
    found = chromium()
    if found is None:
        missing = "no browser: set NST_CHROMIUM, or install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """Opens pages, each in a browser of its own. Afterwards none has logged an error or requested another host.

    A page that is `lossy` may log errors: some of its requests fail.
    """
    contexts = []
    troubles: list[str] = []

    def visit(path: str = "/", lossy: bool = False, url: str = site.url, **options: Any) -> Page:
        # Playwright's wait_for_function evaluates text in the page, which the content security policy forbids. Drawn
        # without a graphics card, animations take a twelfth of the processor time of a load.
        own = {"viewport": {"width": 1280, "height": 800}, "bypass_csp": True, "reduced_motion": "reduce"}
        context = browser.new_context(**(own | options))
        contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        context.add_init_script(WITNESS)
        page = context.new_page()

        def complain(message: Any) -> None:
            if not lossy and message.type in ("error", "warning"):
                troubles.append(f"{message.type}: {message.text}")

        def foreign(request: Any) -> None:
            if not request.url.startswith((url, url.replace("http", "ws"), "data:", "blob:")):
                troubles.append(f"another host: {request.url}")

        page.on("console", complain)
        page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
        page.on("request", foreign)
        page.goto(url + path)
        room = re.split("[?#]", path)[0].strip("/") or "studio"
        page.wait_for_selector(f"#room-{room}")
        page.wait_for_selector("#worker:has-text('ready')")
        return page

    yield visit
    for context in contexts:
        context.close()
    site.stop_runs()
    assert troubles == []


def follow(page: Page, path: str) -> None:
    """Go to a path of the studio as a link of the page does, which takes a tenth of loading it anew."""
    pathname, _, search = path.partition("?")
    address = {"pathname": pathname, "search": f"?{search}"}
    page.evaluate("address => window.dash_clientside.set_props('url', address)", address)


def open_advanced(page: Page) -> None:
    """Unfold the rare options of the form, unless they are."""
    button = page.locator(".accordion-button:has-text('Advanced')")
    if button.get_attribute("aria-expanded") != "true":
        button.click()


def set_up(page: Page, epochs: int, steps: int = 10) -> None:
    """Ask for `epochs` epochs of `steps` times 5 ms."""
    page.fill("#epochs", str(epochs))
    open_advanced(page)
    page.fill("#option-steps_per_epoch", str(steps))


def start_long_run(page: Page) -> None:
    """Start a run that outlasts what a test does with it, 150 s, and wait for its first epochs."""
    set_up(page, 200, steps=30)
    page.fill("#option-epochs", "1000")
    page.click("#start")
    wait_for_epoch(page, 2)


def stop(page: Page) -> None:
    """Stop the run that the page shows, and wait for its end."""
    page.click("#stop")
    wait_for_status(page, "Stopped")


def wait_for_curve(page: Page, first: int, last: int) -> None:
    """Wait until the figure of the losses has exactly the epochs `first` to `last`; Plotly draws after an answer."""
    expected = json.dumps([list(range(first, last + 1))] * len(LOSS_NAMES), separators=(",", ":"))
    page.wait_for_function(f"epochs => JSON.stringify({CURVE}) === epochs", arg=expected)


def wait_for_status(page: Page, word: str, timeout: float = TIMEOUT) -> None:
    """Wait until the status begins with `word`; `timeout` in ms."""
    page.wait_for_function(
        "word => document.querySelector('#status')?.textContent.startsWith(word)", arg=word, timeout=timeout
    )


def wait_for_epoch(page: Page, epoch: int) -> None:
    """Wait until the page tells of an epoch not before `epoch`."""
    page.wait_for_function("epoch => Number(document.querySelector('#progress')?.value) >= epoch", arg=epoch)


def shown(page: Page) -> list[str]:
    """The frames that were painted, by their file names."""
    return [address.rpartition("/")[2].partition("?")[0] for address in page.evaluate("window.shown")]


def first_shown(page: Page) -> int:
    """The epoch of the first frame that was painted: 0, or a later one if the run was ahead of the page."""
    return int(shown(page)[0].removesuffix(".jpg"))


def focus(page: Page, name: str) -> None:
    """Press Tab until the element called `name` has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            return
    raise AssertionError(f"{name} cannot be reached with Tab")
