"""Files on the pages: dropped, pasted, photographed, and sent."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import SOON, Visit, set_up, stop, wait_for_epoch, wait_for_status
from tests.browser.test_form import PASTE
from tests.web.sites import picture

DROP = """async (selector) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 200 });
    canvas.getContext("2d").fillRect(0, 0, 90, 90);
    const dataTransfer = new DataTransfer(), png = await new Promise((done) => canvas.toBlob(done));
    dataTransfer.items.add(new File([png], "lake.png", { type: "image/png" }));
    const events = ["dragover", "drop"].map((kind) =>
        new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
    events.forEach((event) => document.querySelector(selector).dispatchEvent(event));
    return events.map((event) => event.defaultPrevented);
}"""
PHOTOS = [
    {"name": name, "mimeType": "image/png", "buffer": picture(width, 150)}
    for name, width in (("hill.png", 300), ("lake.png", 200))
]


DROP_FOLDER = """([name, bytes]) => {
    const file = { isFile: true, file: (done) => done(new File([new Uint8Array(bytes)], name)) };
    const batches = [[file], []];
    const folder = { isDirectory: true, createReader: () => ({ readEntries: (done) => done(batches.shift()) }) };
    const event = new DragEvent("drop", { bubbles: true, cancelable: true });
    const dropped = { types: ["Files"], files: [], items: [{ webkitGetAsEntry: () => folder }] };
    Object.defineProperty(event, "dataTransfer", { value: dropped });
    document.querySelector(".chooser-content .drop").dispatchEvent(event);
}"""


def choose(page: Page, files: list[dict]) -> None:
    page.set_input_files("#content-upload input[type=file]", files)


def test_a_file_that_is_dropped_beside_the_choosers_never_opens_in_place_of_the_page(visit: Visit) -> None:
    page = visit()
    before = page.inner_text("#content-caption")
    for place in ("h1", ".panel-foot", ".sidebar"):
        assert page.evaluate(DROP, place) == [True, True]
    assert page.inner_text("#content-caption") == before
    page.evaluate(DROP_FOLDER, ["notes.txt", []])
    expect(page.locator("#toast")).to_contain_text("There is no picture in what was dropped.")
    page.evaluate(DROP_FOLDER, ["old.ppm", list(picture(64, 48, format="PPM"))])  # a file of no type
    expect(page.locator("#content-caption")).to_have_text("old.ppm")


def test_a_photograph_that_is_dropped_on_the_painting_is_the_content(visit: Visit) -> None:
    page = visit()
    page.evaluate(DROP, "#easel")
    expect(page.locator("#content-caption")).to_have_text("lake.png")
    expect(page.locator("#settings-said")).to_have_text("lake.png has no settings: it is the content now.")


def test_a_second_picture_that_is_pasted_after_a_reload_is_the_style(visit: Visit) -> None:
    page = visit()
    page.evaluate(PASTE)
    expect(page.locator("#content-caption")).to_have_text("pasted.png")
    page.wait_for_function("localStorage.getItem('nst-draft')?.includes('pasted.png')")
    page.reload()
    expect(page.locator("#content-caption")).to_have_text("pasted.png")
    page.evaluate(PASTE)
    expect(page.locator("#style-caption")).to_have_text("pasted.png")


def test_a_telephone_takes_a_picture_with_its_camera(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Camera: content").click()
    assert choosing.value.element.get_attribute("capture") == "environment"
    choosing.value.set_files(PHOTOS[0])
    expect(page.locator("#content-caption")).to_have_text("hill.png")
    expect(visit().locator(".chooser-content .camera")).to_be_hidden()


def test_start_that_is_refused_on_a_telephone_leaves_the_page_where_it_is(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.fill("#option-size", "8")
    page.locator("#option-size").scroll_into_view_if_needed()
    before = page.evaluate("window.scrollY")
    page.click("#start")
    expect(page.locator("#toast")).to_be_visible()
    assert page.evaluate("window.scrollY") == before


def test_variations_wait_for_the_picture_and_take_the_first_of_several(visit: Visit) -> None:
    page = visit()
    held: list[Route] = []
    page.route("**/api/v1/uploads", lambda route: held.append(route))
    with page.expect_request("**/api/v1/uploads"):
        choose(page, PHOTOS[:1])
    page.click("#to-vary")
    expect(page.locator("#vary-summary")).to_contain_text("quick runs")
    page.click("#vary-start")
    expect(page.locator("#toast")).to_contain_text("A picture is still being sent.")
    expect(page.locator("#vary-grid table")).to_have_count(0)
    held[0].continue_()
    page.unroute("**/api/v1/uploads")
    expect(page.locator("#vary-pair")).to_contain_text("hill.png")
    choose(page, PHOTOS)
    expect(page.locator("#vary-summary")).to_contain_text("Of the photographs only the first one is painted.")


def hold_first_upload(page: Page) -> list[Route]:
    """Hold back the first upload from now on; returns the list that it is in once it was sent."""
    held: list[Route] = []
    page.route("**/api/v1/uploads", lambda route: route.continue_() if held else held.append(route))
    return held


def let_go(page: Page, held: list[Route]) -> None:
    """Send what was held back, and wait until the page has had its answer and has asked for something later."""
    with page.expect_response(lambda answer: answer.request == held[0].request) as answered:
        held[0].continue_()
    answered.value.finished()
    with page.expect_request(lambda request: "estimate.children" in (request.post_data or "")):
        page.fill("#option-size", "300")


@pytest.mark.parametrize("role", ["content", "style", "mask"])
def test_of_two_pictures_that_are_sent_at_once_the_last_chosen_stays(visit: Visit, role: str) -> None:
    page = visit()
    held = hold_first_upload(page)
    with page.expect_request("**/api/v1/uploads"):
        page.set_input_files(f"#{role}-upload input[type=file]", PHOTOS[0])
    page.set_input_files(f"#{role}-upload input[type=file]", PHOTOS[1])
    expect(page.locator(f"#{role}-caption")).to_have_text("lake.png")
    let_go(page, held)
    assert page.inner_text(f"#{role}-caption") == "lake.png"
    expect(page.locator(f"#{role}-progress")).to_be_hidden()


def test_of_two_files_of_settings_the_last_chosen_counts(visit: Visit) -> None:
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or "" if "_dash" in request.url else ""))
    held = hold_first_upload(page)
    with page.expect_request("**/api/v1/uploads"):
        page.set_input_files("#settings input[type=file]", PHOTOS[0])
    page.set_input_files("#settings input[type=file]", PHOTOS[1])
    expect(page.locator("#toast")).to_contain_text("lake.png")
    let_go(page, held)
    assert [PHOTOS[1]["name"] in body for body in asked if "settings-file.data" in body] == [True]
    expect(page.locator("#settings-said")).to_be_empty()


def test_a_message_has_its_whole_time_and_goes_once_another_picture_is_chosen(visit: Visit) -> None:
    page = visit(lossy=True)  # the browser logs a refused upload
    page.clock.install()
    toast = page.locator("#toast")
    for name in ("speck.png", "dot.png"):
        choose(page, [{"name": name, "mimeType": "image/png", "buffer": picture(10, 10)}])
        expect(toast).to_contain_text(name)
        page.clock.fast_forward(8000)  # in all the time of one message and 4 s more
    expect(toast).to_contain_text("dot.png")
    page.clock.fast_forward(5000)
    expect(toast).to_be_hidden()

    choose(page, [{"name": "dot.png", "mimeType": "image/png", "buffer": picture(10, 10)}])
    expect(toast).to_contain_text("dot.png")
    page.click(".chooser-style .sample >> nth=1")
    page.wait_for_selector(".chooser-style .sample-chosen >> nth=0")
    expect(toast).to_contain_text("dot.png")  # another picture was refused
    choose(page, [{"name": f"{n}.png", "mimeType": "image/png", "buffer": picture(10, 10)} for n in range(3)])
    expect(toast).to_contain_text("(2 more not taken)")
    choose(page, PHOTOS[:1])
    expect(toast).to_be_hidden(timeout=SOON)
    expect(page.locator("#content-caption")).to_have_text("hill.png")


def test_a_mask_that_was_removed_while_another_was_sent_stays_removed(visit: Visit) -> None:
    page = visit()
    page.locator(".mask-panel summary").click()
    page.set_input_files("#mask-upload input[type=file]", PHOTOS[0])
    expect(page.locator("#mask-caption")).to_have_text("hill.png")
    held = hold_first_upload(page)
    with page.expect_request("**/api/v1/uploads"):
        page.set_input_files("#mask-upload input[type=file]", PHOTOS[1])
    page.click("#mask-remove")
    expect(page.locator("#mask-caption")).to_be_empty()
    let_go(page, held)
    assert page.inner_text("#mask-caption") == ""
    expect(page.locator("#mask-progress")).to_be_hidden()


def test_a_paused_photograph_is_not_counted_as_done(visit: Visit) -> None:
    page = visit()
    choose(page, PHOTOS)
    expect(page.locator("#content-remark")).to_have_text("2 photographs: a run for each.")
    set_up(page, 200, steps=30)
    page.fill("#option-epochs", "1000")
    page.click("#start")
    expect(page.locator("#batch-text")).to_have_text("0 of 2 photographs done")
    wait_for_epoch(page, 1)
    page.click("#pause")
    wait_for_status(page, "Paused")
    expect(page.locator("#batch-text")).to_have_text("0 of 2 photographs done, 1 paused")
    stop(page)
    expect(page.locator("#batch-text")).to_have_text(re.compile("^1 of 2 photographs done$"))
    expect(page.locator("#batch-link")).to_have_text("Download the 1 done (ZIP)")
    expect(page.locator("#batch-link")).to_have_attribute("href", re.compile("[?]run=[0-9a-f]{32}$"))
