"""The Instant page, with a real worker and real styles: previews of the picture, and the result."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Request, expect

from nst.web.callbacks.refine import refining_options
from tests.browser.conftest import SOON, Site, Visit
from tests.browser.test_looks import findings, squeeze
from tests.styles.style_files import style_file
from tests.web.sites import picture

FIRST = 90_000  # ms: the worker may load TensorFlow
RESULT = re.compile(r"^/api/v1/instant/[\w-]+\.png$")
NUMBERS = re.compile(r"^\d+ × \d+ px · \d+\.\d\d s$")
PREVIEWED = """() => {
    const images = [...document.querySelectorAll('#style-wall:not(.is-waiting) .style-pick img')];
    return images.length && images.every((image) => image.src.startsWith('data:'));
}"""
SOURCES = "[...document.querySelectorAll('.style-pick img')].map(image => image.src)"


def enter(page: Page) -> None:
    """Go to the page, and wait until every style shows the picture."""
    page.click("#to-instant")
    previewed(page)


def previewed(page: Page) -> None:
    page.wait_for_function(PREVIEWED, timeout=FIRST)


def drop(page: Page, colour: str = "teal", name: str = "boat at noon.png", size: tuple[int, int] = (120, 90)) -> None:
    """Bring a picture, and wait until every style shows it."""
    before = page.evaluate(SOURCES)
    file = {"name": name, "mimeType": "image/png", "buffer": picture(*size, colour)}
    page.set_input_files("#photo-upload input", file)
    page.wait_for_function(f"before => {SOURCES}.every((source, n) => source !== before[n])", arg=before, timeout=FIRST)


def card(page: Page, n: int) -> Locator:
    return page.locator(".style-card").nth(n)


def painted(page: Page) -> str:
    """Wait until what was asked for last is shown; its address."""
    expect(page.locator("#instant-result")).to_have_attribute("src", RESULT, timeout=FIRST)
    page.wait_for_selector("#instant-canvas:not(.is-busy)")
    return page.locator("#instant-result").get_attribute("src") or ""


def painted_anew(page: Page, before: str) -> str:
    expect(page.locator("#instant-result")).not_to_have_attribute("src", before, timeout=FIRST)
    return painted(page)


def pixels(page: Page, source: str) -> np.ndarray:
    data = page.request.get(page.evaluate("location.origin") + source).body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32)


def bring(page: Page, *names: str, seed: int) -> None:
    """Import styles of a network of their own."""
    for name in names:
        data = style_file(*names, seed=seed).only(name).to_bytes()
        file = {"name": f"{name}.style", "mimeType": "application/octet-stream", "buffer": data}
        page.set_input_files("#style-import input", file)
        expect(page.locator(f"#hung-{name}")).to_be_visible()


def test_every_style_shows_the_picture_and_a_click_has_it_large(visit: Visit) -> None:
    page = visit()
    enter(page)
    expect(page.locator("#instant-stage")).to_be_hidden()
    drop(page)
    card(page, 0).locator(".style-pick").focus()
    page.keyboard.press("Enter")
    full = painted(page)
    expect(page.locator("#instant-numbers")).to_have_text(NUMBERS)
    assert pixels(page, full).shape == (90, 120, 3)
    expect(card(page, 0).locator(".style-pick")).to_have_attribute("aria-pressed", "true")

    page.locator("#fast-strength").fill("0.2")
    weak = painted_anew(page, full)
    expect(page.locator("#option-fast-strength")).to_have_value("0.2")
    assert np.abs(pixels(page, weak) - pixels(page, full)).mean() > 1

    card(page, 1).locator(".style-mix").click()
    expect(page.locator("#mix")).to_be_visible()
    mixed = painted_anew(page, weak)
    expect(page.locator("#instant-title")).to_contain_text("50\u00a0%")
    page.locator("#mix-weight-1").fill("0")
    expect(page.locator("#mix-share-0")).to_have_text("100\u00a0%")
    assert np.abs(pixels(page, painted_anew(page, mixed)) - pixels(page, weak)).max() <= 1

    with page.expect_download() as loading:
        page.click("#instant-download")
    assert re.fullmatch(r"boat-at-noon-[\w-]+\.png", loading.value.suggested_filename)
    assert Image.open(io.BytesIO(Path(loading.value.path()).read_bytes())).size == (120, 90)
    page.locator("#instant-cut").fill("40")
    assert page.evaluate("document.querySelector('#instant-canvas')?.style.getPropertyValue('--cut')") == "40%"


def test_of_many_moves_the_last_one_is_shown_and_no_storm_is_sent(visit: Visit) -> None:
    page = visit()
    enter(page)
    card(page, 0).locator(".style-pick").click()
    before = painted(page)
    asked: list[str] = []

    def note(request: Request) -> None:
        if '"paint-ask"' in (request.post_data or ""):
            asked.append(request.url)

    page.on("request", note)
    strengths = [f"{strength:.2f}" for strength in np.linspace(0.9, 0.05, 18)]
    page.evaluate(
        "all => all.forEach(value => dash_clientside.set_props('option-fast-strength', { value }))", strengths
    )
    page.fill("#option-fast-size", "64")
    page.wait_for_function("document.querySelector('#instant-numbers')?.textContent.startsWith('64 ×')", timeout=FIRST)
    assert painted(page) != before
    assert 1 <= len(asked) < 10
    page.fill("#option-fast-size", "8")
    expect(page.locator("#option-fast-size-error")).to_contain_text("Size must be")
    page.fill("#option-fast-size", "")
    expect(page.locator("#option-fast-size-error")).to_be_empty()


def test_the_one_style_that_is_left_of_a_mix_weighs_something(visit: Visit) -> None:
    page = visit()
    enter(page)
    card(page, 0).locator(".style-pick").click()
    alone = painted(page)
    card(page, 1).locator(".style-mix").click()
    mixed = painted_anew(page, alone)
    page.locator("#mix-weight-0").fill("0")
    second = painted_anew(page, mixed)
    card(page, 1).locator(".style-mix").click()
    first = painted_anew(page, second)
    assert np.abs(pixels(page, first) - pixels(page, second)).mean() > 1
    expect(page.locator("#instant-wrong")).to_be_empty()


def test_refine_hands_the_result_to_the_studio(visit: Visit) -> None:
    page = visit()
    enter(page)
    drop(page, "maroon")
    card(page, 0).locator(".style-pick").click()
    painted(page)
    page.fill("#option-fast-size", "8")  # an answer that is none leaves the result that is shown
    expect(page.locator("#option-fast-size-error")).to_contain_text("Size must be")
    page.click("#refine")
    expect(page.locator("#room-studio")).to_be_visible()
    expect(page.locator("#note")).to_contain_text("paints at 512 px, whatever the size of the result")
    expect(page.locator("#epochs")).to_have_value(str(refining_options(90, 120).epochs))
    expect(page.locator("#content-caption")).to_have_text("boat at noon.png")
    expect(page.locator("#option-init")).to_have_value("image")
    expect(page.locator("#init-caption")).to_have_text(re.compile(r"^boat-at-noon-[\w-]+\.png$"))
    page.click(".chooser-style .sample >> nth=0")  # the painting of its style is not at hand
    page.fill("#epochs", "1")
    page.fill("#option-size", "64")
    page.click("#start")
    page.wait_for_function("document.querySelector('#status')?.textContent.startsWith('Finished')")


@pytest.mark.parametrize("path", ["/instant", "/instant?run=nowhere&picture=samples/owl"])
def test_refine_opens_the_studio_at_the_first_press_without_a_style_that_is_not_at_hand(
    visit: Visit, path: str
) -> None:
    page = visit(path)
    bring(page, "waves", seed=0)
    page.click("#hung-waves .style-pick")
    painted(page)
    page.click("#refine")
    expect(page.locator("#note")).to_contain_text("Choose the painting of its style")
    expect(page.locator("#room-studio")).to_be_visible()
    expect(page.locator("#style-caption")).to_be_empty()
    expect(page.locator("#start-hint")).to_have_text("Choose a painting as its style, and press Start.")
    page.click("#start")
    expect(page.locator("#style-error")).to_have_text(re.compile("choose a painting first", re.I))
    page.click(".chooser-style .sample >> nth=0")
    expect(page.locator("#start-hint")).to_have_text("Press Start to have it painted over.")
    expect(page.locator("#style-error")).to_be_empty()
    assert page.request.delete(f"{page.evaluate('location.origin')}/api/v1/styles/fast/waves").ok


def test_a_result_is_kept_in_the_gallery_and_opens_again(visit: Visit) -> None:
    page = visit()
    enter(page)
    drop(page, "navy", "keel.png")
    card(page, 0).locator(".style-pick").click()
    painted(page)
    keep = page.locator("#keep-result")
    keep.click()
    expect(keep).to_have_text("Kept in the gallery")
    expect(keep).to_be_disabled()
    page.click("#to-gallery")
    page.select_option("#of-state", "instant")
    page.fill("#words", "keel")
    expect(page.locator("#found")).to_have_text("1 run")
    page.get_by_role("link", name="Open: keel after").click()
    painted(page)
    expect(page.locator("#photo-caption")).to_have_text("keel.png")
    expect(card(page, 0).locator(".style-pick")).to_have_attribute("aria-pressed", "true")


def test_what_is_no_picture_and_what_is_no_style_is_said(visit: Visit) -> None:
    page = visit(lossy=True)  # the browser logs a refused upload
    page.click("#to-instant")
    wrong = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#photo-upload input", wrong)
    expect(page.locator("#photo-error")).to_contain_text("'notes.png'")
    page.set_input_files("#style-import input", wrong | {"name": "notes.style"})
    expect(page.locator("#toast")).to_contain_text("'notes.style' is no style file of ours")


def test_paintings_are_styles_mixed_kept_and_taken_away(visit: Visit) -> None:
    page = visit()
    enter(page)
    named = page.locator(".style-card").count()
    files = [
        {"name": f"my_{colour}.png", "mimeType": "image/png", "buffer": picture(96, 80, colour)}
        for colour in ("maroon", "olive")
    ]
    page.set_input_files("#painting-upload input", files)
    paintings = page.locator(".style-card[data-style^=uploads]")
    expect(paintings).to_have_count(2)
    previewed(page)
    expect(paintings.first).to_contain_text("my maroon")
    paintings.first.locator(".style-pick").click()
    painted(page)
    page.locator(".style-card:not([data-style^=uploads]) .style-mix").first.click()
    expect(page.locator("#mix-name-0")).to_have_text("my maroon")
    expect(page.locator("#instant-wrong")).to_be_empty()

    paintings.first.locator("summary").click()
    with page.expect_download() as download:
        paintings.first.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == "my-maroon.style"
    paintings.first.get_by_label("Title").fill("My Garden")
    paintings.first.get_by_role("button", name="Keep as a style").click()
    kept = page.locator("#hung-my-garden")
    expect(kept).to_contain_text("yours")
    expect(page.locator("#mix-name-0")).to_have_text("My Garden")
    expect(paintings).to_have_count(1)
    paintings.first.locator("summary").click()
    paintings.first.locator("[data-do=remove]").click()
    expect(paintings).to_have_count(0)
    kept.locator("summary").click()
    for _ in range(2):
        kept.locator("[data-do=remove]").click()
    expect(page.locator(".style-card")).to_have_count(named)


def test_a_reload_and_the_way_back_show_the_same_page(visit: Visit) -> None:
    page = visit()
    enter(page)
    drop(page, "navy", "sea.png")
    painting = {"name": "garden.png", "mimeType": "image/png", "buffer": picture(96, 80, "olive")}
    page.set_input_files("#painting-upload input", painting)
    page.locator(".style-card[data-style^=uploads] .style-pick").click()
    page.locator(".style-card:not([data-style^=uploads]) .style-mix").first.click()
    before = painted(page)
    page.locator("#mix-weight-1").fill("20")
    page.locator("#fast-strength").fill("0.6")
    painted_anew(page, before)
    page.wait_for_url(re.compile(r"strength=0\.6"))
    address = page.url

    def is_as_before() -> None:
        expect(page.locator("#mix-share-1")).to_have_text("29\u00a0%", timeout=FIRST)
        painted(page)
        expect(page.locator("#photo-caption")).to_have_text("sea.png")
        expect(page.locator("#mix-name-0")).to_have_text("garden")
        expect(page.locator("#option-fast-strength")).to_have_value("0.6")
        assert page.url == address

    page.reload()
    is_as_before()
    page.click("#to-studio")
    expect(page.locator("#room-studio")).to_be_visible()
    page.go_back()
    is_as_before()
    page.click("#to-studio")
    page.wait_for_url(re.compile(r"/$"))
    page.reload()
    page.click("#to-instant")
    is_as_before()


def test_an_address_names_picture_style_and_options(visit: Visit) -> None:
    page = visit("/instant?picture=samples/owl&style=starry-night&stroke_size=2&picture2=x&painting=uploads/none")
    painted(page)
    expect(page.locator("#photo-caption")).to_have_text("Owl")
    expect(page.locator("#option-fast-stroke_size")).to_have_value("2")
    expect(page.locator("#hung-starry-night .style-pick")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".style-card[data-style^=uploads]")).to_have_count(0)
    page.wait_for_url(re.compile("stroke_size=2$"))  # without what it cannot show
    page.click("#to-studio")
    expect(page.locator("#room-studio")).to_be_visible()


def test_a_text_file_sent_as_a_style_is_named_until_a_style_is_chosen(visit: Visit) -> None:
    page = visit(lossy=True)  # the browser logs a refused upload
    enter(page)
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello there"}
    page.set_input_files("#painting-upload input", file)
    expect(page.locator("#toast")).to_contain_text("'notes.txt' must be a picture")
    expect(page.locator("#toast")).to_contain_text("got a text file")
    page.set_input_files("#style-import input", file)
    expect(page.locator("#toast")).to_contain_text("'notes.txt' is no style file of ours")
    expect(page.locator("#instant-wrong")).to_contain_text("'notes.txt' is no style file of ours")
    painting = {"name": "garden.png", "mimeType": "image/png", "buffer": picture(96, 80, "olive")}
    page.set_input_files("#painting-upload input", [file, painting])
    taken = page.locator(".style-card[data-style^=uploads]")
    expect(taken).to_have_count(1)
    previewed(page)
    expect(page.locator("#instant-wrong")).to_contain_text("'notes.txt' must be a picture")
    page.set_input_files("#painting-upload input", painting)
    expect(page.locator("#toast")).to_be_hidden(timeout=SOON)
    expect(page.locator("#instant-wrong")).to_be_empty()
    page.set_input_files("#painting-upload input", file)
    expect(page.locator("#instant-wrong")).to_contain_text("'notes.txt' must be a picture")
    taken.locator(".style-pick").click()
    expect(page.locator("#instant-wrong")).to_be_empty()


def test_ones_own_styles_are_brought_mixed_named_and_removed(visit: Visit, site: Site) -> None:
    page = visit()
    enter(page)
    bring(page, "waves", "dots", seed=0)
    previewed(page)
    waves = page.locator("#hung-waves")
    expect(waves).to_contain_text("yours")
    waves.locator(".style-pick").click()
    painted(page)
    card(page, 0).locator(".style-mix").click()
    expect(page.locator("#instant-wrong")).to_contain_text("only styles of one network can be mixed")
    page.locator("#hung-dots .style-mix").click()
    expect(page.locator("#instant-wrong")).to_be_empty()
    expect(page.locator("#mix-name-1")).to_have_text("The dots")

    waves.locator("summary").click()
    with page.expect_download() as loading:
        waves.get_by_role("link", name="Export").click()
    assert loading.value.suggested_filename == "waves.style"
    waves.get_by_label("Title").fill("Rough Sea")
    page.keyboard.press("Enter")
    expect(page.locator("#hung-rough-sea")).to_contain_text("Rough Sea")
    expect(page.locator("#mix")).to_be_hidden()  # of the two that were mixed, one goes by another name
    for name in ("rough-sea", "dots"):
        page.locator(f"#hung-{name} summary").click()
        for _ in range(2):
            page.locator(f"#hung-{name} [data-do=remove]").click()
        expect(page.locator(f"#hung-{name}")).to_have_count(0)
    expect(page.locator("#instant-stage")).to_be_hidden()
    assert not list((site.folder / "styles").glob("*.style"))


def test_axe_finds_nothing_by_day_and_by_night_and_nothing_sticks_out(visit: Visit) -> None:
    page = visit(color_scheme="light")
    enter(page)
    assert findings(page) == []
    card(page, 0).locator(".style-pick").click()
    painted(page)
    card(page, 1).locator(".style-mix").click()
    expect(page.locator("#mix")).to_be_visible()
    assert findings(page) == []
    page.click("#theme")
    assert findings(page) == []
    squeeze(page)
    expect(page).to_have_title("Instant · nst studio")
