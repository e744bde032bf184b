"""VGG19 comes by itself: how the page shows it, and how one does without."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visit, focus, set_up, wait_for_status


@pytest.fixture(scope="module")
def first_starts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    """Studios at their first start, which takes a while, by the functions in fake_runner.py that are their download."""
    folder = tmp_path_factory.mktemp("sites")
    sites = {fetch: Site(folder / fetch, fetch) for fetch in ("fetch", "fetch_for_ever", "fetch_in_vain")}
    for site in sites.values():
        site.launch()
    yield sites
    for site in sites.values():
        site.stop()


@pytest.fixture
def open_first(visit: Visit, first_starts: dict[str, Site]) -> Callable[[str], Page]:
    """Opens the studio whose download is the function of that name."""

    def opened(fetch: str) -> Page:
        first_starts[fetch].wait_until_warm()
        return visit(url=first_starts[fetch].url)

    return opened


def test_vgg19_comes_by_itself_and_paints_from_then_on(open_first: Callable[[str], Page]) -> None:
    page = open_first("fetch")
    expect(page.locator("#painter")).to_contain_text("VGG19 is ready: the next run paints with it.")
    expect(page.locator("#fetching")).to_be_hidden()
    expect(page.locator("#fetch")).to_be_hidden()
    page.fill("#option-epochs", "1000")
    expect(page.locator("#painter")).to_contain_text("The built-in network will paint all the same: VGG19 would take")


def test_a_run_paints_meanwhile_and_a_key_cancels_and_begins_again(open_first: Callable[[str], Page]) -> None:
    page = open_first("fetch_for_ever")
    painter, bar = page.locator("#painter"), page.get_by_label("Fetching VGG19: 31 of 80 MB")
    expect(painter).to_have_text("The built-in network will paint until VGG19 is here.")
    expect(painter).to_have_attribute("aria-live", "polite")
    expect(bar).to_be_visible()
    assert bar.get_attribute("value") == "31000000"
    set_up(page, epochs=2, steps=1)
    page.click("#start")
    wait_for_status(page, "Finished")
    focus(page, "cancel-fetch")
    page.keyboard.press("Enter")
    expect(painter).to_contain_text("The download was cancelled, and will not begin again by itself.")
    expect(bar).to_be_hidden()
    expect(page.locator("#fetch")).to_be_focused()
    page.keyboard.press("Enter")
    expect(bar).to_be_visible()
    expect(page.locator("#cancel-fetch")).to_be_focused()


def test_a_download_that_fails_is_one_quiet_line(open_first: Callable[[str], Page]) -> None:
    page = open_first("fetch_in_vain")
    said = page.locator(".fetch-result")
    expect(said).to_have_text(
        "VGG19 could not be fetched: there is no connection to its server, or it broke. Try again later."
    )
    expect(page.locator("#fetch")).to_be_visible()
    expect(page.locator("#toast")).to_be_hidden()
    for word in ("http", "Errno", "192.0.2.1"):
        expect(page.locator("body")).not_to_contain_text(word)
