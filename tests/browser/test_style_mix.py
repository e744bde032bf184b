"""Several paintings in one run: added and weighed in the form, and weighed again while they are painted."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit


def add_painting(page: Page, number: int, sample: int = 2) -> None:
    page.click("#add-style")
    page.locator(f"#style{number}-slot .sample").nth(sample).click()
    expect(page.locator(f"#style-mix-{number - 1}-row")).to_be_visible()


def set_slider(page: Page, name: str, value: float) -> None:
    page.fill(f"#style-mix-{name}", str(value))


def test_a_painting_is_removed_and_those_after_it_move_up_with_their_weights(visit: Visit) -> None:
    page = visit()
    add_painting(page, 2)
    add_painting(page, 3, 4)
    set_slider(page, "2-weight", 80)
    third = page.inner_text("#style3-caption")
    page.click("#style2-remove")
    expect(page.locator("#style2-caption")).to_have_text(third)
    expect(page.locator("#style3-slot")).to_be_hidden()
    expect(page.locator("#style-mix-1-weight")).to_have_value("80")
    expect(page.locator("#option-style_mix")).to_have_value("0.5,0.8")
    page.click("#style2-remove")
    expect(page.locator("#style-mix")).to_be_hidden()
    expect(page.locator("#option-style_mix")).to_have_value("")
    page.fill("#option-style_scale", "2")
    page.click("#add-style")
    expect(page.locator("#style2-preview")).not_to_have_attribute("src", "")
    page.locator("#style2-slot .sample").first.click()
    expect(page.locator("#option-style_scales")).to_have_value("2,2")
