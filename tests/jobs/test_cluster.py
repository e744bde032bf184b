"""A cluster from the command line: a scheduler and workers on loopback that share no file."""

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import dask
import psutil
import pytest
from distributed import Client, Security
from distributed.comm import connect as comm_connect

from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.cluster import _environment
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.options.settings import Settings
from nst.runs.events import Checkpointed, Finished, Started
from nst.runs.job import StyleJob
from nst.runs.run import Run, State
from tests.jobs.runners import Emit, epoch
from tests.jobs.runs import follow, new_run, wait_until

ROOT = Path(__file__).resolve().parents[2]
# Dask leaves the socket of an attempt that it gives up, as at a scheduler that is still starting, to be collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)


# What runs in the workers ---------------------------------------------------------------------------------------------


def paint_slowly(job: StyleJob, emit: Emit, control: object) -> None:
    """All epochs, fifty a second, every tenth kept; the note says where."""
    first = int.from_bytes(job.checkpoint or b"")
    epochs = int(job.options.epochs)
    where = {"pid": os.getpid(), "first": first, "threads": os.environ.get("TF_NUM_INTRAOP_THREADS", "")}
    emit(
        Started(
            extractor="compact",
            note=json.dumps(where),
            width=8,
            height=6,
            epochs=epochs,
            steps=10 * epochs,
            epoch=first,
            resumed=bool(first),
        )
    )
    for n in range(first + bool(first), epochs + 1):
        emit(epoch(n, n.to_bytes(2) * 1000))
        if n % 10 == 0:
            emit(Checkpointed(step=10 * n, seconds=float(n), checkpoint=n.to_bytes(2)))
        time.sleep(0.02)
    emit(Finished(seconds=1.0, image=b"a result"))


# A cluster ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A scheduler or a worker, started as on a machine of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def family(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def kill(self) -> None:
        for process in self.family():
            process.kill()
        self.process.wait()

    def output(self) -> str:
        return self.log.read_text()


@contextmanager
def node(folder: Path, *arguments: str, **environment: str) -> Iterator[Node]:
    log = folder / f"{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "nst", *arguments]
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=written)
    try:
        yield Node(process, log)
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def address() -> Iterator[str]:
    yield f"tcp://127.0.0.1:{free_port()}"
    gc.collect()  # now, while `pytestmark` holds


@contextmanager
def serving(store: Store, settings: Settings) -> Iterator[Queue]:
    functions = ("tests.jobs.test_cluster:paint_slowly", "tests.jobs.runners:warm_up", "tests.jobs.runners:fetch")
    queue = Queue(settings, store, WorkerFunctions(*functions))
    queue.start()
    try:
        yield queue
    finally:
        queue.close()


def submit(queue: Queue, store: Store, epochs: int) -> Run:
    run = new_run(store, epochs=epochs)
    queue.submit(run)
    return run


def painting(run: Run) -> bool:
    return bool(run.kept)  # so that another worker can resume it


def slots(store: Store, run: Run) -> list[dict[str, Any]]:
    """Where a run was started, and started again, from the notes of its workers."""
    return [json.loads(event["note"]) for event in store.events(run.id, limit=1000) if event["kind"] == "started"]


def both_painting(queue: Queue, store: Store, epochs: int) -> list[Run]:
    """Two runs that are being painted at the same time."""
    runs = [submit(queue, store, epochs) for _ in range(2)]
    for run in runs:
        follow(store, run.id, until=painting)
    assert [store.run(run.id).state for run in runs] == [State.RUNNING] * 2
    return runs


# Nodes ----------------------------------------------------------------------------------------------------------------


def test_two_workers_paint_two_runs_at_once_and_a_run_outlives_its_worker(
    tmp_path: Path, store: Store, address: str
) -> None:
    with ExitStack() as machines:
        machines.enter_context(node(tmp_path, "scheduler", address))
        one = machines.enter_context(node(tmp_path, "worker", address, "--name", "one", "--gpu"))
        two = machines.enter_context(node(tmp_path, "worker", address, "--name", "two", "--no-gpu"))
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
            found = client.scheduler_info()["workers"].values()
            assert {worker["name"]: worker["resources"] for worker in found} == {"one": {"GPU": 1}, "two": {}}
            assert {worker["nthreads"] for worker in found} == {1}
            assert {worker["memory_limit"] for worker in found} == {0}
        with serving(store, Settings(scheduler=address)) as queue:
            runs = both_painting(queue, store, epochs=150)
            runs_by_pid = {slots(store, run)[0]["pid"]: run for run in runs}
            lost = next(runs_by_pid[process.pid] for process in one.family() if process.pid in runs_by_pid)
            other = next(runs_by_pid[process.pid] for process in two.family() if process.pid in runs_by_pid)
            one.kill()
            undisturbed = follow(store, other.id)
            kinds = [event["kind"] for event in undisturbed if event["kind"] != "kept"]
            assert kinds == ["queued", "started", *["epoch"] * 151, "finished"]
            for n in range(151):  # though no file is shared
                assert store.files.frame(other.id, n).read_bytes() == n.to_bytes(2) * 1000
            follow(store, lost.id)
            assert store.run(lost.id).state is State.FINISHED
            begun = slots(store, lost)
            assert [again["pid"] for again in begun[1:]] == [slots(store, other)[0]["pid"]]
            assert begun[1]["first"] > 0  # it was resumed, not started anew
            assert store.files.frame(lost.id, 150).read_bytes() == (150).to_bytes(2) * 1000
            assert store.files.result(lost.id).read_bytes() == b"a result"
        two.process.send_signal(signal.SIGINT)
        assert two.process.wait(30) == 0
    assert "Traceback" not in one.output() + two.output()


def test_workers_and_studio_reconnect_to_a_scheduler_that_was_restarted(
    tmp_path: Path, store: Store, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst.jobs.worker_pool.cluster.CONNECT_TIMEOUT", 2.0)  # then the pool connects with a new client
    with ExitStack() as machines:
        worker = machines.enter_context(node(tmp_path, "worker", address, "--no-gpu"))  # before its scheduler
        first = machines.enter_context(node(tmp_path, "scheduler", address))
        with serving(store, Settings(scheduler=address)) as queue:
            wait_until(lambda: queue.health()["worker"] == "warm")
            first.kill()
            wait_until(lambda: queue.health()["worker"] == "lost")
            assert "\n" not in queue.health()["error"]
            run = submit(queue, store, epochs=3)
            assert queue.position(run.id) == 1
            again = machines.enter_context(node(tmp_path, "scheduler", address))
            follow(store, run.id)
            assert store.run(run.id).state is State.FINISHED
            assert queue.health()["worker"] == "warm"
        again.process.terminate()
        assert again.process.wait(30) == 0
        worker.process.terminate()
        assert worker.process.wait(30) == 0
    assert "Traceback" not in worker.output() + first.output() + again.output()


@pytest.mark.parametrize("listens", [False, True], ids=["nothing listens", "nothing answers"])
def test_a_studio_that_closes_cancels_its_attempt_to_reach_a_scheduler(
    store: Store, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    monkeypatch.setattr("nst.jobs.worker_pool.cluster.CONNECT_TIMEOUT", 3600.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        with serving(store, Settings(scheduler=f"tcp://127.0.0.1:{silent.getsockname()[1]}")) as queue:
            wait_until(lambda: any(thread.name == "nst-dask" for thread in threading.enumerate()))
            waiting = submit(queue, store, epochs=1)
            queue.close()
            assert not queue.pool._thread.is_alive()
            assert not any(thread.name == "nst-dask" for thread in threading.enumerate())
            assert store.run(waiting.id).state is State.QUEUED


# TLS ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """Dask's settings, as environment variables, of a self-signed certificate."""
    if which("openssl") is None:
        pytest.skip("there is no openssl command to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*new, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    pair = (("KEY", key), ("CERT", certificate))
    files = {f"{role}__{what}": path for role in ("SCHEDULER", "WORKER", "CLIENT") for what, path in pair}
    return {
        f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name, path in {"CA_FILE": certificate, **files}.items()
    }


def test_over_tls_only_nodes_with_the_certificate_are_admitted(
    tmp_path: Path, store: Store, tls: dict[str, str], address: str
) -> None:
    address = address.replace("tcp", "tls")
    settings = {name.removeprefix("DASK_").replace("__", ".").lower(): path for name, path in tls.items()}
    with ExitStack() as machines:
        machines.enter_context(node(tmp_path, "scheduler", address, **tls))
        machines.enter_context(node(tmp_path, "worker", address, "--no-gpu", **tls))
        machines.enter_context(dask.config.set(settings))
        queue = machines.enter_context(serving(store, Settings(scheduler=address)))
        stranger = machines.enter_context(node(tmp_path, "worker", address, "--no-gpu"))
        run = submit(queue, store, epochs=2)
        follow(store, run.id)
        assert store.run(run.id).state is State.FINISHED
        assert next(iter(queue.pool.workers.slots)).startswith("tls://")
        assert stranger.process.wait(30) == 1
        assert stranger.output().splitlines()[-1].startswith(f"nst: cannot join {address}: TLS expects")


# The embedded cluster -------------------------------------------------------------------------------------------------


def test_several_embedded_workers_share_the_cores_and_the_memory(store: Store) -> None:
    with serving(store, Settings(workers=2)) as queue:
        begun = [slots(store, run)[0] for run in both_painting(queue, store, epochs=100)]
    assert len({slot["pid"] for slot in begun}) == 2
    share = max(1, len(os.sched_getaffinity(0)) // 2) if hasattr(os, "sched_getaffinity") else os.cpu_count() // 2
    assert {slot["threads"] for slot in begun} == {str(share)}
    assert 0 < float(_environment(Settings(workers=2))["NST_MEMORY"]) < psutil.virtual_memory().total / 2e9
    assert _environment(Settings(workers=2, memory=3.0))["NST_MEMORY"] == "3.0"


def test_one_embedded_worker_may_use_everything() -> None:
    assert _environment(Settings()) == {"NST_MEMORY": "0.0"}


def addresses(queue: Queue) -> list[str]:
    """Of the scheduler, the workers and their nannies."""
    client = queue.pool.workers.client
    assert client is not None
    found = client.sync(client.scheduler.identity, n_workers=-1)
    return [found["address"], *found["workers"], *(worker["nanny"] for worker in found["workers"].values())]


def admitted(address: str, security: Security) -> bool:
    """Whether a process with these certificates can connect, by TLS; without any, by plain TCP."""

    async def attempt() -> bool:
        try:
            comm = await comm_connect(address, timeout=2, **security.get_connection_args("client"))
            await comm.write({"op": "identity", "reply": True})
            return bool(await asyncio.wait_for(comm.read(), 10))
        except OSError:
            return False

    return asyncio.run(attempt())


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """A queue with an embedded cluster, which was started where the environment has a token."""
    with pytest.MonkeyPatch.context() as environment, closing(Store(tmp_path_factory.mktemp("data"))) as store:
        environment.setenv("NST_TOKEN", "a secret of sixteen characters")
        with serving(store, Settings(token="a-secret-of-sixteen-characters")) as queue:
            wait_until(lambda: queue.health().get("pid"))
            yield queue


def test_nobody_without_the_certificate_can_connect_to_an_embedded_cluster(embedded: Queue) -> None:
    client = embedded.pool.workers.client
    assert client is not None
    for address in addresses(embedded):
        assert address.startswith("tls://127.0.0.1:")
        assert admitted(address, client.security)
        assert not admitted(address, Security.temporary())
        assert not admitted(address.replace("tls://", "tcp://"), Security(require_encryption=False))


def test_an_embedded_cluster_has_no_http_routes_but_their_list(embedded: Queue) -> None:
    client = embedded.pool.workers.client
    assert client is not None
    found = client.sync(client.scheduler.identity, n_workers=-1)
    for services in (found["services"], *(worker["services"] for worker in found["workers"].values())):
        site = f"http://127.0.0.1:{services['dashboard']}"
        assert json.loads(urlopen(f"{site}/sitemap.json").read()) == {"paths": ["/sitemap.json"]}
        for path in ("", "/info/main/workers.html", "/metrics", "/health", "/json/identity.json", "/status"):
            with pytest.raises(HTTPError, match="404"):
                urlopen(site + path)


def test_embedded_workers_do_not_inherit_the_token(embedded: Queue) -> None:
    environment = psutil.Process(embedded.health()["pid"]).environ()
    assert "PATH" in environment
    assert "NST_TOKEN" not in environment


# The command line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["worker", "scheduler"])
@pytest.mark.parametrize(
    "wrong", ["", "here", "http://here:8786", "tcp://here", "tcp://:8786", "tcp://here:0", "tls://h:p"]
)
def test_an_address_that_is_none_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], command: str, wrong: str
) -> None:
    from nst.cli.main import main

    assert main([command, wrong]) == 2
    said = capsys.readouterr().err
    assert said == f"nst: a scheduler's address must be tcp://host:port or tls://host:port, got {wrong!r}\n"


def test_a_port_that_is_taken_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with node(tmp_path, "scheduler", address) as scheduler:
            assert scheduler.process.wait(30) == 1
    assert scheduler.output().startswith(f"nst: cannot listen at {address}: ")
    assert scheduler.output().count("\n") == 1
