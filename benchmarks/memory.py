"""Memory of one worker process over forty runs of mixed sizes, through the real queue.

TensorFlow keeps the most memory that a run ever needed, so a run larger than all before it must add some. Each five
runs therefore have the same largest one, a square of the largest size; all others differ in shape. What still grows is
kept per shape, or lost.
"""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import Number, others_load, report
from nst.images import encode_png
from nst.jobs.queue import Queue
from nst.jobs.run import State
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.settings import Settings

RUNS = 40
SETTLED = 5  # runs after which memory should grow no more
STEPS = 20  # of each run
SIZES = (256, 384, 512, 640, 768)  # px, long side; each five runs have all of them, in an order of their own
RATIOS = (3 / 4, 1, 4 / 3, 3 / 2, 16 / 9)  # width to height
PATIENCE = 300.0  # seconds a run may take


def main() -> None:
    load = others_load()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), offline=True)
        store = Store(settings.data)
        queue = Queue(settings, store)
        queue.start()
        try:
            wait_for(lambda: queue.health()["worker"] == "warm")
            used = [paint(store, queue, number) for number in range(RUNS)]
        finally:
            queue.close()
            store.close()
    growth = 100 * (used[-1] / used[SETTLED - 1] - 1)
    numbers = [
        Number(f"memory after run {SETTLED}", "MiB", (used[SETTLED - 1],)),
        Number(f"memory after run {RUNS}", "MiB", (used[-1],)),
        Number("most after any run", "MiB", (max(used),)),
        Number("growth", "%", (growth,), at_most=10),
    ]
    report("memory", numbers, runs=f"{RUNS} of {SIZES[0]} to {SIZES[-1]} px, {STEPS} steps", other_load=load, each=used)


def paint(store: Store, queue: Queue, number: int) -> float:
    """One run of a size and shape of its own; the worker's resident memory in MiB once it is over."""
    choose = random.Random(number)
    size = random.Random(number // len(SIZES)).sample(SIZES, len(SIZES))[number % len(SIZES)]
    options = StyleOptions(size=size, epochs=4, steps_per_epoch=STEPS // 4, extractor="compact", seed=number)
    content = picture(choose, ratio=1 if size == max(SIZES) else choose.choice(RATIOS))
    style = picture(choose, ratio=choose.choice(RATIOS))
    run = store.create(options, store.put_upload(content), store.put_upload(style))
    queue.submit(run)
    wait_for(lambda: store.run(run.id).state.ended)
    ended = store.run(run.id)
    if ended.state is not State.FINISHED:
        raise RuntimeError(f"run {number} is {ended.state}: {ended.error}")
    return worker_memory()


def picture(choose: random.Random, ratio: float) -> bytes:
    """A PNG of soft colours, of some height."""
    height = choose.randrange(400, 900)
    width = round(height * ratio)
    coarse = np.random.default_rng(choose.randrange(2**32)).random((8, 8, 3), np.float32)
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    return encode_png(coarse[rows][:, columns])


def worker_memory() -> float:
    """Resident memory in MiB of the largest process below this one: the worker."""
    return max(child.memory_info().rss for child in psutil.Process().children(recursive=True)) / 2**20


def wait_for(happened: Callable[[], bool]) -> None:
    """Return once `happened()` is true."""
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing happened within {PATIENCE:.0f} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
