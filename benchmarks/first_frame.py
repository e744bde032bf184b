"""From Start to a painting that moves, in a real browser: the page as it opens, compact network, 512 px, a warm worker.

The page's own clock and the files' times are those of one machine. A frame is painted two animation frames after the
picture that the graph shows was decoded; it is made when the server has stored it.
"""

import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, studio
from tools.browser import FLAGS, chromium

RUNS = 3
PATIENCE = 300_000  # ms

# Notes when Start was pressed and when each frame was on the screen, in ms since 1970.
WATCH = """
window.painted = {};
addEventListener("click", event => { if (event.target.closest("#start")) window.pressed = Date.now(); }, true);
const look = () => {
  const graph = document.querySelector("#image-graph .js-plotly-plot");
  const picture = graph && graph.querySelector("image");
  const source = graph?.layout?.images?.[0]?.source;
  if (source && picture && picture.getAttribute("href") !== window.shown) {
    window.shown = picture.getAttribute("href");
    const copy = new Image();
    copy.src = window.shown;
    copy.decode().then(() => requestAnimationFrame(() => requestAnimationFrame(() => {
      window.painted[source] ??= Date.now();
    })));
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def main() -> None:
    path = chromium()
    if path is None:
        raise SystemExit("no Chromium here; `python -m tools.browser` installs one")
    load = others_load()
    first_made, first, epoch_one, latencies, shares = [], [], [], [], []
    with studio() as running, sync_playwright() as playwright:
        running.seconds_until(running.worker_warm)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for _ in range(RUNS):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            painted, made = paint(page, running)
            first_made.append(made[0])
            first.append(painted[0])
            epoch_one.append(painted[1])
            latencies += [painted[n] - made[n] for n in painted]
            shares.append(100 * len(painted) / len(made))
            page.close()
        browser.close()
    numbers = [
        Number("Start to first frame made (the noise)", "s", tuple(first_made), at_most=0.5),
        Number("Start to first frame painted", "s", tuple(first), at_most=1),
        Number("Start to the first epoch painted", "s", tuple(epoch_one), at_most=2),
        Number("frame made to painted", "s", tuple(latencies), at_most=0.3),
        Number("frames shown, of those made", "%", tuple(shares), at_least=100),
    ]
    report("first_frame", numbers, network="compact, 512 px, default epochs", browser=browser.version, other_load=load)


def paint(page: Page, running: Studio) -> tuple[dict[int, float], dict[int, float]]:
    """Paint with what the page opens with; (painted, made): {frame: seconds after Start was pressed}."""
    page.add_init_script(WATCH)
    page.goto(running.address)
    page.locator("#start:enabled").click()
    page.wait_for_url("**run=*")
    run = parse_qs(urlparse(page.url).query)["run"][0]
    page.get_by_text("finished").first.wait_for(timeout=PATIENCE)
    pressed, painted = page.evaluate("[window.pressed, window.painted]")
    numbered = {
        number(source): (when - pressed) / 1000 for source, when in painted.items() if f"{run}/frames" in source
    }
    files = (running.data / "runs" / run).rglob("*.jpg")
    return numbered, {number(file.name): file.stat().st_mtime - pressed / 1000 for file in files}


def number(name: str) -> int:
    """120 of ".../frames/120.jpg"."""
    found = re.search(r"(\d+)\.jpg", name)
    assert found, name
    return int(found[1])


if __name__ == "__main__":
    main()
