"""The card that shows what the losses consist of, in a real browser."""

from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit, follow, set_up, wait_for_status


def test_an_answer_that_comes_after_another_run_was_opened_is_not_shown(visit: Visit) -> None:
    page = visit()
    set_up(page, epochs=2, steps=1)
    runs: list[str] = []
    for finished in ("Finished: 2 epochs", "Finished: 3 epochs"):
        page.click("#start")
        wait_for_status(page, finished)
        runs.append(page.url.partition("run=")[2])
        page.fill("#epochs", "3")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "diagnose.n_clicks" in route.request.post_data_json["changedPropIds"]:
            held.append(route)
        else:
            route.continue_()

    def answer(route: Route, run: str) -> None:
        data: dict[str, Any] = {"run": run, "state": f"Of {run}.", "view": None}
        route.fulfill(json={"multi": True, "response": {"diagnosis-answer": {"data": data}}})

    page.route("**/_dash-update-component*", hold)
    page.click(".diagnosis-card summary")
    state = page.locator("#diagnosis-state")
    with page.expect_request(lambda request: "diagnose.n_clicks" in (request.post_data or "")):
        page.click("#diagnose")
    expect(state).to_have_text("Examining …")
    follow(page, f"/?run={runs[0]}")
    wait_for_status(page, "Finished: 2 epochs")
    expect(state).to_be_empty()
    page.evaluate(
        """window.said = [];
        const line = document.querySelector("#diagnosis-state");
        new MutationObserver(() => window.said.push(line.textContent))
            .observe(line, { childList: true, characterData: true, subtree: true });"""
    )
    with page.expect_response(lambda response: "diagnose.n_clicks" in (response.request.post_data or "")):
        answer(held.pop(), runs[1])
    with page.expect_request(lambda request: "diagnose.n_clicks" in (request.post_data or "")):
        page.click("#diagnose")
    expect(state).to_have_text("Examining …")
    answer(held.pop(), runs[0])
    expect(state).to_have_text(f"Of {runs[0]}.")
    assert f"Of {runs[1]}." not in page.evaluate("window.said")
    page.unroute("**/_dash-update-component*")
    page.click("#diagnose")
    expect(state).to_contain_text("Epoch 2, painted at")  # by a worker
    heat_map = page.locator(".overlaid .heat-map").first
    expect(heat_map).to_have_css("opacity", "0.72")
    page.locator(".overlaid").first.focus()
    expect(heat_map).to_have_css("opacity", "0.15")


def test_the_card_does_not_wait_for_a_studio_that_is_gone(visit: Visit) -> None:
    page = visit(lossy=True)
    page.click(".diagnosis-card summary")
    page.context.set_offline(True)
    page.click("#diagnose")
    expect(page.locator("#diagnosis-state")).to_have_text("The studio does not answer. Try again once it does.")
