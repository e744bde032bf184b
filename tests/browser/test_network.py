"""What the page makes of a bad network, and of a server that goes and comes back."""

from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.conftest import (
    Site,
    Visit,
    first_shown,
    set_up,
    shown,
    start_long_run,
    stop,
    wait_for_epoch,
    wait_for_status,
)


def test_a_slow_link_still_shows_every_epoch(visit: Visit) -> None:
    page = visit(lossy=True)
    link = page.context.new_cdp_session(page)
    link.send("Network.enable")
    conditions = {"offline": False, "latency": 600, "downloadThroughput": 200_000, "uploadThroughput": 200_000}
    link.send("Network.emulateNetworkConditions", conditions)
    set_up(page, epochs=8, steps=60)
    page.click("#start")
    wait_for_status(page, "Finished")
    page.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    assert shown(page) == [*(f"{n}.jpg" for n in range(9)), "result.png"]


def test_a_result_that_is_lost_on_the_way_is_asked_for_again_and_a_frame_that_hangs_is_passed_over(
    visit: Visit,
) -> None:
    page = visit(lossy=True)
    lost = []

    def lose_once(route: Route) -> None:
        lost.append(route)
        route.abort() if len(lost) == 1 else route.continue_()

    page.route("**/result.png*", lose_once)
    page.route("**/frames/35.jpg", lambda route: None)
    set_up(page, epochs=40, steps=30)
    page.click("#start")
    page.wait_for_function("window.shown.at(-1)?.includes('result.png')")
    epochs = [epoch for epoch in range(first_shown(page), 41) if epoch != 35]
    assert epochs[0] < 35
    assert shown(page) == [*(f"{epoch}.jpg" for epoch in epochs), "result.png"]


def test_offline_is_said_and_the_run_goes_on_afterwards(visit: Visit) -> None:
    page = visit(lossy=True)
    start_long_run(page)
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    before = int(page.get_attribute("#progress", "value") or 0)
    page.context.set_offline(False)
    wait_for_epoch(page, before + 5)
    expect(page.locator(".offline")).to_be_hidden()
    stop(page)


HIDDEN = """value => {
    Object.defineProperty(document, "hidden", { get: () => value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_an_idle_page_hears_of_a_run_that_goes_on_elsewhere_once_it_is_looked_at(visit: Visit) -> None:
    page = visit()
    set_up(page, epochs=5, steps=1)
    page.click("#start")
    wait_for_status(page, "Finished: 5 epochs")
    page.evaluate(HIDDEN, True)
    other = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(other, "Finished: 5 epochs")
    other.click("#continue")
    wait_for_status(other, "Finished: 15 epochs")
    assert page.inner_text("#status").startswith("Finished: 5 epochs")
    page.evaluate(HIDDEN, False)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    wait_for_status(page, "Finished: 15 epochs")


def test_start_without_a_server_says_that_nobody_answered(visit: Visit) -> None:
    page = visit(lossy=True)
    page.context.set_offline(True)
    page.click("#start")
    expect(page.locator("#toast")).to_contain_text("The studio does not answer. Press Start again once it does.")
    page.context.set_offline(False)
    page.fill("#epochs", "2")
    page.click("#start")
    wait_for_status(page, "Finished")
    expect(page.locator("#toast")).to_be_hidden()


def test_a_server_that_restarts_says_what_became_of_the_run(visit: Visit, tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.start()
    try:
        page = visit(url=site.url, lossy=True)
        start_long_run(page)
        site.stop()
        site.start()
        wait_for_status(page, "Interrupted")
        page.fill("#epochs", "2")
        page.click("#start")
        wait_for_status(page, "Finished")
    finally:
        site.stop()
