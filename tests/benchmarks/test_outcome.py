"""What every benchmark insists on: its subject ended as it should, and its numbers are numbers."""

import math

import numpy as np
import pytest

from benchmarks.command import command, flags
from benchmarks.outcome import NotMeasured, all_of, must_finish, paint
from benchmarks.report import Number
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.runs.job import StyleJob


def job(content: np.ndarray, style: np.ndarray, **options: object) -> StyleJob:
    small = {"size": 64, "epochs": 1, "extractor": "compact", "precision": "float32"}
    return StyleJob(encode_png(content), encode_png(style), StyleOptions.from_json({**small, **options}))


def test_a_run_is_painted_to_its_end_or_its_own_error_is_raised(content: np.ndarray, style: np.ndarray) -> None:
    kinds = [event.kind for event in paint(job(content, style))]
    assert [kind for kind in kinds if kind != "kept"] == ["started", "epoch", "epoch", "finished"]
    with pytest.raises(NotMeasured, match=r"the run is failed, not finished: .*content_layers"):
        paint(job(content, style, content_layers=[["nowhere", 1.0]]))


def test_a_run_that_hears_a_stop_has_not_finished() -> None:
    must_finish("a run", "finished")
    with pytest.raises(NotMeasured, match=r"^a run is stopped, not finished$"):
        must_finish("a run", "stopped")


def test_what_ends_early_is_not_all() -> None:
    assert all_of(2, iter(range(9))) == [0, 1]
    with pytest.raises(NotMeasured, match="ended after 2 of 3"):
        all_of(3, range(2))


@pytest.mark.parametrize("samples", [(), (math.nan,), (1.0, math.inf)])
def test_a_number_has_samples_that_are_numbers(samples: tuple[float, ...]) -> None:
    with pytest.raises(NotMeasured, match="a step"):
        Number("a step", "s", samples)


def test_an_error_that_nobody_foresaw_is_one_line_that_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    def stumble(given: object) -> None:
        raise KeyError("frame")

    assert command(flags("speed", "How fast."), stumble, []) == 1
    assert capsys.readouterr().err.startswith("speed: KeyError: 'frame' (test_outcome.py, line ")
