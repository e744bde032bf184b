"""What a person does in the studio, in a real browser."""

import json
import re
import urllib.request
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import (
    Site,
    Visit,
    first_shown,
    focus,
    open_advanced,
    set_up,
    shown,
    start_long_run,
    stop,
    wait_for_curve,
    wait_for_epoch,
    wait_for_status,
)
from tests.web.sites import picture

STAGE = "document.querySelector('#easel .viewer-stage')?.style.transform"


def test_start_paints_every_epoch_up_to_the_result(visit: Visit) -> None:
    page = visit(reduced_motion="no-preference")  # no animation keeps it from use
    set_up(page, epochs=60, steps=10)  # several epochs in each answer
    page.click("#start")
    wait_for_status(page, "Finished: 60 epochs")
    page.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    assert shown(page) == [*(f"{n}.jpg" for n in range(first_shown(page), 61)), "result.png"]
    wait_for_curve(page, 0, 60)
    expect(page.locator("#numbers")).to_contain_text("Epoch 60 of 60")
    assert page.get_attribute("#progress", "value") == page.get_attribute("#progress", "max") == "60"
    expect(page.locator("#painter")).to_contain_text("The built-in network painted")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "harbour-night-wind-epoch-60.png"
    assert download.value.path().read_bytes()[:4] == b"\x89PNG"


def test_zoom_and_pan_survive_frames(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    page.focus("#easel .viewer-window")
    page.hover("#easel")
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"{STAGE}.includes('scale') && !{STAGE}.endsWith('scale(1)')")
    before, seen = page.evaluate(STAGE), len(shown(page))
    page.wait_for_function(f"window.shown.length >= {seen + 8}")
    assert page.evaluate(STAGE) == before
    page.mouse.down()
    page.mouse.move(400, 300, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{STAGE} !== '{before}'")
    panned, seen = page.evaluate(STAGE), len(shown(page))
    page.wait_for_function(f"window.shown.length >= {seen + 8}")
    assert page.evaluate(STAGE) == panned
    stop(page)


def test_stop_keeps_what_there_is(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    page.click("#stop")
    wait_for_status(page, "Stopped at epoch")
    expect(page.locator("#download")).to_have_attribute("href", re.compile("result.png"))
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#stop")).to_be_disabled()


def test_reload_second_tab_and_other_browser_attach_to_the_same_run(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    path = page.url.removeprefix(page.evaluate("location.origin"))
    assert "?run=" in path
    other = visit(path)
    page.reload()
    for each in (page, other):
        wait_for_epoch(each, 5)
        expect(each.locator("#option-epochs")).to_have_value("1000")
    other.click("#stop")
    for each in (page, other):
        wait_for_status(each, "Stopped")
        each.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    last = int(page.get_attribute("#progress", "value") or 0)
    for each in (page, other):
        wait_for_curve(each, 0, last)


def test_a_finished_run_is_whole_when_it_is_opened_again(visit: Visit) -> None:
    page = visit()
    set_up(page, epochs=30, steps=1)
    page.click("#start")
    wait_for_status(page, "Finished")
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(again, "Finished: 30 epochs")
    again.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    wait_for_curve(again, 0, 30)
    assert again.inner_text("#content-caption") == page.inner_text("#content-caption")
    expect(page.locator("#painter")).to_contain_text("painted in bfloat16.")
    page.go_back()
    wait_for_status(page, "Ready")
    expect(page.locator("#painter")).to_contain_text("will paint")


def test_the_second_run_waits_in_line(visit: Visit) -> None:
    first, second = visit(), visit()
    start_long_run(first)
    second.click("#start")
    wait_for_status(second, "Queued: second in line")
    second.click("#stop")
    wait_for_status(second, "Stopped before it was painted")
    stop(first)


def test_pictures_of_ones_own_are_shown_and_painted(site: Site, visit: Visit, tmp_path: Path) -> None:
    page = visit()
    for role, name in (("content", "hill.png"), ("style", "sea.jpg")):
        (tmp_path / name).write_bytes(picture(80, 60, format="JPEG" if name.endswith("jpg") else "PNG"))
        page.set_input_files(f"#{role}-upload input[type=file]", tmp_path / name)
        expect(page.locator(f"#{role}-caption")).to_have_text(name)
        expect(page.locator(f"#{role}-preview")).to_have_attribute("src", re.compile("uploads/"))
    page.fill("#epochs", "2")
    page.click("#start")
    wait_for_status(page, "Finished")

    elsewhere = visit(page.url.removeprefix(site.url))
    for role, name in (("content", "hill.png"), ("style", "sea.jpg")):
        expect(elsewhere.locator(f"#{role}-caption")).to_have_text(name)
        expect(elsewhere.locator(f"#{role}-preview")).to_have_attribute("src", re.compile("uploads/"))


def test_samples_swap_and_surprise_are_one_click_away(visit: Visit) -> None:
    page = visit()
    page.click("#room-studio button[title='Marble head']")
    expect(page.locator("#content-caption")).to_have_text("Marble head")
    expect(page.locator("#room-studio button[title='Marble head']")).to_have_attribute("aria-pressed", "true")
    style = page.inner_text("#style-caption")
    page.click("#swap")
    expect(page.locator("#style-caption")).to_have_text("Marble head")
    expect(page.locator("#content-caption")).to_have_text(style)
    page.click("#surprise")
    expect(page.locator("#style-caption")).not_to_have_text("Marble head")


def test_a_bad_upload_says_why_beside_the_field_and_as_a_toast(visit: Visit, tmp_path: Path) -> None:
    page = visit(lossy=True)  # the browser logs a refused upload
    for name, size, words in (
        ("notes.txt", 40, "must be a picture"),
        ("scan.png", 31 * 2**20, "must be at most 30 MB, got 31.0 MB"),
    ):
        (tmp_path / name).write_bytes(b"words" * (size // 5 + 1))
        page.set_input_files("#content-upload input[type=file]", tmp_path / name)
        for place in ("#content-error", "#toast"):
            expect(page.locator(place)).to_contain_text(words)
            expect(page.locator(place)).to_contain_text(name)


def test_a_wrong_option_is_named_beside_its_field(visit: Visit) -> None:
    page = visit()
    page.fill("#option-size", "8")
    page.click("#start")
    expect(page.locator("#option-size-error")).to_have_text("Size must be a whole number between 64 and 4096, got 8")
    expect(page.locator("#option-size")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#toast")).to_be_visible()


def test_a_run_that_fails_says_why(visit: Visit) -> None:
    page = visit()
    open_advanced(page)
    page.fill("#option-seed", "13")
    page.click("#start")
    wait_for_status(page, "Failed: the loss ran away")
    expect(page.locator("#toast")).to_contain_text("learning rate")


def test_an_unknown_run_is_said_plainly(visit: Visit) -> None:
    page = visit("/?run=nowhere")
    wait_for_status(page, "This run was deleted, or its address is wrong.")


def test_a_double_click_starts_one_run(visit: Visit, site: Site) -> None:
    def runs() -> int:
        with urllib.request.urlopen(f"{site.url}/api/v1/runs?limit=500") as answer:
            return len(json.load(answer)["runs"])

    page, before = visit(), runs()
    page.fill("#epochs", "3")
    page.dblclick("#start")
    wait_for_status(page, "Finished")
    assert runs() == before + 1


def test_the_button_that_loads_settings_shows_its_focus(visit: Visit) -> None:
    page = visit()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.settings-upload') !== null"):
            break
    expect(page.locator(".settings-upload")).to_have_css("outline-style", "solid")


def test_a_run_needs_no_mouse(visit: Visit) -> None:
    page = visit()
    focus(page, "epochs")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    focus(page, "start")
    page.keyboard.press("Enter")
    wait_for_status(page, "Finished: 2 epochs")
    focus(page, "download")


def test_opening_the_studio_asks_the_server_for_nothing_of_other_pages(visit: Visit) -> None:
    page, asked = visit(), []
    page.on("request", lambda request: asked.append(request.post_data or "") if "_dash-update" in request.url else None)
    page.reload()
    expect(page.locator("#estimate")).to_contain_text("About")
    outputs = [json.loads(body)["output"] for body in asked]
    assert any("estimate.children" in output for output in outputs)
    assert [output for output in outputs if re.search("room-learn|compared|vary-", output)] == []
