"""What the student of `distill.py` learns from: crops of pictures, and the teacher's activations of them.

Pictures are photographs, paintings, and frames that the student painted; crops are [N, CROP, CROP, 3] in 0..1.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.engine import weights as weight_files
from nst.engine.backend import tf
from nst.engine.extractors import ARCHITECTURES, Extractor
from nst.pictures.images import SUFFIXES

Array = NDArray[np.float32]
Halves = NDArray[np.float16]
Teacher = Callable[[tf.Tensor], dict[str, tf.Tensor]]  # [N, H, W, 3] in 0..1 -> {layer: [N, h, w, C]}, float32
Scales = dict[str, tuple[Array, Array]]  # layer -> (mean [C], standard deviation [C]) of the teacher's activations

CROP = 128  # px, side of what is learned from
SMALLEST = 96  # px, short side of a picture
BATCH = 8  # crops a step
NEW = 2  # of them that are new to the pool in each step: each is learned from four times
POOL = 480  # crops
SHARES = {"photos": 0.4, "paintings": 0.3, "frames": 0.3}  # of the crops
NEWEST = 0.5  # share of the frames that are of the last round


def read(folders: Sequence[Path]) -> list[Image.Image]:
    """The pictures in some folders and the folders in them, RGB, but for those smaller than `SMALLEST`."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    pictures = (Image.open(path).convert("RGB") for path in paths)
    return [picture for picture in pictures if min(picture.size) >= SMALLEST]


def as_array(picture: Image.Image) -> Array:
    """[H, W, 3] in 0..1."""
    return np.asarray(picture, np.float32) / np.float32(255)


def teacher(layers: Sequence[str], dtype: str = "float32") -> Teacher:
    """VGG19 with convolutions in `dtype`, its borders reflected: the student shall not learn to see a frame.

    Raises WeightsError.
    """
    architecture = replace(ARCHITECTURES["vgg19"], padding="reflect")
    network = Extractor(architecture, weight_files.load("vgg19", architecture.shapes()), dtype=dtype)

    @tf.function
    def see(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        return {layer: tf.cast(found, tf.float32) for layer, found in network(pictures, layers).items()}

    return see


class Crops:
    """Crops of photographs, paintings and frames of the student's own, disturbed as an optimised picture is."""

    def __init__(self, groups: dict[str, list[Image.Image]], seed: int) -> None:
        self.groups = groups
        self.newest = 0  # number of the first frame of the last round
        self.random = np.random.default_rng(seed)

    def batch(self, count: int) -> Array:
        """[count, CROP, CROP, 3] in 0..1."""
        names = [name for name, pictures in self.groups.items() if pictures]
        shares = np.array([SHARES[name] for name in names])
        chosen = self.random.choice(names, count, p=shares / shares.sum())
        return np.stack([self._frame() if name == "frames" else self._picture(name) for name in chosen])

    def _picture(self, group: str) -> Array:
        """A piece of a photograph or a painting, enlarged or reduced, in other light and other colours."""
        random, pictures = self.random, self.groups[group]
        picture = pictures[random.integers(len(pictures))]
        side = math.exp(random.uniform(math.log(90), math.log(max(91, min(picture.size)))))
        side = min(side, *picture.size)
        left, top = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
        box = (left, top, left + side, top + side)
        x: NDArray[Any] = self._turned(as_array(picture.resize((CROP, CROP), Image.Resampling.BICUBIC, box)))
        x = (x - 0.5) * random.uniform(0.7, 1.3) + 0.5 + random.uniform(-0.15, 0.15)
        if random.random() < 0.25:  # other hues: optimisation finds those that the student has never seen
            x = x[..., random.permutation(3)]
        if random.random() < 0.25:
            x = x * random.uniform(0.6, 1.4, 3) + random.uniform(-0.15, 0.15, 3)
        kind = random.random()
        if kind < 0.15:
            x = x + random.normal(0, random.uniform(0.02, 0.25), x.shape)
        elif kind < 0.22:  # runs start from noise
            share = random.uniform(0.3, 1.0)
            x = (1 - share) * x + share * random.uniform(0, 1, x.shape)
        return np.clip(x, 0, 1).astype(np.float32)

    def _frame(self) -> Array:
        """A piece of what the student painted, pixel by pixel: its grain is what is to be corrected."""
        frames = self.groups["frames"]
        first = self.newest if self.random.random() < NEWEST else 0
        x = as_array(frames[self.random.integers(first, len(frames))])
        x = np.pad(x, [(0, max(0, CROP - x.shape[0])), (0, max(0, CROP - x.shape[1])), (0, 0)], "symmetric")
        top, left = (self.random.integers(side - CROP + 1) for side in x.shape[:2])
        return self._turned(x[top : top + CROP, left : left + CROP])

    def _turned(self, x: Array) -> Array:
        return x[:, ::-1] if self.random.random() < 0.5 else x


class Pool:
    """Crops with the teacher's activations, the oldest replaced by new ones."""

    def __init__(self, teacher: Teacher, crops: Crops, size: int = POOL) -> None:
        self._teacher, self._crops = teacher, crops
        self._pictures = np.zeros((size, CROP, CROP, 3), np.float32)
        shapes = {layer: activation.shape[1:] for layer, activation in teacher(self._pictures[:1]).items()}
        self._truth = {layer: np.zeros((size, *shape), np.float16) for layer, shape in shapes.items()}
        self._next = 0
        for _ in range(-(-size // BATCH)):
            self.renew(BATCH)

    def renew(self, count: int) -> None:
        """Put `count` new crops in the places of the oldest."""
        pictures = self._crops.batch(count)
        places = (self._next + np.arange(count)) % len(self._pictures)
        self._next = int(places[-1] + 1)
        self._pictures[places] = pictures
        for layer, activation in self._teacher(pictures).items():
            self._truth[layer][places] = activation.numpy()

    def next_batch(self) -> tuple[Array, dict[str, Halves]]:
        """`batch`, after `NEW` crops came into the pool."""
        self.renew(NEW)
        return self.batch()

    def batch(self) -> tuple[Array, dict[str, Halves]]:
        """(crops [BATCH, CROP, CROP, 3], {layer: activations [BATCH, h, w, C]})."""
        places = self._crops.random.choice(len(self._pictures), BATCH, replace=False)
        return self._pictures[places], {layer: truth[places] for layer, truth in self._truth.items()}


def statistics(teacher: Teacher, crops: Crops, count: int) -> Scales:
    """Mean and standard deviation of the teacher's channels over `count` batches of crops.

    A channel that hardly ever speaks gets a deviation of at least a hundredth of the layer's mean one.
    """
    sums: dict[str, Any] = {}
    for _ in range(count):
        for layer, activation in teacher(crops.batch(BATCH)).items():
            x = activation.numpy()
            moments = np.stack([x.mean((0, 1, 2)), np.square(x).mean((0, 1, 2))])
            sums[layer] = sums.get(layer, 0.0) + moments / count
    scales = {}
    for layer, (mean, square) in sums.items():
        variance = square - np.square(mean)
        deviation = np.sqrt(np.maximum(variance, 1e-4 * variance.mean()))
        scales[layer] = mean.astype(np.float32), deviation.astype(np.float32)
    return scales
