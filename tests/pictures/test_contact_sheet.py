import numpy as np
from PIL import Image

from nst.pictures.contact_sheet import BACKGROUND, EMPTY, GAP, LINE, grid_sheet, sheet


def test_a_sheet_has_a_cell_for_each_picture_with_gaps_between() -> None:
    red, blue = (Image.new("RGB", (80, 40), colour) for colour in ("red", "blue"))
    found = sheet([[(red, "red")], [(None, ""), (blue, "")]], side=40)
    gap, line = GAP, LINE
    assert found.size == (2 * 40 + 3 * gap, 20 + line + 20 + 3 * gap)
    assert found.getpixel((gap + 20, gap + 10)) == (255, 0, 0)
    assert found.getpixel((found.width - gap - 20, found.height - gap - 10)) == (0, 0, 255)
    assert found.getpixel((gap + 20, found.height - gap - 10)) == BACKGROUND
    assert np.asarray(found)[gap + 20 : gap + 20 + line].min() < 150  # the name is written


def test_a_grid_has_titles_above_and_beside_and_a_field_for_what_is_missing() -> None:
    red = Image.new("RGB", (40, 40), "red")
    found = grid_sheet([red, None, None, red], ["row 1", "row 2"], ["left", "right"], 40, (40, 30))
    pixels = np.asarray(found)
    assert found.height == LINE + 2 * 40 + 4 * GAP
    assert pixels[: GAP + LINE].min() < 150  # titles of columns
    assert found.getpixel((found.width - GAP - 20, GAP + LINE + GAP + 10)) == EMPTY
    assert found.getpixel((found.width - GAP - 20, found.height - GAP - 10)) == (255, 0, 0)


def test_a_grid_of_one_row_without_a_title_has_no_column_of_titles() -> None:
    red = Image.new("RGB", (40, 40), "red")
    bare = grid_sheet([red, red], [""], ["1", "2"], 40, (40, 30))
    assert bare.width == 2 * 40 + 3 * GAP
    assert grid_sheet([red, red], ["row"], ["1", "2"], 40, (40, 30)).width > bare.width
