"""The Dask cluster that the queue works with: worker processes of our own, or a scheduler that is already there."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from nst.options.settings import Settings
from nst.runs.estimates import GIGABYTE, budget

PATIENCE = 10.0  # seconds that each try to reach a scheduler may take
NICENESS = 10  # of our own worker, so that the page stays quick

CONFIG = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.profile.enabled": False,
    # Dask keeps so many messages of each stream and topic for its own debugging, pictures and all: 1000 unless told.
    "distributed.admin.low-level-log-length": 8,
    # Two uploads travel with each run; Dask would warn from 10 MB.
    "distributed.admin.large-graph-warning-threshold": "1 GB",
    "distributed.worker.preload": ["nst.jobs.worker_tasks"],  # its `dask_setup`
    # Without the OMP_NUM_THREADS=1 and its kin that Dask would set: the one task may use every core.
    "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": 65536},
}
# Of a scheduler; its small HTTP server, which cannot be left out, takes any free port of this machine alone.
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


@contextmanager
def connect(settings: Settings) -> Iterator[Client]:
    """A client of `settings.scheduler`, or of a new cluster if that is empty, which is ended with it."""
    dask.config.set(CONFIG)
    if settings.scheduler:
        with Client(settings.scheduler, timeout=PATIENCE, set_as_default=False) as client:
            yield client
    else:
        with _own_cluster(settings) as cluster, Client(cluster, set_as_default=False) as client:
            yield client


def _own_cluster(settings: Settings) -> LocalCluster:
    """Processes of one thread, spawned, on this machine; a nanny brings each back when it dies."""
    return LocalCluster(
        n_workers=settings.workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        scheduler_kwargs=NO_DASHBOARD,
        memory_limit=0,  # the system's own: Dask would pause the worker well before it
        silence_logs=logging.CRITICAL,
        env=_environment(settings),
    )


def _environment(settings: Settings) -> dict[str, str]:
    """What a worker of our own reads; several share the cores, and the memory unless it is given."""
    environment = {"NST_MEMORY": str(settings.memory), **({"NST_OFFLINE": "1"} if settings.offline else {})}
    if settings.workers == 1:
        return environment
    memory = settings.memory or budget() / GIGABYTE / settings.workers
    threads = str(max(1, _cores() // settings.workers))
    return environment | {
        "NST_MEMORY": str(memory),
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
    }


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
