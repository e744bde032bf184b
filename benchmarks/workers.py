"""Runs a minute of two local workers against one, in alternation: the same short runs, the same cores.

Both studios are up all the time, with warm workers; the one that is not asked rests.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.report import Number, others_load, report
from nst.images import encode_png
from nst.jobs.queue import Queue
from nst.jobs.run import Run, State
from nst.jobs.store import Store
from nst.options import StyleOptions
from nst.settings import Settings

PATIENCE = 600.0  # seconds that one round may take


@dataclass(frozen=True)
class Line:
    """A queue with its workers, and the run that it is given again and again."""

    store: Store
    queue: Queue
    workers: int
    options: StyleOptions

    def submit(self) -> str:
        """The id of one more run."""
        content, style = (self.store.put_upload(picture(seed)) for seed in (0, 1))
        run = self.store.create(self.options, content, style)
        self.queue.submit(run)
        return run.id

    def runs(self, ids: list[str]) -> list[Run]:
        return [self.store.run(run_id) for run_id in ids]

    def paint(self, count: int) -> tuple[float, int]:
        """(seconds that `count` runs took, most of them painted at the same time)."""
        began = time.monotonic()
        ids, most = [self.submit() for _ in range(count)], 0
        while not all(run.state.ended for run in self.runs(ids)):
            most = max(most, sum(run.state is State.RUNNING for run in self.runs(ids)))
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{count} runs were not painted within {PATIENCE:.0f} s")
            time.sleep(0.02)
        taken = time.monotonic() - began
        if failed := [run for run in self.runs(ids) if run.state is not State.FINISHED]:
            raise RuntimeError(f"a run is {failed[0].state}: {failed[0].error}")
        return taken, most


def main() -> None:
    given = arguments()
    load = others_load()
    options = StyleOptions(size=given.size, epochs=given.steps // 10, steps_per_epoch=10, extractor="compact")
    rates: dict[int, list[float]] = {1: [], 2: []}
    with line(1, options) as one, line(2, options) as two:
        for each in (one, two):
            while each.paint(each.workers)[1] < each.workers:  # until every worker is warm, and has painted once
                pass
        for _ in range(given.rounds):
            for each in (one, two):
                rates[each.workers].append(60 * given.runs / each.paint(given.runs)[0])
    ratios = tuple(two / one for one, two in zip(rates[1], rates[2], strict=True))
    numbers = [
        Number("one worker", "runs/min", tuple(rates[1])),
        Number("two workers", "runs/min", tuple(rates[2])),
        Number("two workers against one", "times", ratios),
    ]
    report(
        "workers",
        numbers,
        runs=f"{given.runs} a round, compact, {given.size} px, {options.steps} steps",
        other_load=load,
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8, help="of each round, default 8")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--size", type=int, default=256, help="px, default 256")
    parser.add_argument("--steps", type=int, default=60, help="of each run, default 60")
    return parser.parse_args()


@contextmanager
def line(workers: int, options: StyleOptions) -> Iterator[Line]:
    """A queue of its own with so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        queue = Queue(Settings(workers=workers, offline=True), store)
        queue.start()
        try:
            yield Line(store, queue, workers, options)
        finally:
            queue.close()
            store.close()


def picture(seed: int) -> bytes:
    """A PNG of 384 x 384 px; what is on a picture costs no time."""
    return encode_png(np.random.default_rng(seed).random((384, 384, 3), np.float32))


if __name__ == "__main__":
    main()
