"""The training of the fast styles that ship, at a tiny size: it goes on, improves and is exported whole."""

import numpy as np
import pytest
from PIL import Image

from nst.engine.feed_forward.style_predictor import StylePredictor
from nst.styles.network_plan import PLANS
from nst.styles.style_file import StyleFile
from tests.engine.fast import TINY
from tools import train_fast_styles
from tools.crops import random_crop, recolored
from tools.train_fast_styles import Training, fixed_arrays_of


@pytest.fixture
def training(monkeypatch, tmp_path) -> Training:
    for name, value in {
        "CROP": 32, "SIDE": 64, "STYLE_SIDE": 72, "NAMED_CROPS": 8, "PAINTING_CROPS": 2, "STATISTICS_PAINTINGS": 12,
        "COMPONENTS": 4, "DIRECTIONS": 3, "HIDDEN": 5,
    }.items():  # fmt: skip
        monkeypatch.setattr(train_fast_styles, name, value)
    monkeypatch.setitem(PLANS, "studio", TINY)
    monkeypatch.setattr(train_fast_styles, "choose_precision", lambda precision: "float32")  # on any processor
    random = np.random.default_rng(0)
    pictures = [Image.fromarray(random.integers(0, 255, (48, 40, 3), np.uint8)) for _ in range(8)]
    paintings = [tmp_path / f"{n}.png" for n in range(8)]
    for picture, path in zip(pictures, paintings, strict=True):
        picture.save(path)
    return Training({"one": pictures[0], "two": pictures[1]}, pictures, paintings, "compact")


def test_a_training_goes_on_from_its_checkpoint_and_is_exported(training, tmp_path):
    before = [variable.numpy() for variable in training._variables]
    steps = training.steps(minutes=10, peak_rate=1e-3)
    errors = next(steps)
    while np.isnan(errors).any():  # until there was a step of either kind at full strength
        errors = next(steps)
    assert errors.shape == (8,)
    assert any(not np.array_equal(a, b.numpy()) for a, b in zip(before, training._variables, strict=True))

    training.save(tmp_path / "state.npz")
    state, done = [variable.numpy() for variable in training._state()], training.step
    next(steps)
    training.load(tmp_path / "state.npz")
    assert training.step == done
    for old, variable in zip(state, training._state(), strict=True):
        np.testing.assert_array_equal(old, variable.numpy())
    fixed = fixed_arrays_of(tmp_path / "state.npz")
    assert fixed.keys() == training.fixed.keys()

    targets = training._painting(1, varied=False)
    assert training._painting(1, varied=False) is targets  # computed once

    training.export(tmp_path / "trained.style", 3, 3)
    file = StyleFile.from_bytes((tmp_path / "trained.style").read_bytes())
    assert list(file.styles) == ["one", "two"]
    with np.load(tmp_path / "trained.predictor.npz") as arrays:
        vectors = StylePredictor(dict(arrays)).vectors(np.zeros((1, 4), np.float32))
    assert vectors.shape == (1, file.plan.length)


def test_crops_have_their_size_and_stay_within_the_picture():
    random = np.random.default_rng(1)
    picture = Image.fromarray(np.full((50, 90, 3), 200, np.uint8))
    for scales in (None, (0.5, 4.0)):
        crop = random_crop(picture, 24, random, scales)
        assert crop.shape == (24, 24, 3)
        np.testing.assert_allclose(crop, 200 / 255, atol=0.01)  # nothing from beyond the edge


def test_other_colors_stay_in_range():
    random = np.random.default_rng(2)
    picture = random.uniform(size=(8, 8, 3)).astype(np.float32)
    changed = [recolored(picture, random) for _ in range(20)]
    assert all(each.min() >= 0 and each.max() <= 1 and each.dtype == np.float32 for each in changed)
    assert not any(np.array_equal(each, picture) for each in changed)
