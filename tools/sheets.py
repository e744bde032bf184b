"""Paint contact sheets: every style on every content with the default options.

Run `python -m tools.sheets --contents FILES --styles FILES --out FOLDER`. Paintings that exist are not painted again,
so the same command continues after an interruption.
"""

import argparse
import json
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from nst.atomic_write import atomic_write
from nst.engine.optimization.optimize import stylize
from nst.errors import NstError
from nst.options.style_options import StyleOptions
from nst.pictures.contact_sheet import Cell, sheet
from nst.pictures.images import SUFFIXES, encode_png, read_file

THUMBNAIL = 220  # px, side of a cell in the overview
COLUMNS = 4  # of the sheet of a style


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint what is missing, then write a sheet for each style and an overview of all."""
    args = parser().parse_args(arguments)
    try:
        contents, styles = pictures(args.contents), pictures(args.styles)
        options = StyleOptions.from_json({"size": args.size, "seed": args.seed, **dict(args.option)})
        prepare(args.out, options)
        for style in styles:
            for content in contents:
                paint(content, style, args.out, options)
    except NstError as error:
        raise SystemExit(str(error)) from None
    for style in styles:
        cells = [
            (opened(style), style.stem),
            *((painting(args.out, content, style), content.stem) for content in contents),
        ]
        rows = [cells[at : at + COLUMNS] for at in range(0, len(cells), COLUMNS)]
        sheet(rows, options.size).save(args.out / f"{style.stem}.png")
    overview(contents, styles, args.out).save(args.out / "overview.png")


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
    """("strength", 2) from "strength=2"; a value that is no JSON is a string."""
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"must look like name=value, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def pictures(paths: Iterable[Path]) -> list[Path]:
    """The pictures among `paths` and in the folders among them. Raises SystemExit if two have the same name."""
    found = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    found = [file for file in found if file.suffix.lower() in SUFFIXES]
    if len({file.stem for file in found}) < len(found) or not found:
        raise SystemExit(
            f"pictures must have names of their own, got {', '.join(file.stem for file in found) or 'none'}"
        )
    return found


def prepare(folder: Path, options: StyleOptions) -> None:
    """Make the folder. Raises SystemExit if it has paintings with other options."""
    folder.mkdir(parents=True, exist_ok=True)
    kept, text = folder / "options.json", json.dumps(options.to_json(), indent=1) + "\n"
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{str(folder)!r} holds paintings with other options, see {kept.name}; name another folder")
    kept.write_text(text, encoding="utf-8")


def path_of(folder: Path, content: Path, style: Path) -> Path:
    """The file of the painting of `content` in `style`."""
    return folder / f"{style.stem}--{content.stem}.png"


def paint(content: Path, style: Path, folder: Path, options: StyleOptions) -> None:
    """Paint one picture, unless its file exists. Raises NstError."""
    path = path_of(folder, content, style)
    if path.exists():
        return
    began = time.monotonic()
    step = deque(stylize(read_file(content).rgb, read_file(style).rgb, options), maxlen=1).pop()
    with atomic_write(path) as part:
        part.write_bytes(encode_png(step.image))
    print(f"{path.name}: {step.step} steps, {time.monotonic() - began:.0f} s, loss {step.losses.total:.4g}", flush=True)


def painting(folder: Path, content: Path, style: Path) -> Image.Image:
    """The painting of `content` in `style`, which exists."""
    return opened(path_of(folder, content, style))


def opened(path: Path) -> Image.Image:
    """The picture in a file, RGB."""
    with Image.open(path) as picture:
        return picture.convert("RGB")


def overview(contents: Sequence[Path], styles: Sequence[Path], folder: Path) -> Image.Image:
    """Thumbnails of all paintings: a column for each content, a row for each style."""
    head: list[Cell] = [(None, ""), *((opened(content), content.stem) for content in contents)]
    rows: list[list[Cell]] = [
        [(opened(style), style.stem), *((painting(folder, content, style), "") for content in contents)]
        for style in styles
    ]
    return sheet([head, *rows], THUMBNAIL)


if __name__ == "__main__":
    main()
