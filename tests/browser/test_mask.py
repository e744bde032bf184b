"""A mask in the form: painted over the content, given as a file, and back with its run."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visit


def open_panel(page: Page) -> None:
    page.locator(".mask-panel summary").click()


def stored_mask(page: Page, site: Site, upload: str) -> np.ndarray:
    data = page.request.get(f"{site.url}/api/v1/uploads/{upload}.jpg?side=512").body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float32) / 255


def test_a_mask_file_of_another_shape_is_refused_beside_it(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    open_panel(page)
    path = tmp_path / "square.png"
    Image.new("L", (64, 64), 255).save(path)
    page.set_input_files("#mask-upload input[type=file]", path)
    expect(page.locator("#mask-caption")).to_have_text("square.png")
    page.click("#start")
    expect(page.locator("#mask-error")).to_contain_text("`mask` must have the shape of the content")
    page.select_option("#option-mask_use", "styles")
    page.click("#start")
    expect(page.locator("#option-mask_use-error")).to_contain_text("needs two paintings")
