"""Many programs and pages follow one painting: whether anybody is left out, how soon they are answered, what it costs.

Spells of the same run, compact network: nobody asks; programs poll its events, 200 and then 500, each waiting at most
`WAIT` seconds for news and asking again at once; pages follow it as the studio's own does, with `PAGE_WAIT`, and fetch
every frame. Latency is what an answer takes that has something to tell and nothing to wait for: after every tenth
answer a program asks again for the event it was just told, without `wait`. The run's speed is that of its own events.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.command import COUNT, PIXELS, SIZES, command, listed, studio_flags
from benchmarks.outcome import NotMeasured
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, warm_studio
from nst.options.style_options import StyleOptions

WAIT, PAGE_WAIT = 10, 2  # seconds
AIMS = {200: 250.0, 500: 1000.0}  # number of programs -> ms, 95 % of their latencies
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
        """The body at a path. Raises NotMeasured unless it is answered with 200."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        body = await self._reader.readexactly(int(length.partition(":")[2]))
        if " 200 " not in head.splitlines()[0]:
            raise NotMeasured(f"{path}: {body[:200]!r}")
        return body


@dataclass
class Seen:
    """What all followers of one spell have seen."""

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
    """So many followers at once. Raises NotMeasured, with the first error, if any of them met one."""
    seen, end, errors = Seen(), time.monotonic() + seconds, []

    async def one() -> None:
        try:
            async with Connection(address) as connection:
                seen.epochs.append(await follow(connection, run, last, end, seen))
        except (OSError, EOFError, NotMeasured) as error:
            errors.append(str(error) or type(error).__name__)

    await asyncio.gather(*(one() for _ in range(count)))
    if errors:
        raise NotMeasured(f"{len(errors)} of {count} followers met an error, the first: {errors[0]}")
    return seen


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("pollers", __doc__)
    parser.add_argument("--programs", type=listed(COUNT), default=(200, 500), help="that poll at once, by comma")
    parser.add_argument("--pages", type=COUNT, default=30, help="that follow at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each spell")
    parser.add_argument("--size", type=PIXELS, default=256, help=SIZES)
    parser.add_argument("--steps", type=COUNT, default=20, help="of each epoch")
    parser.add_argument("--network", choices=StyleOptions.option("extractor").choices[1:], default="compact")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    with warm_studio(given.studio) as running:
        run = begin(running, given)
        last = running.follow(run, "epoch", 3)[-1]["n"]
        spells, speeds = [], []
        programs = [(program, count) for count in given.programs]
        for follow, count in ((None, 0), *programs, (page, given.pages)):
            began = time.time()
            if follow is None:
                time.sleep(given.seconds)
            else:
                path = f"/api/v1/runs/{run}"
                spells.append(asyncio.run(crowd(follow, count, running.address, path, last, given.seconds)))
            events = running.follow(run, "epoch", 2, last)  # and it paints still
            speeds.append(speed(events, began, time.time()))
            last = events[-1]["n"]
        running.send("POST", f"/api/v1/runs/{run}/stop", {})
        running.follow(run, "stopped", 1, last)
    *crowds, pages = spells
    alone, *with_programs, with_pages = speeds
    numbers = [Number("the run alone", "steps/s", (alone,))]
    for count, seen, steps in zip(given.programs, crowds, with_programs, strict=True):
        numbers += [
            Number(f"{count} programs: answers", "/s", (seen.answers / given.seconds,)),
            *latency(f"{count} programs: latency", seen, AIMS.get(count)),
            Number(f"{count} programs that missed an epoch", "", (missed(seen),), at_most=0),
            Number(f"the run beside {count} programs", "steps/s", (steps,)),
        ]
    numbers += [
        *latency("pages: a frame", pages),
        Number("pages that missed an epoch", "", (missed(pages),), at_most=0),
        Number("the run beside the pages", "steps/s", (with_pages,)),
    ]
    counts = ", then ".join(f"{count} programs" for count in given.programs)
    followers = f"{counts}, then {given.pages} pages, {given.seconds:g} s each, no errors"
    what = f"{given.network}, {given.size} px, {given.steps} steps an epoch"
    report("pollers", numbers, given.folder, followers=followers, run=what, other_load=load)


def begin(running: Studio, given: argparse.Namespace) -> str:
    """A run that goes on for longer than the benchmark."""
    options = {"extractor": given.network, "size": given.size, "steps_per_epoch": given.steps, "epochs": 1000}
    return running.start_run(options)


def speed(events: list[dict[str, Any]], began: float, ended: float) -> float:
    """Steps a second between two times, in seconds since 1970, by a run's events."""
    epochs = [event for event in events if event["kind"] == "epoch" and began <= event["time"] <= ended]
    if len(epochs) < 2:
        raise NotMeasured(f"{len(epochs)} epochs ended in {ended - began:.1f} s: too few to tell a speed")
    return float((epochs[-1]["step"] - epochs[0]["step"]) / (epochs[-1]["time"] - epochs[0]["time"]))


def latency(name: str, seen: Seen, at_most: float | None = None) -> list[Number]:
    """The median and 95 %, which is aimed at."""
    if len(seen.latencies) < 2:
        raise NotMeasured(f"{name}: {len(seen.latencies)} answers were timed")
    *_, most = statistics.quantiles(seen.latencies, n=20)
    median = statistics.median(seen.latencies)
    return [Number(f"{name}, median", "ms", (median,)), Number(f"{name}, 95 %", "ms", (most,), at_most)]


def missed(seen: Seen) -> int:
    """How many followers did not see each epoch once and in order, from the first that anybody saw on."""
    first = min((told[0] for told in seen.epochs if told), default=None)
    if first is None:
        raise NotMeasured("no follower was told of an epoch")
    return sum(not told or told != list(range(first, told[-1] + 1)) for told in seen.epochs)


if __name__ == "__main__":
    sys.exit(main())
