import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nst.engine.distill import LEVELS, Distillation, SqueezeNet, crops, statistics
from nst.engine.extractors import ARCHITECTURES, Extractor, he_normal

SQUEEZE = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def write_teacher(path: Path, kernel: Callable[[tuple[int, ...]], np.ndarray]) -> SqueezeNet:
    """SqueezeNet with kernels of our making, written as keras-squeezenet lays them out and read back."""
    shapes, channels = {"conv1": (3, 3, 3, 64)}, 64
    for module, (squeeze, expand) in SQUEEZE.items():
        shapes[f"fire{module}/squeeze1x1"] = (1, 1, channels, squeeze)
        shapes[f"fire{module}/expand1x1"] = (1, 1, squeeze, expand)
        shapes[f"fire{module}/expand3x3"] = (3, 3, squeeze, expand)
        channels = 2 * expand
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([*shapes, "pool1"], "S21")
        file.create_group("pool1")
        for i, (name, shape) in enumerate(shapes.items()):
            file[f"{name}/uniform{i}"] = kernel(shape).astype(np.float32)
            file[f"{name}/{name}_b"] = np.full(shape[3], 0.01, np.float32)
    return SqueezeNet(path)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory) -> SqueezeNet:
    random = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("teacher") / "random.h5"
    return write_teacher(path, lambda shape: random.normal(0, (2 / np.prod(shape[:3])) ** 0.5, shape))


@pytest.fixture
def photographs(tmp_path):
    random = np.random.default_rng(1)
    for i in range(3):
        small = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8).astype(np.uint8))
        small.resize((200, 150), Image.Resampling.BICUBIC).save(tmp_path / f"{i}.jpg")
    return tmp_path


def test_teacher_and_student_see_the_same_grid(teacher):
    pictures = tf.random.stateless_uniform([2, 64, 96, 3], seed=(1, 2))
    student = Extractor(ARCHITECTURES["compact"], he_normal(ARCHITECTURES["compact"], seed=0))
    truth, guess = teacher(pictures), student(pictures, LEVELS)
    assert {n: tuple(x.shape) for n, x in truth.items()} == {n: tuple(x.shape) for n, x in guess.items()}


def test_the_teachers_levels_lie_where_the_pixels_are(tmp_path):
    """Averaged over its places in a cell, a dot's response lies around the dot to 3 px; unpadded it would be 7.5."""
    teacher = write_teacher(tmp_path / "even.h5", lambda shape: np.full(shape, 1 / np.prod(shape[:3])))
    flat = np.full((1, 128, 128, 3), 0.6, np.float32)  # above the mean colour: no ReLU closes
    columns = np.arange(56, 72)
    dots = np.repeat(flat, len(columns), axis=0)
    dots[np.arange(len(columns)), 64, columns] = 1.0
    still, changed = teacher(flat), teacher(dots)
    for level in LEVELS:
        energy = np.sum(changed[level] - still[level], axis=(1, 3))  # [dots, columns of the level]
        centres = (np.arange(energy.shape[1]) + 0.5) * 128 / energy.shape[1]
        found = np.sum(energy * centres, axis=1) / np.sum(energy, axis=1)
        assert abs(np.mean(found - columns - 0.5)) < 3, level


def test_crops_are_pictures_and_the_seed_decides_them(photographs):
    batch = next(crops([photographs], seed=5))
    assert batch.shape == (12, 128, 128, 3)
    assert batch.dtype == np.float32
    assert 0 <= batch.min() < batch.max() <= 1
    np.testing.assert_array_equal(batch, next(crops([photographs], seed=5)))


def test_training_lowers_the_errors_resumes_and_exports(teacher, photographs, tmp_path):
    pictures = tf.constant(next(crops([photographs], seed=6))[:2, :64, :64])
    batches = iter(lambda: pictures, None)
    scale = statistics(teacher, batches, 2)
    scale = {level: tuple(np.float32(pair)) for level, pair in scale.items()}
    distillation = Distillation(teacher, scale, seed=0, dtype="float32")
    first = distillation.errors(pictures).numpy().sum()
    for _ in range(12):
        distillation.step(pictures)
    assert distillation.errors(pictures).numpy().sum() < 0.9 * first

    distillation.steps, distillation.seconds = 12, 3.0
    distillation.save(tmp_path / "state.npz")
    resumed = Distillation(teacher, scale, seed=1, dtype="float32")
    resumed.load(tmp_path / "state.npz")
    assert (resumed.steps, resumed.seconds) == (12, 3.0)
    np.testing.assert_allclose(resumed.step(pictures), distillation.step(pictures), rtol=1e-4)

    distillation.export(tmp_path / "compact.npz", {"licence": "MIT"})
    with np.load(tmp_path / "compact.npz", allow_pickle=False) as file:
        shapes = {name.removesuffix("/kernel"): file[name].shape for name in file if name.endswith("/kernel")}
        assert {file[name].dtype for name in file} == {np.dtype(np.float16)}
    assert shapes == ARCHITECTURES["compact"].shapes()
    assert json.loads((tmp_path / "compact.json").read_text()) == {"licence": "MIT"}
