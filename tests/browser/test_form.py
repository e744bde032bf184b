"""The form, as a person fills it in."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit, focus, wait_for_status

LAST = "document.querySelector('#loss-graph .js-plotly-plot').layout.xaxis.range[1]"


def test_sliders_and_boxes_move_together(visit: Visit) -> None:
    page = visit()
    page.fill("#epochs", "7")
    expect(page.locator("#option-epochs")).to_have_value("7")
    page.fill("#option-strength", "10")
    expect(page.locator("#strength")).to_have_value("1")
    page.fill("#strength", "-1")
    expect(page.locator("#option-strength")).to_have_value("0.1")


def test_a_switch_puts_auto_in_the_place_of_the_epochs_and_lets_the_slider_rest(visit: Visit) -> None:
    page = visit()
    page.fill("#epochs", "7")
    focus(page, "epochs-word")
    page.keyboard.press("Space")
    expect(page.locator("#option-epochs")).to_have_value("auto")
    expect(page.locator("#epochs")).to_be_disabled()
    page.keyboard.press("Space")
    expect(page.locator("#option-epochs")).to_have_value("7")
    expect(page.locator("#epochs")).to_be_enabled()
    page.fill("#option-epochs", "auto")
    expect(page.get_by_label("Until it hardly changes")).to_be_checked()
    page.fill("#option-epochs", "12")
    expect(page.get_by_label("Until it hardly changes")).not_to_be_checked()
    expect(page.locator("#epochs")).to_have_value("12")


def test_a_switch_pressed_in_the_same_moment_as_the_slider_moves_is_heard(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        """() => {
            const slider = document.querySelector("#epochs");
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, "7");
            for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind, { bubbles: true }));
            document.querySelector("#epochs-word").click();
        }"""
    )
    expect(page.locator("#option-epochs")).to_have_value("auto")
    expect(page.get_by_label("Until it hardly changes")).to_be_checked()
    expect(page.locator("#epochs")).to_be_disabled()


def test_a_run_that_ends_by_itself_is_whole_and_comes_back_with_its_settings(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Until it hardly changes").check()
    page.click("#start")
    expect(page.locator("#numbers")).to_contain_text("of at most 100")
    wait_for_status(page, "Finished: 31 epochs")
    expect(page.locator("#numbers")).to_contain_text("Epoch 31 of 31")
    assert page.get_attribute("#progress", "value") == page.get_attribute("#progress", "max") == "31"
    page.wait_for_function(f"{LAST} === 31")
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(again, "Finished: 31 epochs")
    expect(again.get_by_label("Until it hardly changes")).to_be_checked()
    expect(again.locator("#option-epochs")).to_have_value("auto")
    expect(again.locator("#epochs")).to_be_disabled()
    again.wait_for_function(f"{LAST} === 31")


def test_the_painter_follows_the_extractor_that_is_chosen(visit: Visit) -> None:
    page = visit()
    page.select_option("#option-extractor", "vgg16")
    expect(page.locator("#painter")).to_contain_text("VGG16 cannot paint yet: its weights are not here.")
    expect(page.locator("#fetch")).to_have_text("Fetch VGG16")
    page.select_option("#option-extractor", "compact")
    expect(page.locator("#painter")).to_contain_text(re.compile("^The compact network will paint"))
    expect(page.locator("#fetch")).to_be_hidden()
