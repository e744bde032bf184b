"""Synthesize a texture for each fast style that ships: a picture with the Gram matrices of its painting.

Run `python -m tools.style_textures NAME=FILE ... --out FOLDER`; FOLDER receives NAME.jpg for `python -m tools.ship`.
The texture is optimized from noise with the style loss alone, all layers alike (Gatys, Ecker and Bethge 2015, "Texture
synthesis using convolutional neural networks"), so a run that takes it as style paints as with the painting.
"""

import argparse
from collections import deque
from pathlib import Path

import numpy as np

from nst import StyleOptions, read_file, stylize
from nst.atomic_write import atomic_write
from nst.options.layer_presets import GATYS_STYLE
from nst.pictures.images import encode_jpeg

SIDES, QUALITY = (288, 384), 85  # px, height and width; of the JPEG: some 40 kB
OPTIONS = StyleOptions(
    size=max(SIDES),
    epochs=60,
    extractor="compact",
    content_weight=0.0,
    neighbor_weight=0.0,
    color_transfer=0.0,
    style_layers=dict.fromkeys(GATYS_STYLE, 1.0),
)


def main() -> None:
    """Write a texture for each of the given paintings."""
    parser = argparse.ArgumentParser(prog="python -m tools.style_textures", description=__doc__.splitlines()[0])
    parser.add_argument("paintings", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the textures")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    plain = np.full((*SIDES, 3), 0.5, np.float32)  # a content that only its size is taken of
    for name, file in (each.split("=", 1) for each in given.paintings):
        step = deque(stylize(plain, read_file(Path(file)).rgb, OPTIONS), maxlen=1).pop()
        with atomic_write(given.out / f"{name}.jpg") as part:
            part.write_bytes(encode_jpeg(step.image, QUALITY))
        print(f"{name}: style loss {step.losses.total:.4g}", flush=True)


if __name__ == "__main__":
    main()
