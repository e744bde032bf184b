"""What the form is filled from: a draft, the run of the address, and the settings or the result that it names."""

import re

from playwright.sync_api import Page, expect

from nst.options.style_options import StyleOptions
from tests.browser.conftest import Visit, set_up, wait_for_status
from tests.browser.test_vary import begin, wait_until_painted
from tests.web.sites import picture

SIZE = str(StyleOptions().size)
KEPT = "localStorage.getItem('nst-draft')"
DRAFT = f"[sessionStorage.getItem('nst-draft'), {KEPT}].join()"  # beside a run, and without one


def paint(page: Page, size: int) -> str:
    """Paint a small run; returns its address."""
    set_up(page, epochs=1)
    page.fill("#option-size", str(size))
    before = page.url
    page.click("#start")
    page.wait_for_url(lambda url: "?run=" in url and url != before)
    wait_for_status(page, "Finished")
    return page.url


def path_of(page: Page, address: str) -> str:
    return address.removeprefix(page.evaluate("location.origin"))


def open_in_gallery(page: Page, address: str) -> None:
    page.click("#to-gallery")
    page.locator(f"#card-{address.partition('run=')[2]}").get_by_role("link", name="Open:").click()
    page.wait_for_url(address)


def test_a_run_that_is_looked_at_leaves_what_was_prepared(visit: Visit) -> None:
    page = visit()
    first = paint(page, 64)
    paint(page, 96)
    page.fill("#option-strength", "3")
    page.wait_for_function(f"{DRAFT}?.includes('\"3\"')")
    open_in_gallery(page, first)
    expect(page.locator("#progress")).to_have_attribute("value", "1")
    expect(page.locator("#option-size")).to_have_value("96")
    page.reload()
    wait_for_status(page, "Finished")
    expect(page.locator("#option-size")).to_have_value("96")
    expect(page.locator("#option-strength")).to_have_value("3")
    other = visit(path_of(page, first))
    expect(other.locator("#option-size")).to_have_value("64")
    expect(other.locator("#option-strength")).to_have_value("1")


def test_upscaled_and_quick_runs_never_fill_the_form(visit: Visit) -> None:
    page = visit()
    paint(page, 64)
    page.click(".more-actions summary")
    page.click("#upscale")
    expect(page.locator("#lineage")).to_contain_text("Upscaled from")
    wait_for_status(page, "Finished")
    expect(page.locator("#option-size")).to_have_value("64")
    other = visit(path_of(page, page.url))
    wait_for_status(other, "Finished")
    expect(other.locator("#option-size")).to_have_value(SIZE)
    other.click("#to-vary")
    begin(other, ("strength", "1, 2"))
    wait_until_painted(other, 2)
    quick = other.locator("#vary-grid a[href^='/?run=']").first.get_attribute("href")
    assert quick
    third = visit(quick)
    wait_for_status(third, "Finished")
    expect(third.locator("#option-size")).to_have_value(SIZE)


def test_a_draft_survives_a_reload_beside_a_finished_run(visit: Visit) -> None:
    page = visit()
    paint(page, 64)
    page.set_input_files(
        "#content-upload input[type=file]", {"name": "new.png", "mimeType": "image/png", "buffer": picture(200, 150)}
    )
    expect(page.locator("#content-caption")).to_have_text("new.png")
    page.fill("#option-strength", "3")
    page.wait_for_function(f'{DRAFT}?.match(/new[.]png.*"3"/s)')
    page.reload()
    wait_for_status(page, "Finished")
    expect(page.locator("#content-caption")).to_have_text("new.png")
    expect(page.locator("#option-strength")).to_have_value("3")


def test_drafts_of_two_addresses_do_not_disturb_each_other(visit: Visit) -> None:
    page = visit()
    run = paint(page, 64)
    page.goto(page.evaluate("location.origin"))
    expect(page.locator("#option-size")).to_have_value(SIZE)
    page.fill("#option-strength", "3")
    page.wait_for_function(f"{DRAFT}?.includes('\"3\"')")
    other = page.context.new_page()
    other.goto(run)
    expect(other.locator("#option-size")).to_have_value("64")
    page.reload()
    expect(page.locator("#option-strength")).to_have_value("3")


def test_a_result_is_taken_once_and_leaves_the_address(visit: Visit) -> None:
    page = visit()
    run = paint(page, 64)
    caption, result = page.locator("#content-caption"), re.compile(" after ")
    page.click(".more-actions summary")
    for _ in range(2):
        page.click("#use-as-content")
        expect(caption).to_have_text(result)
        page.wait_for_url(re.compile(r"/$"))
        page.click("#room-studio button[title='Marble head']")
        expect(caption).to_have_text("Marble head")
        open_in_gallery(page, run)
    page.goto(f"{run}&content_of={run.partition('run=')[2]}")
    expect(caption).to_have_text(result)
    page.wait_for_url(run)
    page.click("#room-studio button[title='Marble head']")
    page.wait_for_function(f"{DRAFT}?.includes('Marble head')")
    page.reload()
    wait_for_status(page, "Finished")
    expect(caption).to_have_text("Marble head")


def test_a_draft_whose_upload_was_deleted_says_so_and_takes_the_first_choice(visit: Visit) -> None:
    page = visit(lossy=True)  # the browser logs what is not there
    before = page.inner_text("#content-caption")
    page.set_input_files(
        "#content-upload input[type=file]", {"name": "gone.png", "mimeType": "image/png", "buffer": picture(200, 150)}
    )
    page.wait_for_function(f"{DRAFT}?.includes('gone.png')")
    page.evaluate(f"localStorage.setItem('nst-draft', {KEPT}.replace(/uploads\\/\\w+/, 'uploads/{64 * '0'}'))")
    page.reload()
    expect(page.locator("#content-error")).to_have_text("Not stored any more: “gone.png”. Choose again.")
    expect(page.locator("#content-caption")).to_have_text(before)


def test_the_skip_link_and_a_grid_leave_no_fragment_behind(visit: Visit) -> None:
    page = visit()
    page.locator(".skip-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#start")).to_be_focused()
    assert "#" not in page.url
    page.click("#to-vary")
    begin(page, ("strength", "1, 2"))
    wait_until_painted(page, 2)
    grid = page.url
    page.click("#to-studio")
    page.wait_for_url(re.compile(r"/$"))
    page.click("#to-vary")
    page.wait_for_url(grid)
    expect(page.locator("#vary-grid table")).to_be_visible()
