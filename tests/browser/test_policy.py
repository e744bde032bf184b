"""The content security policy, which the other browser tests bypass: the pages work, and violate it nowhere."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_instant import FIRST, RESULT
from tests.web.sites import picture


def test_every_page_works_under_the_content_security_policy(visit: Visit) -> None:
    page = visit(bypass_csp=False, color_scheme="light")
    page.set_input_files("#content-upload input", {"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.locator("#content-preview")).to_have_attribute("src", re.compile("uploads/"))
    page.fill("#epochs", "3")
    page.click("#start")
    expect(page.locator("#status")).to_contain_text("Finished: 3 epochs")
    expect(page.locator("#image-graph image")).to_have_attribute("href", re.compile("result.png"))
    page.click("#to-instant")
    expect(page.locator("#style-wall:not(.is-waiting) .style-pick").first).to_be_visible(timeout=FIRST)
    page.locator(".style-pick").first.click()
    expect(page.locator("#instant-result")).to_have_attribute("src", RESULT, timeout=FIRST)
    page.click("#to-gallery")
    expect(page.locator(".run-card img").first).to_be_visible()
    page.click("nav a[href='/docs']")
    expect(page.locator(".opblock").first).to_be_visible()
    page.click("#theme")
    expect(page.locator("html")).to_have_class("dark-mode")


def test_the_policy_stops_inline_scripts(visit: Visit) -> None:
    page = visit(lossy=True, bypass_csp=False)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    }""")
    assert page.evaluate("window.injected") is None
