import functools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.pictures.samples import SAMPLES, SIDES, find
from tools.samples import DRAWINGS
from tools.samples.__main__ import render

LOSS = 6.0  # root mean square, of 255; JPEG of that quality takes 4.9 from gold leaf, the finest texture


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture, np.float32)


def test_every_sample_has_a_drawing() -> None:
    assert list(DRAWINGS) == [sample.name for sample in SAMPLES]


def test_a_drawing_made_again_is_the_picture_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRAWINGS, "golden-tree", functools.cache(DRAWINGS["golden-tree"]))
    np.random.seed(1)  # the global generator has no say
    sample = find("golden-tree")
    render(sample, tmp_path / "new")
    shipped = [sample.path, *(sample.thumbnail(side) for side in SIDES)]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in shipped}
    for path in shipped:
        again, before = pixels(tmp_path / "new" / path.name), pixels(path)
        assert again.shape == before.shape
        assert np.sqrt(np.mean((again - before) ** 2)) < LOSS
    drawn = np.asarray(DRAWINGS["golden-tree"](), np.float32)
    assert np.sqrt(np.mean((drawn - pixels(sample.path)) ** 2)) < LOSS
