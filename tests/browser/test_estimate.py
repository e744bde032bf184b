"""The line above Start, in a real browser."""

from typing import Any

from playwright.sync_api import Request, expect

from nst.options.style_options import StyleOptions
from nst.runs.estimates import Estimate, PlannedRun
from nst.web.components.form.estimate import estimate_line as line_of
from tests.browser.conftest import Visit, wait_for_status
from tests.web.fake_runner import CALIBRATION, MEMORY

CONTENT, STYLE = (576, 768), (640, 768)  # px, height and width of the pictures that the page opens with


def forecast(**options: Any) -> Estimate:
    """What `options` take on the worker that the tests have."""
    return PlannedRun(*CONTENT, StyleOptions(**options), "compact", styles=[STYLE]).estimate(CALIBRATION, MEMORY)


def said(**options: Any) -> str:
    """The line for `options`."""
    return line_of(forecast(**options).to_json(), "warm")["children"]


def test_the_line_follows_the_settings_and_warns_of_tiles(visit: Visit) -> None:
    page = visit()
    line = page.locator("#estimate")
    expect(line).to_have_text(said())
    expect(page.locator("#start")).to_have_attribute("aria-describedby", "estimate")
    page.get_by_label("Stop when it converges").check()
    expect(line).to_have_text(said(epochs="auto"))
    large = next(size for size in range(512, 4096, 32) if forecast(size=size).tiled)
    page.fill("#option-size", str(large))
    expect(line).to_contain_text("GB. Too large for the memory as a whole: it will be painted by tiles")
    page.fill("#option-size", "nonsense")
    expect(line).to_have_text("")


def test_what_does_not_fit_is_said_before_start_and_refused_by_it_in_the_same_words(visit: Visit) -> None:
    page = visit()
    page.fill("#option-size", "4096")
    line = page.locator("#estimate.estimate-refused")
    expect(line).to_contain_text("Size 4096 needs")
    words = line.inner_text()
    page.click("#start")
    expect(page.locator("#option-size-error")).to_have_text(words)
    expect(page.locator("#toast")).to_contain_text(words)
    page.fill("#option-size", words.rpartition(" ")[2])
    expect(page.locator("#estimate.estimate-warning")).to_be_visible()
    page.fill("#option-size", "128")
    page.fill("#epochs", "1")
    page.click("#start")
    wait_for_status(page, "Finished")


def test_a_slider_on_its_way_asks_once(visit: Visit) -> None:
    page = visit()
    line, asked = page.locator("#estimate"), []
    expect(line).to_have_text(said())

    def count(request: Request) -> None:
        if "estimate.children" in (request.post_data or ""):
            asked.append(request)

    page.on("request", count)
    page.evaluate(
        """() => {
            const slider = document.querySelector("#epochs");
            const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
            for (let epochs = 41; epochs <= 55; epochs++) {
                setValue.call(slider, String(epochs));
                for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind, { bubbles: true }));
            }
        }"""
    )
    expect(line).to_have_text(said(epochs=55))
    assert 1 <= len(asked) < 8
