"""Paint a contact sheet of the fast styles: every shipped style on every content.

Run `python -m tools.fast_sheet --contents FILES --out FILE.jpg`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from nst.engine.feed_forward.fast_network import apply_mix
from nst.options.fast_options import FastOptions
from nst.options.settings import Settings
from nst.pictures.contact_sheet import Cell, sheet
from nst.pictures.images import read_file
from nst.styles.style_library import Library
from tools.sheets import opened, pictures


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint and write the sheet: a column for each content, a row for each style."""
    parser = argparse.ArgumentParser(prog="python -m tools.fast_sheet", description=__doc__.splitlines()[0])
    parser.add_argument("--contents", nargs="+", type=Path, required=True, help="pictures, or folders of them")
    parser.add_argument("--styles", nargs="+", help="names; every style that ships if none are given")
    parser.add_argument("--out", type=Path, required=True, help="JPEG or PNG to write")
    parser.add_argument("--size", type=int, default=512, help="long side of a painting, px")
    parser.add_argument("--side", type=int, default=256, help="long side of a cell, px")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--bare", action="store_true", help="without the row of contents at the top")
    args = parser.parse_args(arguments)
    contents = pictures(args.contents)
    library = Library(Settings.read().data / "styles")
    names = args.styles or [entry.name for entry in library.entries() if entry.shipped]
    options = FastOptions(size=args.size, strength=args.strength)
    rows: list[list[Cell]] = [] if args.bare else [[(opened(content), content.stem) for content in contents]]
    for name in names:
        began = time.monotonic()
        file = library.file_of([name])
        paintings = [apply_mix(read_file(content).rgb, file, {name: 1.0}, options) for content in contents]
        print(f"{name}: {(time.monotonic() - began) / len(contents):.2f} s a picture", flush=True)
        titles = [file.styles[name].title, *[""] * (len(paintings) - 1)]
        rows.append(
            [
                (Image.fromarray(np.rint(painting * 255).astype(np.uint8)), title)
                for painting, title in zip(paintings, titles, strict=True)
            ]
        )
    sheet(rows, args.side).save(args.out, quality=88)


if __name__ == "__main__":
    main()
