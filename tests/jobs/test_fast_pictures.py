"""Pictures in one pass, made by a real worker process beside its run."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from nst.errors import Busy, InputError, NstError, TooMany
from nst.jobs.queue import MOST_FAST, MOST_FAST_EACH, Queue
from nst.jobs.storage.store import Store
from nst.options.fast_options import FastOptions
from nst.options.settings import Settings
from nst.runs.job import FastJob, FastPicture, FastRequest, Format
from nst.runs.run import State
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED
from tests.jobs import runners
from tests.jobs.runs import follow, wait_until
from tests.jobs.test_queue import painting, serving, submit
from tests.web.sites import picture


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A queue whose worker paints runs as in the queue's tests, and pictures in one pass as the real one does."""
    store = Store(tmp_path_factory.mktemp("data"))
    with serving(store) as queue:
        wait_until(lambda: queue.ready_count)
        yield queue
    store.close()


@pytest.fixture
def store(queue: Queue) -> Store:
    return queue._store


def request(format: Format = "png", side: int | None = None, **options: Any) -> FastRequest:
    """A picture in the first of the styles that ship."""
    first = next(iter(StyleFile.from_bytes(SHIPPED.read_bytes()).styles))
    return FastRequest({first: 1.0}, FastOptions(**options), format, side)


def job(content: bytes = b"", *requests: FastRequest, file: bytes = b"") -> FastJob:
    return FastJob(content or picture(), requests or (request(),), file)


def paint(queue: Queue) -> FastPicture:
    """One picture."""
    [painted] = queue.apply_style(job())
    return painted


def in_progress(queue: Queue) -> int:
    """How many jobs there are that have not ended."""
    return sum(slot.beside_counts.total() for slot in queue.pool.workers.slots.values())


@contextmanager
def suspended(queue: Queue) -> Iterator[None]:
    """Let the worker do nothing meanwhile, so that no job ends."""
    worker = psutil.Process(int(queue.health()["pid"]))
    worker.suspend()
    try:
        yield
    finally:
        worker.resume()


def errors_of(queue: Queue, call: Callable[[], Any], count: int, kind: type[NstError]) -> list[str]:
    """The errors of that kind, of so many calls at the same time."""

    def one() -> str:
        try:
            call()
        except kind as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(count) as threads:
        with suspended(queue):
            calls = [threads.submit(one) for _ in range(count)]
            wait_until(lambda: in_progress(queue) + sum(call.done() for call in calls) == count)
        return [error for error in (call.result() for call in calls) if error]


def test_a_picture_is_painted_beside_a_run(queue: Queue, store: Store) -> None:
    run = submit(queue, runners.paint_until_stopped)
    follow(store, run.id, until=painting)
    painted = paint(queue)
    assert (painted.width, painted.height) == (64, 48)
    assert painted.data.startswith(b"\x89PNG")
    assert painted.seconds > 0
    assert store.run(run.id).state is State.RUNNING
    queue.stop(run.id)
    assert follow(store, run.id)[-1]["kind"] == "stopped"


def test_a_job_of_several_requests_gives_a_picture_for_each_in_their_order(queue: Queue) -> None:
    painted = queue.apply_style(job(picture(128, 128), request(size=64), request(size=96, side=32), request("jpeg")))
    assert [(each.width, each.height) for each in painted] == [(64, 64), (32, 32), (128, 128)]
    assert [each.data[:2] for each in painted] == [b"\x89P", b"\x89P", b"\xff\xd8"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (job(b"no picture"), "'content' must be a picture"),
        (job(picture()[:60]), "cut off"),
        (job(picture(8, 8)), "at least 16 px"),
        (job(file=b"damaged"), "no style file of ours"),
    ],
)
def test_bad_input_raises_an_error_of_one_line_and_the_next_picture_is_painted(
    queue: Queue, wrong: FastJob, words: str
) -> None:
    with pytest.raises(InputError, match=rf"^[^\n]*{words}[^\n]*$"):
        queue.apply_style(wrong)
    assert paint(queue)


def test_more_jobs_than_may_be_in_progress_are_refused(queue: Queue) -> None:
    paint(queue)  # the network is ready
    refused = errors_of(queue, lambda: queue.apply_style(job()), MOST_FAST + 2, Busy)
    assert refused == 2 * [f"{MOST_FAST} pictures are being painted at once already: try again in a moment"]
    assert paint(queue)


def test_of_one_client_fewer_jobs_may_be_in_progress(queue: Queue) -> None:
    paint(queue)  # the network is ready
    refused = errors_of(queue, lambda: queue.apply_style(job(), "mine"), MOST_FAST_EACH + 1, TooMany)
    assert refused == [f"{MOST_FAST_EACH} pictures of yours are being painted at once: try again in a moment"]
    assert queue.apply_style(job(), "mine")


def test_a_newer_job_of_a_page_replaces_the_one_that_waits(queue: Queue) -> None:
    paint(queue)  # the network is ready
    with ThreadPoolExecutor(2) as threads:
        long = threads.submit(queue.apply_style, job(picture(1024, 1024)), "", "another page")
        wait_until(lambda: in_progress(queue) == 1)
        older = threads.submit(queue.apply_style, job(), "", "page")
        wait_until(lambda: in_progress(queue) == 2)
        newer = queue.apply_style(job(), "", "page")
        with pytest.raises(Busy, match="a newer request came before this picture was painted"):
            older.result()
    assert len(newer) == 1
    assert len(long.result()) == 1


def test_a_worker_that_is_killed_during_a_job_is_reported_and_the_next_one_paints(store: Store, queue: Queue) -> None:
    pid = int(queue.health()["pid"])
    paint(queue)
    worker = psutil.Process(pid)
    with ThreadPoolExecutor(1) as threads:
        worker.suspend()  # it must not be done before it is killed
        answer = threads.submit(queue.apply_style, job())
        wait_until(lambda: in_progress(queue) == 1)
        worker.kill()
        with pytest.raises(NstError, match="worker was lost") as caught:
            answer.result()
        assert not isinstance(caught.value, Busy)  # which clients repeat: that might kill the next worker, too
    wait_until(lambda: queue.ready_count and queue.health()["pid"] != pid)
    assert paint(queue)


def test_without_a_worker_a_job_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    with pytest.raises(Busy, match="no worker"):
        Queue(Settings(), store).apply_style(job())
    store.close()


def test_an_error_of_the_program_is_reported_in_one_line_and_is_no_input_error(queue: Queue) -> None:
    unknown = dataclasses.replace(request(), mix={"no such style": 1.0})
    with pytest.raises(NstError, match=r"^KeyError: 'no such style'$") as caught:
        queue.apply_style(job(picture(), unknown))
    assert not isinstance(caught.value, InputError)
