"""Many programs and pages follow one painting: whether anybody is left out, how soon they are answered, what it costs.

Three spells of the same run, compact network: nobody asks; programs poll its events, each waiting at most `WAIT`
seconds for news and asking again at once; pages follow it as the studio's own does, with `PAGE_WAIT`, and fetch every
frame. Latency is what an answer takes that has something to tell and nothing to wait for: after every tenth answer a
program asks again for the event it was just told, without `wait`. The run's speed is that of its own events.
"""

import argparse
import asyncio
import base64
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, studio
from benchmarks.workers import picture

WAIT, PAGE_WAIT = 10, 2  # seconds
EVERY = 10  # of a program's answers after which one is timed


class Connection:
    """A client that keeps its connection, with next to no cost of its own."""

    def __init__(self, address: str) -> None:
        self._host, self._port = urlsplit(address).hostname, urlsplit(address).port

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def get(self, path: str) -> bytes:
        """The body at a path. Raises RuntimeError unless it is there."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        body = await self._reader.readexactly(int(length.partition(":")[2]))
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(f"{path}: {body[:200]!r}")
        return body


@dataclass
class Seen:
    """What all followers of one spell have seen."""

    errors: list[str] = field(default_factory=list)
    answers: int = 0
    latencies: list[float] = field(default_factory=list)  # ms
    epochs: list[list[int]] = field(default_factory=list)  # of each follower


Follower = Callable[[Connection, str, int, float, Seen], Awaitable[list[int]]]


async def program(connection: Connection, run: str, last: int, end: float, seen: Seen) -> list[int]:
    """Poll the events of a run after its event `last`; returns the epochs that were told."""
    epochs = []
    while time.monotonic() < end:
        news = json.loads(await connection.get(f"{run}/events?after={last}&wait={WAIT}"))
        epochs += [event["epoch"] for event in news["events"] if event["kind"] == "epoch"]
        seen.answers, last = seen.answers + 1, news["last"]
        if news["events"] and seen.answers % EVERY == 0:
            asked = time.monotonic()
            await connection.get(f"{run}/events?after={last - 1}")
            seen.latencies.append(1000 * (time.monotonic() - asked))
    return epochs


async def page(connection: Connection, run: str, last: int, end: float, seen: Seen) -> list[int]:
    """Follow the events of a run, and fetch every frame; returns the epochs whose frames came."""
    epochs = []
    while time.monotonic() < end:
        news = json.loads(await connection.get(f"{run}/events?after={last}&wait={PAGE_WAIT}"))
        seen.answers, last = seen.answers + 1, news["last"]
        for event in news["events"]:
            if event["kind"] == "epoch":
                asked = time.monotonic()
                await connection.get(f"{run}/frames/{event['frame']}.jpg")
                seen.latencies.append(1000 * (time.monotonic() - asked))
                epochs.append(event["epoch"])
    return epochs


async def crowd(follow: Follower, count: int, address: str, run: str, last: int, seconds: float) -> Seen:
    """So many followers at once."""
    seen, end = Seen(), time.monotonic() + seconds

    async def one() -> None:
        try:
            async with Connection(address) as connection:
                seen.epochs.append(await follow(connection, run, last, end, seen))
        except (OSError, EOFError, RuntimeError) as error:
            seen.errors.append(str(error))

    await asyncio.gather(*(one() for _ in range(count)))
    return seen


def main() -> None:
    given = arguments()
    load = others_load()
    with studio() as running:
        running.seconds_until(running.worker_warm)
        run = begin(running, given)
        running.seconds_until(lambda: running.get(run)["epoch"] >= 3)
        spells, speeds = [], []
        for follow, count in ((None, 0), (program, given.programs), (page, given.pages)):
            last, began = running.get(run)["last"], time.time()
            if follow is None:
                time.sleep(given.seconds)
            else:
                spells.append(asyncio.run(crowd(follow, count, running.address, run, last, given.seconds)))
            speeds.append(speed(running, run, last, began, time.time()))
    programs, pages = spells
    alone, with_programs, with_pages = speeds
    numbers = [
        Number("programs: errors", "", (len(programs.errors),), at_most=0),
        Number("programs: answers", "/s", (programs.answers / given.seconds,)),
        Number("programs: latency, median", "ms", (statistics.median(programs.latencies),)),
        Number("programs: latency, 95 %", "ms", (percentile(programs.latencies, 95),)),
        Number("programs that missed an epoch", "", (missed(programs),), at_most=0),
        Number("pages: errors", "", (len(pages.errors),), at_most=0),
        Number("pages: a frame, median", "ms", (statistics.median(pages.latencies),)),
        Number("pages: a frame, 95 %", "ms", (percentile(pages.latencies, 95),)),
        Number("pages that missed an epoch", "", (missed(pages),), at_most=0),
        Number("the run alone", "steps/s", (alone,)),
        Number("... beside the programs", "steps/s", (with_programs,)),
        Number("... beside the pages", "steps/s", (with_pages,)),
    ]
    crowds = f"{given.programs} programs, then {given.pages} pages, {given.seconds:g} s each"
    what = f"compact, {given.size} px, {given.steps} steps an epoch"
    report("pollers", numbers, followers=crowds, run=what, other_load=load)
    for error in sorted({*programs.errors, *pages.errors}):
        print(f"  {error}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=200, help="default 200")
    parser.add_argument("--pages", type=int, default=30, help="default 30")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each spell, default 20")
    parser.add_argument("--size", type=int, default=256, help="px, default 256")
    parser.add_argument("--steps", type=int, default=20, help="of each epoch, default 20")
    return parser.parse_args()


def begin(running: Studio, given: argparse.Namespace) -> str:
    """The address of a run that goes on for longer than the benchmark."""
    options = {"extractor": "compact", "size": given.size, "steps_per_epoch": given.steps, "epochs": 1000}
    pictures = {role: base64.b64encode(picture(seed)).decode() for seed, role in enumerate(("content", "style"))}
    return str(running.send("POST", "/api/v1/runs", {**pictures, "options": options})["run"])


def speed(running: Studio, run: str, last: int, began: float, ended: float) -> float:
    """Steps a second between two times, in seconds since 1970, by the run's events after `last`."""
    epochs: list[dict[str, Any]] = [
        event
        for event in running.get(f"{run}/events?after={last}")["events"]
        if event["kind"] == "epoch" and began <= event["time"] <= ended
    ]
    return (epochs[-1]["step"] - epochs[0]["step"]) / (epochs[-1]["time"] - epochs[0]["time"])


def percentile(samples: list[float], percent: int) -> float:
    return statistics.quantiles(samples, n=100)[percent - 1]


def missed(seen: Seen) -> int:
    """How many followers did not see each epoch once and in order, from the first that anybody saw on."""
    first = min(told[0] for told in seen.epochs if told)
    return sum(not told or told != list(range(first, told[-1] + 1)) for told in seen.epochs)


if __name__ == "__main__":
    main()
