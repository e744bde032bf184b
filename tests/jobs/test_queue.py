import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster

from nst.errors import Busy, Conflict, NotFound
from nst.jobs.queue import LONGEST, LOST, Queue
from nst.jobs.run import Run, State
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.settings import Settings
from tests.jobs import painters
from tests.jobs.stories import follow, new_run, spoil, wait_until


@contextmanager
def serving(store: Store, settings: Settings | None = None, **names: str) -> Iterator[Queue]:
    names = {"execute": "paint_by_seed", "warm_up": "warm_up", "fetch": "fetch"} | names
    queue = Queue(
        settings or Settings(), store, **{role: f"tests.jobs.painters:{name}" for role, name in names.items()}
    )
    queue.start()
    yield queue
    queue.close()


def warm(queue: Queue) -> int:
    """The process id of the worker, once it is warm."""
    wait_until(lambda: queue.health()["worker"] == "warm")
    return int(queue.health()["pid"])


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    store = Store(tmp_path_factory.mktemp("data"))
    with serving(store) as queue:
        yield queue
    store.close()


@pytest.fixture
def store(queue: Queue) -> Store:
    return queue._store


def submit(queue: Queue, painter: Callable[..., None], epochs: int = 3) -> Run:
    run = new_run(queue._store, seed=painters.PAINTERS.index(painter), epochs=epochs)
    queue.submit(run)
    return run


def painting(run: Run) -> bool:
    return run.frames > 0


# One run --------------------------------------------------------------------------------------------------------------


def test_every_event_arrives_once_and_in_order(queue: Queue, store: Store) -> None:
    run = submit(queue, painters.paint, epochs=60)
    story = follow(store, run.id)
    assert [event["kind"] for event in story] == ["queued", "started", *["epoch"] * 61, "finished"]
    assert [event["n"] for event in story] == list(range(1, 65))
    for n in range(61):
        assert store.frame(run.id, n).read_bytes() == n.to_bytes(2) * 30_000
    assert store.result(run.id).read_bytes() == b"a result"
    assert (store.run(run.id).state, store.run(run.id).frames, queue.position(run.id)) == (State.FINISHED, 61, None)


def test_the_painter_gets_both_pictures_and_the_options(queue: Queue, store: Store) -> None:
    story = follow(store, submit(queue, painters.paint, epochs=2).id)
    assert story[1]["note"] == repr([b"a content", b"a style", None])
    assert story[1]["epochs"] == 2


@pytest.mark.parametrize(
    ("painter", "reason"),
    [
        (painters.raise_input_error, "`size` must be smaller"),
        (painters.raise_unpicklable, "OSError: [Errno oh]"),
        (painters.say_nothing, "without a result"),
        (painters.say_what_cannot_be_sent, "TypeError: Message must be msgpack serializable"),
        (painters.skip_the_start, "'finished' cannot happen"),
    ],
)
def test_a_painter_that_misbehaves_fails_its_run_in_one_line(
    queue: Queue, store: Store, painter: Any, reason: str
) -> None:
    run = submit(queue, painter)
    assert follow(store, run.id)[-1]["kind"] == "failed"
    error = store.run(run.id).error
    assert reason in error
    assert "\n" not in error
    assert "Traceback" not in error


# The line -------------------------------------------------------------------------------------------------------------


def test_runs_are_painted_one_at_a_time_first_come_first_served(queue: Queue, store: Store) -> None:
    first = submit(queue, painters.paint_until_stopped)
    follow(store, first.id, until=painting)
    rest = [submit(queue, painters.paint) for _ in range(3)]
    assert [queue.position(run.id) for run in (first, *rest)] == [0, 1, 2, 3]
    queue.stop(rest[0].id)
    assert [queue.position(run.id) for run in (first, *rest)] == [0, None, 1, 2]
    queue.stop(first.id)
    stories = [follow(store, run.id) for run in (first, rest[1], rest[2])]
    for before, after in itertools.pairwise(stories):
        assert before[-1]["time"] <= after[1]["time"]


def test_a_run_that_waits_is_stopped_at_once(queue: Queue, store: Store) -> None:
    first, second = submit(queue, painters.paint_until_stopped), submit(queue, painters.paint)
    follow(store, first.id, until=painting)
    queue.stop(second.id)
    assert store.run(second.id).state is State.STOPPED
    with pytest.raises(NotFound):
        store.result(second.id)
    assert store.run(first.id).state is State.RUNNING
    queue.stop(first.id)
    follow(store, first.id)
    assert [event["kind"] for event in store.events(second.id)] == ["queued", "stopped"]


def test_a_run_whose_pictures_cannot_be_read_fails_and_the_next_is_painted(queue: Queue, store: Store) -> None:
    first = submit(queue, painters.paint_until_stopped)
    follow(store, first.id, until=painting)
    unreadable, good = store.put_upload(b"will be spoilt"), store.put_upload(b"good")
    second = store.create(StyleOptions(epochs=1), unreadable, good)
    spoil(store, unreadable)
    queue.submit(second)
    third = submit(queue, painters.paint)
    queue.stop(first.id)
    follow(store, third.id)
    assert store.run(second.id).state is State.FAILED
    assert "cannot keep runs in" in store.run(second.id).error
    assert store.run(third.id).state is State.FINISHED


def test_a_run_that_is_painted_stops_with_what_there_is(queue: Queue, store: Store) -> None:
    run = submit(queue, painters.paint_until_stopped)
    follow(store, run.id, until=painting)
    queue.stop(run.id)
    follow(store, run.id)
    assert (store.run(run.id).state, store.run(run.id).seconds) == (State.STOPPED, 2.0)
    assert store.result(run.id).read_bytes() == b"what there is"
    queue.stop(run.id)  # again, which changes nothing
    assert store.run(run.id).state is State.STOPPED


def test_a_run_may_be_stopped_before_it_has_begun_to_paint(queue: Queue, store: Store) -> None:
    runs = [submit(queue, painters.paint_until_stopped) for _ in range(5)]
    for run in runs:
        queue.stop(run.id)
    for run in runs:
        follow(store, run.id)
        assert store.run(run.id).state is State.STOPPED


def test_a_run_that_has_ended_otherwise_cannot_be_stopped(queue: Queue, store: Store) -> None:
    run = submit(queue, painters.paint)
    follow(store, run.id)
    with pytest.raises(Conflict, match="cannot be stopped: it is finished"):
        queue.stop(run.id)
    with pytest.raises(Conflict, match="only a queued run"):
        queue.submit(store.run(run.id))
    for ask in (queue.stop, queue.position):
        with pytest.raises(NotFound):
            ask("f" * 32)


# The worker -----------------------------------------------------------------------------------------------------------


def test_the_worker_is_another_process_niced_and_says_what_it_can(queue: Queue) -> None:
    pid = warm(queue)
    assert pid != os.getpid()
    assert psutil.pid_exists(pid)
    assert queue.health()["nice"] >= 10
    assert queue.extractors()["compact"] is True


def test_nothing_listens_beyond_this_machine(queue: Queue) -> None:
    for process in (psutil.Process(), psutil.Process(warm(queue))):
        listening = [c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert set(listening) <= {"127.0.0.1"}


def test_a_killed_worker_fails_its_run_and_the_next_one_is_painted(queue: Queue, store: Store) -> None:
    pid = warm(queue)
    first, second, third = (
        submit(queue, painters.paint_until_stopped),
        submit(queue, painters.paint),
        submit(queue, painters.paint),
    )
    follow(store, first.id, until=painting)
    os.kill(pid, signal.SIGKILL)
    follow(store, first.id)
    assert (store.run(first.id).state, store.run(first.id).error) == (State.FAILED, LOST)
    for run in (second, third):
        follow(store, run.id)
        assert store.run(run.id).state is State.FINISHED
    assert warm(queue) != pid


def test_frames_do_not_pile_up_in_dask(queue: Queue, store: Store) -> None:
    follow(store, submit(queue, painters.paint, epochs=60).id)

    def kept(dask_scheduler: Any) -> list[int]:
        streams = [*dask_scheduler.stream_comms.values(), *dask_scheduler.client_comms.values()]
        topics = dask_scheduler._broker._topics.values()
        return [len(topic.events) for topic in topics] + [len(stream.recent_message_log) for stream in streams]

    def kept_by_worker(dask_worker: Any) -> int:
        return len(dask_worker.batched_stream.recent_message_log)

    assert queue._client is not None
    assert max(queue._client.run_on_scheduler(kept)) <= 8
    assert max(queue._client.run(kept_by_worker).values()) <= 8


# Weights --------------------------------------------------------------------------------------------------------------


def test_weights_are_fetched_beside_the_painting(queue: Queue, store: Store) -> None:
    warm(queue)
    run = submit(queue, painters.paint_until_stopped)
    follow(store, run.id, until=painting)
    assert "vgg16" not in queue.extractors()
    queue.fetch_weights("vgg16")
    assert not queue.fetching["vgg16"].error
    wait_until(lambda: queue.fetching["vgg16"].done)
    assert (queue.fetching["vgg16"].received, queue.fetching["vgg16"].error) == (100, "")
    assert queue.extractors()["vgg16"] is True
    assert store.run(run.id).state is State.RUNNING
    queue.stop(run.id)
    follow(store, run.id)


def test_weights_that_cannot_be_fetched_say_why(queue: Queue) -> None:
    warm(queue)
    queue.fetch_weights("missing")
    wait_until(lambda: queue.fetching["missing"].done)
    assert queue.fetching["missing"].error == "there are no weights for 'missing'"
    queue.fetch_weights("missing")  # may be tried again
    wait_until(lambda: queue.fetching["missing"].done)


# Queues of their own --------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def test_making_a_queue_starts_nothing(fresh: Store) -> None:
    children = psutil.Process().children()
    queue = Queue(Settings(), fresh)
    assert psutil.Process().children() == children
    assert queue.health() == {"worker": "starting"}
    assert queue.extractors() == {}
    with pytest.raises(Busy, match="no worker"):
        queue.fetch_weights("vgg19")
    queue.close()
    assert queue.health()["worker"] == "closed"


def test_the_line_has_an_end(fresh: Store) -> None:
    queue = Queue(Settings(), fresh)
    for _ in range(LONGEST):
        queue.check_room()
        new_run(fresh)
    with pytest.raises(Busy, match=f"at most {LONGEST} runs may wait, and {LONGEST} do"):
        queue.check_room()


def test_who_waits_when_the_queue_closes_is_painted_by_the_next_one(fresh: Store) -> None:
    with serving(fresh) as queue:
        painted = submit(queue, painters.paint_until_stopped)
        waiting = [submit(queue, painters.paint) for _ in range(2)]
        follow(fresh, painted.id, until=painting)
    assert [run.id for run in fresh.active()] == [run.id for run in waiting]
    with serving(fresh):
        stories = [follow(fresh, run.id) for run in waiting]
    assert [fresh.run(run.id).state for run in (painted, *waiting)] == ["interrupted", "finished", "finished"]
    assert stories[0][-1]["time"] <= stories[1][1]["time"]


def test_closing_leaves_no_process_and_interrupts_what_was_painted(fresh: Store) -> None:
    before = set(psutil.Process().children(recursive=True))
    with serving(fresh, Settings(offline=True)) as queue:
        pid = warm(queue)
        assert queue.health()["offline"] == "1"
        painted = submit(queue, painters.paint_until_stopped)
        follow(fresh, painted.id, until=painting)
        with pytest.raises(Conflict, match="started before"):
            queue.start()
        queue.close()
        assert not psutil.pid_exists(pid)
        assert fresh.run(painted.id).state is State.INTERRUPTED
    left = set(psutil.Process().children(recursive=True)) - before
    assert [process for process in left if "resource_tracker" not in " ".join(process.cmdline())] == []


def test_a_queue_may_be_closed_while_it_starts(fresh: Store) -> None:
    with serving(fresh):
        pass
    assert fresh.active() == []


def test_a_warm_up_that_fails_is_said_and_runs_are_painted_all_the_same(fresh: Store) -> None:
    with serving(fresh, warm_up="warm_up_and_raise") as queue:
        wait_until(lambda: queue.health()["worker"] == "lost")
        assert queue.health()["error"].endswith("ImportError: there is no such network")
        run = submit(queue, painters.paint)
        follow(fresh, run.id)
        assert fresh.run(run.id).state is State.FINISHED


def test_a_warm_up_that_kills_its_worker_is_said_and_given_up(fresh: Store) -> None:
    with serving(fresh, warm_up="warm_up_and_die") as queue:
        run = submit(queue, painters.paint)
        wait_until(lambda: "while it was getting ready" in queue.health().get("error", ""))
        follow(fresh, run.id)
        assert fresh.run(run.id).state is State.FINISHED


def test_a_painter_that_does_not_exist_fails_its_run(fresh: Store) -> None:
    with serving(fresh, execute="nobody", fetch="fetch_and_die") as queue:
        run = new_run(fresh)
        queue.submit(run)
        follow(fresh, run.id)
        assert "has no attribute 'nobody'" in fresh.run(run.id).error
        warm(queue)
        queue.fetch_weights("vgg19")
        wait_until(lambda: queue.fetching["vgg19"].done)
        assert queue.fetching["vgg19"].error == "the worker ended unexpectedly"


def test_a_scheduler_elsewhere_serves_with_all_its_workers(fresh: Store) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        serving(fresh, Settings(scheduler=cluster.scheduler_address)) as queue,
    ):
        wait_until(lambda: len([place for place in queue._places.values() if place.warm]) == 2)
        assert queue.health()["nice"] == 0
        runs = [submit(queue, painters.paint_until_stopped) for _ in range(3)]
        for run in runs[:2]:
            follow(fresh, run.id, until=painting)
        assert [queue.position(run.id) for run in runs] == [0, 0, 1]
        for run in runs:
            queue.stop(run.id)
            follow(fresh, run.id)
        last = submit(queue, painters.paint_until_stopped)
        follow(fresh, last.id, until=painting)
        queue.close()
        assert fresh.run(last.id).state is State.INTERRUPTED
        with Client(cluster, set_as_default=False) as client:  # the workers are there still, and free
            assert client.submit(os.getpid).result(timeout=30) != os.getpid()
