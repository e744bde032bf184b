import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nst.engine.feed_forward.transformer import Transformer
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.training import train
from nst.engine.training.photos import Photos
from nst.engine.training.train import Previewed, RolledBack, Trained, Training
from nst.errors import Diverged, InputError
from nst.options.train_options import TrainOptions
from tests.engine.fast import TINY, photos, picture, transformer

STYLES = [picture(80, 64, seed) for seed in (7, 8)]


def training(
    folder: Path, network: Transformer | None = None, styles: Sequence[np.ndarray] = STYLES, **options: Any
) -> Training:
    settings = TrainOptions(**{"crop": 64, "batch": 2, "preview": 1000, "learning_rate": 0.01, "steps": 12, **options})
    found = Photos(photos(folder), settings.crop, settings.seed, pytest.fail)
    alone = network is not None
    return Training(
        network or Transformer(TINY, len(styles)), styles, found, load_extractor("compact"), settings, alone
    )


@pytest.fixture(scope="module")
def before_and_records(tmp_path_factory: pytest.TempPathFactory) -> tuple[Previewed, list[Any]]:
    """A preview before a training of 30 steps, and what it records."""
    learning = training(tmp_path_factory.mktemp("photos"), steps=30)
    return learning.preview(), list(learning.records())


def test_the_loss_falls_on_photos_that_were_not_seen(before_and_records: tuple[Previewed, list[Any]]) -> None:
    before, (*_, last) = before_and_records
    assert isinstance(last, Previewed)
    assert last.losses["total"] < 0.9 * before.losses["total"]
    assert last.losses["style"] < 0.9 * before.losses["style"]
    assert len(last.pictures) == 1 + len(STYLES)


def test_a_preview_measures_every_style_however_few_the_photos_are(tmp_path: Path) -> None:
    learning = training(tmp_path, styles=STYLES * 2)
    before, learned = learning.preview(), learning.transformer.styles
    for row in range(4):
        vectors = np.asarray(learned).copy()
        learned.assign(np.where(np.arange(4)[:, None] == row, -2 * vectors, vectors))
        assert abs(learning.preview().losses["style"] - before.losses["style"]) > 1e-3
        learned.assign(vectors)


def test_each_step_is_reported_with_the_time_that_is_left(before_and_records: tuple[Previewed, list[Any]]) -> None:
    steps = [record for record in before_and_records[1] if isinstance(record, Trained)]
    assert [record.step for record in steps] == list(range(1, 31))
    assert steps[-1].left == 0.0
    assert all(earlier.seconds < later.seconds for earlier, later in pairwise(steps))


def test_adding_a_style_trains_its_vector_alone(tmp_path: Path) -> None:
    network = transformer(styles=2)
    before = [
        np.asarray(weight).copy() for weight in (*network.kernels.values(), network.identity_vector, network.styles)
    ]
    for _ in training(tmp_path, network, steps=3).records():
        pass
    *kernels, identity, styles = (*network.kernels.values(), network.identity_vector, network.styles)
    for weight, was in zip((*kernels, identity), before, strict=False):
        np.testing.assert_array_equal(weight, was)
    assert np.abs(np.asarray(styles) - before[-1]).max() > 1e-4


def test_a_training_continues_from_its_state(tmp_path: Path) -> None:
    whole = training(tmp_path / "photos", steps=6)
    for record in whole.records():
        if isinstance(record, Trained) and record.step == 3:
            state = whole.state()
    again = training(tmp_path / "photos", steps=6, seed=1)
    assert again.state() != state
    again.load_state(state)
    assert again.state() == state  # weights, moments of Adam, step, time, learning rate and history
    seconds = again.seconds
    steps = [record for record in again.records() if isinstance(record, Trained)]
    assert [step.step for step in steps] == [4, 5, 6]
    assert steps[0].seconds > seconds > 0


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        learning = training(tmp_path / "photos", steps=2)
        for _ in learning.records():
            pass
        found.append(np.asarray(learning.transformer.styles))
    np.testing.assert_allclose(*found, atol=1e-6)


class Poisoned(Photos):
    """Photos of which some batches are NaN."""

    bad: range

    def batches(self, size: int, start: int = 0) -> Iterator[np.ndarray]:
        for n, batch in enumerate(super().batches(size, start)):
            yield batch * np.nan if n in self.bad else batch


@pytest.mark.parametrize("bad", [range(2, 3), range(1, 1000)], ids=["once", "always"])
def test_a_loss_that_is_no_number_rolls_back_to_smaller_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: range
) -> None:
    monkeypatch.setattr(train, "MOST_ROLLBACKS", 2)
    learning = training(tmp_path, steps=4)
    learning._photos.__class__ = Poisoned
    Poisoned.bad = bad
    if bad.stop > 100:
        with pytest.raises(Diverged, match="NaN 3 times; try a smaller `learning_rate`"):
            list(learning.records())
        return
    records = list(learning.records())
    assert [record for record in records if isinstance(record, RolledBack)] == [RolledBack(0, 0.5)]
    assert learning.step == 4
    assert np.isfinite(np.asarray(learning.transformer.styles)).all()


def test_training_ends_early_when_nothing_gets_better(tmp_path: Path) -> None:
    learning = training(tmp_path, steps=10**7, preview=0.01, patience=2, learning_rate=1e-6)
    *_, last = learning.records()
    assert isinstance(last, Previewed)
    assert last.step < 10**7


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    learning = training(tmp_path)
    state = learning.state()
    for damaged in (b"", state[:1000], training(tmp_path, transformer(styles=2)).state()):
        with pytest.raises(InputError, match="checkpoint is damaged, or of another training"):
            learning.load_state(damaged)


def test_files_that_are_no_photos_are_named_and_left_out(tmp_path: Path) -> None:
    photos(tmp_path, count=3)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (tmp_path / "notes.txt").write_text("not looked at")
    (tmp_path / "small.png").write_bytes((tmp_path / "0.png").read_bytes())
    told: list[str] = []
    found = Photos(tmp_path, 64, 0, told.append)
    found.held_out()
    batches = found.batches(2)
    for _ in range(20):
        batch = next(batches)
        assert batch.shape == (2, 64, 64, 3)
        assert batch.min() >= 0
        assert batch.max() <= 1
    batches.close()
    assert [line.partition(" ")[0] for line in told] == ["broken.jpg"]


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no folder '.*none' of photos"):
        Photos(tmp_path / "none", 64, 0, pytest.fail)
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(InputError, match="must have photos to train on, but there is none"):
        Photos(tmp_path, 64, 0, pytest.fail)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    with pytest.raises(InputError, match="no photo is left"):
        next(Photos(tmp_path, 64, 0, lambda _: None).batches(1))


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_it_trains_on_jax_without_tensorflow(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys; sys.modules['tensorflow'] = None\n"
        "from pathlib import Path; from tests.engine.test_train import training\n"
        f"*_, last = training(Path({str(tmp_path / 'photos')!r}), steps=3).records(); print(last.step)\n"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join((str(root), *sys.path))}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.strip() == "3", done.stderr
    shutil.rmtree(tmp_path / "photos")
