"""A run's course in a real browser: steered, paused, looked back at, branched, continued, restored from its result."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import (
    SOON,
    TIMEOUT,
    Site,
    Visit,
    open_advanced,
    set_up,
    start_long_run,
    stop,
    wait_for_curve,
    wait_for_epoch,
    wait_for_status,
)


def start(page: Page, epochs: int) -> None:
    set_up(page, epochs)
    page.click("#start")


def steer(page: Page, label: str, value: str) -> None:
    page.locator("#room-studio").get_by_label(f"{label}, as a number", exact=True).last.fill(value)


def hold_the_first_change(page: Page) -> list[Route]:
    """Hold back the next change of a slider; returns the list that its request is in once it was sent."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "steer-wish" not in route.request.post_data_json["changedPropIds"][0] or held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/_dash-update-component*", hold)
    return held


def run_of(page: Page, site: Site) -> dict:
    run_id = page.url.partition("run=")[2]
    return page.request.get(f"{site.url}/api/v1/runs/{run_id}").json()


def source(page: Page) -> str:
    return page.evaluate("document.querySelector('#image-graph image')?.href.baseVal")


def test_sliders_steer_the_run_that_is_painted_and_leave_a_mark(visit: Visit, site: Site) -> None:
    page = visit()
    expect(page.locator("#steer")).to_be_hidden()
    start_long_run(page)
    expect(page.locator("[data-label=Strength] input[type=range]")).to_have_attribute("aria-valuetext", "1")
    steer(page, "Strength", "3")
    shapes = "document.querySelector('#loss-graph .js-plotly-plot')?.layout?.shapes"
    page.wait_for_function(f"{shapes}?.some((shape) => shape.name === 'strength 3')")
    expect(page.locator("#marks")).to_contain_text(": strength 3")
    product = "The style counts 32 × strength 3 = 96. Strength multiplies the neighbors as well."
    expect(page.locator("#steer-product")).to_have_text(product)
    run = run_of(page, site)
    assert (run["options"]["strength"], run["options_now"]["strength"]) == (1.0, 3.0)
    page.locator("#steer summary").click()
    steer(page, "block3_conv1", "0.5")
    expect(page.locator("#marks")).to_contain_text(": style layers")
    steer(page, "Smoothness weight", "-4")
    expect(page.locator("#steer-error")).to_contain_text(
        "Smoothness weight must be a number between 0 and 1000000, got -4"
    )
    steer(page, "Smoothness weight", "2")
    expect(page.locator("#marks")).to_contain_text(": smoothness weight 2")
    expect(page.locator("#steer-error")).to_be_empty()
    stop(page)
    steered = run_of(page, site)["steered"]
    assert [next(iter(change["changes"])) for change in steered] == ["strength", "style_layers", "tv_weight"]
    assert steered[1]["changes"]["style_layers"]["block3_conv1"] == 0.5


def test_sliders_moved_in_quick_succession_all_arrive_beside_a_wrong_value(visit: Visit, site: Site) -> None:
    page = visit()
    start_long_run(page)
    page.locator("#steer summary").click()
    steer(page, "block1_conv1", "0.6")
    expect(page.locator("#marks")).to_contain_text(": style layers")
    moves = {"Strength": "3", "block3_conv1": "0.5", "Smoothness weight": "-4"}
    page.evaluate(
        """(moves) => {
            const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
            for (const [label, value] of Object.entries(moves)) {
                const box = document.querySelector(`#room-studio .steer-field[data-label="${label}"] input[type=text]`);
                setValue.call(box, value);
                box.dispatchEvent(new Event("input", { bubbles: true }));
            }
        }""",
        moves,
    )
    expect(page.locator("#steer-error")).to_contain_text(
        "Smoothness weight must be a number between 0 and 1000000, got -4"
    )
    expect(page.locator("#marks")).to_contain_text(": strength 3, style layers")
    now = run_of(page, site)["options_now"]
    assert (now["strength"], now["tv_weight"]) == (3, None)
    assert (now["style_layers"]["block1_conv1"], now["style_layers"]["block3_conv1"]) == (0.6, 0.5)
    stop(page)


def test_a_change_waits_for_the_answer_to_the_one_before(visit: Visit, site: Site) -> None:
    page = visit()
    start_long_run(page)
    held = hold_the_first_change(page)
    with page.expect_request(lambda request: "steer-wish.data" in (request.post_data or "")):
        steer(page, "Strength", "3")
    steer(page, "Content weight", "7")
    steer(page, "Style weight", "9")
    seen = int(page.get_attribute("#progress", "value") or 0)
    wait_for_epoch(page, seen + 5)  # of 50 ms, more than the page waits for further moves
    assert run_of(page, site)["steered"] == []
    held[0].continue_()
    expect(page.locator("#marks")).to_contain_text(": content weight 7, style weight 9")
    steered = run_of(page, site)["steered"]
    assert [change["changes"] for change in steered] == [{"strength": 3}, {"content_weight": 7, "style_weight": 9}]
    stop(page)


def test_a_change_that_the_network_holds_back_for_long_comes_again_with_the_next_and_never_after_it(
    visit: Visit, site: Site
) -> None:
    page = visit(lossy=True)  # the page gives the request up
    start_long_run(page)
    held = hold_the_first_change(page)
    page.clock.install()
    with page.expect_request(lambda request: "steer-wish.data" in (request.post_data or "")):
        steer(page, "Strength", "3")
    page.clock.fast_forward(11_000)
    steer(page, "Content weight", "7")
    expect(page.locator("#marks")).to_contain_text(": strength 3, content weight 7")
    steer(page, "Strength", "2")
    expect(page.locator("#marks")).to_contain_text(": strength 2")
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    stop(page)
    steered = run_of(page, site)["steered"]
    assert [change["changes"] for change in steered] == [{"strength": 3, "content_weight": 7}, {"strength": 2}]


def test_a_run_is_paused_and_goes_on_where_it_was(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    page.click("#pause")
    wait_for_status(page, "Paused at epoch")
    expect(page.locator("#pause")).to_have_text("Resume")
    expect(page.locator("#start")).to_be_enabled()
    paused = int(re.findall(r"\d+", page.inner_text("#status"))[0])
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(again, f"Paused at epoch {paused}")
    page.click("#pause")
    wait_for_status(page, "Running")
    expect(page.locator("#pause")).to_have_text("Pause")
    wait_for_epoch(page, paused + 2)
    stop(page)
    last = int(page.get_attribute("#progress", "value") or 0)
    assert last >= paused + 2
    wait_for_curve(page, 0, last)


def test_the_scrubber_looks_back_by_mouse_and_by_arrow_keys_and_the_losses_follow(visit: Visit) -> None:
    page = visit()
    start(page, 12)
    wait_for_status(page, "Finished")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 12")
    expect(page.locator("#epoch-scrubber")).to_have_attribute("max", "12")
    page.wait_for_function("document.querySelector('#image-graph image')?.href.baseVal.includes('result.png')")
    page.fill("#epoch-scrubber", "5")
    page.wait_for_function("document.querySelector('#image-graph image')?.href.baseVal.endsWith('/frames/5.jpg')")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 5")
    cursor = "document.querySelector('#loss-graph .js-plotly-plot')?.layout?.shapes?.[0]"
    page.wait_for_function(f"{cursor}?.x0 === 5 && {cursor}?.visible")
    page.focus("#epoch-scrubber")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 4")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 6")
    page.wait_for_function("document.querySelector('#image-graph image')?.href.baseVal.endsWith('/frames/6.jpg')")
    page.click("#mark")
    expect(page.locator("#mark")).to_have_attribute("aria-pressed", "true")
    page.fill("#epoch-scrubber", "12")
    page.wait_for_function("document.querySelector('#image-graph image')?.href.baseVal.includes('result.png')")
    page.wait_for_function(f"{cursor}?.visible === false")
    expect(page.locator("#mark")).to_have_attribute("aria-pressed", "false")
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(again, "Finished")
    again.fill("#epoch-scrubber", "6")
    expect(again.locator("#mark")).to_have_attribute("aria-pressed", "true")


def test_looking_back_stays_while_new_epochs_come(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    wait_for_epoch(page, 6)
    page.fill("#epoch-scrubber", "3")
    page.wait_for_function("document.querySelector('#image-graph image')?.href.baseVal.endsWith('/frames/3.jpg')")
    page.fill("#to-epoch", "77")
    seen = int(page.get_attribute("#progress", "value") or 0)
    wait_for_epoch(page, seen + 5)
    expect(page.locator("#to-epoch")).to_have_value("77")
    assert source(page).endswith("/frames/3.jpg")
    assert int(page.get_attribute("#epoch-scrubber", "max") or 0) > seen
    stop(page)


def test_a_branch_begins_with_the_epoch_that_is_shown_and_with_the_sliders_weights(visit: Visit, site: Site) -> None:
    page = visit()
    start(page, 10)
    wait_for_status(page, "Finished: 10 epochs")
    parent = run_of(page, site)
    page.fill("#epoch-scrubber", "4")
    expect(page.locator("#scrubbed")).to_have_text("Epoch 4")
    steer(page, "Strength", "5")
    page.click("#branch")
    expect(page.locator("#lineage")).to_contain_text("Branched from Harbor at dusk after Night wind")
    wait_for_status(page, "Finished: 10 epochs")
    child = run_of(page, site)
    assert (child["parent"], child["first"], child["options"]["strength"]) == (parent["id"], 4, 5.0)
    wait_for_curve(page, 4, 10)
    assert page.get_attribute("#epoch-scrubber", "min") == "4"
    page.click(f"#lineage a[href$='{parent['id']}']")
    expect(page.locator("#lineage")).to_contain_text("Branch: Harbor at dusk after Night wind")
    expect(page.locator("#epoch-scrubber")).to_have_attribute("min", "0")


def test_a_finished_run_is_continued(visit: Visit, site: Site) -> None:
    page = visit()
    start(page, 5)
    wait_for_status(page, "Finished: 5 epochs")
    expect(page.locator("#to-epoch")).to_have_value("15")
    page.fill("#to-epoch", "3")
    page.click("#continue")
    expect(page.locator("#toast")).to_contain_text("a whole number between 6 and 1005, got '3'")
    page.fill("#to-epoch", "9")
    page.click("#continue")
    wait_for_status(page, "Finished: 9 epochs")
    wait_for_curve(page, 0, 9)
    expect(page.locator("#scrubbed")).to_have_text("Epoch 9")


def test_a_result_gives_its_settings_back(visit: Visit, site: Site, tmp_path: Path) -> None:
    page = visit()
    page.fill("#option-strength", "2.5")
    open_advanced(page)
    page.fill("#option-seed", "77")
    start(page, 3)
    wait_for_status(page, "Finished")
    run = run_of(page, site)
    result = tmp_path / "result.png"
    result.write_bytes(page.request.get(site.url + run["result"]).body())
    fresh = visit()
    fresh.set_input_files("#settings input[type=file]", result)
    expect(fresh.locator("#settings-said")).to_contain_text("The settings of result.png are in the form.")
    expect(fresh.locator("#option-seed")).to_have_value("77")
    expect(fresh.locator("#option-strength")).to_have_value("2.5")
    expect(fresh.locator("#option-epochs")).to_have_value("3")
    # dropped on the painting it does the same
    other = visit()
    other.evaluate(
        """async (url) => {
            const file = new File([await (await fetch(url)).blob()], "dropped.png", { type: "image/png" });
            const data = new DataTransfer();
            data.items.add(file);
            document.querySelector("#easel").dispatchEvent(
                new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
        }""",
        run["result"],
    )
    expect(other.locator("#settings-said")).to_contain_text("The settings of dropped.png are in the form.")
    plain = tmp_path / "plain.png"
    plain.write_bytes(page.request.get(f"{site.url}/api/v1/samples/harbour.png").body())
    fresh.set_input_files("#settings input[type=file]", plain)
    expect(fresh.locator("#toast")).to_contain_text("'plain.png' carries no settings")
    fresh.set_input_files("#settings input[type=file]", result)
    expect(fresh.locator("#toast")).to_be_hidden(timeout=SOON)


def test_a_timelapse_is_made_and_offered(visit: Visit, site: Site) -> None:
    page = visit()
    start(page, 6)
    wait_for_status(page, "Finished")
    page.select_option("#film-format", "webp")
    page.click("#film")
    link = page.locator("#film-link")
    expect(link).to_be_visible(timeout=2 * TIMEOUT)
    film = page.request.get(site.url + (link.get_attribute("href") or "")).body()
    assert film[:4] == b"RIFF"
    assert (link.get_attribute("download") or "").endswith(".webp")


def test_a_run_that_a_dead_server_left_is_continued_with_one_click(visit: Visit, site: Site) -> None:
    page = visit(lossy=True)
    start_long_run(page)
    page.click("#pause")
    wait_for_status(page, "Paused")
    page.click("#pause")
    wait_for_status(page, "Running")
    site.kill()
    site.start()
    wait_for_status(page, "Interrupted: the server was stopped")
    expect(page.locator("#continue")).to_be_enabled()
    page.click("#continue")
    wait_for_status(page, "Running")
    epochs = json.loads(page.request.get(f"{site.url}/api/v1/runs/{page.url.partition('run=')[2]}/events").text())
    assert [event["kind"] for event in epochs["events"]].count("continued") == 2
    stop(page)


def test_start_while_a_run_paints_queues_the_next_which_can_be_moved_and_removed(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    shown_run = page.url
    expect(page.locator("#start")).to_have_text("Add to queue")
    expect(page.locator("#run-queue")).to_be_hidden()
    for waiting in (1, 2):
        page.click("#start")
        expect(page.locator(".run-queued:not(.run-painted)")).to_have_count(waiting)
    assert page.url == shown_run
    links = page.locator(".run-queued:not(.run-painted) a")
    first, second = (link.get_attribute("href") or "" for link in links.all())
    page.locator("[data-queue=earlier]:enabled").click()
    expect(links.first).to_have_attribute("href", second)
    expect(page.locator(".run-queued:not(.run-painted) small").first).to_have_text("second in line")
    page.locator("[data-queue=remove]").first.click()
    expect(links).to_have_count(1)
    expect(links.first).to_have_attribute("href", first)
    page.click("#stop")
    wait_for_status(page, "Stopped")
    page.locator(f"#run-queue a[href='{first}']").click()
    wait_for_status(page, "Running")
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator("#run-queue")).to_be_hidden()


def test_resume_is_primary_and_clear_and_restart_takes_one_click(visit: Visit, site: Site) -> None:
    page = visit()
    start_long_run(page)
    page.click("#pause")
    wait_for_status(page, "Paused at epoch")
    expect(page.locator("#pause")).to_have_class(re.compile(r"btn-primary"))
    expect(page.locator("#start")).to_have_class(re.compile(r"btn-outline-secondary"))
    page.click("#pause")
    wait_for_status(page, "Running")
    page.click("#start")
    expect(page.locator(".run-queued:not(.run-painted)")).to_have_count(1)
    before = run_of(page, site)["id"]
    page.click("#restart")
    page.wait_for_function("before => !location.search.includes(before)", arg=before)
    wait_for_status(page, "Running")
    page.wait_for_function(  # it ends its epoch first
        "async path => (await (await fetch(path)).json()).state === 'stopped'", arg=f"/api/v1/runs/{before}"
    )
    expect(page.locator(".run-queued:not(.run-painted)")).to_have_count(1)
    page.locator("[data-queue=remove]").click()
    expect(page.locator("#run-queue")).to_be_hidden()
    page.click("#stop")
    wait_for_status(page, "Stopped")
    expect(page.locator("#restart")).to_be_hidden()


def test_the_focus_stays_at_the_buttons_that_are_pressed_by_keys(visit: Visit) -> None:
    page = visit()
    start_long_run(page)
    page.locator("#pause").press("Enter")
    wait_for_status(page, "Paused at epoch")
    expect(page.locator("#pause")).to_be_focused()
    page.keyboard.press("Enter")
    wait_for_status(page, "Running")
    expect(page.locator("#pause")).to_be_focused()
    page.locator("#stop").press("Enter")
    wait_for_status(page, "Stopped")
    expect(page.locator("#continue")).to_be_focused()
    page.keyboard.press("Enter")
    wait_for_status(page, "Running")
    expect(page.locator("#pause")).to_be_focused()
    stop(page)
