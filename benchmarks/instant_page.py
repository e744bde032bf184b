"""From a dropped picture to every style's thumbnail of it, and from a click to the full result, in a real browser.

The page's own clock, from the moment the file is chosen or the button pressed. A picture counts as painted two
animation frames after it was decoded.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from playwright.sync_api import Error, Page

from benchmarks.browser import VIEWPORT, studio_in_browser
from benchmarks.command import COUNT, PIXELS, SIZES, command, listed, studio_flags
from benchmarks.outcome import NotMeasured
from benchmarks.report import Number, others_load, report
from nst.pictures import images
from nst.pictures.samples import CONTENTS

WIDTHS = 1632, 4000  # px: 2 megapixels, of a screen, and 12, of a telephone
RATIO = 3 / 4  # height to width
PATIENCE = 60_000  # ms
THUMBNAILS = ".style-pick img", "#style-wall.is-waiting"
RESULT = "#instant-result", ".is-busy, .is-placeholder"

# Notes when a file is chosen or a style is picked, and tells when what it brings has been painted.
WATCH = """
addEventListener("change", ({target}) => { if (target.type === "file") window.began = Date.now(); }, true);
addEventListener("click", ({target}) => { if (target.closest(".style-pick")) window.began = Date.now(); }, true);
const frame = () => new Promise(requestAnimationFrame);
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const all = (selector) => [...document.querySelectorAll(selector)];
window.painted = async (pictures, waiting, patience) => {
  const before = all(pictures).map(({src}) => src), end = Date.now() + patience;
  const late = () => { if (Date.now() > end) throw new Error(`not painted within ${patience / 1000} s`); };
  while (all(waiting).length || all(pictures).some(({src}, n) => !src || src === before[n])) {
    late();
    await pause();
  }
  await Promise.all(all(pictures).map((image) => image.decode()));
  await frame();
  await frame();
  return (Date.now() - window.began) / 1000;
};
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("instant_page", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=7, help="pictures of each width that are dropped")
    parser.add_argument("--widths", type=listed(COUNT), default=WIDTHS, help="of dropped pictures, px")
    parser.add_argument("--size", type=PIXELS, default=1024, help=f"of the picture that a click paints, {SIZES}")
    parser.add_argument("--clicks", type=COUNT, default=1000, help="at most, each on another style")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    found: dict[str, tuple[float, ...]] = {}
    with studio_in_browser(given.studio) as (running, browser):
        page = browser.new_page(viewport=VIEWPORT)
        failed: list[str] = []
        page.on(
            "response", lambda answer: failed.append(f"{answer.status} from {answer.url}") if not answer.ok else None
        )
        page.add_init_script(WATCH)
        page.goto(f"{running.address}/instant")
        page.wait_for_selector("#style-wall:not(.is-waiting) .style-card", timeout=PATIENCE)
        for width in given.widths:
            taken = [dropped(page, photo) for photo in islice(photos(width), given.rounds + 1)]
            found[f"{width} x {round(RATIO * width)} px"] = tuple(taken[1:])  # the first one warms up
        dropped(page, next(photos(given.size)))
        styles = page.locator(".style-pick")
        count, version = styles.count(), browser.version
        clicks = tuple(clicked(page, n) for n in range(min(count, given.clicks)))
    if failed:
        raise NotMeasured(f"{len(failed)} requests of the page failed, the first: {failed[0]}")
    numbers = [
        Number(f"a picture of {size} dropped to {count} thumbnails of it painted", "s", taken, at_most=2)
        for size, taken in found.items()
    ]
    numbers.append(Number(f"a click to the full result painted, {given.size} px", "s", clicks))
    report("instant_page", numbers, given.folder, browser=version, other_load=load)


def photos(width: int) -> Iterator[bytes]:
    """JPEGs of a sample with a photograph's grain, each another one."""
    height = round(RATIO * width)
    picture = images.resize(images.read_file(CONTENTS[0].path).rgb, height, width)
    random = np.random.default_rng(0)
    while True:
        grain = random.normal(0, 0.01, (height, width, 1)).astype(np.float32)
        yield images.encode_jpeg(np.clip(np.roll(picture, random.integers(width), axis=1) + grain, 0, 1))


def dropped(page: Page, data: bytes) -> float:
    """Seconds from choosing a file to the thumbnails that show it."""
    file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}
    return timed(page, THUMBNAILS, lambda: page.set_input_files("#photo-upload input", file))


def clicked(page: Page, n: int) -> float:
    """Seconds from picking the nth style to its full result."""
    return timed(page, RESULT, lambda: page.locator(".style-pick").nth(n).click())


def timed(page: Page, watched: tuple[str, str], act: Callable[[], None]) -> float:
    """Seconds until other pictures than before are painted; `watched` are selectors: of them, of what says "wait".

    Raises NotMeasured if that takes longer than `PATIENCE`, or a picture cannot be decoded.
    """
    page.evaluate("(watched) => { window.done = window.painted(...watched); }", [*watched, PATIENCE])
    act()
    try:
        return float(page.evaluate("window.done"))
    except Error as error:
        raise NotMeasured(f"the page did not paint: {error.message.splitlines()[0]}") from error


if __name__ == "__main__":
    sys.exit(main())
