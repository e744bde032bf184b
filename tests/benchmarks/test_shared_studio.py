"""Benchmarks that ask a studio, which these tests share; it runs as `python app.py` does."""

from collections.abc import Iterator

import pytest

from benchmarks import (
    first_frame,
    first_load,
    idle_page,
    instant_page,
    pollers,
    steering,
    variations,
)
from benchmarks.outcome import NotMeasured
from benchmarks.siege.attacks import Scale, hostile_requests
from benchmarks.siege.target import Target
from benchmarks.studio import Studio, studio
from tests.benchmarks.conftest import Main, Measure, Refuse
from tools.browser import chromium

needs_browser = pytest.mark.skipif(chromium() is None, reason="no browser: set NST_CHROMIUM, or install chromium")
pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a studio with a warm worker."""
    folder = tmp_path_factory.mktemp("studio")
    with studio(folder=folder) as running:
        running.seconds_until(running.worker_warm)
        yield running.address


def test_variations_time_the_first_tile_and_the_whole_grid(measure: Measure, address: str) -> None:
    tiny = ["--rounds", "1", "--size", "64", "--epochs", "1"]
    found = measure(variations.main, *tiny, "--studio", address)
    first, tile, grid = (found[f"request to {what}"] for what in
                         ("the first painted picture", "the first finished tile", "the whole grid"))  # fmt: skip
    assert 0 < first <= tile <= grid


def test_hostile_requests_do_not_trouble_a_studio(address: str) -> None:
    scale = Scale(requests=20, connections=2, kills=1, seed=0)
    assert [fault for fault in hostile_requests(Target(Studio(address, 0.0)), scale) if fault] == []


def test_steering_is_heard(measure: Measure, address: str) -> None:
    found = measure(steering.main, "--rounds", "1", "--size", "64", "--studio", address)
    assert found["a step"] > 0
    assert found["resumed: to the worker painting again"] > 0


def test_steering_of_a_run_that_is_refused_is_not_heard(refuse: Refuse, address: str) -> None:
    words = "POST /api/v1/runs was answered with 422: `extractor` cannot be 'vgg19'"
    refuse(steering.main, words, "--rounds", "1", "--network", "vgg19", "--studio", address)


def test_a_run_that_ends_otherwise_than_it_was_followed_for_is_no_measurement(address: str) -> None:
    given = steering.parser().parse_args(["--size", "64"])
    with studio(address) as running:
        run = steering.begin(running, given)
        running.follow(run, "epoch")
        running.send("POST", f"/api/v1/runs/{run}/stop", {})
        with pytest.raises(NotMeasured, match="the run stopped instead of `finished`"):
            running.follow(run, "finished")


def test_pollers_are_answered(measure: Measure, address: str) -> None:
    given = ("--programs", "8,16", "--pages", "2", "--seconds", "2", "--size", "64", "--steps", "5")
    found = measure(pollers.main, *given, "--studio", address)
    assert min(found["8 programs: answers"], found["16 programs: answers"]) > 0
    assert found["8 programs that missed an epoch"] == found["16 programs that missed an epoch"] == 0
    assert min(found["the run alone"], found["the run beside 16 programs"]) > 0


@pytest.mark.parametrize(("count", "met", "missed"), [(200, 240.0, 260.0), (500, 990.0, 1010.0)])
def test_pollers_are_answered_in_time_or_the_aim_is_missed(count: int, met: float, missed: float) -> None:
    for milliseconds, verdict in ((met, "met"), (missed, "MISSED")):
        seen = pollers.Seen(latencies=[milliseconds, milliseconds])
        _, most = pollers.latency("programs", seen, pollers.AIMS[count])
        assert most.verdict.endswith(verdict)


def test_pollers_of_a_run_that_is_refused_have_no_latency(refuse: Refuse, address: str) -> None:
    refuse(pollers.main, "was answered with 422", "--seconds", "1", "--network", "vgg19", "--studio", address)


@pytest.mark.browser
@needs_browser
def test_first_frame_is_painted(measure: Measure, address: str) -> None:
    # The page shows the last twelve frames of a run that it first hears of, and of one that has ended its result alone.
    found = measure(first_frame.main, "--rounds", "1", "--size", "384", "--epochs", "11", "--studio", address)
    assert 0 < found["Start to first frame painted"] <= found["Start to the first epoch painted"]


@pytest.mark.browser
@needs_browser
def test_thumbnails_and_a_full_result_are_painted(measure: Measure, address: str) -> None:
    tiny = ("--rounds", "1", "--widths", "64", "--size", "64", "--clicks", "2")
    found = measure(instant_page.main, *tiny, "--studio", address)
    assert found["a click to the full result painted, 64 px"] > 0


@pytest.mark.browser
@needs_browser
def test_an_idle_page_asks_now_and_then_and_a_hidden_one_never(
    measure: Measure, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle_page, "PAGES", {"studio": "/"})
    monkeypatch.setattr(idle_page, "SETTLED", 3.0)
    found = measure(idle_page.main, "--seconds", "2", "--patience", "4", "--studio", address)
    assert found["studio: requests"] <= 60  # two of them, should the watch begin just before one
    assert found["hidden tab: requests"] == 0


@pytest.mark.browser
@needs_browser
def test_a_first_load_is_counted_in_bytes_and_seconds(measure: Measure, address: str) -> None:
    found = measure(first_load.main, "--rounds", "1", "--studio", address)
    assert 0 < found["... plotly"] / 1000 < found["on the wire"] < 1.5
    assert 0 < found["opened to Start"] <= found["opened to figures drawn"]


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("main", [first_frame.main, first_load.main, idle_page.main, instant_page.main])
def test_a_page_that_does_not_answer_paints_nothing(main: Main, refuse: Refuse, failing_server: str) -> None:
    refuse(main, "GET /api/v1/health was answered with 500", "--studio", failing_server)
