"""Pictures painted in one pass by a real worker process, beside the run that it paints."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from nst.errors import Busy, InputError, NstError, TooMany
from nst.jobs.queue import MOST_EACH, MOST_INSTANT, Queue
from nst.jobs.store import Store
from nst.options.fast_options import FastOptions
from nst.options.settings import Settings
from nst.runs.run import State
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED
from tests.jobs import painters
from tests.jobs.stories import follow, wait_until
from tests.jobs.test_queue import painting, serving, submit
from tests.web.sites import picture


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A queue whose worker paints runs as the queue's tests do, and pictures at once as the real one does."""
    store = Store(tmp_path_factory.mktemp("data"))
    with serving(store) as queue:
        wait_until(lambda: queue.hands)
        yield queue
    store.close()


@pytest.fixture
def store(queue: Queue) -> Store:
    return queue._store


def job(content: bytes = b"", file: bytes = b"", format: str = "png", **options: Any) -> dict[str, Any]:
    """The picture in the first of the styles that ship."""
    first = next(iter(StyleFile.from_bytes(SHIPPED.read_bytes()).styles))
    wish = {"mix": {first: 1.0}, "options": FastOptions().to_json() | options, "format": format}
    return {"content": content or picture(), "file": file, "wishes": [wish]}


def paint(queue: Queue) -> dict[str, Any]:
    """One picture."""
    [painted] = queue.paint_at_once(job())["pictures"]
    return painted


def test_a_picture_is_painted_at_once_beside_a_run(queue: Queue, store: Store) -> None:
    run = submit(queue, painters.paint_until_stopped)
    follow(store, run.id, until=painting)
    painted = paint(queue)
    assert (painted["width"], painted["height"]) == (64, 48)
    assert painted["data"].startswith(b"\x89PNG")
    assert store.run(run.id).state is State.RUNNING
    queue.stop(run.id)
    assert follow(store, run.id)[-1]["kind"] == "stopped"


def test_the_wishes_of_a_job_are_fulfilled_in_their_order(queue: Queue) -> None:
    wishes = [job(size=64)["wishes"][0], {**job(size=96)["wishes"][0], "side": 32}, job(format="jpeg")["wishes"][0]]
    painted = queue.paint_at_once({**job(picture(128, 128)), "wishes": wishes})["pictures"]
    assert [(each["width"], each["height"]) for each in painted] == [(64, 64), (32, 32), (128, 128)]
    assert [each["data"][:2] for each in painted] == [b"\x89P", b"\x89P", b"\xff\xd8"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (job(b"no picture"), "'content' must be a picture"),
        (job(picture()[:60]), "cut off"),
        (job(picture(8, 8)), "at least 16 px"),
        (job(strength=7), "`strength` must be a number between 0 and 1"),
        (job(file=b"damaged"), "no style file of ours"),
    ],
)
def test_bad_input_is_said_in_one_line_and_the_next_picture_is_painted(
    queue: Queue, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=rf"^[^\n]*{words}[^\n]*$"):
        queue.paint_at_once(wrong)
    assert paint(queue)


def test_more_pictures_than_may_wait_are_refused_and_those_are_painted(queue: Queue) -> None:
    paint(queue)  # the network is ready
    together = threading.Barrier(2 * MOST_INSTANT)

    def ask() -> str:
        together.wait()
        try:
            queue.paint_at_once(job(picture(256, 256)))
        except Busy as error:
            return str(error)
        return "painted"

    with ThreadPoolExecutor(2 * MOST_INSTANT) as pool:
        said = [future.result() for future in [pool.submit(ask) for _ in range(2 * MOST_INSTANT)]]
    refused = [each for each in said if each != "painted"]
    assert len(said) - len(refused) >= MOST_INSTANT
    assert refused
    assert all(
        each == f"{MOST_INSTANT} pictures are being painted at once already: try again in a moment" for each in refused
    )
    assert paint(queue)


def test_of_one_client_s_pictures_only_some_are_painted_at_once(queue: Queue) -> None:
    paint(queue)  # the network is ready
    together = threading.Barrier(MOST_EACH + 1)

    def ask() -> str:
        together.wait()
        try:
            queue.paint_at_once(job(picture(512, 512)), "mine")
        except TooMany as error:
            return str(error)
        return "painted"

    with ThreadPoolExecutor(MOST_EACH + 1) as pool:
        said = {future.result() for future in [pool.submit(ask) for _ in range(MOST_EACH + 1)]}
    assert said == {"painted", f"{MOST_EACH} pictures of yours are being painted at once: try again in a moment"}
    assert queue.paint_at_once(job(), "mine")


def test_a_newer_wish_overtakes_the_one_that_waits(queue: Queue) -> None:
    paint(queue)  # the network is ready
    with ThreadPoolExecutor(2) as pool:
        long = pool.submit(queue.paint_at_once, job(picture(1024, 1024)), "", "somebody else")
        wait_until(lambda: any(slot.at_once for slot in queue._slots.values()))
        older = pool.submit(queue.paint_at_once, job(), "", "page")
        wait_until(lambda: sum(slot.at_once.total() for slot in queue._slots.values()) == 2)
        newer = queue.paint_at_once(job(), "", "page")
        with pytest.raises(Busy, match="a newer wish came before this one was painted"):
            older.result()
    assert newer["pictures"]
    assert long.result()["pictures"]


def test_a_worker_that_is_killed_in_the_middle_is_said_and_the_next_one_paints(store: Store, queue: Queue) -> None:
    pid = int(queue.health()["pid"])
    paint(queue)
    worker = psutil.Process(pid)
    with ThreadPoolExecutor(1) as pool:
        worker.suspend()  # it must not be done before it is killed
        answer = pool.submit(queue.paint_at_once, job())
        wait_until(lambda: any(slot.at_once for slot in queue._slots.values()))
        worker.kill()
        with pytest.raises(NstError, match="worker was lost") as caught:
            answer.result()
        assert not isinstance(caught.value, Busy)  # who is told so asks again, and might kill the next one too
    wait_until(lambda: queue.hands and queue.health()["pid"] != pid)
    assert paint(queue)


def test_without_a_worker_it_is_too_early(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    with pytest.raises(Busy, match="no worker"):
        Queue(Settings(), store).paint_at_once(job())
    store.close()


def test_a_fault_of_the_painter_is_said_in_one_line_and_is_not_the_user_s(queue: Queue) -> None:
    with pytest.raises(NstError, match=r"^KeyError: 'file'$") as caught:
        queue.paint_at_once({})
    assert not isinstance(caught.value, InputError)
