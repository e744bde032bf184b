"""Embedded clusters whose workers end, or hang, while they start: the pool builds the cluster again."""

import os
import signal
from pathlib import Path

import pytest
from distributed import Status

from nst.errors import NstError
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool import cluster, lost_workers, pool, worker_slot
from nst.options.settings import Settings
from nst.runs.run import State
from tests.jobs import ending_worker, runners
from tests.jobs.runs import follow, wait_until
from tests.jobs.test_queue import painting, serving, submit, warm

GIVEN_UP = (Status.closed, Status.failed)  # of a nanny


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Workers end while they start as long as this file exists; the pool is less patient than usual."""
    file = tmp_path / "ending"
    monkeypatch.setenv(ending_worker.FILE, str(file))
    monkeypatch.setitem(
        cluster.CONFIG, "distributed.worker.preload", ["nst.jobs.worker_pool.worker_tasks", "tests.jobs.ending_worker"]
    )
    monkeypatch.setattr(lost_workers, "MISSING_TIMEOUT", 0.5)
    monkeypatch.setattr(pool, "SYNC_INTERVAL", 0.2)
    monkeypatch.setattr(pool, "RETRY_INTERVAL", 0.1)
    return file


def test_a_cluster_whose_worker_is_gone_for_good_is_rebuilt_and_its_run_is_painted(ending: Path, store: Store) -> None:
    with serving(store) as queue:
        pid = warm(queue)
        run = submit(queue, runners.paint_until_stopped)
        follow(store, run.id, until=painting)
        ending.touch()
        os.kill(pid, signal.SIGKILL)
        error = wait_until(lambda: "starting the workers again" in queue.health().get("error", "") and queue.health())
        assert error["worker"] == "lost"
        assert error["error"].startswith("no worker could be started or reached: ")
        ending.unlink()
        assert warm(queue) != pid
        follow(store, run.id, until=lambda run: run.state is State.RUNNING)
        queue.stop(run.id)
        assert follow(store, run.id)[-1]["kind"] == "stopped"


def test_runs_that_wait_fail_after_three_rebuilds_and_the_next_one_starts_the_workers_again(
    ending: Path, store: Store
) -> None:
    ending.touch()
    with serving(store) as queue:
        waiting = [submit(queue, runners.paint) for _ in range(2)]
        for run in waiting:
            follow(store, run.id)
            failed = store.run(run.id)
            assert failed.state is State.FAILED
            assert failed.error.startswith("no worker could be started or reached: ")
            assert failed.error.endswith("; 4 attempts failed, the next one follows when a run is started")
            assert "\n" not in failed.error
        assert queue.health() == {"worker": "lost", "error": failed.error}
        ending.unlink()
        run = submit(queue, runners.paint)
        follow(store, run.id)
        assert store.run(run.id).state is State.FINISHED
        assert "error" not in queue.health()


def test_runs_that_wait_fail_where_every_warm_up_hangs_and_the_next_one_starts_the_workers_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = tmp_path / "hanging"
    hanging.touch()
    monkeypatch.setenv(ending_worker.FILE, str(hanging))
    monkeypatch.setattr(worker_slot, "WARM_UP_TIMEOUT", 0.3)
    monkeypatch.setattr(pool, "MOST_REBUILDS", 1)
    monkeypatch.setattr(pool, "MOST_FAILED_WARM_UPS", 1)  # a worker that hung is not one that ended
    monkeypatch.setattr(pool, "SYNC_INTERVAL", 0.1)
    monkeypatch.setattr(pool, "RETRY_INTERVAL", 0.1)
    with serving(store, warm_up="warm_up_while_told") as queue:
        run = submit(queue, runners.paint)
        follow(store, run.id)
        assert store.run(run.id).state is State.FAILED
        reason = "no worker could be started or reached: the worker did not get ready in time"
        assert store.run(run.id).error.startswith(reason)
        assert store.run(run.id).error.endswith("; 2 attempts failed, the next one follows when a run is started")
        hanging.unlink()
        monkeypatch.setattr(worker_slot, "WARM_UP_TIMEOUT", 60.0)
        run = submit(queue, runners.paint)
        follow(store, run.id)
        assert store.run(run.id).state is State.FINISHED


def test_one_of_two_workers_whose_warm_up_hangs_is_replaced_while_the_other_paints(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hanging").touch()
    monkeypatch.setenv(ending_worker.FILE, str(tmp_path / "hanging"))
    monkeypatch.setattr(pool, "SYNC_INTERVAL", 0.1)
    with serving(store, Settings(workers=2), warm_up="warm_up_but_one") as queue:
        slots = queue.pool.workers.slots
        wait_until(lambda: len(slots) == 2 and queue.ready_count == 1)
        run = submit(queue, runners.paint_until_stopped)
        follow(store, run.id, until=painting)
        with monkeypatch.context() as impatient:
            impatient.setattr(worker_slot, "WARM_UP_TIMEOUT", 0.0)
            hanging = queue.pool.workers.hanging()
            wait_until(lambda: not set(hanging) & slots.keys())
        wait_until(lambda: queue.ready_count == 2)
        queue.stop(run.id)
        assert [event["kind"] for event in follow(store, run.id)].count("started") == 1


def test_a_pool_that_has_given_up_can_be_closed(ending: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST_REBUILDS", 0)
    ending.touch()
    with serving(store) as queue:
        run = submit(queue, runners.paint)
        follow(store, run.id)
        queue.close()
        assert queue.health()["worker"] == "closed"
        assert not queue.pool._thread.is_alive()


def test_one_of_two_workers_that_is_gone_for_good_is_replaced_while_the_other_paints(
    ending: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        cluster.CONFIG, "distributed.worker.preload", ["nst.jobs.worker_pool.worker_tasks", "tests.jobs.failing_worker"]
    )
    with serving(store, Settings(workers=2)) as queue:
        wait_until(lambda: queue.ready_count == 2)
        run = submit(queue, runners.paint_until_stopped)
        follow(store, run.id, until=painting)
        ending.touch()
        free = wait_until(lambda: [slot for slot in queue.pool.workers.slots.values() if not slot.run])[0]
        os.kill(queue.pool.workers.result_of(free.address, os.getpid), signal.SIGKILL)
        nannies = queue.pool.workers.client.cluster.workers
        wait_until(lambda: any(nanny.status in GIVEN_UP for nanny in list(nannies.values())))
        ending.unlink()
        wait_until(lambda: queue.ready_count == 2)
        assert store.run(run.id).state is State.RUNNING
        queue.stop(run.id)
        follow(store, run.id)
    assert [event["kind"] for event in store.events(run.id)].count("started") == 1


def test_a_failure_that_cannot_be_recorded_does_not_end_the_pool(
    ending: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_REBUILDS", 0)
    ending.touch()
    with serving(store) as queue:
        dispatcher, failed = queue.pool._dispatcher, []
        fail_waiting = dispatcher.fail_waiting

        def fail_once(reason: str) -> None:
            failed.append(reason)
            if len(failed) == 1:
                raise NstError("cannot keep runs: the disk is full")
            fail_waiting(reason)

        monkeypatch.setattr(dispatcher, "fail_waiting", fail_once)
        run = submit(queue, runners.paint)
        follow(store, run.id)
        assert store.run(run.id).state is State.FAILED
        assert len(failed) >= 2
