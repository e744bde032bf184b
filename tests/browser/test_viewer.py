"""The painting in its frame: compared with the photograph, zoomed, moved, in full screen, downloaded as it is shown."""

import base64
import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nst.pictures.samples import find
from tests.browser.conftest import Site, Visit, follow, set_up, wait_for_epoch, wait_for_status
from tests.browser.test_looks import findings, squeeze
from tests.web.sites import picture

SLIDER = "#photograph-cut"
VIEW = "new DOMMatrix(document.querySelector('#easel .viewer-stage')?.style.transform)"
# How far the photograph is seen, in px from the left edge of the frame.
REVEALED = """(() => {
    const stage = document.querySelector('#easel .viewer-stage'), place = stage.getBoundingClientRect();
    const scale = place.width / stage.offsetWidth;
    const frame = document.querySelector('#easel .viewer-window')?.getBoundingClientRect();
    return place.left + scale * (parseFloat(stage.style.getPropertyValue('--clip')) || 0) - frame.left;
})()"""


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """Where a run of 12 epochs is shown, of the pictures that the page begins with."""
    names = {"content": "harbour", "style": "night-wind"}
    pictures = {role: base64.b64encode(find(name).path.read_bytes()).decode() for role, name in names.items()}
    run = {**pictures, "options": {"epochs": 12, "steps_per_epoch": 2}}
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{site.url}/api/v1/runs", json.dumps(run).encode(), head)
    with urllib.request.urlopen(request) as answer:
        return f"/?run={json.load(answer)['id']}"


def shown(page: Page) -> Page:
    """The page, once it shows the result of that run."""
    wait_for_status(page, "Finished: 12 epochs")
    page.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    return page


def frame(page: Page) -> dict[str, Any]:
    box = page.locator("#easel .viewer-window").bounding_box()
    assert box
    return dict(box)


def drag(page: Page, start: float, end: float) -> None:
    """Drag from one place to another, both shares of the frame's width."""
    box = frame(page)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=5)
    page.mouse.up()


def revealed(page: Page, share: float) -> None:
    """Wait until that share of the frame shows the photograph."""
    width = frame(page)["width"]
    page.wait_for_function(f"Math.abs({REVEALED} - {share * width}) < {0.02 * width}")


def test_dragging_across_the_painting_shows_the_photograph_while_it_paints_and_when_it_has_ended(visit: Visit) -> None:
    page = visit()
    expect(page.locator(SLIDER)).to_be_hidden()
    set_up(page, epochs=200, steps=10)
    page.click("#start")
    wait_for_epoch(page, 1)
    expect(page.locator("#photograph")).to_have_attribute("src", re.compile("/api/v1/instant/runs/"))
    drag(page, 0.02, 0.7)
    revealed(page, 0.7)
    page.click("#stop")
    wait_for_status(page, "Stopped")
    revealed(page, 0.7)
    drag(page, 0.7, 0.2)
    revealed(page, 0.2)


def test_the_photograph_is_shown_with_keys_and_the_slider_says_how_much(visit: Visit, finished: str) -> None:
    page = shown(visit(finished))
    page.focus(SLIDER)
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuetext", "0 % of the photograph")
    page.keyboard.press("End")
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuetext", "100 % of the photograph")
    revealed(page, 1)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SLIDER)).to_have_attribute("aria-valuetext", "99 % of the photograph")
    page.get_by_role("button", name="Compare", exact=True).click()
    revealed(page, 0)
    page.get_by_role("button", name="Compare", exact=True).click()
    revealed(page, 0.5)
    set_up(page, epochs=2, steps=1)
    page.click("#start")  # another run: the comparison begins anew
    wait_for_status(page, "Finished: 2 epochs")
    revealed(page, 0)


def test_a_finger_shows_the_photograph_on_a_telephone(visit: Visit, finished: str) -> None:
    page = shown(visit(finished, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    page.locator("#easel").scroll_into_view_if_needed()
    expect(page.locator(".viewer-tools").first).to_have_css("opacity", "1")
    box = frame(page)
    page.touchscreen.tap(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    revealed(page, 0.6)


def test_the_line_stays_in_its_place_when_the_painting_is_zoomed_and_dragging_moves_it(
    visit: Visit, finished: str
) -> None:
    page = shown(visit(finished))
    page.fill(SLIDER, "40")  # which has the focus then
    page.hover("#easel")
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"{VIEW}.a > 1.2")
    revealed(page, 0.4)
    before = page.evaluate(f"{VIEW}.e")
    drag(page, 0.7, 0.9)
    page.wait_for_function(f"{VIEW}.e > {before}")
    expect(page.locator(SLIDER)).to_have_value("40")
    revealed(page, 0.4)
    drag(page, 0.4, 0.6)  # the handle
    revealed(page, 0.6)


def test_a_zoomed_painting_is_not_dragged_out_of_its_frame(visit: Visit, finished: str) -> None:
    page = shown(visit(finished))
    page.focus("#easel .viewer-window")
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_function(f"{VIEW}.a > 2")
    for key, sign in (("ArrowRight", -1), ("ArrowLeft", 1)):
        for _ in range(30):
            page.keyboard.press(key)
        most = page.evaluate(f"({VIEW}.a - 1) / 2") * frame(page)["width"]
        page.wait_for_function(f"Math.abs({VIEW}.e - {sign * most}) < 1")
    page.keyboard.press("0")
    page.wait_for_function(f"{VIEW}.a === 1 && {VIEW}.e === 0 && {VIEW}.f === 0")
    drag(page, 0.2, 0.8)
    page.wait_for_function(f"{VIEW}.e === 0")


def test_at_one_to_one_a_pixel_of_the_painting_is_one_of_the_screen(visit: Visit, finished: str) -> None:
    page = shown(visit(finished))
    page.hover("#easel")
    page.get_by_role("button", name="One pixel of the picture").click()
    width = "document.querySelector('#easel .viewer-stage')?.getBoundingClientRect().width"
    page.wait_for_function(f"Math.abs({width} - 512) < 1")
    page.get_by_role("button", name="Show the whole picture").click()
    page.wait_for_function(f"{VIEW}.a === 1")


def test_the_wheel_scrolls_the_page_until_the_painting_was_clicked_or_ctrl_is_held(visit: Visit, finished: str) -> None:
    page = shown(visit(finished))

    def zooms(ctrl: bool = False) -> bool:
        return page.evaluate(
            """(ctrlKey) => {
                const event = new WheelEvent("wheel", { deltaY: -50, ctrlKey, bubbles: true, cancelable: true });
                document.querySelector("#easel .viewer-window").dispatchEvent(event);
                return event.defaultPrevented;
            }""",
            ctrl,
        )

    assert not zooms()
    assert zooms(ctrl=True)
    page.wait_for_function(f"{VIEW}.a > 1")
    assert not zooms(), "the page is not trapped by a zoomed painting either"
    box = frame(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert zooms()
    page.focus("#start")
    assert not zooms()


def test_where_nothing_fills_the_screen_no_button_offers_it(visit: Visit, finished: str) -> None:
    page = visit(finished)
    page.context.add_init_script("delete Document.prototype.fullscreenEnabled;")
    page.reload()
    shown(page)
    page.hover("#easel")
    expect(page.locator("#easel [data-view=closer]")).to_be_visible()
    expect(page.locator("#easel [data-view=fullscreen]")).to_be_hidden()


def test_the_size_in_print_is_that_of_the_frame_that_is_shown(visit: Visit, finished: str) -> None:
    page, small = shown(visit(finished)), picture(64, 48, format="JPEG")
    page.route(re.compile("/frames/1.jpg$"), lambda route: route.fulfill(body=small, content_type="image/jpeg"))
    page.click(".more-actions summary")
    expect(page.locator("#print-size")).to_have_text(re.compile(r"^4\.3 × "))  # 512 px at 300 dpi
    page.fill("#epoch-scrubber", "1")
    expect(page.locator("#print-size")).to_have_text("0.5 × 0.4 cm")
    page.select_option("#print-dpi", "150")
    expect(page.locator("#print-size")).to_have_text("1.1 × 0.8 cm")


def test_the_painting_fills_the_screen_and_comes_back(visit: Visit, finished: str) -> None:
    page = shown(visit(finished))
    page.hover("#easel")
    page.get_by_role("button", name="Fullscreen").click()
    page.wait_for_function("document.fullscreenElement?.id === 'easel'")
    stage = "document.querySelector('#easel .viewer-stage')"
    page.wait_for_function(f"{stage}.offsetHeight === innerHeight || {stage}.offsetWidth === innerWidth")
    page.get_by_role("button", name="Fullscreen").click()
    page.wait_for_function("!document.fullscreenElement")


def test_the_frame_that_is_looked_at_is_the_one_that_is_downloaded(visit: Visit) -> None:
    page = visit()
    set_up(page, epochs=12, steps=2)
    page.click("#start")
    shown(page)
    page.fill("#epoch-scrubber", "5")
    expect(page.locator("#download")).to_have_attribute("download", "harbour-night-wind-epoch-5.jpg")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.url.endswith("/frames/5.jpg")
    page.fill("#epoch-scrubber", "12")
    expect(page.locator("#download")).to_have_attribute("download", "harbour-night-wind-epoch-12.png")
    expect(page.locator("#download")).to_have_attribute("href", re.compile("result.png"))


def test_the_epoch_beside_the_scrubber_is_always_the_one_that_is_shown(visit: Visit, finished: str) -> None:
    page = visit("/")
    page.evaluate(
        """window.labels = [];
        new MutationObserver(() => {
            const href = document.querySelector("#image-graph image")?.href.baseVal ?? "";
            const epoch = document.querySelector("#scrubbed").textContent;
            const shown = document.querySelector("#easel").className.includes("done") && href;
            if (shown && epoch) window.labels.push([epoch, href.split("/").at(-1)]);
        }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });"""
    )
    follow(page, finished)
    expect(shown(page).locator("#scrubbed")).to_have_text("Epoch 12")
    labels = {(epoch, file.partition("?")[0]) for epoch, file in page.evaluate("window.labels")}
    assert labels == {("Epoch 12", "result.png")}


def test_a_frame_that_does_not_load_leaves_the_one_that_is_shown_and_says_so(visit: Visit, finished: str) -> None:
    page = shown(visit(finished, lossy=True))
    toast = page.locator("#toast")
    page.route("**/frames/5.jpg", lambda route: route.abort())
    page.fill("#epoch-scrubber", "5")
    expect(toast).to_contain_text("Epoch 5 does not come.")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 12")
    expect(page.locator("#epoch-scrubber")).to_have_value("12")
    expect(page.locator("#download")).to_have_attribute("download", re.compile("epoch-12.png$"))
    page.route("**/mark", lambda route: route.abort())
    page.click("#mark")
    expect(toast).to_contain_text("The studio does not answer. Try again once it does.")
    expect(page.locator("#mark")).to_have_text("☆")
    page.route("**/timelapse", lambda route: route.fulfill(status=502, body="<h1>Gateway</h1>"))
    page.click("#film")
    expect(toast).to_contain_text("The server answered 502.")
    page.unroute("**/frames/5.jpg")
    page.fill("#epoch-scrubber", "5")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 5")
    page.wait_for_function("window.shown.at(-1).endsWith('/frames/5.jpg')")


def test_axe_finds_nothing_in_the_viewer(visit: Visit, finished: str) -> None:
    page = shown(visit(finished, color_scheme="light"))
    page.fill(SLIDER, "40")
    page.focus(SLIDER)
    assert findings(page) == []
    page.keyboard.press("+")
    page.wait_for_function(f"{VIEW}.a > 1.2")
    assert findings(page) == []
    squeeze(page)
