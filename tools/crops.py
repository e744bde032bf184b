"""Pictures to train and fit on: those in folders, and random crops of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.pictures.images import SUFFIXES

Array = NDArray[np.float32]


def pictures_in(folders: Sequence[Path], least: int) -> list[Path]:
    """The pictures in `folders` and their subfolders whose sides have at least `least` px."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [path for path in paths if min(Image.open(path).size) >= least]


def random_crop(
    picture: Image.Image, side: int, random: np.random.Generator, scales: tuple[float, float] | None = None
) -> Array:
    """A random square of `picture`, resized and perhaps mirrored, [side, side, 3] in 0..1.

    `scales` is the range of source pixels for a pixel of the crop, whose logarithm is uniformly distributed; it is less
    where the picture is too small. None is from 1 to as many as the picture has.
    """
    most = min(picture.size) / side
    if scales is None:
        length = side * random.uniform(min(1.0, most), most)
    else:
        length = side * min(most, np.exp(random.uniform(*np.log(scales))))
    left, top = (random.uniform(0, full - length) for full in picture.size)
    box = (left, top, left + length, top + length)
    crop = picture.resize((side, side), Image.Resampling.BICUBIC, box, reducing_gap=2.0)
    array = np.asarray(crop, np.float32) / 255
    return array[:, ::-1] if random.random() < 0.5 else array


def recolored(picture: Array, random: np.random.Generator) -> Array:
    """`picture` [h, w, 3] in 0..1 with its channels exchanged or mixed, other light and other contrast."""
    matrix = np.eye(3)[random.permutation(3)] if random.random() < 0.3 else np.eye(3) + random.normal(0, 0.2, (3, 3))
    mixed = (picture - 0.5) @ matrix + 0.5 + random.normal(0, 0.06, 3)
    return (np.clip(mixed, 0, 1) ** np.exp(random.normal(0, 0.25))).astype(np.float32)
