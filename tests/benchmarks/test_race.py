"""The race itself: turns, clocks, what it keeps, and what its command line refuses."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import race, torch_loop
from benchmarks.curves import Curve
from benchmarks.published_loops import Frame, Loop, Problem
from nst.engine.networks.choose_extractor import load_extractor
from nst.errors import Diverged
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png


def frames_of(pictures: list[NDArray]) -> Iterator[Frame]:
    for picture in pictures:
        yield Frame(*picture.shape[:2], lambda picture=picture: picture)


def diverging(pictures: list[NDArray]) -> Iterator[Frame]:
    yield from frames_of(pictures)
    raise Diverged("the loss ran away")


def test_loops_take_turns_and_end_together_whatever_their_number_of_steps(content: NDArray, style: NDArray) -> None:
    problem = Problem(content, style, load_extractor("compact"), steps=20)
    whole, small = np.zeros((48, 64, 3), np.float32), np.zeros((24, 32, 3), np.float32)
    broken = np.full((48, 64, 3), np.nan, np.float32)
    taken: list[str] = []

    def watched(name: str, frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            taken.append(name)
            yield frame

    runs = {
        "plain": (lambda: frames_of([whole] * 99), 20),
        "long": (lambda: frames_of([small] * 61), 40),  # twice the steps, at a quarter of the pixels
        "ends": (lambda: frames_of([whole] * 7), 20),
        "diverges": (lambda: diverging([whole] * 14), 20),
        "breaks": (lambda: frames_of([whole] * 5 + [broken] * 9), 20),
    }
    loops = {
        name: Loop(name, "noise", lambda name=name, run=run: watched(name, run()), steps, steps)
        for name, (run, steps) in runs.items()
    }
    curves = {name: Curve(name, "noise") for name in loops}
    kept = []
    race.race(
        loops, curves, {}, problem, lambda: kept.append([(taken.count(n), c.finished) for n, c in curves.items()])
    )
    assert kept == [
        [(11, False), (21, False), (7, True), (11, False), (11, True)],
        [(21, True), (41, True), (7, True), (14, True), (11, True)],
    ]
    assert {name: curve.step for name, curve in curves.items()} == {
        "plain": [0, 10, 20],
        "long": [0, 10, 20, 30, 40],
        "ends": [0, 6],
        "diverges": [0, 10, 13],
        "breaks": [0],
    }
    assert curves["long"].work == [0, 2.5, 5, 7.5, 10]
    assert curves["diverges"].note == "the loss ran away"
    assert curves["breaks"].note == "its picture was no longer finite at step 10"
    assert all(curve.finished for curve in curves.values())


@pytest.fixture
def pictures(tmp_path: Path, content: NDArray, style: NDArray) -> tuple[str, ...]:
    for name, picture in (("content", content), ("style", style)):
        (tmp_path / f"{name}.png").write_bytes(encode_png(picture))
    return ("--content", str(tmp_path / "content.png"), "--style", str(tmp_path / "style.png"))


def run_race(folder: Path, *flags: str) -> int:
    return race.main(["--size", "64", "--steps", "20", "--folder", str(folder), *flags])


def test_a_race_keeps_curves_table_and_chart_and_goes_on_where_it_stopped(
    tmp_path: Path, pictures: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("NST_SHARED", str(tmp_path))  # where no teacher is
    assert run_race(tmp_path, *pictures, "--loops", "tensorflow") == 0
    assert "no teacher judges" in capsys.readouterr().out
    json_file = next(tmp_path.glob("race-*-compact.json"))
    tensorflow = json.loads(json_file.read_text())["loops"]["tensorflow"]
    assert tensorflow["step"] == tensorflow["work"] == [0, 10, 20]
    assert tensorflow["seconds"] == sorted(tensorflow["seconds"])
    assert set(tensorflow["judged"]) == {"compact"}
    assert "TensorFlow tutorial, Adam" in json_file.with_suffix(".md").read_text()
    ET.parse(json_file.with_suffix(".svg"))

    assert run_race(tmp_path, *pictures, "--loops", "tensorflow,tensorflow-yardstick") == 0
    again = json.loads(json_file.read_text())["loops"]
    assert again["tensorflow"] == tensorflow
    assert again["tensorflow-yardstick"]["circumstances"]["beside"] == ["tensorflow-yardstick"]

    capsys.readouterr()
    assert race.main(["--size", "96", "--folder", str(tmp_path), *pictures]) == 2
    assert re.fullmatch(r"race: race-\S+-compact.json keeps a race whose \w+ is .*\n", capsys.readouterr().err)


def test_a_loop_that_breaks_off_has_no_figures_and_fails_the_race(
    tmp_path: Path, pictures: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    start = np.zeros((48, 64, 3), np.float32)
    breaks = {"ours": Loop("ours", "noise", lambda: diverging([start] * 14), 20, 20)}
    monkeypatch.setattr(race, "our_loops", lambda problem: breaks)
    assert run_race(tmp_path, *pictures, "--loops", "ours") == 1
    printed = capsys.readouterr()
    assert printed.err == "race: ours: the loss ran away\n"
    assert not list(tmp_path.glob("*.md"))
    assert run_race(tmp_path, *pictures, "--loops", "tensorflow,ours") == 1
    [report] = tmp_path.glob("*.md")
    assert "| TensorFlow tutorial, Adam |" in report.read_text()
    assert "| ours |" not in report.read_text()
    assert "No figures of ours: the loss ran away." in report.read_text()


def test_with_random_weights_only_times_are_reported(
    tmp_path: Path, pictures: tuple[str, ...], capsys: pytest.CaptureFixture
) -> None:
    flags = ("--network", "compact", "--random-weights", "--size", "64", "--steps", "2", "--loops", "keras,ours")
    assert race.main([*flags, *pictures, "--folder", str(tmp_path)]) == 0
    report = next(tmp_path.glob("*-timing.md")).read_text()
    assert "| Keras example, SGD |" in report
    ours = next(line for line in report.splitlines() if line.startswith("| ours |"))
    assert float(ours.split("|")[3]) == StyleOptions().steps  # at 64 px there is one scale
    assert not list(tmp_path.glob("*.svg"))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--loops", "kears"), "there is no loop 'kears'; did you mean 'keras'?"),
        (("--loops", "torch-eager-float32"), "'torch-eager-float32' needs PyTorch, which is not installed"),
        (("--content", "lakes"), "there is no sample 'lakes'; did you mean 'lake'?"),
        (("--size", "100"), "must be a whole number between 64 and 4096, a multiple of 16, got '100'"),
    ],
)
def test_a_wrong_flag_is_one_line(
    flags: tuple[str, str],
    words: str,
    tmp_path: Path,
    pictures: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(torch_loop, "available", lambda: False)
    assert run_race(tmp_path, *pictures, *flags) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
