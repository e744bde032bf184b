"""The gallery: one's runs found again, kept, used and thrown away."""

import json
import re
import zlib
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import (
    Visit,
    focus,
    follow,
    open_advanced,
    start_long_run,
    stop,
    wait_for_epoch,
    wait_for_status,
)
from tests.browser.test_looks import findings, squeeze
from tests.web.sites import picture

LARGE = "document.querySelector('#image-graph image')?.getBoundingClientRect().width > 100"


def paint(page: Page, name: str, wait: bool = True, **options: Any) -> str:
    """Have a run painted of a picture of that name; its id, once it has ended."""
    colour = f"hsl({zlib.crc32(name.encode()) % 360}, 50%, 50%)"  # the same bytes would be one upload, of the last name
    files = {
        role: {"name": file, "mimeType": "image/png", "buffer": picture(colour=colour)}
        for role, file, colour in (("content", name, colour), ("style", "wave.png", "white"))
    }
    options = {"epochs": 1, "steps_per_epoch": 1, "size": 64} | options
    runs = urljoin(page.url, "/api/v1/runs")
    answer = page.request.post(runs, multipart={**files, "options": json.dumps(options)})
    assert answer.ok, answer.text()
    run, last, ended = answer.json()["id"], 0, not wait
    while not ended:
        found = page.request.get(f"{runs}/{run}/events?after={last}&wait=10").json()
        last = found["last"]
        ended = any(event["kind"] in ("finished", "failed") for event in found["events"])
    return run


def card(page: Page, run: str) -> Locator:
    return page.locator(f"#card-{run}")


def enter(page: Page) -> None:
    page.click("#to-gallery")
    expect(page.locator("#room-gallery")).to_be_visible()
    expect(page.locator("#room-studio")).to_be_hidden()


def test_a_run_is_found_by_the_name_of_its_picture(visit: Visit) -> None:
    page = visit()
    boat, castle = paint(page, "boat at noon.png"), paint(page, "castle.png")
    enter(page)
    expect(card(page, boat)).to_contain_text("boat at noon after wave")
    expect(card(page, castle)).to_contain_text("Finished")
    page.fill("#words", "wave noon")
    expect(card(page, castle)).to_have_count(0)
    expect(card(page, boat)).to_be_visible()
    expect(page.locator("#found")).to_have_text("1 run")
    page.fill("#words", "no such thing")
    expect(page.locator("#none-found")).to_be_visible()
    page.fill("#words", "")
    expect(card(page, castle)).to_be_visible()
    expect(page.locator("#none-found")).to_be_hidden()


def test_the_wall_is_narrowed_to_a_state(visit: Visit) -> None:
    page = visit()
    fine, failed = paint(page, "fine.png"), paint(page, "awry.png", seed=13, epochs=5)
    enter(page)
    expect(card(page, fine)).to_be_visible()
    page.select_option("#of-state", "failed")
    expect(card(page, fine)).to_have_count(0)
    expect(card(page, failed)).to_contain_text("Failed")


def test_a_star_is_kept_and_narrows_the_wall(visit: Visit) -> None:
    page = visit()
    loved, other = paint(page, "loved.png"), paint(page, "other.png")
    enter(page)
    star = card(page, loved).locator(".star")
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_text("★")
    expect(star).to_be_focused()
    page.goto(page.url)
    expect(star).to_have_text("★")
    page.get_by_label("Favorites", exact=True).check()
    expect(card(page, other)).to_have_count(0)
    expect(card(page, loved)).to_be_visible()
    star.click()
    expect(card(page, loved)).to_have_count(0)


def test_a_run_that_is_deleted_leaves_the_studio_and_comes_back_when_that_is_undone(visit: Visit) -> None:
    page = visit()
    run = paint(page, "shown.png")
    follow(page, f"/?run={run}")
    expect(page.locator("#download")).to_have_attribute("href", re.compile("result.png"))
    enter(page)
    card(page, run).get_by_role("button", name="Delete").click()
    page.click("#to-studio")
    wait_for_status(page, "This run was deleted")
    for gone in ("#history", "#steer", "#image-graph image"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator("#numbers")).to_be_empty()
    expect(page.locator("#download")).to_be_disabled()
    page.click("#to-gallery")
    page.click("#undo")
    page.click("#to-studio")
    wait_for_status(page, "Finished")
    expect(page.locator("#branch")).to_be_visible()
    expect(page.locator("#scrubbed")).to_have_text("Epoch 1")
    expect(page.locator("#image-graph image")).to_have_attribute("href", re.compile("result.png"))
    expect(page.locator("#download")).to_have_attribute("href", re.compile("result.png"))


def test_what_was_deleted_is_brought_back_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    run, last = paint(page, "unloved.png"), paint(page, "unloved too.png")
    enter(page)
    for each in (run, last):
        card(page, each).get_by_role("button", name="Delete").focus()
        page.keyboard.press("Enter")
        expect(card(page, each)).to_have_count(0)
        expect(page.locator("#undo")).to_be_focused()
    expect(page.locator("#bin-text")).to_have_text("Deleted “unloved too after wave”.")
    page.keyboard.press("Enter")
    expect(card(page, last)).to_be_visible()
    expect(page.locator("#bin-text")).to_have_text("Deleted “unloved after wave”.")
    page.keyboard.press("Enter")
    expect(card(page, run)).to_be_visible()
    expect(page.locator("#bin")).to_be_hidden()
    expect(card(page, run).get_by_role("button", name="Delete")).to_be_focused()


def test_a_run_that_is_painted_is_not_deleted_and_its_card_tells_when_it_has_ended(visit: Visit) -> None:
    page = visit()
    run = paint(page, "slow.png", wait=False, epochs=1000, steps_per_epoch=30)
    enter(page)
    expect(card(page, run).get_by_role("button", name="Delete")).to_be_disabled()
    star = card(page, run).locator(".star")
    star.focus()
    assert page.request.post(urljoin(page.url, f"/api/v1/runs/{run}/stop")).ok
    expect(card(page, run)).to_contain_text("Stopped")
    expect(star).to_be_focused()


def test_a_tab_that_is_looked_at_again_shows_what_came_and_keeps_its_focus(visit: Visit) -> None:
    page = visit()
    before = paint(page, "before.png")
    enter(page)
    star = card(page, before).locator(".star")
    star.focus()
    came = paint(page, "came.png")
    expect(card(page, came)).to_have_count(0)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(card(page, came)).to_be_visible()
    expect(star).to_be_focused()


def test_settings_are_used_again_without_starting(visit: Visit) -> None:
    page = visit()
    run = paint(page, "harbour wall.png", epochs=3, seed=77)
    enter(page)
    card(page, run).get_by_role("link", name="Use these settings").click()
    expect(page.locator("#room-studio")).to_be_visible()
    expect(page.locator("#option-seed")).to_have_value("77")
    expect(page.locator("#option-epochs")).to_have_value("3")
    expect(page.locator("#content-caption")).to_have_text("harbour wall.png")
    wait_for_status(page, "Ready")
    expect(page).to_have_url(re.compile("/$"))
    open_advanced(page)
    page.fill("#option-seed", "78")
    enter(page)
    card(page, run).get_by_role("link", name="Use these settings").click()
    expect(page.locator("#option-seed")).to_have_value("77")


def test_a_picture_opens_in_the_studio_and_back_leads_to_the_gallery(visit: Visit) -> None:
    page = visit()
    run = paint(page, "opened.png")
    page.evaluate("window.same = true")
    enter(page)
    card(page, run).get_by_role("link", name="Open:").click()
    wait_for_status(page, "Finished")
    expect(page).to_have_url(re.compile(f"/\\?run={run}$"))
    expect(page).to_have_title("nst studio")
    page.go_back()
    expect(page.locator("#room-gallery")).to_be_visible()
    expect(page).to_have_title("Gallery · nst studio")
    page.go_forward()
    expect(page.locator("#room-studio")).to_be_visible()
    page.click("#to-gallery")
    expect(page).to_have_url(re.compile(f"/gallery\\?run={run}$"))
    expect(page.locator("#to-gallery")).to_have_attribute("aria-current", "page")
    page.click("#to-studio")
    wait_for_status(page, "Finished")
    assert page.evaluate("window.same"), "nothing was loaded anew"


def test_a_painting_goes_on_behind_the_gallery(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    enter(page)
    before = int(page.locator("#progress").get_attribute("value"))
    wait_for_epoch(page, before + 3)
    expect(page.locator(".run-card .state").first).to_have_text("Running")
    page.click("#to-studio")
    page.wait_for_function(LARGE)
    stop(page)
    page.wait_for_function("window.shown.at(-1).includes('result.png')")


def test_the_gallery_has_an_address_of_its_own(visit: Visit) -> None:
    page = visit()
    run = paint(page, "deep.png")
    page.goto(page.url.rstrip("/") + "/gallery")
    expect(card(page, run)).to_be_visible()
    expect(page).to_have_title("Gallery · nst studio")
    with page.context.expect_page() as opened:
        page.locator("#to-studio").click(modifiers=["ControlOrMeta"])
    expect(opened.value.locator("#room-studio")).to_be_visible()
    expect(page.locator("#room-gallery")).to_be_visible()


@pytest.mark.parametrize(("given", "meant"), [("/instant/", "/instant"), ("/galery", "/")])
def test_an_address_that_is_none_becomes_the_one_that_was_meant(visit: Visit, given: str, meant: str) -> None:
    page = visit()
    page.goto(urljoin(page.url, given))
    page.wait_for_url(re.compile(f"^http://[^/]+{meant}$"))
    expect(page.locator("#room-instant")).to_be_visible(visible=meant == "/instant")
    expect(page.locator("#room-studio")).to_be_visible(visible=meant == "/")


def test_axe_finds_nothing_and_nothing_sticks_out(visit: Visit) -> None:
    page = visit(color_scheme="light")
    run = paint(page, "a" * 100 + ".png")
    focus(page, "to-gallery")
    page.keyboard.press("Enter")
    expect(card(page, run)).to_be_visible()
    assert findings(page) == []
    card(page, run).get_by_role("button", name="Delete").click()
    expect(page.locator("#undo")).to_be_visible()
    assert findings(page) == []
    squeeze(page)
    page.fill("#words", "no such thing")
    expect(page.locator("#none-found")).to_be_visible()
    assert findings(page) == []
