"""Contact sheets: every style on every content with the shipped defaults, to be looked at.

Run `python -m tools.sheets --contents FILES --styles FILES --out FOLDER`; paintings that are there already are kept, so
it may be interrupted and called again.
"""

import argparse
import json
import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from nst.engine.optimize import stylize
from nst.errors import NstError
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png, read_file

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
GROUND, INK = (250, 250, 247), (60, 60, 60)
GAP, LINE = 6, 20  # px between cells, and of a name below its picture
THUMBNAIL = 220  # px, a cell of the overview
COLUMNS = 4  # of a style's sheet: itself and its paintings

Cell = tuple[Image.Image | None, str]  # a picture and its name
Cells = Sequence[Sequence[Cell]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint what is missing, then lay out a sheet for each style and one overview of all."""
    asked = parser().parse_args(arguments)
    try:
        contents, styles = pictures(asked.contents), pictures(asked.styles)
        options = StyleOptions.from_json({"size": asked.size, "seed": asked.seed, **dict(asked.option)})
        prepare(asked.out, options)
        for style in styles:
            for content in contents:
                paint(content, style, asked.out, options)
    except NstError as error:
        raise SystemExit(str(error)) from None
    for style in styles:
        cells = [
            (opened(style), style.stem),
            *((painting(asked.out, content, style), content.stem) for content in contents),
        ]
        rows = [cells[at : at + COLUMNS] for at in range(0, len(cells), COLUMNS)]
        sheet(rows, options.size).save(asked.out / f"{style.stem}.png")
    overview(contents, styles, asked.out).save(asked.out / "overview.png")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.sheets", description="Paint contact sheets.")
    parser.add_argument("--contents", nargs="+", type=Path, required=True, help="pictures, or folders of them")
    parser.add_argument("--styles", nargs="+", type=Path, required=True, help="pictures, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder for paintings and sheets")
    parser.add_argument("--size", type=int, default=384, help="long side of a painting, px")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--option", nargs="+", action="extend", type=option, default=[], metavar="NAME=VALUE", help="other options"
    )
    return parser


def option(text: str) -> tuple[str, Any]:
    """("strength", 2) of "strength=2"; a value that is no JSON is a word."""
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"must look like name=value, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def pictures(places: Iterable[Path]) -> list[Path]:
    """The picture files among `places` and in those of them that are folders. Raises SystemExit where names clash."""
    found = [file for place in places for file in (sorted(place.iterdir()) if place.is_dir() else [place])]
    found = [file for file in found if file.suffix.lower() in SUFFIXES]
    if len({file.stem for file in found}) < len(found) or not found:
        raise SystemExit(
            f"pictures must have names of their own, got {', '.join(file.stem for file in found) or 'none'}"
        )
    return found


def prepare(folder: Path, options: StyleOptions) -> None:
    """Make the folder, or make sure that what it holds was painted with the same options."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, told = folder / "options.json", json.dumps(options.to_json(), indent=1) + "\n"
    if kept.exists() and kept.read_text(encoding="utf-8") != told:
        raise SystemExit(f"{str(folder)!r} holds paintings with other options, see {kept.name}; name another folder")
    kept.write_text(told, encoding="utf-8")


def place(folder: Path, content: Path, style: Path) -> Path:
    """Where the painting of `content` in the manner of `style` lies."""
    return folder / f"{style.stem}--{content.stem}.png"


def paint(content: Path, style: Path, folder: Path, options: StyleOptions) -> None:
    """Paint one picture, unless it is there. Raises NstError."""
    path = place(folder, content, style)
    if path.exists():
        return
    began = time.monotonic()
    step = deque(stylize(read_file(content).rgb, read_file(style).rgb, options), maxlen=1).pop()
    half = path.with_suffix(".part")  # a painting that is cut off must not be taken for one
    half.write_bytes(encode_png(step.image))
    half.replace(path)
    print(f"{path.name}: {step.step} steps, {time.monotonic() - began:.0f} s, loss {step.losses.total:.4g}", flush=True)


def painting(folder: Path, content: Path, style: Path) -> Image.Image:
    """The finished painting of the two."""
    return opened(place(folder, content, style))


def opened(path: Path) -> Image.Image:
    """The picture in a file, RGB."""
    with Image.open(path) as picture:
        return picture.convert("RGB")


def overview(contents: Sequence[Path], styles: Sequence[Path], folder: Path) -> Image.Image:
    """All paintings small: contents along the top, styles down the side."""
    head: list[Cell] = [(None, ""), *((opened(content), content.stem) for content in contents)]
    rows: list[list[Cell]] = [
        [(opened(style), style.stem), *((painting(folder, content, style), "") for content in contents)]
        for style in styles
    ]
    return sheet([head, *rows], THUMBNAIL)


def sheet(rows: Cells, side: int) -> Image.Image:
    """Cells in rows and columns on a light ground: pictures at most `side` x `side` px, names below them.

    A row is as high as the highest of its pictures, with a line for names where it has any; a column as wide as the
    widest of its pictures and names.
    """
    font = ImageFont.load_default(size=13)
    fitted = [[(picture and shrunk(picture, side), name) for picture, name in row] for row in rows]
    heights = [
        max((picture.height for picture, _ in row if picture), default=0) + LINE * any(name for _, name in row)
        for row in fitted
    ]
    widths = [
        max(max(picture.width if picture else 0, math.ceil(font.getlength(name))) for picture, name in column)
        for column in zip_longest(*fitted, fillvalue=(None, ""))
    ]
    whole = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), sum(heights) + GAP * (len(heights) + 1)), GROUND)
    draw = ImageDraw.Draw(whole)
    top = GAP
    for row, height in zip(fitted, heights, strict=True):
        left = GAP
        for (picture, name), width in zip(row, widths, strict=False):
            if picture:
                whole.paste(picture, (left + (width - picture.width) // 2, top))
                draw.text((left + width // 2, top + picture.height + 2), name, INK, font, anchor="ma")
            left += width + GAP
        top += height + GAP
    return whole


def shrunk(picture: Image.Image, side: int) -> Image.Image:
    """The same, at most `side` x `side` px."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


if __name__ == "__main__":
    main()
