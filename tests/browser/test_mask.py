"""A mask in the form: painted over the content, given as a file, and back with its run."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site, Visit, set_up, wait_for_status
from tests.browser.test_actions import run_of
from tests.browser.test_form import PASTE


def open_panel(page: Page) -> None:
    page.locator(".mask-panel summary").click()


def paint_left_half(page: Page) -> None:
    """Open the dialog and paint up and down, with a hard brush as wide as half of the picture."""
    page.click("#mask-open")
    page.wait_for_function("document.querySelector('#mask-canvas')?.width === 1024")
    page.fill("#mask-size", "40")
    page.locator("#mask-soft").uncheck()
    box = page.locator("#mask-canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + box["height"] - 1, steps=4)
    page.mouse.up()


def pixel(x: int, y: int) -> str:
    """An expression of the page: the canvas there, 0..255. A copy is read: of a canvas Chromium would warn."""
    return f"""(() => {{
        const pen = new OffscreenCanvas(1, 1).getContext("2d", {{ willReadFrequently: true }});
        pen.drawImage(document.querySelector("#mask-canvas"), -{x}, -{y});
        return [...pen.getImageData(0, 0, 1, 1).data];
    }})()"""


def stored_mask(page: Page, site: Site, upload: str) -> np.ndarray:
    data = page.request.get(f"{site.url}/api/v1/uploads/{upload}.jpg?side=512").body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float32) / 255


def test_a_mask_is_painted_sent_and_comes_back_with_its_run(visit: Visit, site: Site) -> None:
    page = visit()
    open_panel(page)
    expect(page.locator("#mask-remove")).to_be_hidden()
    paint_left_half(page)
    page.click("#mask-use")
    expect(page.locator("#mask-dialog")).to_be_hidden()
    expect(page.locator("#mask-caption")).to_have_text("mask.png")
    set_up(page, 2)
    page.click("#start")
    wait_for_status(page, "Finished")
    run = run_of(page, site)
    assert run["options"]["mask_use"] == "protect"
    mask = stored_mask(page, site, run["mask"])
    width = mask.shape[1]
    assert mask[:, : width // 4].min() > 0.9
    assert mask[:, width // 2 :].max() < 0.1
    again = visit(f"/?like={run['id']}")
    expect(again.locator("#mask-name")).to_have_text(": mask.png")
    expect(again.locator("#mask-caption")).to_be_visible()
    expect(again.locator("#mask-caption")).to_have_text("mask.png")
    again.click("#mask-open")
    again.wait_for_function(f"{pixel(40, 200)}[3] > 200")
    again.keyboard.press("Escape")
    expect(again.locator("#mask-dialog")).to_be_hidden()
    again.click("#mask-remove")
    expect(again.locator("#mask-caption")).to_be_empty()
    expect(again.locator("#mask-remove")).to_be_hidden()


def test_strokes_are_erased_and_cleared_and_a_mask_may_be_grey(visit: Visit) -> None:
    page = visit()
    open_panel(page)
    page.click("#mask-open")
    page.wait_for_function("document.querySelector('#mask-canvas')?.width === 1024")
    page.fill("#mask-value", "50")
    box = page.locator("#mask-canvas").bounding_box()
    assert box
    middle, point = pixel(512, 300), {"x": box["width"] / 2, "y": 300 * box["width"] / 1024}
    page.locator("#mask-canvas").click(position=point)
    assert page.evaluate(middle) == [127, 127, 127, 255]
    page.get_by_label("Erase").check()
    page.locator("#mask-canvas").click(position=point)
    assert page.evaluate(middle)[3] == 0
    page.get_by_label("Paint", exact=True).check()
    page.locator("#mask-canvas").click(position=point)
    assert page.evaluate(middle)[3] == 255
    page.click("#mask-clear")
    page.wait_for_function(f"{middle}[3] === 0")
    page.click("#mask-cancel")
    expect(page.locator("#mask-caption")).to_be_empty()


def test_a_mask_is_painted_by_touch_or_by_keys_and_strokes_are_taken_back(visit: Visit) -> None:
    page = visit(has_touch=True)
    page.context.add_init_script("""
        const setItem = Storage.prototype.setItem;
        Storage.prototype.setItem = function (key, text) {
            if (key.startsWith("nst-")) throw new DOMException("full", "QuotaExceededError");
            setItem.call(this, key, text);
        };""")
    page.reload()
    open_panel(page)
    page.click("#mask-open")
    page.wait_for_function("document.querySelector('#mask-canvas')?.width === 1024")
    canvas = page.locator("#mask-canvas")
    box = canvas.bounding_box()
    assert box
    touched, center = pixel(256, 128), pixel(512, 384)
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["width"] / 8)
    assert page.evaluate(touched)[3] == 255
    canvas.focus()
    page.keyboard.press("ArrowRight")
    beside = page.evaluate("parseFloat(document.querySelector('#mask-ring').style.left)")
    assert 29 < beside < 31  # half of a brush of a tenth of the canvas
    page.keyboard.down(" ")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.up(" ")
    painted = pixel(307, 300)
    assert page.evaluate(painted)[3] == 255
    page.keyboard.press("Control+z")
    assert page.evaluate(painted)[3] == 0
    assert page.evaluate(touched)[3] == 255
    content = page.inner_text("#content-caption")
    page.evaluate(PASTE)  # is not of the dialog
    page.click("#mask-undo")
    page.wait_for_function(f"{touched}[3] === 0")
    assert page.evaluate(center)[3] == 0
    page.click("#mask-cancel")
    assert page.inner_text("#content-caption") == content


def test_a_mask_file_of_another_shape_is_refused_beside_it(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    open_panel(page)
    path = tmp_path / "square.png"
    Image.new("L", (64, 64), 255).save(path)
    page.set_input_files("#mask-upload input[type=file]", path)
    expect(page.locator("#mask-caption")).to_have_text("square.png")
    page.click("#start")
    expect(page.locator("#mask-error")).to_contain_text("Mask must have the shape of the content")
    page.select_option("#option-mask_use", "styles")
    expect(page.locator("#option-mask_use-error")).to_contain_text("needs two paintings")  # before Start is pressed


def test_strokes_are_dropped_by_escape_and_refused_until_the_mask_is_there(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    open_panel(page)
    paint_left_half(page)
    assert page.evaluate(pixel(200, 300))[3] == 255
    page.keyboard.press("Escape")
    page.click("#mask-open")
    page.wait_for_function(f"{pixel(200, 300)}[3] === 0")
    page.click("#mask-cancel")
    path = tmp_path / "black.png"
    Image.new("L", (640, 480), 0).save(path)
    page.set_input_files("#mask-upload input[type=file]", path)
    expect(page.locator("#mask-caption")).to_have_text("black.png")
    held: list[Route] = []
    page.route("**/api/v1/uploads/*.jpg?side=512", lambda route: held.append(route))
    with page.expect_request("**/api/v1/uploads/*.jpg?side=512"):
        page.click("#mask-open")
    expect(page.locator("#mask-use")).to_be_disabled()
    page.locator("#mask-canvas").click()
    for each in held:
        each.continue_()
    expect(page.locator("#mask-use")).to_be_enabled()
    assert page.evaluate(pixel(512, 384))[3] == 0


def test_another_photograph_ends_the_mask_and_says_so(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    open_panel(page)
    path = tmp_path / "face.png"
    Image.new("L", (640, 480), 255).save(path)
    page.set_input_files("#mask-upload input[type=file]", path)
    expect(page.locator("#mask-name")).to_have_text(": face.png")
    page.click(".chooser-style .sample:not(.sample-chosen)")
    page.click(".chooser-content .sample:not(.sample-chosen)")
    expect(page.locator("#toast")).to_contain_text("“face.png” was made for another photograph.")
    expect(page.locator("#mask-name")).to_be_empty()
    expect(page.locator("#mask-remove")).to_be_hidden()
