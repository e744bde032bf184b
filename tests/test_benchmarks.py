"""Each benchmark at a tiny size, and what it does where its subject fails: one line, no figure, nothing kept.

Those that ask a studio share one, which runs as `python app.py` does; the others have small ones of their own.
"""

import http.server
import json
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from benchmarks import (
    epochs,
    estimates,
    fast,
    fast_race,
    first_frame,
    first_load,
    idle_page,
    instant_page,
    kills,
    memory,
    peak,
    pollers,
    speed,
    startup,
    steering,
    variations,
    wire,
    workers,
)
from benchmarks.command import command, flags
from benchmarks.outcome import NotMeasured, all_of, must_finish, paint
from benchmarks.quality.features import squeezenet_judge, vgg19_judge
from benchmarks.report import Number
from benchmarks.siege.__main__ import main as siege
from benchmarks.siege.attacks import Scale, hostile_requests
from benchmarks.siege.hostile_files import hostile_pictures, hostile_styles
from benchmarks.siege.target import Target
from benchmarks.studio import Studio, studio
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.runs.job import StyleJob
from tools.browser import chromium

Main = Callable[[Sequence[str]], int]
Measure = Callable[..., dict[str, float]]
Refuse = Callable[..., None]

needs_browser = pytest.mark.skipif(chromium() is None, reason="no browser: set NST_CHROMIUM, or install chromium")
pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


@pytest.fixture
def measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    """Runs a benchmark; {number: median} that it has printed and kept."""

    def measure(main: Main, *given: str) -> dict[str, float]:
        status = main([*given, "--folder", str(tmp_path)])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        [path] = tmp_path.glob("*.json")
        name = main.__module__.split(".")[1]
        found = {number["name"]: number["median"] for number in json.loads(path.read_text())[name]["numbers"]}
        assert all(map(math.isfinite, found.values()))
        assert [number for number in found if f"  {number}" not in printed.out] == []
        return found

    return measure


@pytest.fixture
def refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Runs a benchmark that cannot measure."""

    def refuse(main: Main, words: str, *given: str, status: int = 1) -> None:
        folder = tmp_path / "results"
        assert main([*given, "--folder", str(folder)]) == status
        printed = capsys.readouterr()
        *_, line = printed.err.splitlines()
        assert line.startswith(f"{main.__module__.rpartition('.')[2]}: ")
        assert words in line
        assert "n=" not in printed.out
        assert "kept in" not in printed.out
        assert not folder.exists()

    return refuse


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a studio with a warm worker."""
    folder = tmp_path_factory.mktemp("studio")
    with studio(folder=folder) as running:
        running.seconds_until(running.worker_warm)
        yield running.address


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has processes that are started from now on find a damaged module of that name."""

    def broken(module: str) -> None:
        (tmp_path / "damaged").mkdir()
        (tmp_path / "damaged" / f"{module}.py").write_text(f"raise ImportError('{module} is damaged')\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "damaged"))
        monkeypatch.syspath_prepend(tmp_path / "damaged")  # which multiprocessing hands on to what it spawns

    return broken


@pytest.fixture
def no_vgg19(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG19's weights are not there."""
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(tmp_path / "nothing.npz"))


@pytest.fixture
def pictures(tmp_path_factory: pytest.TempPathFactory, content: np.ndarray, style: np.ndarray) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("pictures")
    for name, picture in (("content", content), ("style", style)):
        (folder / f"{name}.png").write_bytes(encode_png(picture))
    return ("--content", str(folder / "content.png"), "--style", str(folder / "style.png"))


@pytest.fixture
def unwell() -> Iterator[str]:
    """The address of a server that answers everything with 500."""

    class Unwell(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500, "unwell")

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unwell) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


# What they insist on with ---------------------------------------------------------------------------------------------


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
    assert capsys.readouterr().err.startswith("speed: KeyError: 'frame' (test_benchmarks.py, line ")


# In this process, or in ones of their own -----------------------------------------------------------------------------


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
    refuse(estimates.main, "the weights of vgg19 are missing", "--settings", "1", "--network", "vgg19")


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
    measure: Measure, refuse: Refuse, pictures: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(fast_race.PYTHON, raising=False)
    paintings = tmp_path / "paintings"
    paintings.mkdir()
    (paintings / "painting.png").write_bytes(encode_png(np.random.default_rng(0).random((80, 96, 3), np.float32)))
    photos = str(Path(pictures[1]).parent)
    short = ("--rounds", "1", "--size", "64", "--large", "300", "--photos", photos, "--paintings", str(paintings))
    if vgg19_judge() is None and squeezenet_judge() is None:
        refuse(fast.main, "a judge needs the weights", *short)
        return
    found = measure(fast.main, *short)
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


def test_variations_time_the_first_tile_and_the_whole_grid(measure: Measure, address: str) -> None:
    tiny = ["--rounds", "1", "--size", "64", "--epochs", "1"]
    found = measure(variations.main, *tiny, "--studio", address)
    first, tile, grid = (found[f"request to {what}"] for what in
                         ("the first painted picture", "the first finished tile", "the whole grid"))  # fmt: skip
    assert 0 < first <= tile <= grid


# With workers of their own --------------------------------------------------------------------------------------------


def test_memory_is_the_workers(measure: Measure) -> None:
    found = measure(memory.main, "--runs", "2", "--size", "64", "--steps", "1")
    assert found["most after any run"] > 100
    assert "growth" not in found  # which is told from the sixth run on


def test_memory_of_a_worker_that_cannot_paint_is_no_figure(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(memory.main, "tensorflow is damaged", "--runs", "1", "--size", "64")


def test_workers_are_two_against_one(measure: Measure) -> None:
    found = measure(workers.main, "--runs", "2", "--rounds", "1", "--size", "64", "--epochs", "1")
    assert found["two workers against one"] == pytest.approx(found["two workers"] / found["one worker"], rel=1e-3)


def test_workers_that_cannot_paint_have_no_rate(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(workers.main, "a run is failed", "--runs", "1", "--rounds", "1", "--size", "64", "--epochs", "1")


def test_wire_counts_bytes(measure: Measure) -> None:
    found = measure(wire.main, "--size", "64", "--epochs", "10", "--seconds", "0.2")
    assert found["an epoch, worker to scheduler"] >= found["a frame, JPEG"]


def test_wire_without_a_cluster_has_no_bytes(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("distributed")
    refuse(wire.main, "distributed is damaged", "--size", "64")


# With studios of their own --------------------------------------------------------------------------------------------


def test_startup_ends_with_a_warm_worker(measure: Measure) -> None:
    found = measure(startup.main, "--rounds", "1")
    assert 0 < found["python app.py to a page that answers"] < found["... to a warm worker"]


def test_startup_of_a_studio_that_ends_is_no_startup(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("uvicorn")
    refuse(startup.main, "the studio ended with status 1: ImportError: uvicorn is damaged", "--rounds", "1")


def test_kills_are_survived(measure: Measure) -> None:
    found = measure(kills.main, "--kills", "1", "--pause", "0.5", "--size", "64")  # by its seed, the worker
    assert 0 <= found["work lost to a kill"] == found["most work lost to a kill"]


def test_a_siege_tells_what_was_tried_and_what_failed(measure: Measure) -> None:
    found = measure(siege, "--only", "strangers")
    assert found["strangers: tried"] >= 4  # two ways into the scheduler and into the worker
    assert found["strangers: failed"] == 0
    assert found["strangers: /health meanwhile"] > 0


def test_hostile_requests_do_not_trouble_a_studio(address: str) -> None:
    scale = Scale(requests=20, connections=2, kills=1, seed=0)
    assert [fault for fault in hostile_requests(Target(Studio(address, 0.0)), scale) if fault] == []


def test_what_a_server_does_not_hold_against_is_told(unwell: str) -> None:
    target, scale = Target(Studio(unwell, 0.0)), Scale(requests=5, connections=2, kills=1, seed=0)
    assert all("status 50" in each for each in hostile_requests(target, scale))


def test_hostile_files_have_names_of_their_own_and_are_the_same_for_a_seed() -> None:
    files = [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]
    assert len({name for name, _ in files}) == len(files)
    assert files == [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]


def test_kills_of_a_worker_that_is_never_there_cost_nothing(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(kills.main, "tensorflow is damaged", "--kills", "1")


# In the studio that they share ----------------------------------------------------------------------------------------


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
    given = ("--programs", "8", "--pages", "2", "--seconds", "6", "--size", "64", "--steps", "5")
    found = measure(pollers.main, *given, "--studio", address)
    assert found["programs: answers"] > 0
    assert found["the run alone"] > 0


def test_pollers_of_a_run_that_is_refused_have_no_latency(refuse: Refuse, address: str) -> None:
    refuse(pollers.main, "was answered with 422", "--seconds", "1", "--network", "vgg19", "--studio", address)


@pytest.mark.browser
@needs_browser
def test_first_frame_is_painted(measure: Measure, address: str) -> None:
    found = measure(first_frame.main, "--rounds", "1", "--size", "256", "--epochs", "6", "--studio", address)
    assert 0 < found["Start to first frame painted"] <= found["Start to the first epoch painted"]


@pytest.mark.browser
@needs_browser
def test_wall_is_painted(measure: Measure, address: str) -> None:
    found = measure(instant_page.main, "--rounds", "1", "--widths", "64", "--size", "64", "--studio", address)
    assert found["a click to the full result painted, 64 px"] > 0


@pytest.mark.browser
@needs_browser
def test_idle_pages_ask_now_and_then_and_a_hidden_one_never(measure: Measure, address: str) -> None:
    found = measure(idle_page.main, "--seconds", "4", "--patience", "10", "--studio", address)
    assert found["studio: requests"] <= 30  # two of them, should the watch begin just before one
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
def test_a_page_that_does_not_answer_paints_nothing(main: Main, refuse: Refuse, unwell: str) -> None:
    refuse(main, "GET /api/v1/health was answered with 500", "--studio", unwell)
