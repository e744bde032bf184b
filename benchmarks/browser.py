"""A real browser before a studio."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from benchmarks.outcome import NotMeasured
from benchmarks.studio import Studio, warm_studio
from tools.browser import FLAGS, chromium

VIEWPORT: ViewportSize = {"width": 1440, "height": 900}  # px


@contextmanager
def studio_in_browser(address: str) -> Iterator[tuple[Studio, Browser]]:
    """A studio as `warm_studio` gives it, and a browser for its pages. Raises NotMeasured without a Chromium."""
    path = chromium()
    if path is None:
        raise NotMeasured("no Chromium here; `python -m tools.browser` installs one")
    with (
        warm_studio(address) as running,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=list(FLAGS)) as browser,
    ):
        yield running, browser
