import threading
import time

import pytest

from nst.engine.networks import weights
from nst.errors import Cancelled, Unfetched
from tests.engine.files import FILE, Server, fetch, left_in_the_cache, md5

pytestmark = pytest.mark.usefixtures("empty_caches")


def cancelled(server: Server, stop: threading.Event, **changes: object) -> None:
    """A fetch that is cancelled long before its patience ends."""
    began = time.monotonic()
    with pytest.raises(Cancelled, match="the download was cancelled"):
        fetch(server, stop=stop, timeout=60, pause=60, **changes)
    assert time.monotonic() - began < 30


def once(happened: threading.Event, stop: threading.Event) -> None:
    """Set `stop` when `happened` is."""
    threading.Thread(target=lambda: happened.wait(60) and stop.set(), daemon=True).start()


@pytest.mark.parametrize("behaviour", ["stalls", "says nothing", 503])
def test_a_download_that_is_cancelled_ends_at_once_and_leaves_nothing(behaviour, server, tmp_path):
    server.plan, stop = [behaviour], threading.Event()
    once(server.came, stop)
    cancelled(server, stop)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []
    assert weights.locate("vgg19") is None


def test_what_an_earlier_attempt_left_goes_with_the_one_that_is_cancelled(server, tmp_path):
    server.plan = ["cuts off"]
    with pytest.raises(Unfetched):
        fetch(server, attempts=1)
    assert left_in_the_cache(tmp_path) == [f"{FILE}.part"]
    stop = threading.Event()
    stop.set()
    cancelled(server, stop)
    assert len(server.asked) == 1
    assert left_in_the_cache(tmp_path) == []


def test_who_waits_for_another_download_sees_it_grow_and_leaves_it_alone_when_cancelled(server, tmp_path):
    server.plan, stop, told = ["stalls"], threading.Event(), []

    def progress(received: int, size: int) -> None:
        told.append((received, size))
        if received:
            stop.set()

    first = threading.Thread(target=fetch, args=(server,))
    first.start()
    assert server.came.wait(60)
    assert weights.being_fetched("vgg19")
    with pytest.raises(Cancelled):
        weights.fetch("vgg19", progress, server.url, md5=md5(server.data), stop=stop)
    assert told[-1] == (len(server.data) // 2, weights.SOURCES["vgg19"].size)
    server.release.set()
    first.join()
    assert left_in_the_cache(tmp_path) == [FILE]
    assert not weights.being_fetched("vgg19")


BRIEFLY: dict[str, tuple[list[str | int], str, bool]] = {
    "not found": ([404], "its server refuses to give it", False),
    "busy": ([503] * 3, "there is no connection to its server, or it broke", True),
    "cut off": (["cuts off"] * 9, "there is no connection to its server, or it broke", True),
    "another file": (["lies"], "what came was not the file that was meant", False),
    "too large": (["promises the moon"], "there is no way to keep it: the disk is full", False),
}


@pytest.mark.parametrize("case", BRIEFLY)
def test_why_it_failed_is_told_in_brief_without_an_address(case, server):
    server.plan, brief, passing = BRIEFLY[case]
    with pytest.raises(Unfetched) as caught:
        fetch(server)
    assert (caught.value.brief, caught.value.passing) == (brief, passing)


def test_without_a_network_it_may_be_tried_again_and_offline_not(notop, monkeypatch):
    with Server(notop.read_bytes()) as gone:
        pass
    with pytest.raises(Unfetched) as caught:
        fetch(gone)
    assert (caught.value.brief, caught.value.passing) == ("there is no connection to its server, or it broke", True)
    monkeypatch.setenv("NST_OFFLINE", "1")
    with pytest.raises(Unfetched) as caught:
        fetch(gone)
    assert (caught.value.brief, caught.value.passing) == ("NST_OFFLINE forbids it", False)
