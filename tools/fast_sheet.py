"""A contact sheet of the fast styles: every shipped style on every content, to be looked at.

Run `python -m tools.fast_sheet --contents FILES --out FILE.jpg`.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from nst.engine.feed_forward import apply_mix
from nst.options.fast_options import FastOptions
from nst.options.settings import Settings
from nst.pictures.images import read_file
from nst.styles.style_library import Library
from tools.sheets import Cell, opened, pictures, sheet


def main(arguments: Sequence[str] | None = None) -> None:
    """Paint, and lay out contents along the top, styles down the side."""
    parser = argparse.ArgumentParser(prog="python -m tools.fast_sheet", description=__doc__.splitlines()[0])
    parser.add_argument("--contents", nargs="+", type=Path, required=True, help="pictures, or folders of them")
    parser.add_argument("--styles", nargs="+", help="names; every style that ships if none are given")
    parser.add_argument("--out", type=Path, required=True, help="JPEG or PNG to write")
    parser.add_argument("--size", type=int, default=512, help="long side of what is painted, px")
    parser.add_argument("--side", type=int, default=256, help="long side of a cell, px")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--bare", action="store_true", help="without the contents along the top")
    asked = parser.parse_args(arguments)
    contents = pictures(asked.contents)
    library = Library(Settings.read().data / "styles")
    names = asked.styles or [entry.name for entry in library.entries() if entry.shipped]
    options = FastOptions(size=asked.size, strength=asked.strength)
    rows: list[list[Cell]] = [] if asked.bare else [[(opened(content), content.stem) for content in contents]]
    for name in names:
        began = time.monotonic()
        file = library.file_of([name])
        painted = [apply_mix(read_file(content).rgb, file, {name: 1.0}, options) for content in contents]
        print(f"{name}: {(time.monotonic() - began) / len(contents):.2f} s a picture", flush=True)
        rows.append([(Image.fromarray(np.rint(each * 255).astype(np.uint8)), "") for each in painted])
        rows[-1][0] = rows[-1][0][0], file.styles[name].title
    sheet(rows, asked.side).save(asked.out, quality=88)


if __name__ == "__main__":
    main()
