"""Paint the pictures of the README with the default options, from samples that come with the program.

Run `python -m tools.pictures`; docs/pictures/ receives each content, its style and the painting side by side.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst.engine.optimization.optimize import stylize
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_jpeg, read_file, resize
from nst.pictures.samples import find

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PAIRS = (("lake", "night-wind"), ("harbour", "great-swell"), ("marble", "red-evening"), ("owl", "lily-pond"))
GAP = 8  # px of white between two pictures
STRIP = (0, 4, 20, 32, 40)  # epochs in the strip of a forming picture: one of each scale


def main() -> None:
    """Paint every pair, and write the first one also as a strip of its epochs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, (content_name, style_name) in enumerate(PAIRS):
        content, style = (picture_of(name) for name in (content_name, style_name))
        began = time.monotonic()
        frames = list(epochs(content, style))
        print(f"{content_name} x {style_name}: {time.monotonic() - began:.0f} s")
        (FOLDER / f"{content_name}-{style_name}.jpg").write_bytes(encode_jpeg(row(content, style, frames[-1]), 90))
        if number == 0:
            (FOLDER / "growing.jpg").write_bytes(encode_jpeg(row(*(frames[epoch] for epoch in STRIP), height=180), 90))


def picture_of(name: str) -> NDArray[np.float32]:
    """The sample of that name, [H, W, 3] in 0..1."""
    return read_file(find(name).path).rgb


def epochs(content: NDArray[np.float32], style: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The picture after every epoch of a default run."""
    for step in stylize(content, style, StyleOptions()):
        if step.ends_epoch:
            yield step.image


def row(*pictures: NDArray[np.float32], height: int = 384) -> NDArray[np.float32]:
    """Pictures side by side, scaled to one height: [height, W, 3]."""
    parts: list[NDArray[np.float32]] = []
    for picture in pictures:
        width = round(height * picture.shape[1] / picture.shape[0])
        parts += [resize(picture, height, width), np.ones((height, GAP, 3), np.float32)]
    return np.concatenate(parts[:-1], axis=1)


if __name__ == "__main__":
    main()
