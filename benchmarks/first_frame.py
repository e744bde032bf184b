"""From Start to a painting that moves, in a real browser: the page as it opens, compact network, 512 px, a warm worker.

The page's own clock and the server's are those of one machine. A frame is painted two animation frames after the
picture that the graph shows was decoded; it is made when the server has stored it.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page

from benchmarks.browser import VIEWPORT, studio_in_browser
from benchmarks.command import COUNT, PIXELS, SIZES, command, studio_flags
from benchmarks.outcome import NotMeasured
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio

PATIENCE = 60_000  # ms

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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("first_frame", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=3, help="runs that are painted")
    parser.add_argument("--size", type=PIXELS, help=f"{SIZES}; what the page opens with unless given")
    parser.add_argument("--epochs", type=COUNT, help="what the page opens with unless given")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    first_made, first, epoch_one, latencies, shares = [], [], [], [], []
    with studio_in_browser(given.studio) as (running, browser):
        for _ in range(given.rounds):
            page = browser.new_page(viewport=VIEWPORT)
            painted, made = paint(page, running, given)
            first_made.append(made[0])
            first.append(painted[0])
            epoch_one.append(painted[1])
            latencies += [painted[n] - made[n] for n in painted]
            shares.append(100 * len(painted) / len(made))
            page.close()
        version = browser.version
    numbers = [
        Number("Start to first frame made (the noise)", "s", tuple(first_made), at_most=0.5),
        Number("Start to first frame painted", "s", tuple(first), at_most=1),
        Number("Start to the first epoch painted", "s", tuple(epoch_one), at_most=2),
        Number("frame made to painted", "s", tuple(latencies), at_most=0.3),
        Number("frames shown, of those made", "%", tuple(shares), at_least=100),
    ]
    what = f"compact, {given.size or 512} px, {given.epochs or 'default'} epochs"
    report("first_frame", numbers, given.folder, network=what, browser=version, other_load=load)


def paint(page: Page, running: Studio, given: argparse.Namespace) -> tuple[dict[int, float], dict[int, float]]:
    """Paint with what the page opens with; (painted, made): {frame: seconds after Start was pressed}.

    Raises NotMeasured unless the run finishes and the page has shown its first two frames.
    """
    page.add_init_script(WATCH)
    page.goto(running.address)
    for field, value in (("#option-size", given.size), ("#epochs", given.epochs)):
        if value:
            page.fill(field, str(value))
    page.locator("#start:enabled").click()
    page.wait_for_url("**run=*")
    run = parse_qs(urlparse(page.url).query)["run"][0]
    events = running.follow(run, "finished")
    page.get_by_text("finished").first.wait_for(timeout=PATIENCE)
    pressed, sources = page.evaluate("[window.pressed, window.painted]")
    painted = {number(source): (when - pressed) / 1000 for source, when in sources.items() if f"{run}/frames" in source}
    made = {event["frame"]: event["time"] - pressed / 1000 for event in events if event["kind"] == "epoch"}
    if missing := {0, 1} - set(painted):
        raise NotMeasured(f"the page did not show frame {min(missing)}")
    return painted, made


def number(name: str) -> int:
    """120 of ".../frames/120.jpg"."""
    found = re.search(r"(\d+)\.jpg", name)
    assert found, name
    return int(found[1])


if __name__ == "__main__":
    sys.exit(main())
