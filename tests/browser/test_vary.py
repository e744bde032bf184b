"""Variations: a grid of quick runs fills in, is kept, and is painted large."""

from playwright.sync_api import Page, expect

from nst.web.pages.vary import NONE
from tests.browser.conftest import Visit, focus
from tests.browser.test_looks import findings, squeeze

LOADED = "document.querySelectorAll('#vary-grid img').length === {count} && [...document.querySelectorAll('#vary-grid img')].every((image) => image.complete && image.naturalWidth)"  # noqa: E501 one expression of the browser


def begin(page: Page, first: tuple[str, str], second: tuple[str, str] = (NONE, "")) -> None:
    """Start a grid; the proposed values of an option come before others are filled in."""
    for n, (name, values) in enumerate((first, second)):
        option, box = page.locator(f"#vary-option-{n}"), page.locator(f"#vary-values-{n}")
        if option.input_value() != name:
            proposed = box.input_value()
            option.select_option(name)
            expect(box).not_to_have_value(proposed)
        if name != NONE:
            box.fill(values)
    page.click("#vary-start")
    expect(page.locator("#vary-grid table")).to_be_visible()


def wait_until_painted(page: Page, count: int) -> None:
    expect(page.locator("#vary-status")).to_have_text(f"{count} quick runs")
    page.wait_for_function(LOADED.format(count=count))


def test_a_grid_fills_in_survives_a_reload_and_is_painted_large(visit: Visit) -> None:
    page = visit()
    page.click("#to-vary")
    begin(page, ("steps_per_epoch", "1, 2"), ("strength", "1, 2"))
    wait_until_painted(page, 4)
    page.reload()
    for n, option in enumerate(("steps_per_epoch", "strength")):
        expect(page.locator(f"#vary-option-{n}")).to_have_value(option)
        expect(page.locator(f"#vary-values-{n}")).to_have_value("1, 2")
    wait_until_painted(page, 4)
    page.click("#vary-grid [data-do=paint][aria-label='Paint large: Steps per epoch 2, Strength 1']")
    expect(page.locator("#room-studio")).to_be_visible()
    page.wait_for_function("Number(document.querySelector('#progress')?.max) === 40")
    page.click("#to-vary")
    expect(page.locator("#vary-grid table")).to_be_visible()


def test_a_star_keeps_a_quick_run_in_the_gallery(visit: Visit) -> None:
    page = visit("/vary")
    begin(page, ("steps_per_epoch", "1, 2"))
    wait_until_painted(page, 2)
    run = page.locator("#vary-grid .star").first.get_attribute("data-run")
    page.click("#to-gallery")
    expect(page.locator("#used-text")).not_to_be_empty()
    expect(page.locator(f"#card-{run}")).to_have_count(0)
    page.click("#to-vary")
    page.click(f"#vary-grid .star[data-run='{run}']")
    expect(page.locator(f"#vary-grid .star-on[data-run='{run}']")).to_be_visible()
    page.click("#to-gallery")
    expect(page.locator(f"#card-{run}")).to_be_visible()


def test_a_grid_can_be_stopped_by_keyboard(visit: Visit) -> None:
    page = visit("/vary")
    begin(page, ("epochs", "800, 900, 1000"))
    focus(page, "vary-stop")
    page.keyboard.press("Enter")
    expect(page.locator("#vary-status")).to_have_text("3 quick runs")
    expect(page.locator("#vary-stop")).to_be_hidden()
    expect(page.locator("#vary-grid td:last-child .vary-cell-stopped")).to_be_visible()


def test_axe_finds_nothing_on_the_page_and_nothing_sticks_out(visit: Visit) -> None:
    page = visit("/vary", color_scheme="light")
    page.fill("#vary-values-0", "1, many")
    expect(page.locator("#vary-values-0-error")).to_contain_text("Strength must be")
    expect(page.locator("#vary-start")).to_be_disabled()
    assert findings(page) == []
    begin(page, ("seed", "1, 2"), ("strength", "1, 2"))
    wait_until_painted(page, 4)
    assert findings(page) == []
    squeeze(page)


def test_an_address_without_a_grid_says_so(visit: Visit) -> None:
    page = visit("/vary#nothing")
    expect(page.locator("#vary-status")).to_have_text("there are no variations 'nothing'.")
    expect(page.locator(".vary-empty")).to_be_visible()
