"""The order of waiting runs, as their client changes it."""

from pathlib import Path

import pytest

from nst.errors import Conflict, NotFound
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.runs.events import Stopped


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    """A queue that was never started, of four runs of one client and one of another."""
    store = Store(tmp_path)
    queue = Queue(Settings(data=tmp_path), store)
    for name in ("a", "b", "other", "c", "d"):
        client = "2" if name == "other" else "1"
        store.create(StyleOptions(), store.put_upload(b"content"), store.put_upload(b"style"), id=name, client=client)
    return queue


def own(queue: Queue) -> str:
    return "".join(run.id for run in queue.waiting() if run.client == "1")


@pytest.mark.parametrize(
    ("run", "places", "order"),
    [("c", -1, "acbd"), ("c", 1, "abdc"), ("d", -3, "dabc"), ("a", 9, "bcda"), ("c", -9, "cabd"), ("b", 0, "abcd")],
)
def test_a_waiting_run_moves_among_those_of_its_client(queue: Queue, run: str, places: int, order: str) -> None:
    queue.move(run, places)
    assert own(queue) == order
    assert [each.id for each in queue.waiting() if each.client == "2"] == ["other"]


def test_the_order_is_kept_on_disk(queue: Queue, tmp_path: Path) -> None:
    queue.move("d", -2)
    assert "".join(run.id for run in Store(tmp_path).active() if run.client == "1") == "adbc"


def test_only_a_run_that_waits_can_be_moved(queue: Queue, tmp_path: Path) -> None:
    queue._store.append("b", Stopped(seconds=0.0))
    with pytest.raises(Conflict, match="run b cannot be moved: it does not wait, it is stopped"):
        queue.move("b", 1)
    with pytest.raises(NotFound):
        queue.move("nobody", 1)
