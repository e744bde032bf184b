"""Runs that begin while VGG19's weights are downloaded, and after that: a real download, real networks."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.random_weights import he_normal
from nst.engine.networks import weights
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.errors import Unfetched
from nst.options.style_options import StyleOptions
from nst.runs.estimates import Calibration
from nst.runs.events import Fetching
from nst.runs.job import StyleJob
from nst.worker import calibrations, weights_fetcher
from tests.engine.files import FILE, Server, md5, write_notop
from tests.worker.test_runner import events_of, png

TINY = StyleOptions(epochs=1, steps_per_epoch=1, size=64, precision="float32", extractor="auto")
QUICK, SLOW = 1e-9, 1.0  # seconds a pixel


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """A file of VGG19, made thin for this module, with random weights."""
    thin = replace(ARCHITECTURES["vgg19"], widths=(8, 12, 16, 16, 16))
    path = write_notop(tmp_path_factory.mktemp("served") / FILE, he_normal(thin, seed=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ARCHITECTURES, "vgg19", thin)
        yield path.read_bytes()


@pytest.fixture
def server(data: bytes, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of it instead of Keras' own, with empty caches."""
    with Server(data) as server:
        for variable in ("NST_OFFLINE", "NST_VGG19_WEIGHTS"):
            monkeypatch.delenv(variable, raising=False)
        for variable in ("NST_CACHE", "KERAS_HOME"):
            monkeypatch.setenv(variable, str(tmp_path / variable))
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setitem(weights.SOURCES, "vgg19", weights.Source(FILE, server.url, md5(data), len(data)))
        load_extractor.cache_clear()
        yield server
    load_extractor.cache_clear()


@pytest.fixture
def job(content, style) -> StyleJob:
    return StyleJob(png(content), png(style), TINY)


def measured(monkeypatch: pytest.MonkeyPatch, pixel_seconds: float) -> None:
    """Have every network measure so slow."""

    def calibrate(network: Extractor) -> Calibration:
        return Calibration(network.architecture.name, network.dtype, 0.0, pixel_seconds)

    monkeypatch.setattr(calibrations, "_measured", {})
    monkeypatch.setattr(calibrations, "calibrate", calibrate)


def started(job: StyleJob) -> tuple[str, str]:
    """(network, note) of a run that paints."""
    events = events_of(job)
    assert events[-2].kind == "finished", events[-1]
    return events[0].extractor, events[0].note


def test_a_run_paints_at_once_while_vgg19_is_fetched_and_the_next_one_has_it(server, job, monkeypatch) -> None:
    measured(monkeypatch, QUICK)
    server.plan, events, some = ["stalls"], list[Fetching](), threading.Event()

    def emit(event: Fetching) -> None:
        events.append(event)
        some.set()

    answers: list[dict] = []
    download = threading.Thread(
        target=lambda: answers.append(weights_fetcher.fetch("vgg19", emit, threading.Event())), daemon=True
    )
    download.start()
    assert some.wait(60)
    network, note = started(job)
    assert network == "compact"
    assert note == ("VGG19's weights are being fetched: a later run can have them. The built-in network is used.")
    server.release.set()
    download.join()
    assert answers[0]["extractors"]["vgg19"] == {"installed": True, "how": "", "fetchable": False}
    assert (events[-1].received, events[-1].size) == (len(server.data), len(server.data))
    assert started(job) == ("vgg19", "VGG19 is here and quick enough for this run.")
    assert started(replace(job, extractor="compact")) == ("compact", "")  # a run keeps the network it began with
    measured(monkeypatch, SLOW)
    network, note = started(job)
    assert network == "compact"
    assert note.startswith("VGG19 would take about ")
    assert note.endswith(" here, and `auto` waits 1 min 30 s at most; choose `vgg19` to have it all the same.")
    assert started(replace(job, options=replace(TINY, extractor="vgg19"))) == ("vgg19", "")
    assert started(replace(job, extractor="vgg19")) == ("vgg19", "")


def test_a_download_that_is_forbidden_is_one_line(server, monkeypatch) -> None:
    monkeypatch.setenv("NST_OFFLINE", "1")
    with pytest.raises(Unfetched, match="NST_OFFLINE forbids it"):
        weights_fetcher.fetch("vgg19", pytest.fail, threading.Event())
    assert server.asked == []
