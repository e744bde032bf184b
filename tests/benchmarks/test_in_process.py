"""Benchmarks that paint in this process, or in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    epochs,
    estimates,
    fast,
    fast_race,
    peak,
    speed,
)
from benchmarks.outcome import NotMeasured
from benchmarks.quality.features import squeezenet_judge, vgg19_judge
from nst.pictures.images import encode_png
from tests.benchmarks.conftest import Measure, Refuse

pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


def test_speed_paints_and_steps(measure: Measure) -> None:
    found = measure(speed.main, "--paintings", "1", "--rounds", "1", "--size", "64", "--epochs", "2")
    assert found["compact, 64 px, run of 2 epochs, noise to finished"] > 0
    assert 0 < found["... of it spent on frames"] < 100
    assert found["run of 2 epochs, in steps at full size"] == 10


def test_speed_of_a_painting_that_fails_is_no_speed(refuse: Refuse, no_vgg19: None) -> None:
    refuse(speed.main, "the run is failed", "--size", "64", "--network", "vgg19")


def test_estimates_are_held_against_a_run(measure: Measure) -> None:
    assert measure(estimates.main, "--settings", "1", "--size", "128")["memory: error, the worst"] < 100


def test_estimates_of_a_run_that_fails_are_not_judged(refuse: Refuse, no_vgg19: None) -> None:
    refuse(estimates.main, "the weights of vgg19 are missing", "--setting", "0", "--network", "vgg19")


def test_peak_paints_in_processes_of_their_own(measure: Measure) -> None:
    found = measure(peak.main, "--peaks", "compact:64", "--growth", "64")
    assert found["compact, 64 px, whole"] > 0.1
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
    assert found["64 x 64 px, ours"] > 0
    assert found["300 x 200 px, peak memory"] > 0.1


def test_fast_races_predicted_styles_where_a_judge_is_there(
    content: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(fast_race.PYTHON, raising=False)
    (tmp_path / "painting.png").write_bytes(encode_png(np.random.default_rng(0).random((80, 96, 3), np.float32)))
    if vgg19_judge() is None and squeezenet_judge() is None:
        with pytest.raises(NotMeasured, match="a judge needs the weights"):
            fast_race.race([content], tmp_path, 64)
        return
    found = {number.name: number.median for number in fast_race.race([content], tmp_path, 64)}
    assert found["ours, predicted: a photo like a painting"] > 0
    assert found["ours, predicted: peak memory"] > 0.1


def test_fast_has_no_figure_of_a_damaged_photo(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "broken.png").write_bytes(b"nonsense")
    refuse(fast.main, "broken.png", "--photos", str(tmp_path / "photos"), status=2)


def test_epochs_are_a_table_and_a_network_without_weights_is_left_out(
    tmp_path: Path, pictures: tuple[str, ...], no_vgg19: None, capsys: pytest.CaptureFixture[str]
) -> None:
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
    assert min(many["seconds"], many["steps_per_second"]) > 0
    rows = [line for line in path.with_suffix(".md").read_text().splitlines() if line.startswith("| compact")]
    assert [row.split(" | ")[2] for row in rows] == ["2", "10"]


def test_epochs_of_runs_that_fail_have_no_rows(
    refuse: Refuse, pictures: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NST_MEMORY", "0.1")
    flags = ("--networks", "compact", "--precisions", "float32", "--epochs", "2", "--size", "64")
    refuse(epochs.main, "compact, float32, 2 epochs: the run is failed, not finished: `size`", *flags, *pictures)
