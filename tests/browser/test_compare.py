"""Two runs compared, named and used again, in a real browser."""

import re
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, follow, set_up, wait_for_epoch, wait_for_status
from tests.browser.test_gallery import card, enter, paint
from tests.browser.test_looks import findings, squeeze

SIDES = "[...document.querySelectorAll('.compared-side .viewer-stage')].map((each) => each.style.transform)"

NOTIFICATIONS = """
window.sent = [];
window.Notification = class {
  static permission = "default";
  static requestPermission = async () => (Notification.permission = "granted");
  constructor(text) { window.sent.push(text); }
};
document.hasFocus = () => false;
"""


def choose(page: Page, *runs: str) -> None:
    enter(page)
    for run in runs:
        button = card(page, run).get_by_role("button", name="Compare")
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")


def open_run(page: Page, run: str) -> None:
    """Show a finished run in the studio, with all that can be done with it."""
    follow(page, f"/?run={run}")
    wait_for_status(page, "Finished")
    page.click(".more-actions summary")


def test_two_runs_are_chosen_in_the_gallery_and_compared_by_keyboard(visit: Visit) -> None:
    page = visit()
    bold, subtle = paint(page, "isle.png", strength=4.0), paint(page, "isle.png", strength=0.5)
    choose(page, bold)
    expect(page.locator("#chosen-text")).to_contain_text("press Compare on another run")
    choose(page, subtle)
    expect(page.locator("#chosen-text")).to_have_text(re.compile(r"\(Strength 4\)” and .*\(Strength 0\.5\)”"))
    page.locator("#compare-chosen").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/compare\\?a={bold}&b={subtle}$"))
    expect(page).to_have_title("Compare · nst studio")
    expect(page.locator(".differences tbody tr")).to_have_text(["Strength40.5"])
    page.focus("#compared-cut")
    page.keyboard.press("Home")
    expect(page.locator("#compared-cut")).to_have_attribute("aria-valuetext", "0 % of the first picture")
    page.reload()
    expect(page.locator(".differences tbody tr")).to_have_text(["Strength40.5"])


def test_pictures_side_by_side_are_zoomed_and_moved_together(visit: Visit) -> None:
    page = visit()
    first, second = paint(page, "cape.png"), paint(page, "bay.png")
    follow(page, f"/compare?a={first}&b={second}")
    page.get_by_role("link", name="Side by side").click()
    expect(page).to_have_url(re.compile("&view=side$"))
    page.focus("#compared-0 .viewer-window")
    for _ in range(4):
        page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{SIDES}.length === 2 && {SIDES}[0] === {SIDES}[1] && !{SIDES}[0].includes('scale(1)')")
    page.get_by_role("link", name="Under one slider").click()
    stage = "document.querySelector('#compared-both .viewer-stage')?.style.transform"
    page.wait_for_function(f"{stage} && !{stage}.includes('scale(1)')")
    page.get_by_role("link", name="Side by side").click()
    page.wait_for_function(f"{SIDES}.length === 2")
    page.set_viewport_size({"width": 390, "height": 844})
    tops = "[...document.querySelectorAll('.compared-side .viewer')].map((each) => each.getBoundingClientRect().top)"
    page.wait_for_function(f"{tops}[1] > {tops}[0] + 100")


def test_a_run_is_named_and_found_by_its_name(visit: Visit) -> None:
    page = visit()
    run = paint(page, "quay.png")
    open_run(page, run)
    expect(page.locator("#run-name")).to_have_attribute("placeholder", "quay after wave")
    page.fill("#run-name", "The quay, bolder")
    page.fill("#run-notes", "for the kitchen")
    page.locator("#run-notes").blur()
    address = urljoin(page.url, f"/api/v1/runs/{run}")
    page.wait_for_function(
        "async (address) => (await (await fetch(address)).json()).notes === 'for the kitchen'", arg=address
    )
    enter(page)
    page.fill("#words", "bolder kitchen")
    expect(card(page, run)).to_contain_text("The quay, bolder")
    expect(page.locator("#found")).to_have_text("1 run")


def test_a_result_becomes_the_content_or_the_style_of_the_next_run(visit: Visit) -> None:
    page = visit()
    run = paint(page, "pier.png")
    enter(page)
    card(page, run).get_by_role("link", name="Use as style").click()
    expect(page.locator("#room-studio")).to_be_visible()
    expect(page.locator("#style-caption")).to_have_text("pier after wave")
    expect(page.locator("#style-preview")).to_have_attribute("src", re.compile("uploads/"))
    open_run(page, run)
    page.click("#use-as-content")
    expect(page.locator("#content-caption")).to_have_text("pier after wave")


def test_a_result_is_upscaled_from_itself(visit: Visit) -> None:
    page = visit()
    run = paint(page, "dune.png")
    open_run(page, run)
    expect(page.locator("#print-size")).to_have_text(re.compile(r"^\d+\.\d × \d+\.\d cm$"))
    forecast = page.locator("#upscale-forecast")
    expect(forecast).to_have_text(re.compile(r"^About .+, \d\.\d GB"))
    page.select_option("#upscaled-side", "4096")
    expect(forecast).to_contain_text("Size 4096 needs")
    page.select_option("#upscaled-side", "2048")
    expect(forecast).to_contain_text("About")
    page.click("#upscale")
    expect(page.locator("#lineage")).to_contain_text("Upscaled from dune after wave")
    wait_for_status(page, "Finished")
    expect(page.locator("#lineage a")).to_have_attribute("href", f"/?run={run}")


def test_the_title_of_the_tab_and_a_notification_tell_that_a_run_has_ended(visit: Visit) -> None:
    page = visit()
    page.evaluate(NOTIFICATIONS)
    set_up(page, epochs=400, steps=10)
    page.click("#start")
    wait_for_epoch(page, 2)
    expect(page).to_have_title(re.compile(r"^\d+ % · nst studio$"))
    assert page.evaluate("window.sent") == [], "it is never asked for by itself"
    page.click("#notify")
    expect(page.locator("#notify")).to_have_attribute("aria-pressed", "true")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page).to_have_title("Stopped · nst studio")
    assert page.evaluate("window.sent")[0].startswith("Stopped: Harbor at dusk after Night wind")
    page.mouse.click(5, 5)
    expect(page).to_have_title("nst studio")


def test_a_notification_tells_that_the_queue_is_empty_too(visit: Visit) -> None:
    page = visit()
    page.evaluate(NOTIFICATIONS)
    page.click("#notify")  # before there is anything to wait for
    expect(page.locator("#notify")).to_have_attribute("aria-pressed", "true")
    set_up(page, epochs=400, steps=10)
    page.click("#start")
    wait_for_epoch(page, 1)
    page.fill("#epochs", "2")
    page.click("#start")
    expect(page.locator("#added")).to_have_text("1 run added to the queue: second in line.")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    page.wait_for_function("window.sent.length === 2")
    assert [text.partition(":")[0] for text in page.evaluate("window.sent")] == ["Stopped", "The queue is empty"]
    expect(page).to_have_title("Queue empty · nst studio")


def test_a_link_that_cannot_be_copied_is_shown_without_an_error(visit: Visit) -> None:
    page = visit()
    run = paint(page, "shoal.png")
    follow(page, f"/?run={run}")
    wait_for_status(page, "Finished")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as on http://192.168.0.2
    page.click("#copy-run-link")
    expect(page.locator("#note")).to_contain_text("Copy this address")
    expect(page.locator("#note")).to_contain_text(page.url)
    expect(page.locator("#toast")).to_be_hidden()


def test_the_link_to_a_run_is_copied(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    run = paint(page, "reef.png")
    follow(page, f"/?run={run}")
    wait_for_status(page, "Finished")
    page.click("#copy-run-link")
    expect(page.locator("#copy-run-link")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    expect(page.locator("#copy-run-link")).to_have_text("Copy link")


def test_axe_finds_nothing_in_a_comparison(visit: Visit) -> None:
    page = visit(color_scheme="light")
    first, second = paint(page, "a" * 100 + ".png"), paint(page, "sound.png", strength=3.0)
    choose(page, first, second)
    assert findings(page) == []
    page.click("#compare-chosen")
    expect(page.locator(".differences")).to_be_visible()
    assert findings(page) == []
    squeeze(page)
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator(".compared-side")).to_be_visible()
    assert findings(page) == []
    squeeze(page)
