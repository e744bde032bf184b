"""Attacks by files and requests, on ports and on processes.

Each yields, for everything that it tried, "" if the studio held, or how it did not.
"""

import asyncio
import base64
import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress

import psutil
from distributed.comm import connect as connect_to_dask
from distributed.security import Security

from benchmarks.outcome import NotMeasured
from benchmarks.siege.hostile_files import (
    LARGE,
    hostile_masks,
    hostile_pictures,
    hostile_settings_files,
    hostile_styles,
    picture,
)
from benchmarks.siege.target import ANSWER_SECONDS, LONG, QUICK, Answer, Scale, Target
from nst.web import ids
from nst.web.middleware.json_limit import CALLBACKS

RETURN_SECONDS = 180.0  # in which a studio has a warm worker again
METHODS = ("POST", "POST", "GET", "PUT", "DELETE", "PATCH", "TRACE")
PATHS = ("runs", "stylize", "stylize/fast", "variations", "runs/x/stop", "runs/x/branch", "styles/fast", "runs/../x")
KEYS = ("content", "style", "options", "mask", "init", "epochs", "size", "strength", "file", "name", "vary", "x")
OUTSIDE = (  # what is asked for there
    "/..%2f..%2fetc/passwd",
    "/assets/../../app.py",
    "/_dash-component-suites/os/os.py",
    "/api/v1/samples/%00.png",
)


def hostile_files(target: Target, scale: Scale) -> Iterator[str]:
    """Pictures, style files and masks that are damaged, or made to take long or much memory."""
    for name, make in scale.some(LARGE.items()):
        fault = target.send_file("/api/v1/uploads", make(), "file.png").fault
        yield f"{name}: {fault}" if fault else ""
    for path, files in (
        ("/api/v1/uploads", hostile_pictures(scale.random())),
        ("/api/v1/styles/fast", hostile_styles(scale.random())),
    ):
        for name, data in scale.some(files):
            fault = target.send_file(path, data, "file.png").fault
            yield f"{name}: {fault}" if fault else ""
    whole = base64.b64encode(picture(scale.random())).decode()
    for name, data in scale.some(hostile_masks(scale.random())):
        mask = base64.b64encode(data).decode()
        answer = target.send_json("/api/v1/runs", {"content": whole, "style": whole, "mask": mask, "options": QUICK})
        yield f"{name}: {answer.fault}" if answer.fault else ""
        if answer.status == 202:
            target.send_json(f"/api/v1/runs/{json.loads(answer.body)['id']}/stop", {})


def hostile_settings(target: Target, scale: Scale) -> Iterator[str]:
    """Pictures whose settings the page is asked to load into its form."""
    del scale
    for name, data in hostile_settings_files():
        answer = load_settings(target, name, data)
        loaded = b"are in the form" in answer.body and "settings that are none were loaded"
        yield f"{name}: {answer.fault or loaded}" if answer.fault or loaded else ""


def load_settings(target: Target, name: str, data: bytes) -> Answer:
    """How the page answers to a file whose settings are to be loaded, or the refusal to store the file."""
    stored = target.send_file("/api/v1/uploads", data, name)
    if stored.status != 201:
        return stored
    file = {"ref": json.loads(stored.body)["ref"], "title": name, "dropped": False}
    described = json.loads(target.ask("GET", "/_dash-dependencies").body)
    callback = next(each for each in described if any(given["id"] == ids.SETTINGS_FILE for given in each["inputs"]))
    places = [each.rpartition(".")[::2] for each in callback["output"].strip(".").split("...")]
    body = {
        "output": callback["output"],
        "outputs": [{"id": name, "property": property} for name, property in places],
        "inputs": [{"id": ids.SETTINGS_FILE, "property": "data", "value": file}],
        "changedPropIds": [f"{ids.SETTINGS_FILE}.data"],
    }
    return target.send_json(CALLBACKS, body)


def hostile_requests(target: Target, scale: Scale) -> Iterator[str]:
    """Requests with random JSON, to random paths, with random methods."""
    choose = scale.random()
    for _ in range(scale.requests):
        method, path = choose.choice(METHODS), choose.choice(PATHS)
        body = json.dumps(_random_json(choose, 3)).encode() if choose.random() < 0.9 else choose.randbytes(200)
        answer = target.ask(method, f"/api/v1/{path}", body, Content_Type="application/json")
        yield f"{method} {path} {body[:100]!r}: {answer.fault}" if answer.fault else ""
    for path in OUTSIDE:
        answer = target.ask("GET", path)
        wrong = answer.fault or (b"root:" in answer.body and "it shows a file of the system")
        yield f"{path}: {wrong}" if wrong else ""


def floods(target: Target, scale: Scale) -> Iterator[str]:
    """Headers, lines and bodies without end."""
    del scale
    begun = b"GET / HTTP/1.1\r\nHost: here\r\n"
    post = b"POST /api/v1/runs/x/stop HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    for name, head, part in (
        ("headers", begun, b"X: " + b"a" * 1000 + b"\r\n"),
        ("one header", begun + b"X: ", b"a" * 65536),
        ("the first line", b"GET /", b"a" * 65536),
        ("a body of a terabyte", post + b"Content-Length: 1000000000000\r\n\r\n", b"[" * 65536),
        ("chunks", post + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"[" * 65536 + b"\r\n"),
    ):
        seconds = _seconds_open(target, head, part)
        yield f"{name} without end: taken for {seconds:.0f} s" if seconds >= ANSWER_SECONDS else ""
    for name, body in (("deep JSON", b"[" * 10**6), ("40 MB of JSON", b'{"a": "' + b"x" * 40 * 10**6 + b'"}')):
        fault = target.ask("POST", "/api/v1/runs", body, Content_Type="application/json").fault
        yield f"{name}: {fault}" if fault else ""


def streams(target: Target, scale: Scale) -> Iterator[str]:
    """Many streams of the events of one run, and as many polls."""
    run = target.studio.start_run(LONG)
    path = f"/api/v1/runs/{run}"
    with ExitStack() as stack:
        held = [stack.enter_context(target.connect()) for _ in range(scale.connections)]
        for each in held:
            each.sendall(target.head(f"{path}/stream") + b"\r\n")
        for _ in range(scale.connections):
            fault = target.ask("GET", f"{path}/events?after=0").fault
            yield f"a poll: {fault}" if fault else ""
        for n, each in enumerate(held):
            status = each.recv(12)[9:]
            yield "" if status in (b"200", b"429", b"503") else f"stream {n} was answered with {status!r}"
    stopped = target.send_json(f"{path}/stop", {})
    yield "" if stopped.status == 202 else f"the run was not stopped: {stopped.status} {stopped.fault}"


def strangers(target: Target, scale: Scale) -> Iterator[str]:
    """A program without certificates on every port that the studio's processes listen on, but the page's."""
    del scale
    processes = [target.process, *target.process.children(recursive=True)]
    ports = {
        found.laddr.port
        for process in processes
        for found in process.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN
    }
    if len(ports) < 3:  # the page's, the scheduler's, a worker's
        raise NotMeasured(f"the studio listens on {len(ports)} ports only: has it no worker?")
    doors = [(scheme, port) for port in sorted(ports - {target.place[1]}) for scheme in ("tcp", "tls")]
    for (scheme, port), admitted in zip(doors, asyncio.run(_all_admitted(doors)), strict=True):
        yield f"{scheme} on port {port}: a stranger is admitted" if admitted else ""


def kills(target: Target, scale: Scale) -> Iterator[str]:
    """The worker is killed again and again while it starts, then in the middle of runs."""
    choose = scale.random()
    killed = -1
    for _ in range(scale.kills):
        worker = _next_worker(target, killed)
        if worker is None:
            yield f"no worker was started within {RETURN_SECONDS:.0f} s of a kill"
            return
        time.sleep(max(0.0, choose.uniform(-0.5, 3.5)))
        killed = worker.pid
        with suppress(psutil.NoSuchProcess):
            worker.kill()
        yield ""
    yield _is_warm_again(target)
    for _ in range(max(1, scale.kills // 3)):
        run = target.studio.start_run(LONG)
        last = target.studio.follow(run, "epoch", 2)[-1]["n"]
        if worker := target.studio.worker():
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        yield _goes_on(target, run, last) if worker else "a run is painted by no worker"
    yield _is_warm_again(target)


def _next_worker(target: Target, killed: int) -> psutil.Process | None:
    """The worker once it is another process than `killed`; None if there is none within `RETURN_SECONDS`."""
    end = time.monotonic() + RETURN_SECONDS
    while time.monotonic() < end:
        worker = target.studio.worker()
        if worker and worker.pid != killed:
            return worker
        time.sleep(0.05)
    return None


def _goes_on(target: Target, run: str, last: int) -> str:
    """ "" if the run is painted again after event `last`, when its worker was killed; it is stopped then."""
    try:
        last = target.studio.follow(run, "started", 1, last)[-1]["n"]
        target.studio.follow(run, "epoch", 1, last)
        target.studio.send("POST", f"/api/v1/runs/{run}/stop", {})
        target.studio.follow(run, "stopped", 1, last)
    except NotMeasured as error:
        return f"a run after its worker was killed: {error}"
    return ""


def _is_warm_again(target: Target) -> str:
    """ "" if there is a warm worker that paints within `RETURN_SECONDS`."""
    end = time.monotonic() + RETURN_SECONDS
    health: dict[str, object] = {}
    while health.get("worker") != "warm":
        if time.monotonic() > end:
            return f"no worker came back within {RETURN_SECONDS:.0f} s: {health}"
        time.sleep(0.2)
        health = json.loads(target.ask("GET", "/api/v1/health").body or b"{}")
    try:
        target.studio.follow(target.studio.start_run(QUICK), "finished")
    except NotMeasured as error:
        return f"a run after the kills: {error}"
    return ""


def _seconds_open(target: Target, head: bytes, part: bytes) -> float:
    """For how long a connection takes `head` and then `part` again and again, at most `ANSWER_SECONDS`."""
    began = time.monotonic()
    with target.connect() as flood, suppress(OSError):
        flood.sendall(head)
        while time.monotonic() - began < ANSWER_SECONDS:
            flood.sendall(part)
    return time.monotonic() - began


async def _all_admitted(doors: Sequence[tuple[str, int]]) -> list[bool]:
    """Whether a program without the studio's certificates is admitted at each (scheme, port)."""
    securities = {"tcp": Security(require_encryption=False), "tls": Security.temporary()}
    tried = (_admitted(f"{scheme}://127.0.0.1:{port}", securities[scheme]) for scheme, port in doors)
    return await asyncio.gather(*tried)


async def _admitted(address: str, security: Security) -> bool:
    """Whether a Dask scheduler, nanny or worker at `address` answers a program with these certificates."""
    try:
        async with asyncio.timeout(10):
            comm = await connect_to_dask(address, timeout=2, **security.get_connection_args("client"))
            await comm.write({"op": "identity", "reply": True})
            return bool(await comm.read())
    except (OSError, TimeoutError):
        return False


def _random_json(choose: random.Random, depth: int) -> object:
    """A value of any type; objects often have keys that requests have."""
    kind = choose.randrange(6 if depth else 4)
    if kind == 0:
        return choose.choice([None, True, "", "samples/lake", "\u0000", "x" * 5000, "\ud800", "1e999"])
    if kind == 1:
        return choose.choice([0, -1, 2**70, 1.5, 1e308])
    if kind in (2, 3, 4):
        return {
            choose.choice(KEYS): _random_json(choose, depth - 1) if depth else 1 for _ in range(choose.randrange(5))
        }
    return [_random_json(choose, depth - 1) for _ in range(choose.randrange(4))]
