"""Variations: a grid of quick runs fills in, is kept, and is painted large."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

LOADED = "document.querySelectorAll('#vary-grid img').length === {count} && [...document.querySelectorAll('#vary-grid img')].every((image) => image.complete && image.naturalWidth)"  # noqa: E501 one expression of the browser


def begin(page: Page, first: tuple[str, str], second: tuple[str, str] = ("", "")) -> None:
    """Start a grid; the proposed values of an option come before others are filled in."""
    for n, (name, values) in enumerate((first, second)):
        option, box = page.locator(f"#vary-option-{n}"), page.locator(f"#vary-values-{n}")
        if option.input_value() != name:
            proposed = box.input_value()
            option.select_option(name)
            expect(box).not_to_have_value(proposed)
        if name:
            box.fill(values)
    page.click("#vary-start")
    expect(page.locator("#vary-grid table")).to_be_visible()


def wait_until_painted(page: Page, count: int) -> None:
    expect(page.locator("#vary-status")).to_have_text(f"{count} quick runs", timeout=60_000)
    page.wait_for_function(LOADED.format(count=count))


def test_a_grid_fills_in_survives_a_reload_and_is_painted_large(visit: Visit) -> None:
    page = visit()
    page.click("#to-vary")
    begin(page, ("steps_per_epoch", "1, 2"), ("strength", "1, 2"))
    wait_until_painted(page, 4)
    page.reload()
    wait_until_painted(page, 4)
    page.click("#vary-grid [data-do=paint][aria-label='Paint large: Steps per epoch 2, Strength 1']")
    expect(page.locator("#room-studio")).to_be_visible()
    page.wait_for_function("Number(document.querySelector('#progress')?.max) === 40")
    expect(page.locator("#option-steps_per_epoch")).to_have_value("2")
    expect(page.locator("#option-size")).to_have_value("512")
    page.click("#to-vary")
    expect(page.locator("#vary-grid table")).to_be_visible()


def test_an_address_without_a_grid_says_so(visit: Visit) -> None:
    page = visit("/vary#nothing")
    expect(page.locator("#vary-status")).to_have_text("there are no variations 'nothing'.")
    expect(page.locator(".vary-empty")).to_be_visible()
