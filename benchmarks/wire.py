"""Bytes that a run sends over the network of a cluster: uploads, frames with their events, checkpoints.

Between a scheduler and those who talk to it, a worker and a studio, stand two relays that count. The frames are those
of a textured picture in the quality that a painting streams; the checkpoint is that of L-BFGS with all its pairs.
"""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from subprocess import Popen
from sys import executable
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.memory import wait_for
from benchmarks.report import Number, report
from benchmarks.studio import free_port
from nst.estimates import pairs
from nst.events import Epoch, Event, Finished, Losses, Started
from nst.images import encode_jpeg
from nst.jobs.queue import Queue
from nst.jobs.run import State
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.samples import find
from nst.settings import Settings

SIZE = 512  # px
SAMPLE = "night-wind"  # oil in eddies: as rough as paintings become
EPOCHS = 10, 110  # of two runs; what the longer one sent more is shared out
KB = 1000  # bytes


class Relay:
    """Passes on what is said to a port, and counts the bytes of both directions."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self.bytes = 0
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self._ready.set()
        await server.serve_forever()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # not there yet
            writer.close()
            return
        await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(2**16):
                self.bytes += len(data)
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


def paint(job: dict[str, Any], emit: Callable[[Event], None], control: object) -> None:
    """Every frame is the content, as it came."""
    epochs = job["options"]["epochs"]
    emit(Started("compact", "", SIZE, SIZE, epochs, 10 * epochs))
    for n in range(epochs + 1):
        time.sleep(0.01)
        emit(Epoch(n, 10 * n, Losses(3.0, 1.0, 1.5, 0.5), SIZE, SIZE, float(n), 10.0, 1.0, job["content"]))
    emit(Finished(1.0))


def warm_up() -> dict[str, Any]:
    """Nothing is needed."""
    return {}


def main() -> None:
    picture = np.asarray(find(SAMPLE).draw().resize((SIZE, SIZE), Image.Resampling.LANCZOS), np.float32) / 255
    frame, checkpoint = painted(picture)
    sent = {}
    with cluster() as (relays, queue, store):
        for epochs in EPOCHS:
            before = [relay.bytes for relay in relays]
            send(queue, store, frame, epochs)
            sent[epochs] = [relay.bytes - already for relay, already in zip(relays, before, strict=True)]
        before, began = [relay.bytes for relay in relays], time.monotonic()
        time.sleep(5)
        idle = [
            (relay.bytes - already) / (time.monotonic() - began) for relay, already in zip(relays, before, strict=True)
        ]
    short, long = EPOCHS
    worker, studio = ((more - less) / (long - short) for less, more in zip(sent[short], sent[long], strict=True))
    fixed = (sent[short][1] - (short + 1) * studio) / KB
    numbers = [
        Number("a frame, JPEG", "kB", (len(frame) / KB,)),
        Number("an epoch, worker to scheduler", "kB", (worker / KB,)),
        Number("an epoch, scheduler to studio", "kB", (studio / KB,)),
        Number("... beside its frame", "kB", ((studio - len(frame)) / KB,)),
        Number("a run, beside epochs, uploads and result", "kB", (fixed - 2 * len(frame) / KB,)),
        Number("an idle worker and its scheduler", "kB/s", (idle[0] / KB,)),
        Number("an idle studio and its scheduler", "kB/s", (idle[1] / KB,)),
        Number(f"a checkpoint, L-BFGS with {pairs(SIZE**2)} pairs", "kB", (len(checkpoint) / KB,)),
    ]
    report("wire", numbers, frame=f"{SAMPLE}, {SIZE} x {SIZE} px")


def painted(picture: np.ndarray) -> tuple[bytes, bytes]:
    """(a frame, a checkpoint) of a painting of that size, as a worker makes them."""
    from nst.engine.optimize import stylize  # TensorFlow, which the worker of this benchmark does not need
    from nst.runner import FRAME_QUALITY

    options = StyleOptions(size=SIZE, init="content", extractor="compact", epochs=2, steps_per_epoch=10)
    *_, last = islice(stylize(picture, picture, options), pairs(SIZE**2) + 2)
    return encode_jpeg(picture, FRAME_QUALITY), last.checkpoint().to_bytes()


def send(queue: Queue, store: Store, frame: bytes, epochs: int) -> None:
    """One run of so many epochs, from submission to its end."""
    upload = store.put_upload(frame)
    run = store.create(StyleOptions(epochs=epochs), upload, upload)
    queue.submit(run)
    wait_for(lambda: store.run(run.id).state.ended)
    if store.run(run.id).state is not State.FINISHED:
        raise RuntimeError(f"the run is {store.run(run.id).state}: {store.run(run.id).error}")


@contextmanager
def cluster() -> Iterator[tuple[tuple[Relay, Relay], Queue, Store]]:
    """A scheduler, a worker and a queue, each a process of its own but the queue; (relays to it, queue, its store)."""
    port = free_port()
    to_worker, to_studio = relays = Relay(port), Relay(port)
    nst = executable, "-m", "nst"
    scheduler = Popen([*nst, "scheduler", f"tcp://127.0.0.1:{port}"])
    worker = Popen([*nst, "worker", f"tcp://127.0.0.1:{to_worker.port}", "--no-gpu"])
    names = (f"benchmarks.wire:{name}" for name in ("paint", "warm_up", "warm_up"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            queue = Queue(Settings(scheduler=f"tcp://127.0.0.1:{to_studio.port}"), store, *names)
            queue.start()
            wait_for(lambda: queue.health()["worker"] == "warm")
            yield relays, queue, store
            queue.close()
            store.close()
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
