"""The page that asks for the token of a private studio."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import TIMEOUT, Site
from tests.browser.test_looks import findings

TOKEN = "open-sesame-open"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("private"), token=TOKEN)
    site.start()
    yield site
    site.stop()


def test_the_token_opens_the_page_that_was_asked_for_until_all_browsers_are_logged_out(
    browser: Browser, private: Site
) -> None:
    contexts = [browser.new_context(color_scheme="light", bypass_csp=True, reduced_motion="reduce") for _ in range(2)]
    page, other = (context.new_page() for context in contexts)
    for each in (page, other):
        each.set_default_timeout(TIMEOUT)
    page.goto(f"{private.url}/gallery")
    expect(page).to_have_url(f"{private.url}/login?next=/gallery")
    expect(page.get_by_label("Token")).to_be_focused()
    page.keyboard.type("another token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That is not this studio’s token.")
    assert findings(page) == []
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{private.url}/gallery")
    expect(page.locator("#room-gallery")).to_be_visible()
    other.goto(f"{private.url}/login?token={TOKEN}")
    expect(other.locator("#room-studio")).to_be_visible()
    page.get_by_role("button", name="everywhere").click()
    expect(page).to_have_url(f"{private.url}/login")
    expect(other).to_have_url(f"{private.url}/login?next=%2F")  # it notices when a poll is refused
    for context in contexts:
        context.close()
