import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster

from nst.errors import Busy, Conflict, NotFound, TooMany
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool import pool, worker_slot
from nst.jobs.worker_pool.cluster import WORKER_NICENESS
from nst.jobs.worker_pool.dispatcher import LOST, MOST_LOST_WORKERS
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.runs.events import Failed, Fetching
from nst.runs.run import Run, State
from tests.jobs import runners
from tests.jobs.runs import TIMEOUT, follow, new_run, spoil, wait_until


@contextmanager
def serving(store: Store, settings: Settings | None = None, **names: str) -> Iterator[Queue]:
    names = {"execute": "run_by_seed", "warm_up": "warm_up", "fetch": "fetch"} | names
    functions = WorkerFunctions(**{role: f"tests.jobs.runners:{name}" for role, name in names.items()})
    queue = Queue(settings or Settings(), store, functions)
    queue.start()
    try:
        yield queue
    finally:
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


def submit(queue: Queue, runner: Callable[..., None], epochs: int = 3) -> Run:
    run = new_run(queue._store, seed=runners.RUNNERS.index(runner), epochs=epochs)
    queue.submit(run)
    return run


def painting(run: Run) -> bool:
    return run.frames > 0


def processes_since(before: set[psutil.Process]) -> list[psutil.Process]:
    """Those that were started since then and have not ended, but that of Python which tracks shared memory."""
    left = set(psutil.Process().children(recursive=True)) - before
    found = []
    for process in left:
        with suppress(psutil.Error):  # it ends just now
            if "resource_tracker" not in " ".join(process.cmdline()):
                found.append(process)
    return found


# One run --------------------------------------------------------------------------------------------------------------


def test_every_event_arrives_once_and_in_order(queue: Queue, store: Store) -> None:
    run = submit(queue, runners.paint, epochs=60)
    events = follow(store, run.id)
    assert [event["kind"] for event in events] == ["queued", "started", *["epoch"] * 61, "finished"]
    assert [event["n"] for event in events] == list(range(1, 65))
    for n in range(61):
        assert store.files.frame(run.id, n).read_bytes() == n.to_bytes(2) * 30_000
    assert store.files.result(run.id).read_bytes() == b"a result"
    assert (store.run(run.id).state, store.run(run.id).frames, queue.position(run.id)) == (State.FINISHED, 61, None)


def test_the_worker_gets_both_pictures_and_the_options(queue: Queue, store: Store) -> None:
    events = follow(store, submit(queue, runners.paint, epochs=2).id)
    assert events[1]["note"] == repr([b"a content", b"a style", None])
    assert events[1]["epochs"] == 2


@pytest.mark.parametrize(
    ("runner", "reason"),
    [
        (runners.raise_input_error, "`size` must be smaller"),
        (runners.raise_unpicklable, "OSError: [Errno oh]"),
        (runners.emit_nothing, "without a result"),
        (runners.emit_what_cannot_be_sent, "TypeError: Message must be msgpack serializable"),
        (runners.skip_the_start, "'finished' cannot happen"),
    ],
)
def test_a_function_that_misbehaves_fails_its_run_in_one_line(
    queue: Queue, store: Store, runner: Any, reason: str
) -> None:
    run = submit(queue, runner)
    assert follow(store, run.id)[-1]["kind"] == "failed"
    error = store.run(run.id).error
    assert reason in error
    assert "\n" not in error
    assert "Traceback" not in error


# Waiting --------------------------------------------------------------------------------------------------------------


def test_runs_are_painted_one_at_a_time_first_come_first_served(queue: Queue, store: Store) -> None:
    first = submit(queue, runners.paint_until_stopped)
    follow(store, first.id, until=painting)
    rest = [submit(queue, runners.paint) for _ in range(3)]
    assert [queue.position(run.id) for run in (first, *rest)] == [0, 1, 2, 3]
    queue.stop(rest[0].id)
    assert [queue.position(run.id) for run in (first, *rest)] == [0, None, 1, 2]
    queue.stop(first.id)
    all_events = [follow(store, run.id) for run in (first, rest[1], rest[2])]
    for before, after in itertools.pairwise(all_events):
        assert before[-1]["time"] <= after[1]["time"]


def test_a_run_that_waits_is_stopped_at_once(queue: Queue, store: Store) -> None:
    first, second = submit(queue, runners.paint_until_stopped), submit(queue, runners.paint)
    follow(store, first.id, until=painting)
    queue.stop(second.id)
    assert store.run(second.id).state is State.STOPPED
    with pytest.raises(NotFound):
        store.files.result(second.id)
    assert store.run(first.id).state is State.RUNNING
    queue.stop(first.id)
    follow(store, first.id)
    assert [event["kind"] for event in store.events(second.id)] == ["queued", "stopped"]


def test_a_run_whose_pictures_cannot_be_read_fails_and_the_next_is_painted(queue: Queue, store: Store) -> None:
    first = submit(queue, runners.paint_until_stopped)
    follow(store, first.id, until=painting)
    unreadable, good = store.put_upload(b"will be spoilt"), store.put_upload(b"good")
    second = store.create(StyleOptions(epochs=1), unreadable, good)
    spoil(store, unreadable)
    queue.submit(second)
    third = submit(queue, runners.paint)
    queue.stop(first.id)
    follow(store, third.id)
    assert store.run(second.id).state is State.FAILED
    assert "cannot keep runs in" in store.run(second.id).error
    assert store.run(third.id).state is State.FINISHED


def test_a_run_that_is_painted_stops_with_what_there_is(queue: Queue, store: Store) -> None:
    run = submit(queue, runners.paint_until_stopped)
    follow(store, run.id, until=painting)
    queue.stop(run.id)
    follow(store, run.id)
    assert (store.run(run.id).state, store.run(run.id).seconds) == (State.STOPPED, 2.0)
    assert store.files.result(run.id).read_bytes() == b"what there is"
    queue.stop(run.id)  # again, which changes nothing
    assert store.run(run.id).state is State.STOPPED


def test_a_run_may_be_stopped_before_it_has_begun_to_paint(queue: Queue, store: Store) -> None:
    runs = [submit(queue, runners.paint_until_stopped) for _ in range(5)]
    for run in runs:
        queue.stop(run.id)
    for run in runs:
        follow(store, run.id)
        assert store.run(run.id).state is State.STOPPED


def test_a_run_that_has_ended_otherwise_cannot_be_stopped(queue: Queue, store: Store) -> None:
    run = submit(queue, runners.paint)
    follow(store, run.id)
    with pytest.raises(Conflict, match="cannot be stopped: it is finished"):
        queue.stop(run.id)
    with pytest.raises(Conflict, match="only a queued run"):
        queue.submit(store.run(run.id))
    for method in (queue.stop, queue.position):
        with pytest.raises(NotFound):
            method("f" * 32)


# The worker -----------------------------------------------------------------------------------------------------------


def test_the_worker_is_another_process_of_lower_priority_and_reports_its_networks(queue: Queue) -> None:
    pid = warm(queue)
    assert pid != os.getpid()
    assert psutil.pid_exists(pid)
    assert queue.health()["nice"] == min(19, os.nice(0) + WORKER_NICENESS)  # also where this process has a niceness
    assert queue.extractors()["compact"]["installed"]


def test_nothing_listens_beyond_this_machine(queue: Queue) -> None:
    for process in (psutil.Process(), psutil.Process(warm(queue))):
        listening = [c.laddr.ip for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert set(listening) <= {"127.0.0.1"}


def deadly(queue: Queue, style: bytes, **options: Any) -> Run:
    """A run of `paint_with_checkpoints` whose style kills its worker."""
    store = queue._store
    seed = runners.RUNNERS.index(runners.paint_with_checkpoints)
    run = store.create(
        StyleOptions(seed=seed, **{"epochs": 4} | options), store.put_upload(b"a content"), store.put_upload(style)
    )
    queue.submit(run)
    return run


def test_a_killed_workers_run_goes_on_from_its_last_checkpoint(queue: Queue, store: Store) -> None:
    pid = warm(queue)
    run, after = deadly(queue, b"deadly once"), submit(queue, runners.paint)
    events = follow(store, run.id, until=lambda run: run.state is State.FINISHED)
    assert store.run(run.id).state is State.FINISHED
    kinds = [event["kind"] for event in events if event["kind"] != "kept"]
    assert kinds == [
        *("queued", "started", "epoch", "epoch", "epoch", "interrupted", "continued"),
        *("started", "epoch", "epoch", "epoch", "finished"),
    ]
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [0, 1, 2, 2, 3, 4]
    follow(store, after.id)
    assert store.run(after.id).state is State.FINISHED
    assert warm(queue) != pid


def test_a_run_that_kills_its_worker_at_the_same_place_again_and_again_has_failed(queue: Queue, store: Store) -> None:
    run = deadly(queue, b"deadly")
    events = follow(store, run.id, until=lambda run: run.state is State.FAILED)
    assert store.run(run.id).error == LOST
    assert [event["kind"] for event in events].count("interrupted") == MOST_LOST_WORKERS
    warm(queue)


def synchronize(queue: Queue) -> None:
    """Have the pool compare its workers with the scheduler's, now."""
    done = threading.Event()
    queue.pool._actions.put(queue.pool._synchronize)
    queue.pool.post(done.set)
    assert done.wait(TIMEOUT)


def test_a_cache_of_the_client_that_is_empty_for_a_moment_loses_no_worker(
    queue: Queue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(queue)
    run = submit(queue, runners.paint_until_stopped)
    follow(store, run.id, until=painting)

    async def empty(n_workers: int = 0) -> None:
        """As the periodic update of Dask's client leaves its cache."""
        client._scheduler_identity = {"workers": {}}

    client = queue.pool.workers.client
    monkeypatch.setattr(client, "_update_scheduler_info", empty)
    for _ in range(2):
        synchronize(queue)
    assert queue.pool.workers.of_run(run.id) is not None
    queue.stop(run.id)
    assert [event["kind"] for event in follow(store, run.id)] == ["queued", "started", "epoch", "stopped"]


def test_a_worker_that_the_scheduler_does_not_list_once_is_kept_and_twice_is_lost(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(queue)
    slots = queue.pool.workers.slots
    [slot] = slots.values()
    with monkeypatch.context() as patched:
        patched.setattr(queue.pool.workers, "known_to_scheduler", dict)
        synchronize(queue)
        assert list(slots.values()) == [slot]
        synchronize(queue)
        assert list(slots.values()) == []
    synchronize(queue)
    assert list(slots) == [slot.address]
    warm(queue)
    with monkeypatch.context() as patched:  # once more, and listed again: the count starts anew
        for answer in ({}, {slot.address: False}, {}):
            patched.setattr(queue.pool.workers, "known_to_scheduler", lambda answer=answer: answer)
            synchronize(queue)
            assert list(slots) == [slot.address]


# Requests to a run that is painted ------------------------------------------------------------------------------------


def holding(queue: Queue, **options: Any) -> Run:
    """A run that waits after epoch 1 for a request."""
    run = deadly(queue, b"harmless", strength=runners.HOLDS, **options)
    follow(queue._store, run.id, until=lambda run: run.kept == 1)
    return run


def paused(run: Run) -> bool:
    return run.state is State.PAUSED


def test_a_run_is_paused_its_worker_is_free_and_it_goes_on_where_it_was(queue: Queue, store: Store) -> None:
    run = holding(queue)
    queue.pause(run.id)
    follow(store, run.id, until=paused)
    queue.pause(run.id)  # again, which changes nothing
    assert queue.position(run.id) is None
    assert store.files.result(run.id).read_bytes() == b"what there is"
    other = submit(queue, runners.paint)
    follow(store, other.id)
    assert store.run(run.id).state is State.PAUSED
    with pytest.raises(Conflict, match="only a queued run"):
        queue.submit(store.run(run.id))
    queue.resume(run.id)
    with pytest.raises(Conflict, match="cannot be continued: it is"):
        queue.resume(run.id)
    events = follow(store, run.id)
    assert store.run(run.id).state is State.FINISHED
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [0, 1, 2, 3, 4]


def test_a_run_that_waits_is_paused_at_once_and_a_paused_one_stopped(queue: Queue, store: Store) -> None:
    first = holding(queue)
    second = submit(queue, runners.paint)
    queue.pause(second.id)
    assert store.run(second.id).state is State.PAUSED
    queue.stop(second.id)
    assert store.run(second.id).state is State.STOPPED
    with pytest.raises(Conflict, match="cannot be paused: it is stopped"):
        queue.pause(second.id)
    queue.stop(first.id)
    follow(store, first.id)
    assert store.run(first.id).kept is not None


def test_a_run_is_steered_while_it_is_painted_waits_or_rests(queue: Queue, store: Store) -> None:
    run = holding(queue)
    queue.steer(run.id, {"tv_weight": 3.0})
    events = follow(store, run.id, until=lambda run: bool(run.steered))
    assert events[-1] | {"n": 0, "time": 0} == {
        "n": 0,
        "time": 0,
        "kind": "steered",
        "step": 2,
        "epoch": 1,
        "changes": {"tv_weight": 3.0},
    }
    assert store.files.frames(run.id)[1]["marked"]
    queue.pause(run.id)
    follow(store, run.id, until=paused)
    queue.steer(run.id, {"strength": 1.0})
    assert store.run(run.id).options_now.strength == 1.0
    queue.resume(run.id)
    follow(store, run.id)
    assert json.loads(store.run(run.id).note)["steered"] == [{"tv_weight": 3.0}, {"strength": 1.0}]
    with pytest.raises(Conflict, match="cannot be steered: it is finished"):
        queue.steer(run.id, {"strength": 2.0})


def test_a_finished_run_is_continued_for_more_epochs(queue: Queue, store: Store) -> None:
    run = deadly(queue, b"harmless", epochs=2)
    follow(store, run.id)
    with pytest.raises(Conflict, match="say how many more"):
        queue.resume(run.id)
    queue.resume(run.id, more=2)
    events = follow(store, run.id)
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [0, 1, 2, 3, 4]
    assert (store.run(run.id).state, store.run(run.id).epochs) == (State.FINISHED, 4)


def test_a_branch_begins_with_the_frame_it_was_branched_from(queue: Queue, store: Store) -> None:
    parent = deadly(queue, b"harmless")
    follow(store, parent.id)
    child = store.branch(store.run(parent.id), 2, StyleOptions(seed=parent.options.seed, epochs=4), epochs=4)
    queue.submit(child)
    events = follow(store, child.id)
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [2, 3, 4]
    assert json.loads(store.run(child.id).note)["start"] is True
    assert store.run(child.id).frames == 3


def test_messages_of_an_earlier_lease_are_dropped(queue: Queue, store: Store) -> None:
    run = holding(queue)
    address, slot = next((address, slot) for address, slot in queue.pool.workers.slots.items() if slot.run == run.id)
    late = {"worker": address, "lease": "of another time", "event": Failed(error="late").to_wire()}
    queue.pool.post(lambda: queue.pool._on_worker_message(late))
    queue.steer(run.id, {"tv_weight": 1.0})
    follow(store, run.id, until=lambda run: bool(run.steered))
    assert store.run(run.id).state is State.RUNNING
    assert slot.lease not in ("", "of another time")
    queue.stop(run.id)
    follow(store, run.id)


def test_frames_do_not_pile_up_in_dask(queue: Queue, store: Store) -> None:
    follow(store, submit(queue, runners.paint, epochs=60).id)

    def kept(dask_scheduler: Any) -> list[int]:
        streams = [*dask_scheduler.stream_comms.values(), *dask_scheduler.client_comms.values()]
        topics = dask_scheduler._broker._topics.values()
        return [len(topic.events) for topic in topics] + [len(stream.recent_message_log) for stream in streams]

    def kept_by_worker(dask_worker: Any) -> int:
        return len(dask_worker.batched_stream.recent_message_log)

    client = queue.pool.workers.client
    assert client is not None
    assert max(client.run_on_scheduler(kept)) <= 8
    assert max(client.run(kept_by_worker).values()) <= 8


# Weights --------------------------------------------------------------------------------------------------------------


def test_weights_are_fetched_beside_a_run(queue: Queue, store: Store) -> None:
    warm(queue)
    run = submit(queue, runners.paint_until_stopped)
    follow(store, run.id, until=painting)
    assert not queue.extractors()["vgg16"]["installed"]
    before = queue.health()["warm_ups"]
    queue.fetch_weights("vgg16")
    assert not queue.fetching["vgg16"].error
    wait_until(lambda: queue.fetching["vgg16"].done)
    assert queue.fetching["vgg16"] == Fetching(name="vgg16", received=100, size=100, outcome="installed")
    assert queue.extractors()["vgg16"]["installed"]
    assert store.run(run.id).state is State.RUNNING
    assert queue.health()["warm_ups"] == before
    queue.stop(run.id)
    follow(store, run.id)
    wait_until(lambda: queue.health()["warm_ups"] == before + 1)  # measured once no run is painted


def test_the_reason_why_weights_cannot_be_fetched_is_reported(queue: Queue) -> None:
    warm(queue)
    queue.fetch_weights("missing")
    wait_until(lambda: queue.fetching["missing"].done)
    assert queue.fetching["missing"] == Fetching(
        name="missing", received=0, size=0, outcome="refused", error="there are no weights for 'missing'"
    )
    queue.fetch_weights("missing")  # may be tried again
    wait_until(lambda: queue.fetching["missing"].done)
    queue.fetch_weights("away")
    wait_until(lambda: queue.fetching["away"].done)
    assert queue.fetching["away"] == Fetching(
        name="away", received=0, size=0, outcome="broken", error="there is no connection"
    )


def test_weights_that_are_fetched_can_be_cancelled_and_requested_again(queue: Queue) -> None:
    warm(queue)
    for _ in range(2):
        queue.fetch_weights("endless")
        wait_until(lambda: queue.fetching["endless"].received == 100)
        queue.cancel_fetch("endless")
        wait_until(lambda: queue.fetching["endless"].done)
        assert queue.fetching["endless"] == Fetching(name="endless", received=100, size=100, outcome="cancelled")
    queue.cancel_fetch("endless")  # too late, which raises nothing
    assert not queue.extractors()["endless"]["installed"]


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


def test_only_so_many_runs_may_wait_in_all_and_of_each_client(fresh: Store) -> None:
    queue = Queue(Settings(waiting=3, waiting_each=2), fresh)
    upload = fresh.put_upload(b"picture")
    for _ in range(2):
        queue.check_capacity("greedy")
        fresh.create(StyleOptions(), upload, upload, client="greedy")
    with pytest.raises(TooMany, match="at most 2 runs of yours may wait, and 2 do"):
        queue.check_capacity("greedy")
    queue.check_capacity("modest")
    fresh.create(StyleOptions(), upload, upload, client="modest")
    with pytest.raises(Busy, match="at most 3 runs may wait, and 3 do"):
        queue.check_capacity("another")


def test_clients_take_turns(fresh: Store) -> None:
    queue = Queue(Settings(), fresh)
    upload = fresh.put_upload(b"picture")
    for client in "aaabab":
        fresh.create(StyleOptions(), upload, upload, client=client)
    assert "".join(run.client for run in queue.waiting()) == "ababaa"
    first, *_ = fresh.active()
    fresh.append(first.id, runners.started(fresh.job(first)))
    assert "".join(run.client for run in queue.waiting()) == "babaa"  # one of a is painted already


def test_runs_that_wait_when_the_queue_closes_are_painted_by_the_next_one(fresh: Store) -> None:
    with serving(fresh) as queue:
        painted = submit(queue, runners.paint_until_stopped)
        waiting = [submit(queue, runners.paint) for _ in range(2)]
        follow(fresh, painted.id, until=painting)
    assert [run.id for run in fresh.active()] == [run.id for run in waiting]
    with serving(fresh):
        all_events = [follow(fresh, run.id) for run in waiting]
    assert [fresh.run(run.id).state for run in (painted, *waiting)] == ["interrupted", "finished", "finished"]
    assert all_events[0][-1]["time"] <= all_events[1][1]["time"]


def test_closing_leaves_no_process_and_interrupts_what_was_painted(fresh: Store) -> None:
    before = set(psutil.Process().children(recursive=True))
    with serving(fresh, Settings(offline=True)) as queue:
        pid = warm(queue)
        assert queue.health()["offline"] == "1"
        painted = submit(queue, runners.paint_until_stopped)
        follow(fresh, painted.id, until=painting)
        with pytest.raises(Conflict, match="started before"):
            queue.start()
        queue.close()
        assert not psutil.pid_exists(pid)
        assert fresh.run(painted.id).state is State.INTERRUPTED
    assert processes_since(before) == []


def test_a_queue_may_be_closed_while_it_starts(fresh: Store) -> None:
    before = set(psutil.Process().children(recursive=True))
    with serving(fresh) as queue:
        pass
    assert not queue.pool._thread.is_alive()
    assert processes_since(before) == []


def test_a_warm_up_that_fails_is_reported_and_runs_are_painted_all_the_same(fresh: Store) -> None:
    with serving(fresh, warm_up="warm_up_and_raise") as queue:
        wait_until(lambda: queue.health()["worker"] == "lost")
        assert queue.health()["error"].endswith("ImportError: there is no such network")
        run = submit(queue, runners.paint)
        follow(fresh, run.id)
        assert fresh.run(run.id).state is State.FINISHED


def test_a_warm_up_that_kills_its_worker_is_reported_and_left_out(fresh: Store) -> None:
    with serving(fresh, warm_up="warm_up_and_die") as queue:
        run = submit(queue, runners.paint)
        wait_until(lambda: "while it was getting ready" in queue.health().get("error", ""))
        follow(fresh, run.id)
        assert fresh.run(run.id).state is State.FINISHED


def test_a_warm_up_that_does_not_end_is_reported_and_the_worker_of_a_scheduler_elsewhere_stays(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_slot, "WARM_UP_TIMEOUT", 0.2)
    monkeypatch.setattr(pool, "SYNC_INTERVAL", 0.1)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        serving(fresh, Settings(scheduler=cluster.scheduler_address), warm_up="warm_up_for_ever") as queue,
    ):
        health = wait_until(lambda: "error" in queue.health() and queue.health())
        assert health["worker"] == "lost"
        assert health["error"].startswith("the worker has been starting for ")
        synchronized, seen = queue.pool._synchronize, []
        monkeypatch.setattr(queue.pool, "_synchronize", lambda: seen.append(synchronized()))
        wait_until(lambda: len(seen) > 1)
        assert queue.pool.workers.slots.keys() == cluster.scheduler.workers.keys()
        assert queue.pool.workers.hanging()


def test_a_function_that_does_not_exist_fails_its_run(fresh: Store) -> None:
    with serving(fresh, execute="nobody", fetch="fetch_and_die") as queue:
        run = new_run(fresh)
        queue.submit(run)
        follow(fresh, run.id)
        assert "has no attribute 'nobody'" in fresh.run(run.id).error
        warm(queue)
        queue.fetch_weights("vgg19")
        wait_until(lambda: queue.fetching["vgg19"].done)
        assert (queue.fetching["vgg19"].outcome, queue.fetching["vgg19"].error) == (
            "broken",
            "the worker ended unexpectedly",
        )


def test_a_scheduler_elsewhere_serves_with_all_its_workers(fresh: Store) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        serving(fresh, Settings(scheduler=cluster.scheduler_address)) as queue,
    ):
        wait_until(lambda: len([slot for slot in queue.pool.workers.slots.values() if slot.warm]) == 2)
        assert queue.health()["nice"] == os.nice(0)
        runs = [submit(queue, runners.paint_until_stopped) for _ in range(3)]
        for run in runs[:2]:
            follow(fresh, run.id, until=painting)
        assert [queue.position(run.id) for run in runs] == [0, 0, 1]
        for run in runs:
            queue.stop(run.id)
            follow(fresh, run.id)
        last = submit(queue, runners.paint_until_stopped)
        follow(fresh, last.id, until=painting)
        queue.close()
        assert fresh.run(last.id).state is State.INTERRUPTED
        with Client(cluster, set_as_default=False) as client:  # the workers are there still, and free
            assert client.submit(os.getpid).result(timeout=30) != os.getpid()
