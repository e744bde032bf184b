"""Contact sheets: pictures in rows and columns with their names."""

import math
from collections.abc import Sequence
from itertools import zip_longest

from PIL import Image, ImageDraw, ImageFont

BACKGROUND, TEXT_COLOR, EMPTY = (250, 250, 247), (60, 60, 60), (226, 223, 216)
GAP, LINE = 6, 20  # px between cells, and height of a name
SHEET_QUALITY = 92  # JPEG

Cell = tuple[Image.Image | None, str]  # a picture and the name below it; a name alone if there is no picture
Cells = Sequence[Sequence[Cell]]


def sheet(rows: Cells, side: int) -> Image.Image:
    """Cells in rows and columns: pictures of at most `side` x `side` px, with names below them.

    A row is as high as the highest of its pictures, and a line more if one of them has a name; a column as wide as the
    widest of its pictures and names.
    """
    font = ImageFont.load_default(size=13)
    fitted = [[(picture and shrunk(picture, side), name) for picture, name in row] for row in rows]
    heights = [_height(row) for row in fitted]
    widths = [
        max(max(picture.width if picture else 0, math.ceil(font.getlength(name))) for picture, name in column)
        for column in zip_longest(*fitted, fillvalue=(None, ""))
    ]
    whole = Image.new(
        "RGB", (sum(widths) + GAP * (len(widths) + 1), sum(heights) + GAP * (len(heights) + 1)), BACKGROUND
    )
    draw = ImageDraw.Draw(whole)
    top = GAP
    for row, height in zip(fitted, heights, strict=True):
        left = GAP
        for (picture, name), width in zip(row, widths, strict=False):
            middle = left + width // 2
            if picture:
                whole.paste(picture, (middle - picture.width // 2, top))
                draw.text((middle, top + picture.height + 2), name, TEXT_COLOR, font, anchor="ma")
            else:
                draw.text((middle, top + height // 2), name, TEXT_COLOR, font, anchor="mm")
            left += width + GAP
        top += height + GAP
    return whole


def _height(row: Sequence[Cell]) -> int:
    """The height of a row, px."""
    pictures = max((picture.height for picture, _ in row if picture), default=0)
    named = any(name for picture, name in row if picture)
    return max(pictures + LINE * named, LINE * any(name for _, name in row))


def grid_sheet(
    pictures: Sequence[Image.Image | None],
    rows: Sequence[str],
    columns: Sequence[str],
    side: int,
    empty: tuple[int, int],
) -> Image.Image:
    """The sheet of a grid: titles of its columns above it, of its rows beside it.

    Args:
        pictures: row by row; a gray field of `empty` (width, height) px stands for one that is not there yet.
        rows, columns: titles; where every title of a row is "", there is no column of titles.
        side: px, that a picture has at most.
    """
    beside = any(rows)
    corner: list[Cell] = [(None, "")] if beside else []
    lines: list[list[Cell]] = [[*corner, *((None, title) for title in columns)]]
    for number, title in enumerate(rows):
        found = pictures[number * len(columns) : (number + 1) * len(columns)]
        cells: list[Cell] = [(picture or Image.new("RGB", empty, EMPTY), "") for picture in found]
        lines.append([(None, title), *cells] if beside else cells)
    return sheet(lines, side)


def shrunk(picture: Image.Image, side: int) -> Image.Image:
    """The picture at no more than `side` x `side` px."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small
