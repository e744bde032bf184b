"""The training data of `distill.py`: crops of pictures, and the teacher's activations on them.

Pictures are photographs, paintings, and frames that the student painted. Crops are [N, CROP, CROP, 3] in 0..1.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.engine.backend import tf
from nst.engine.networks import weights as weight_files
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.training.random_crops import log_uniform, mirrored_at_random
from nst.pictures.images import SUFFIXES

Array = NDArray[np.float32]
Halves = NDArray[np.float16]
Teacher = Callable[[tf.Tensor], dict[str, tf.Tensor]]  # [N, H, W, 3] in 0..1 -> {layer: [N, h, w, C]}, float32
Scales = dict[str, tuple[Array, Array]]  # layer -> (mean [C], standard deviation [C]) of the teacher's activations

CROP = 128  # px, side of a crop
SMALLEST_PICTURE = 96  # px, short side
SMALLEST_PIECE = 90  # px, side of the smallest piece of a picture that is enlarged to a crop
BATCH = 8  # crops in a step
NEW_CROPS = 2  # that enter the pool with each step: a crop is learned from four times, in the mean
POOL_SIZE = 480  # crops
GROUP_SHARES = {"photos": 0.4, "paintings": 0.3, "frames": 0.3}  # of the crops
NEWEST_SHARE = 0.5  # of the crops of frames: those that are only of the newest frames


def read_pictures(folders: Sequence[Path]) -> list[Image.Image]:
    """The pictures in `folders` and their subfolders, RGB, without those smaller than `SMALLEST_PICTURE`."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    pictures = (Image.open(path).convert("RGB") for path in paths)
    return [picture for picture in pictures if min(picture.size) >= SMALLEST_PICTURE]


def as_array(picture: Image.Image) -> Array:
    """[H, W, 3] in 0..1."""
    return np.asarray(picture, np.float32) / np.float32(255)


def load_teacher(layers: Sequence[str], dtype: str = "float32") -> Teacher:
    """VGG19 with convolutions in `dtype`, returning activations of `layers`.

    Its edges are reflected instead of padded with zeros, so that the student does not learn activations of a frame.

    Raises WeightsError if its weights are not there.
    """
    architecture = replace(ARCHITECTURES["vgg19"], padding="reflect")
    network = Extractor(architecture, weight_files.load("vgg19", architecture.shapes()), dtype=dtype)

    @tf.function
    def teacher(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        return {layer: tf.cast(found, tf.float32) for layer, found in network(pictures, layers).items()}

    return teacher


class Crops:
    """Random crops of pictures, with such disturbances as pictures have while they are optimized.

    Args:
        groups: {"photos", "paintings", "frames"} -> pictures; a group may be empty, and frames may be added later.
        seed: decides the crops.
    """

    def __init__(self, groups: dict[str, list[Image.Image]], seed: int) -> None:
        self.groups = groups
        self.newest = 0  # index of the first of the newest frames
        self.random = np.random.default_rng(seed)

    def batch(self, count: int) -> Array:
        """[count, CROP, CROP, 3] in 0..1."""
        names = [name for name, pictures in self.groups.items() if pictures]
        shares = np.array([GROUP_SHARES[name] for name in names])
        drawn = self.random.choice(names, count, p=shares / shares.sum())
        return np.stack([self._crop_of_frame() if name == "frames" else self._crop_of(name) for name in drawn])

    def _crop_of(self, group: str) -> Array:
        """A piece of a photograph or a painting, resized to a crop, with other contrast, light, colours and noise."""
        random, pictures = self.random, self.groups[group]
        picture = pictures[random.integers(len(pictures))]
        side = log_uniform(random, SMALLEST_PIECE, max(SMALLEST_PIECE + 1, min(picture.size)))
        side = min(side, *picture.size)
        left, top = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
        box = (left, top, left + side, top + side)
        x: NDArray[Any] = as_array(picture.resize((CROP, CROP), Image.Resampling.BICUBIC, box))
        x = mirrored_at_random(x, random)
        x = (x - 0.5) * random.uniform(0.7, 1.3) + 0.5 + random.uniform(-0.15, 0.15)
        if random.random() < 0.25:  # other hues: an optimization leads to those the student was not trained on
            x = x[..., random.permutation(3)]
        if random.random() < 0.25:
            x = x * random.uniform(0.6, 1.4, 3) + random.uniform(-0.15, 0.15, 3)
        kind = random.random()
        if kind < 0.15:
            x = x + random.normal(0, random.uniform(0.02, 0.25), x.shape)
        elif kind < 0.22:  # because runs start from noise
            share = random.uniform(0.3, 1.0)
            x = (1 - share) * x + share * random.uniform(0, 1, x.shape)
        return np.clip(x, 0, 1).astype(np.float32)

    def _crop_of_frame(self) -> Array:
        """A piece of a frame without resizing, which would change the grain that the student is to unlearn."""
        frames = self.groups["frames"]
        first = self.newest if self.random.random() < NEWEST_SHARE else 0
        x = as_array(frames[self.random.integers(first, len(frames))])
        x = np.pad(x, [(0, max(0, CROP - x.shape[0])), (0, max(0, CROP - x.shape[1])), (0, 0)], "symmetric")
        top, left = (self.random.integers(side - CROP + 1) for side in x.shape[:2])
        return mirrored_at_random(x[top : top + CROP, left : left + CROP], self.random)


class Pool:
    """Crops with the teacher's activations on them; new ones replace the oldest."""

    def __init__(self, teacher: Teacher, crops: Crops, size: int = POOL_SIZE) -> None:
        self._teacher, self._crops = teacher, crops
        self._pictures = np.zeros((size, CROP, CROP, 3), np.float32)
        shapes = {layer: activation.shape[1:] for layer, activation in teacher(self._pictures[:1]).items()}
        self._activations = {layer: np.zeros((size, *shape), np.float16) for layer, shape in shapes.items()}
        self._oldest = 0  # slot
        for _ in range(-(-size // BATCH)):
            self.renew(BATCH)

    def renew(self, count: int) -> None:
        """Replace the `count` oldest crops by new ones."""
        pictures = self._crops.batch(count)
        slots = (self._oldest + np.arange(count)) % len(self._pictures)
        self._oldest = int(slots[-1] + 1)
        self._pictures[slots] = pictures
        for layer, activation in self._teacher(pictures).items():
            self._activations[layer][slots] = activation.numpy()

    def next_batch(self) -> tuple[Array, dict[str, Halves]]:
        """A `batch`, after `NEW_CROPS` have entered the pool."""
        self.renew(NEW_CROPS)
        return self.batch()

    def batch(self) -> tuple[Array, dict[str, Halves]]:
        """A random batch of the pool: (crops [BATCH, CROP, CROP, 3], {layer: activations [BATCH, h, w, C]})."""
        slots = self._crops.random.choice(len(self._pictures), BATCH, replace=False)
        return self._pictures[slots], {layer: stored[slots] for layer, stored in self._activations.items()}


def channel_statistics(teacher: Teacher, crops: Crops, batches: int) -> Scales:
    """Mean and standard deviation of the teacher's channels over so many batches of crops.

    The variance of a channel is at least 1e-4 times the mean variance of its layer, for channels that are hardly ever
    active.
    """
    sums: dict[str, Any] = {}
    for _ in range(batches):
        for layer, activation in teacher(crops.batch(BATCH)).items():
            x = activation.numpy()
            moments = np.stack([x.mean((0, 1, 2)), np.square(x).mean((0, 1, 2))])
            sums[layer] = sums.get(layer, 0.0) + moments / batches
    scales = {}
    for layer, (mean, square) in sums.items():
        variance = square - np.square(mean)
        deviation = np.sqrt(np.maximum(variance, 1e-4 * variance.mean()))
        scales[layer] = mean.astype(np.float32), deviation.astype(np.float32)
    return scales
