"""Bytes that a run sends over the network of a cluster: uploads, frames with their events, checkpoints.

Between a scheduler and those who talk to it, a worker and a studio, stand two relays that count. The frames are those
of a textured picture in the quality that a painting streams; the checkpoint is that of L-BFGS with all its pairs.
"""

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.local_queue import LocalQueue, local_queue
from benchmarks.outcome import NotMeasured, all_of
from benchmarks.report import Number, others_load, report
from benchmarks.studio import free_port
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_jpeg, read_file, resize
from nst.pictures.samples import find
from nst.runs.control import Control
from nst.runs.estimates import pairs
from nst.runs.events import Epoch, Event, Finished, Losses, Started
from nst.runs.job import StyleJob

SAMPLE = "night-wind"  # oil in eddies: as rough as paintings become
LEAST = 10  # epochs of the shorter of two runs; what the longer one sent more is shared out
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


def paint(job: StyleJob, emit: Callable[[Event], None], control: Control) -> None:
    """Every frame is the content, as it came."""
    epochs, size = int(job.options.epochs), job.options.size
    emit(Started(extractor="compact", note="", width=size, height=size, epochs=epochs, steps=10 * epochs))
    for n in range(epochs + 1):
        time.sleep(0.01)
        emit(
            Epoch(
                epoch=n,
                step=10 * n,
                losses=Losses(3.0, 1.0, 1.5, 0.5),
                width=size,
                height=size,
                seconds=float(n),
                steps_per_second=10.0,
                seconds_left=1.0,
                image=job.content,
            )
        )
    emit(Finished(seconds=1.0))


def warm_up() -> dict[str, Any]:
    """Nothing is needed."""
    return {}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("wire", __doc__)
    parser.add_argument("--size", type=PIXELS, default=512, help=SIZES)
    parser.add_argument("--epochs", type=COUNT, default=100, help="that the longer of two runs has more")
    parser.add_argument("--seconds", type=float, default=5.0, help="in which nothing is asked")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load, size = others_load(), given.size
    picture = resize(read_file(find(SAMPLE).path).rgb, size, size)
    frame, checkpoint = painted(picture)
    sent = []
    with cluster() as (relays, queue):
        for epochs in (LEAST, LEAST + given.epochs):
            before = [relay.bytes for relay in relays]
            queue.paint(StyleOptions(epochs=epochs, size=size), frame, frame)
            sent.append([relay.bytes - already for relay, already in zip(relays, before, strict=True)])
        before, began = [relay.bytes for relay in relays], time.monotonic()
        time.sleep(given.seconds)
        idle = [
            (relay.bytes - already) / (time.monotonic() - began) for relay, already in zip(relays, before, strict=True)
        ]
    worker, studio = ((more - less) / given.epochs for less, more in zip(*sent, strict=True))
    fixed = sent[0][1] - (LEAST + 1) * studio
    numbers = [
        Number("a frame, JPEG", "kB", (len(frame) / KB,)),
        Number("an epoch, worker to scheduler", "kB", (worker / KB,)),
        Number("an epoch, scheduler to studio", "kB", (studio / KB,)),
        Number("... beside its frame", "kB", ((studio - len(frame)) / KB,)),
        Number("a run, beside epochs, uploads and result", "kB", ((fixed - 2 * len(frame)) / KB,)),
        Number("an idle worker and its scheduler", "kB/s", (idle[0] / KB,)),
        Number("an idle studio and its scheduler", "kB/s", (idle[1] / KB,)),
        Number(f"a checkpoint, L-BFGS with {pairs(size**2)} pairs", "kB", (len(checkpoint) / KB,)),
    ]
    report("wire", numbers, given.folder, frame=f"{SAMPLE}, {size} x {size} px", other_load=load)


def painted(picture: np.ndarray) -> tuple[bytes, bytes]:
    """(a frame, a checkpoint) of a painting of that size, as a worker makes them."""
    from nst.engine.optimization.optimize import stylize  # TensorFlow, which the worker of this benchmark does not need
    from nst.pictures.images import FRAME_QUALITY

    size = picture.shape[0]
    count = pairs(size**2) + 2
    options = StyleOptions(size=size, init="content", extractor="compact", epochs=2, steps_per_epoch=count)
    last = all_of(count, stylize(picture, picture, options))[-1]
    return encode_jpeg(picture, FRAME_QUALITY), last.checkpoint().to_bytes()


@contextmanager
def cluster() -> Iterator[tuple[tuple[Relay, Relay], LocalQueue]]:
    """A scheduler, a worker and a queue, each a process of its own but the queue; (relays to it, queue)."""
    port = free_port()
    to_worker, to_studio = relays = Relay(port), Relay(port)
    with tempfile.TemporaryFile() as log:
        processes = [
            subprocess.Popen((sys.executable, "-m", "nst", *words), stderr=log)
            for words in (
                ("scheduler", f"tcp://127.0.0.1:{port}"),
                ("worker", f"tcp://127.0.0.1:{to_worker.port}", "--no-gpu"),
            )
        ]
        names = {role: f"benchmarks.wire:{name}" for role, name in (("execute", "paint"), ("warm_up", "warm_up"))}

        def there() -> bool:
            """Whether the scheduler listens. Raises NotMeasured if a process has ended."""
            for process in processes:
                if process.poll() is not None:
                    log.seek(0)
                    said = log.read().decode().strip().splitlines() or ["it said nothing"]
                    raise NotMeasured(f"`{' '.join(process.args[2:])}` ended with {process.returncode}: {said[-1]}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        try:
            while not there():
                time.sleep(0.02)
            with local_queue(Settings(scheduler=f"tcp://127.0.0.1:{to_studio.port}"), **names) as queue:
                queue.wait_until(lambda: there() and queue.warm())
                yield relays, queue
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
