"""The form, as a person fills it in."""

import re
import zipfile

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, focus, open_advanced, wait_for_status
from tests.web.sites import picture

LAST = "document.querySelector('#loss-graph .js-plotly-plot')?.layout?.xaxis?.range?.[1]"


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
    expect(page.get_by_label("Stop when it converges")).to_be_checked()
    page.fill("#option-epochs", "12")
    expect(page.get_by_label("Stop when it converges")).not_to_be_checked()
    expect(page.locator("#epochs")).to_have_value("12")


def move_slider_and_click(page: Page, epochs: int, button: str) -> None:
    """Move the slider of the epochs and click a button, before any callback can run in between."""
    page.evaluate(
        """([epochs, button]) => {
            const slider = document.querySelector("#epochs");
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, epochs);
            for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind, { bubbles: true }));
            document.querySelector(button).click();
        }""",
        [str(epochs), button],
    )


def test_start_paints_what_the_slider_was_moved_to_in_the_same_moment(visit: Visit) -> None:
    page = visit()
    move_slider_and_click(page, 3, "#start")
    wait_for_status(page, "Finished: 3 epochs")


def test_a_switch_pressed_in_the_same_moment_as_the_slider_moves_is_heard(visit: Visit) -> None:
    page = visit()
    move_slider_and_click(page, 7, "#epochs-word")
    expect(page.locator("#option-epochs")).to_have_value("auto")
    expect(page.get_by_label("Stop when it converges")).to_be_checked()
    expect(page.locator("#epochs")).to_be_disabled()


def test_a_run_that_ends_by_itself_is_whole_and_comes_back_with_its_settings(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Stop when it converges").check()
    page.click("#start")
    expect(page.locator("#numbers")).to_contain_text("of at most 100")
    wait_for_status(page, "Finished: 31 epochs")
    expect(page.locator("#numbers")).to_contain_text("Epoch 31 of 31")
    assert page.get_attribute("#progress", "value") == page.get_attribute("#progress", "max") == "31"
    page.wait_for_function(f"{LAST} === 31")
    again = visit(page.url.removeprefix(page.evaluate("location.origin")))
    wait_for_status(again, "Finished: 31 epochs")
    expect(again.get_by_label("Stop when it converges")).to_be_checked()
    expect(again.locator("#option-epochs")).to_have_value("auto")
    expect(again.locator("#epochs")).to_be_disabled()
    again.wait_for_function(f"{LAST} === 31")


def test_the_painter_follows_the_extractor_that_is_chosen(visit: Visit) -> None:
    page = visit()
    open_advanced(page)
    page.select_option("#option-extractor", "vgg16")
    expect(page.locator("#painter")).to_contain_text("VGG16 cannot paint yet: its weights are not here.")
    expect(page.locator("#fetch")).to_have_text("Fetch VGG16")
    page.select_option("#option-extractor", "compact")
    expect(page.locator("#painter")).to_contain_text(re.compile("^The built-in network will paint"))
    expect(page.locator("#fetch")).to_be_hidden()


def test_a_look_sets_its_options_and_is_marked_while_they_are_its_own(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Balanced")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Bold").click()
    expect(page.locator("#option-strength")).to_have_value("4")
    expect(page.locator("#option-style_scale")).to_have_value("1.4")
    expect(page.get_by_role("button", name="Bold")).to_have_attribute("aria-pressed", "true")
    page.fill("#option-strength", "5")
    expect(page.get_by_role("button", name="Bold")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Balanced").click()
    expect(page.locator("#option-strength")).to_have_value("1")
    expect(page.locator("#option-style_scale")).to_have_value("1")


# The kept preset as it was saved while an option had its earlier name.
WITH_AN_EARLIER_NAME = """() => {
  const presets = JSON.parse(localStorage.getItem("presets"));
  const { normalization, ...others } = presets.Postcards;
  presets.Postcards = { ...others, normalisation: "gatys" };
  localStorage.setItem("presets", JSON.stringify(presets));
}"""


def test_a_preset_of_ones_own_survives_a_reload_and_is_deleted(visit: Visit) -> None:
    page = visit()
    page.fill("#option-size", "320")
    page.click(".looks-panel summary")
    page.click("#save-preset")
    expect(page.locator("#preset-name-error")).to_have_text("Enter a name for the preset.")
    page.fill("#preset-name", "Postcards")
    expect(page.locator("#preset-name-error")).to_be_empty()
    page.press("#preset-name", "Enter")
    expect(page.locator("#chosen-preset")).to_have_value("Postcards")
    page.fill("#option-size", "640")
    page.evaluate(WITH_AN_EARLIER_NAME)
    page.reload()
    page.click(".looks-panel summary")
    page.select_option("#chosen-preset", "Postcards")
    expect(page.locator("#option-size")).to_have_value("320")
    expect(page.locator("#option-normalization")).to_have_value("gatys")
    page.fill("#option-size", "640")
    page.click("#apply-preset")
    expect(page.locator("#option-size")).to_have_value("320")
    page.fill("#option-size", "480")
    page.fill("#preset-name", "Postcards")
    page.click("#save-preset")
    expect(page.locator("#preset-name-error")).to_have_text("Save again to replace “Postcards”.")
    assert page.evaluate("JSON.parse(localStorage.getItem('presets')).Postcards.size") == "320"
    page.click("#save-preset")
    page.wait_for_function("JSON.parse(localStorage.getItem('presets')).Postcards.size === '480'")
    page.click("#delete-preset")
    expect(page.locator("#preset-name-error")).to_have_text("Press Delete again to delete “Postcards”.")
    page.click("#delete-preset")
    expect(page.locator("#chosen-preset option", has_text="Postcards")).to_have_count(0)
    expect(page.locator("#preset-name-error")).to_be_empty()


def test_the_form_and_the_pictures_survive_a_reload_before_start(visit: Visit) -> None:
    page = visit()
    page.click("#room-studio button[title='Marble head']")
    page.fill("#option-strength", "2.5")
    page.wait_for_function("localStorage.getItem('nst-draft')?.match(/marble.*2[.]5/s)")
    page.reload()
    expect(page.locator("#content-caption")).to_have_text("Marble head")
    expect(page.locator("#option-strength")).to_have_value("2.5")
    page.click("h1 a")
    expect(page.locator("#content-caption")).not_to_have_text("Marble head")
    expect(page.locator("#option-strength")).to_have_value("1")


def test_the_page_is_afresh_after_a_run_was_started(visit: Visit) -> None:
    page = visit()
    page.fill("#option-size", "64")
    page.fill("#option-epochs", "1")
    page.wait_for_function("localStorage.getItem('nst-draft')?.includes('\"64\"')")
    page.click("#start")
    page.wait_for_url("**/?run=*")
    page.goto(page.evaluate("location.origin"))
    expect(page.locator("#option-size")).to_have_value("512")


def test_what_is_wrong_stands_beside_its_field_while_one_types(visit: Visit) -> None:
    page = visit()
    page.fill("#option-size", "8")
    expect(page.locator("#option-size-error")).to_have_text("Size must be a whole number between 64 and 4096, got 8")
    page.fill("#option-size", "")
    expect(page.locator("#option-size-error")).to_have_text("Size: enter a whole number between 64 and 4096")
    page.fill("#option-size", "128")
    expect(page.locator("#option-size-error")).to_be_empty()
    open_advanced(page)
    page.fill("#option-content_layers", "nonsense")
    beside = page.locator("#option-content_layers-error")
    expect(beside).to_contain_text("Content layers: the vgg19 network has no layer 'nonsense'; it has block1_conv1,")
    expect(page.locator("#estimate")).to_be_empty()
    page.fill("#option-content_layers", "block4_conv2")
    expect(beside).to_be_empty()


def test_start_opens_the_section_of_a_wrong_field_and_moves_the_focus_there(visit: Visit) -> None:
    page = visit()
    open_advanced(page)
    page.fill("#option-seed", "x")
    page.locator(".accordion-button:has-text('Advanced')").click()
    expect(page.locator("#option-seed")).to_be_hidden()
    for _ in range(2):
        page.click("#start")
        expect(page.locator("#option-seed")).to_be_focused()
        expect(page.locator("#option-seed")).to_be_in_viewport()
    expect(page.locator("#option-seed-error")).to_be_visible()


def test_a_logarithmic_slider_tells_its_value_not_its_exponent(visit: Visit) -> None:
    page = visit()
    page.fill("#strength", "1")
    expect(page.locator("#strength")).to_have_attribute("aria-valuetext", "10")


PASTE = """async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 200 });
    canvas.getContext("2d").fillRect(0, 0, 90, 90);
    const data = new DataTransfer();
    data.items.add(new File([await new Promise((done) => canvas.toBlob(done))], "x.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def test_pasted_pictures_go_to_the_content_and_then_to_the_style(visit: Visit) -> None:
    page = visit()
    page.evaluate(PASTE)
    expect(page.locator("#content-caption")).to_have_text("pasted.png")
    page.evaluate(PASTE)
    expect(page.locator("#style-caption")).to_have_text("pasted.png")


def test_several_photographs_get_a_run_each_and_one_file_of_results(visit: Visit) -> None:
    page = visit()
    sizes = {"hill.png": 300, "lake.png": 200}
    files = [{"name": name, "mimeType": "image/png", "buffer": picture(width, 150)} for name, width in sizes.items()]
    page.set_input_files("#content-upload input[type=file]", files)
    expect(page.locator("#content-caption")).to_have_text("hill.png and 1 more")
    expect(page.locator("#content-remark")).to_have_text("2 photographs: a run for each.")
    page.fill("#option-epochs", "2")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.click("#start")
    expect(page.locator("#batch-text")).to_have_text("2 of 2 photographs done", timeout=60_000)
    expect(page.locator("#batch-link")).to_have_text("Download all (ZIP)")
    states = [url for url in asked if re.search("/api/v1/runs([?]|/[0-9a-f]{32}$)", url)]
    assert states[-1].count("run=") == 2  # one request for all that have ended
    assert all("?" in url for url in states)
    with page.expect_download() as download:
        page.click("#batch-link")
    assert zipfile.ZipFile(download.value.path()).namelist() == ["hill.png", "lake.png"]


def test_a_small_photograph_says_how_it_will_look(visit: Visit) -> None:
    page = visit()
    small = {"name": "stamp.png", "mimeType": "image/png", "buffer": picture(40, 30)}
    page.set_input_files("#content-upload input[type=file]", small)
    expect(page.locator("#content-remark")).to_have_text(
        "Only 40 × 30 px: it is enlarged, and will look soft, without detail."
    )


def test_a_run_that_is_opened_on_a_phone_shows_the_painting(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    page.fill("#option-epochs", "1")
    page.click("#start")
    wait_for_status(page, "Finished")
    page.evaluate("window.scrollTo(0, 0)")
    page.reload()
    top = "document.querySelector('.image-panel')?.getBoundingClientRect().top"
    page.wait_for_function(f"Math.abs({top}) < 100")
