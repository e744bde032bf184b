"""Several paintings in one run: added and weighed in the form, and weighed again while they are painted."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visit, start_long_run, stop, wait_for_status
from tests.browser.test_actions import run_of, steer
from tests.browser.test_looks import squeeze
from tests.web.sites import picture

LONG_NAME = f"IMG_20260612_183045_HDR_edited_final_{'x' * 40}.png"


def add_painting(page: Page, number: int, sample: int = 2) -> None:
    page.click("#add-style")
    page.locator(f"#style{number}-slot .sample").nth(sample).click()
    expect(page.locator(f"#style-mix-{number - 1}-row")).to_be_visible()


def set_slider(page: Page, name: str, value: float) -> None:
    page.fill(f"#style-mix-{name}", str(value))


def test_paintings_are_added_weighed_steered_and_come_back_with_the_run(visit: Visit, site: Site) -> None:
    page = visit()
    expect(page.locator("#style-mix")).to_be_hidden()
    add_painting(page, 2)
    add_painting(page, 3, 4)
    set_slider(page, "0-weight", 60)
    set_slider(page, "1-weight", 30)
    set_slider(page, "2-weight", 30)
    set_slider(page, "1-scale", 0.3)
    expect(page.locator("#style-mix-0-share")).to_have_text("50 %")
    expect(page.locator("#option-style_mix")).to_have_value("0.6,0.3,0.3")
    expect(page.locator("#option-style_scales")).to_have_value("1,2,1")
    start_long_run(page)
    title = page.inner_text("#style2-caption")
    steer(page, title, "1.2")
    expect(page.locator("#marks")).to_contain_text("style mix 0.6 : 1.2 : 0.3")
    stop(page)
    run = run_of(page, site)
    assert len(run["more_styles"]) == 2
    assert (run["options"]["style_mix"], run["options_now"]["style_mix"]) == ([0.6, 0.3, 0.3], [0.6, 1.2, 0.3])
    again = visit(f"/?like={run['id']}")
    expect(again.locator("#style3-slot")).to_be_visible()
    expect(again.locator("#style-mix-0-weight")).to_have_value("100")
    expect(again.locator("#style-mix-1-scale")).to_have_value("0.3")
    expect(again.locator("#option-style_mix")).to_have_value("0.6,0.3,0.3")
    gallery = visit("/gallery")
    expect(gallery.locator(f"#card-{run['id']} .run-sources img")).to_have_count(4)
    expect(gallery.locator(f"#card-{run['id']} h3")).to_contain_text(f"and {title}")


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
    page.get_by_role("button", name="Starting image").click()
    page.fill("#option-style_scale", "2")
    page.click("#add-style")
    page.locator("#style2-slot .sample").first.click()
    expect(page.locator("#option-style_scales")).to_have_value("2,2")


def test_a_preset_of_two_paintings_suits_a_single_one(visit: Visit) -> None:
    page = visit()
    add_painting(page, 2)
    expect(page.locator("#option-style_mix")).to_have_value("0.5,0.5")
    page.fill("#option-strength", "2")
    page.click(".looks-panel summary")
    page.fill("#preset-name", "Two")
    page.click("#save-preset")
    expect(page.locator("#chosen-preset")).to_have_value("Two")
    page.click("#style2-remove")
    page.fill("#option-strength", "1")
    page.click("#apply-preset")
    expect(page.locator("#option-strength")).to_have_value("2")
    expect(page.locator("#option-style_mix")).to_have_value("")


def test_weights_of_more_paintings_than_are_chosen_are_made_anew(visit: Visit) -> None:
    page = visit()
    page.evaluate("window.dash_clientside.set_props('option-style_mix', { value: '0.5,0.2' })")
    expect(page.locator("#option-style_mix")).to_have_value("")
    add_painting(page, 2)
    page.evaluate("window.dash_clientside.set_props('option-style_mix', { value: '1,2,3' })")
    expect(page.locator("#option-style_mix")).to_have_value("0.5,0.5")


def test_the_long_name_of_a_painting_stays_inside_the_steering_card(visit: Visit) -> None:
    page = visit()
    page.click("#add-style")
    file = {"name": LONG_NAME, "mimeType": "image/png", "buffer": picture(200, 150)}
    page.set_input_files("#style2-upload input[type=file]", file)
    expect(page.locator("#style2-caption")).to_have_text(LONG_NAME)
    page.fill("#option-epochs", "1")
    page.click("#start")
    wait_for_status(page, "Finished")
    expect(page.locator("#steer .field-head span", has_text=LONG_NAME)).to_have_attribute("title", LONG_NAME)
    squeeze(page)
    page.wait_for_function(
        """() => {
            const end = document.querySelector("#steer").getBoundingClientRect().right;
            const inputs = [...document.querySelectorAll("#steer input")];
            return inputs.every((input) => input.getBoundingClientRect().right < end);
        }"""
    )
