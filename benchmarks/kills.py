"""Servers and workers are killed, again and again, while pictures are painted: what is lost, and what broke.

After each SIGKILL, of the worker or of the server with it, the studio must come back, the store must be whole, every
result that was finished must be what it was, and each run must go on from a checkpoint at most ten seconds old. Where
that is not so, or fewer servers and workers were killed than asked for, the exit status is 1.
"""

import argparse
import hashlib
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.outcome import NotHeld, NotMeasured, must_finish
from benchmarks.report import Number, others_load, report
from benchmarks.studio import PATIENCE, answered, free_port, launched

PAINTING = {"epochs": 60, "steps_per_epoch": 5, "extractor": "compact"}
AT_ONCE = 2  # runs that are painted or wait
MOST_LOST = 10.0  # seconds of painting that a kill may cost


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("kills", __doc__)
    parser.add_argument("--kills", type=COUNT, default=100, help="of workers and servers")
    parser.add_argument("--minutes", type=float, default=40.0, help="after which no more are made")
    parser.add_argument("--pause", type=float, default=12.0, help="most seconds before a kill")
    parser.add_argument("--seed", type=int, default=0, help="of what is killed when")
    parser.add_argument("--size", type=PIXELS, default=256, help=SIZES)
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load, choose = others_load(), random.Random(given.seed)
    lost: list[float] = []
    kills = {"worker": 0, "server": 0}
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), {**PAINTING, "size": given.size})
        began = time.monotonic()
        try:
            trial.start()
            while sum(kills.values()) < given.kills and time.monotonic() - began < 60 * given.minutes:
                trial.keep_busy()
                trial.wait(trial.painting)
                time.sleep(choose.uniform(min(1.0, given.pause), given.pause))
                victim = choose.choice(["worker", "worker", "server"])
                lost += trial.kill(victim)
                kills[victim] += 1
                trial.check()
                print(f"{sum(kills.values())}: {victim}", flush=True)
        finally:
            trial.end()
        results = len(trial.finished)
    made = sum(kills.values())
    if not lost:
        raise NotMeasured(f"none of {made} kills met a run that was being painted")
    numbers = [
        Number("work lost to a kill", "s", tuple(lost)),
        Number("most work lost to a kill", "s", (max(lost),), at_most=MOST_LOST),
        Number("finished results, each the same after every kill", "", (results,)),
    ]
    report("kills", numbers, given.folder, kills=kills, seed=given.seed, size=given.size, other_load=load)
    if made < given.kills:
        raise NotHeld(f"{made} of {given.kills} kills were made in {given.minutes:g} minutes")
    if max(lost) > MOST_LOST:
        raise NotHeld(f"a kill cost {max(lost):.1f} s of painting, more than {MOST_LOST:g}")


class Trial:
    """One store, the servers that come and go over it, and what is known of its runs."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder, self.port, self.options = folder, free_port(), options
        self.runs: list[str] = []
        self.finished: dict[str, str] = {}  # run -> SHA-256 of its result
        self.seed = 0

    def start(self) -> None:
        """A server on the store; returns once its worker is warm."""
        self.studio, self.process = launched(self.folder, self.port)
        self.studio.seconds_until(self.studio.worker_warm)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def run(self, run: str) -> dict[str, Any]:
        return self.studio.get(f"/api/v1/runs/{run}")

    def keep_busy(self) -> None:
        """See that there is something to be painted."""
        going = [run for run in self.runs if self.run(run)["state"] in ("queued", "running")]
        for _ in range(AT_ONCE - len(going)):
            self.seed += 1
            self.runs.append(self.studio.start_run({**self.options, "seed": self.seed}, seed=self.seed))

    def painting(self) -> str:
        """The run that is painted now, "" if none."""
        return next((run for run in self.runs if self.run(run)["state"] == "running" and self.run(run)["frames"]), "")

    def kill(self, victim: str) -> list[float]:
        """Kill it; seconds of painting that the run it had has lost, once it has been taken up again."""
        run, killed = self.painting(), time.time()  # before: the kill is noticed at once
        if victim == "worker":
            worker = self.studio.worker()
            assert worker, "a run is painted"
            worker.kill()
        else:
            self.process.kill()
            self.process.wait()
            self.start()
        if not run:
            return []
        self.wait(lambda: self.run(run)["state"] in ("interrupted", "queued", "running", "finished", "failed"))
        before = [event for event in self._story(run) if event["time"] <= killed]
        if before[-1]["kind"] == "finished":
            return []
        self.wait(lambda: self._told(run, ("interrupted", "finished"), killed))
        if self._told(run, ("finished",), killed) and not self._told(run, ("interrupted",), killed):
            return []  # its last events were received after the kill
        if victim == "server":
            self.studio.send("POST", f"/api/v1/runs/{run}/continue", {})
        self.wait(lambda: self._told(run, ("started",), killed))
        return [lost_seconds(before, killed)]

    def _told(self, run: str, kinds: Collection[str], since: float) -> bool:
        return any(event["kind"] in kinds and event["time"] > since for event in self._story(run))

    def _story(self, run: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while more := self.studio.get(f"/api/v1/runs/{run}/events?after={len(events)}")["events"]:
            events += more
        return events

    def check(self) -> None:
        """See that the store is whole, and that no finished result is another than it was."""
        with sqlite3.connect(f"file:{self.folder / 'data' / 'studio.sqlite'}?mode=ro", uri=True) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        database.close()
        if verdict != "ok":
            raise NotHeld(f"the store is not whole: {verdict}")
        for run in self.runs:
            story, now = self._story(run), self.run(run)
            if [event["n"] for event in story] != list(range(1, len(story) + 1)):
                raise NotHeld(f"the events of run {run} have gaps")
            if now["state"] == "failed" or run in self.finished:
                must_finish(f"run {run}", now["state"], now["error"])
            if now["state"] == "finished":
                result = self.folder / "data" / "runs" / run / "result.png"
                if not result.exists():
                    raise NotHeld(f"the result of run {run} is lost")
                found = hashlib.sha256(result.read_bytes()).hexdigest()
                if self.finished.setdefault(run, found) != found:
                    raise NotHeld(f"the result of run {run} has changed")

    def wait(self, happened: Callable[[], Any]) -> None:
        """Return once `happened()` is true. Raises NotMeasured if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not answered(happened):
            if time.monotonic() > end:
                states = ", ".join(self.run(run)["state"] for run in self.runs[-3:])
                raise NotMeasured(f"nothing happened within {PATIENCE:.0f} s; the last runs are {states}")
            time.sleep(0.1)


def lost_seconds(before: list[dict[str, Any]], killed: float) -> float:
    """Of painting since the last checkpoint, at the moment of the kill, from the events told until then."""
    started = max(n for n, event in enumerate(before) if event["kind"] == "started")
    told = [event for event in before[started:] if event["kind"] == "epoch"]
    kept = [event["seconds"] for event in before if event["kind"] == "kept"]
    safe = kept[-1] if kept else 0.0
    painted = told[-1]["seconds"] + killed - told[-1]["time"] if told else safe + killed - before[started]["time"]
    return float(painted - safe)


if __name__ == "__main__":
    sys.exit(main())
