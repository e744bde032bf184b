"""Draw the sample pictures and write them, with their thumbnails, into nst/builtin/samples.

Run `python -m tools.samples` for all of them, `python -m tools.samples owl lake` for some.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from nst.pictures.images import encode_jpeg, encode_png, thumbnail
from nst.pictures.samples import FOLDER, SAMPLES, SIDES, Sample, find
from tools.samples import DRAWINGS
from tools.samples.canvas import pixels_of

QUALITY = 92  # of the JPEG, which keeps the color of each pixel; WebP would halve its resolution


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the samples that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m tools.samples", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="a sample to draw; without any, all are drawn")
    names = parser.parse_args(arguments).names
    for sample in [find(name) for name in names] or SAMPLES:
        render(sample, FOLDER)
    print(f"{FOLDER.name}: {sum(path.stat().st_size for path in FOLDER.glob('*.jpg')) / 1e6:.1f} MB")


def render(sample: Sample, folder: Path) -> None:
    """Draw `sample` and write the picture and its thumbnails into `folder`, under the names that the package reads."""
    rgb = pixels_of(DRAWINGS[sample.name]())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sample.path.name).write_bytes(encode_jpeg(rgb, QUALITY))
    for side in SIDES:
        (folder / sample.thumbnail(side).name).write_bytes(thumbnail(encode_png(rgb), side))


if __name__ == "__main__":
    main()
