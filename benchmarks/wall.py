"""From a dropped picture to every style's thumbnail of it, and from a click to the full result, in a real browser.

The page's own clock, from the moment the file is chosen or the button pressed. A picture counts as painted two
animation frames after it was decoded.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, studio
from nst import images, samples
from nst.web import gallery
from tools.browser import FLAGS, chromium

ROUNDS = 7
SIDES = {"2": (1632, 1224), "12": (4000, 3000)}  # px, by megapixels: of a screen, of a telephone
LARGE = 1024  # px, long side of the picture that a click paints
PATIENCE = 60_000  # ms
WALL = ".style-pick img", "#style-wall.is-waiting"
RESULT = "#instant-result", ".is-painting, .is-sketch"

# Notes when a file is chosen or a style is picked, and tells when what it brings has been painted.
WATCH = """
addEventListener("change", ({target}) => { if (target.type === "file") window.began = Date.now(); }, true);
addEventListener("click", ({target}) => { if (target.closest(".style-pick")) window.began = Date.now(); }, true);
const frame = () => new Promise(requestAnimationFrame);
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
const all = (selector) => [...document.querySelectorAll(selector)];
window.painted = async (pictures, waiting) => {
  const before = all(pictures).map(({src}) => src);
  while (all(waiting).length || all(pictures).some(({src}, n) => !src || src === before[n])) await pause();
  await Promise.all(all(pictures).map((image) => image.decode()));
  await frame();
  await frame();
  return (Date.now() - window.began) / 1000;
};
"""


def main() -> None:
    path = chromium()
    if path is None:
        raise SystemExit("no Chromium here; `python -m tools.browser` installs one")
    load = others_load()
    found: dict[str, tuple[float, ...]] = {}
    with studio() as running, sync_playwright() as playwright:
        running.seconds_until(lambda: running.worker_warm() and samples_drawn(running))
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCH)
        page.goto(f"{running.address}/instant")
        page.wait_for_selector("#style-wall:not(.is-waiting) .style-card", timeout=PATIENCE)
        for name, (width, height) in SIDES.items():
            taken = [dropped(page, photo) for photo in islice(photos(width, height), ROUNDS + 1)]
            found[name] = tuple(taken[1:])  # the first one warms up
        dropped(page, next(photos(LARGE, LARGE * 3 // 4)))
        styles = page.locator(".style-pick")
        clicks = tuple(clicked(page, n) for n in range(styles.count()))
        count, version = styles.count(), browser.version
        browser.close()
    numbers = [
        Number(f"a picture of {name} megapixels dropped to {count} thumbnails of it painted", "s", taken, at_most=2)
        for name, taken in found.items()
    ]
    numbers.append(Number(f"a click to the full result painted, {LARGE} px", "s", clicks))
    report("wall", numbers, browser=version, other_load=load)


def samples_drawn(running: Studio) -> bool:
    """Whether the new studio has drawn all its samples, which takes it half a minute, once."""
    return len(list((running.data / "samples").glob("*.jpg"))) >= len(gallery.ORDER) * len(gallery.SIDES)


def photos(width: int, height: int) -> Iterator[bytes]:
    """JPEGs of a drawn sample with a photograph's grain, each another one."""
    drawn = np.asarray(samples.CONTENTS[0].draw(), np.float32) / 255
    picture, random = images.resize(drawn, height, width), np.random.default_rng(0)
    while True:
        grain = random.normal(0, 0.01, (height, width, 1)).astype(np.float32)
        yield images.encode_jpeg(np.clip(np.roll(picture, random.integers(width), axis=1) + grain, 0, 1))


def dropped(page: Page, data: bytes) -> float:
    """Seconds from choosing a file to the wall that shows it."""
    file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}
    return timed(page, WALL, lambda: page.set_input_files("#photo-upload input", file))


def clicked(page: Page, n: int) -> float:
    """Seconds from picking the nth style to its full result."""
    return timed(page, RESULT, lambda: page.locator(".style-pick").nth(n).click())


def timed(page: Page, watched: tuple[str, str], act: Callable[[], None]) -> float:
    """Seconds until other pictures than before are painted; `watched` are selectors: of them, of what says "wait"."""
    page.evaluate("(watched) => { window.done = window.painted(...watched); }", watched)
    act()
    return float(page.evaluate("window.done"))


if __name__ == "__main__":
    main()
