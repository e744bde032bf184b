"""What becomes of a run whose worker is lost."""

import pytest

from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.dispatcher import LOST, Dispatcher
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import WorkerFunctions, Workers
from nst.runs.events import Paused, Stopped
from nst.runs.run import State
from tests.jobs.runs import new_run


@pytest.mark.parametrize(("requested", "state"), [(Stopped, State.STOPPED), (Paused, State.PAUSED)])
def test_a_run_whose_worker_is_lost_ends_as_was_requested(
    store: Store, requested: type[Stopped | Paused], state: State
) -> None:
    run = new_run(store)
    workers = Workers(WorkerFunctions("execute", "warm_up"), 0, lambda action: None, lambda: None)
    slot = WorkerSlot("tcp://127.0.0.1:1", run=run.id, requested_end=requested)
    Dispatcher(store, workers, lambda action: None).requeue(slot, LOST)
    assert store.run(run.id).state is state
