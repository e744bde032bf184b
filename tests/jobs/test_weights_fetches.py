"""Weights that a studio downloads automatically: real servers and worker processes, small weights."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from nst.engine.networks import weights
from nst.jobs.queue import Queue
from nst.jobs.storage.run_files import FETCHES as OUTCOMES
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.weights_fetches import WeightsFetches
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import WorkerFunctions, Workers
from nst.options.settings import Settings
from nst.runs.events import Fetching
from tests.engine.files import FILE, Server, md5, write_notop
from tests.jobs import fetchers
from tests.jobs.runs import wait_until

DATA = "data"  # the folder of the studio that is meant where only one is


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of weights for the workers of this test."""
    layers = {"block1_conv1": (np.ones((3, 3, 3, 4), np.float32), np.ones(4, np.float32))}
    with Server(write_notop(tmp_path / "served.h5", layers).read_bytes()) as server:
        for variable in ("NST_OFFLINE", "NST_VGG19_WEIGHTS"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv(fetchers.URL, server.url)
        monkeypatch.setenv(fetchers.MD5, md5(server.data))
        yield server


@pytest.fixture
def start(tmp_path: Path) -> Callable:
    """Starts studios; each ends with its block."""

    @contextmanager
    def start(folder: str = DATA) -> Iterator[Queue]:
        names = ("tests.jobs.runners:paint", "tests.jobs.fetchers:warm_up", "tests.jobs.fetchers:fetch")
        with closing(Store(tmp_path / folder)) as store:
            queue = Queue(Settings(data=tmp_path / folder), store, WorkerFunctions(*names), prefetch="vgg19")
            with closing(queue):
                queue.start()
                wait_until(lambda: queue.ready_count == 1)  # then an automatic download has started
                yield queue

    return start


def ended(queue: Queue) -> Fetching:
    """How the download ended."""
    wait_until(lambda: "vgg19" in queue.fetching and queue.fetching["vgg19"].done)
    return queue.fetching["vgg19"]


def left(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache" / "weights"
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def test_the_first_start_downloads_the_weights_and_a_later_one_has_them(server, start, tmp_path) -> None:
    with start() as queue:
        size = len(server.data)
        assert ended(queue) == Fetching(name="vgg19", received=size, size=size, outcome="installed")
        assert queue.extractors()["vgg19"]["installed"]
    assert left(tmp_path) == [FILE]
    assert weights.locate("vgg19").read_bytes() == server.data
    assert server.asked == [None]
    weights.locate("vgg19").unlink()  # a file that was deleted is not downloaded again
    assert not fetches_in(tmp_path / DATA).may_start_automatically("vgg19")


def test_a_download_that_had_no_network_or_was_cut_off_continues_at_the_next_start(
    server, start, tmp_path, monkeypatch
) -> None:
    server.plan = ["cuts off", "cuts off"]
    for url, files in (("http://127.0.0.1:9/nobody-listens-here", []), (server.url, [f"{FILE}.part"])):
        monkeypatch.setenv(fetchers.URL, url)
        with start() as queue:
            found = ended(queue)
            assert (found.outcome, found.error) == ("broken", "there is no connection to its server, or it broke")
            assert not queue.extractors()["vgg19"]["installed"]
        assert left(tmp_path) == files
        assert weights.locate("vgg19") is None
    with start() as queue:
        assert ended(queue).outcome == "installed"
    assert None not in server.asked[1:]


def test_a_cancelled_download_leaves_nothing_and_starts_only_on_request(server, start, tmp_path) -> None:
    server.plan = ["stalls"]
    with start() as queue:
        wait_until(lambda: "vgg19" in queue.fetching and queue.fetching["vgg19"].received > 0)
        assert left(tmp_path) == [f"{FILE}.part"]
        queue.cancel_fetch("vgg19")
        assert ended(queue).outcome == "cancelled"
        assert left(tmp_path) == []
        assert not queue.extractors()["vgg19"]["installed"]
    with start() as queue:
        assert queue.fetching == {}
        queue.fetch_weights("vgg19")
        assert ended(queue).outcome == "installed"
    assert server.asked == [None, None]


def test_a_refused_download_does_not_start_again_automatically(server, start, tmp_path) -> None:
    server.plan = [404]
    with start() as queue:
        assert (ended(queue).outcome, ended(queue).error) == ("refused", "its server refuses to give it")
    assert not fetches_in(tmp_path / DATA).may_start_automatically("vgg19")
    assert len(server.asked) == 1


def test_the_network_is_not_used_where_the_worker_forbids_it(server, start, monkeypatch) -> None:
    monkeypatch.setenv("NST_OFFLINE", "1")
    with start() as queue:
        assert not queue.extractors()["vgg19"]["fetchable"]
        assert queue.fetching == {}
    assert server.asked == []


def test_the_studio_or_a_file_that_is_named_forbids_a_download(server, store, monkeypatch) -> None:
    assert Queue(Settings(offline=True), store, prefetch="vgg19").pool.prefetch == ""
    assert fetchers.warm_up()["extractors"]["vgg19"]["fetchable"]
    monkeypatch.setenv("NST_VGG19_WEIGHTS", "of-mine.h5")
    assert not fetchers.warm_up()["extractors"]["vgg19"]["fetchable"]


def test_a_studio_that_closes_ends_its_download_at_once_and_continues_it_at_the_next_start(
    server, start, tmp_path
) -> None:
    server.plan = ["stalls"]
    with start() as queue:
        wait_until(lambda: "vgg19" in queue.fetching and queue.fetching["vgg19"].received > 0)
        began = time.monotonic()
    assert time.monotonic() - began < 60  # it would stall for longer
    assert left(tmp_path) == [f"{FILE}.part"]
    with start() as queue:
        assert ended(queue).outcome == "installed"
    assert server.asked == [None, f"bytes={len(server.data) // 2}-"]


def test_two_studios_at_once_share_one_download_and_the_one_that_cancels_leaves_it_to_the_other(
    server, start, tmp_path
) -> None:
    server.plan = ["stalls"]
    with start("first") as first:
        wait_until(lambda: "vgg19" in first.fetching and first.fetching["vgg19"].received > 0)
        with start("second") as second, start("third") as third:
            for waiting in (second, third):
                wait_until(lambda waiting=waiting: waiting.fetching["vgg19"].received > 0)
            third.cancel_fetch("vgg19")
            assert ended(third).outcome == "cancelled"
            assert left(tmp_path) == [f"{FILE}.part"]
            server.release.set()
            assert [ended(queue).outcome for queue in (first, second)] == ["installed", "installed"]
    assert left(tmp_path) == [FILE]
    assert server.asked == [None, f"bytes={len(server.data) // 2}-"]


# Without a process ----------------------------------------------------------------------------------------------------


def fetches_in(folder: Path) -> WeightsFetches:
    """Downloads whose workers cannot be reached."""
    return WeightsFetches(folder, Workers(WorkerFunctions(), 0, lambda action: None, lambda: None))


@pytest.mark.parametrize(
    ("outcome", "due"), [("broken", True), ("installed", False), ("cancelled", False), ("refused", False)]
)
def test_how_a_download_ended_is_remembered_in_the_folder(tmp_path, outcome, due) -> None:
    fetches = fetches_in(tmp_path)
    assert fetches.may_start_automatically("vgg19")
    fetches.fetch_in(WorkerSlot("tcp://a"), "vgg19")
    assert not fetches.may_start_automatically("vgg19")
    fetches.update(Fetching(name="vgg19", received=1, size=2, outcome=outcome), "tcp://a")
    assert not fetches.may_start_automatically("vgg19")  # as long as this server is up
    assert fetches_in(tmp_path).may_start_automatically("vgg19") is due
    assert fetches_in(tmp_path).may_start_automatically("vgg16")


def test_a_download_on_request_replaces_the_last_outcome(tmp_path) -> None:
    fetches = fetches_in(tmp_path)
    fetches.fetch_in(WorkerSlot("tcp://a"), "vgg19")
    fetches.update(Fetching(name="vgg19", received=1, size=2, outcome="cancelled"), "tcp://a")
    fetches.fetch_in(WorkerSlot("tcp://a"), "vgg19")
    assert fetches_in(tmp_path).may_start_automatically(
        "vgg19"
    )  # after a server that was killed, the next one continues it


def test_a_lost_worker_breaks_its_downloads_unless_they_were_cancelled(tmp_path) -> None:
    fetches = fetches_in(tmp_path)
    for name, address in (("vgg19", "tcp://a"), ("vgg16", "tcp://a"), ("other", "tcp://b")):
        fetches.fetch_in(WorkerSlot(address), name)
    fetches.cancel("vgg16")
    fetches.remove_worker("tcp://a", "the worker ended unexpectedly")
    assert fetches.last == {
        "vgg19": Fetching(name="vgg19", received=0, size=0, outcome="broken", error="the worker ended unexpectedly"),
        "vgg16": Fetching(name="vgg16", received=0, size=0, outcome="cancelled"),
        "other": Fetching(name="other", received=0, size=0),
    }
    fetches.update(Fetching(name="vgg19", received=1, size=2), "tcp://a")  # a late message
    assert fetches.last["vgg19"].done


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "7", "null"])
def test_a_damaged_file_is_ignored(tmp_path, text) -> None:
    (tmp_path / OUTCOMES).write_text(text)
    fetches = fetches_in(tmp_path)
    assert fetches.may_start_automatically("vgg19")
    fetches.fetch_in(WorkerSlot("tcp://a"), "vgg19")
    fetches.update(Fetching(name="vgg19", received=1, size=2, outcome="cancelled"), "tcp://a")
    assert not fetches_in(tmp_path).may_start_automatically("vgg19")
