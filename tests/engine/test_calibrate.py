import pytest

from benchmarks.random_weights import he_normal
from nst.engine import calibrate as calibration
from nst.engine.calibrate import calibrate
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor


def test_a_network_is_measured_step_by_step(monkeypatch):
    seconds = {64: 0.03, 224: 0.2}  # of a step on either picture
    clock = iter(range(10**6))
    monkeypatch.setattr(calibration, "_time_step", lambda extractor, side: (side**2, seconds[side]))
    monkeypatch.setattr(calibration.time, "perf_counter", lambda: next(clock))
    found = calibrate(load_extractor("compact"))
    assert (found.network, found.precision) == ("compact", "float32")
    for side, expected in seconds.items():
        assert found.step_seconds + side**2 * found.pixel_seconds == pytest.approx(expected)
    assert found.vector_seconds == pytest.approx(1 / 40 / 128**2)


def test_times_that_make_no_line_are_never_negative(monkeypatch):
    monkeypatch.setattr(calibration, "_time_step", lambda extractor, side: (side**2, 1 / side))
    found = calibrate(load_extractor("compact"))
    assert found.pixel_seconds == 0
    assert found.step_seconds > 0


def test_a_real_network_takes_longer_on_more_pixels():
    architecture = ARCHITECTURES["compact"]
    found = calibrate(Extractor(architecture, he_normal(architecture, 0)))
    assert found.pixel_seconds > 0
    assert found.vector_seconds > 0
    assert found.to_json()["network"] == "compact"
