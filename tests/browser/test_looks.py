"""Narrow and wide, light and dark, and for those who do not see it."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, wait_for_status

CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
SET_THEME = "theme => { document.documentElement.dataset.bsTheme = theme; }"


def findings(page: Page) -> list[tuple[Any, Any]]:
    """What axe-core has to say of a light page, and of the contrast of the same page in the dark: (rule, places)."""
    violations = Axe().run(page).response["violations"]
    page.evaluate(SET_THEME, "dark")
    violations += Axe().run(page, options=CONTRAST).response["violations"]
    page.evaluate(SET_THEME, "light")
    return [(found["id"], [node["target"] for node in found["nodes"]]) for found in violations]


def unfold(page: Page) -> None:
    for button in page.locator(".accordion-button").all():
        button.click()
    page.wait_for_function("!document.querySelector('.collapsing')")


def squeeze(page: Page) -> None:
    """Give the page the widths of a telephone to a service, and wait until it has settled in each."""
    for width in (390, 768, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("width => document.documentElement.scrollWidth === width", arg=width)


def test_axe_finds_nothing(visit: Visit) -> None:
    page = visit(color_scheme="light")
    unfold(page)
    page.select_option("#option-init", "image")
    assert findings(page) == []
    page.select_option("#option-init", "noise")
    page.fill("#option-size", "8")
    page.click("#start")
    expect(page.locator("#toast")).to_be_visible()
    assert findings(page) == []
    page.fill("#option-size", "128")
    page.fill("#epochs", "2")
    page.click("#start")
    wait_for_status(page, "Finished")
    labelled = "[...document.querySelectorAll('.steer-field input')].every((input) => input.ariaLabel)"
    page.wait_for_function(labelled)  # a script does so once the page is idle
    assert findings(page) == []
    page.goto(page.evaluate("location.origin") + "/docs")
    page.wait_for_selector(".opblock")
    assert findings(page) == []


def test_axe_finds_nothing_in_a_mix_a_mask_and_what_is_to_learn(visit: Visit) -> None:
    page = visit(color_scheme="light")
    page.click("#add-style")
    page.locator("#style2-slot .sample").first.click()
    expect(page.locator("#style-mix")).to_be_visible()
    page.locator(".mask-panel summary").click()
    assert findings(page) == []
    squeeze(page)
    page.click("#mask-open")
    page.wait_for_function("document.querySelector('#mask-canvas')?.width === 1024")
    assert findings(page) == []
    squeeze(page)
    page.click("#mask-cancel")
    page.click("#to-learn")
    expect(page.locator("#room-learn article")).to_be_visible()
    assert findings(page) == []
    squeeze(page)


def test_nothing_sticks_out_sideways(visit: Visit) -> None:
    page = visit()
    unfold(page)
    squeeze(page)
    page.fill("#epochs", "2")
    page.click("#start")
    wait_for_status(page, "Finished")
    squeeze(page)


def test_a_long_word_of_the_worker_stays_inside_the_bar(visit: Visit) -> None:
    page = visit()
    long = "no worker: " + "no worker could be started or reached at tcp://127.0.0.1:8786 in 10 s " * 2
    lost = {"children": long, "className": "pill pill-lost"}
    page.evaluate("lost => window.dash_clientside.set_props('worker', lost)", lost)
    expect(page.locator("#worker.pill-lost")).to_have_text(long)
    boxes = "['.bar', '#worker', 'h1'].map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"
    for width in (360, 390, 680, 768, 992, 1100, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("width => innerWidth === width", arg=width)
        bar, pill, name = page.evaluate(boxes)
        assert bar["top"] <= pill["top"], width
        assert pill["bottom"] <= bar["bottom"], width
        assert pill["height"] < 120, "a few lines, no column of letters"
        assert name["height"] < 40, "the name is on one line"


def test_the_theme_follows_the_system_until_it_is_chosen_and_is_kept(visit: Visit) -> None:
    page = visit(color_scheme="light")
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "light"
    page.click("#theme")
    page.wait_for_function(f"{theme} === 'dark'")
    page.reload()
    page.wait_for_function(f"{theme} === 'dark'")
