"""How soon a run hears what it is asked: from the request over HTTP to the event that says it was done.

A change, a pause and a stop wait for the step that is being taken; the median of a step is subtracted, and told.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.command import COUNT, PIXELS, SIZES, command, studio_flags
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, warm_studio
from nst.cli.main import Parser
from nst.options.style_options import StyleOptions

EPOCHS = 1000
FIRST = 2  # epochs that are not timed: they trace
REQUESTS = (  # the event that says it was heard, and the request
    ("steered", "PATCH", "weights", {"strength": 2.0}),
    ("paused", "POST", "pause", {}),
    ("started", "POST", "resume", {}),
    ("stopped", "POST", "stop", {}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    return command(parser(), measure, arguments)


def parser() -> Parser:
    parser = studio_flags("steering", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=7, help="runs that are asked")
    parser.add_argument("--size", type=PIXELS, default=512, help=SIZES)
    parser.add_argument("--network", choices=StyleOptions.option("extractor").choices[1:], default="compact")
    return parser


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    heard: dict[str, list[float]] = {kind: [] for kind, *_ in REQUESTS}
    steps: list[float] = []
    with warm_studio(given.studio) as running:
        for _ in range(given.rounds):
            run = begin(running, given)
            events = running.follow(run, "epoch", FIRST + 4)
            steps.append(step_seconds(events))
            last = events[-1]["n"]
            for kind, method, path, body in REQUESTS:
                asked = time.time()
                running.send(method, f"/api/v1/runs/{run}/{path}", body)
                said = next(event for event in running.follow(run, kind, 1, last) if event["kind"] == kind)
                heard[kind].append(said["time"] - asked)  # by the server's clock, which is ours
                last = said["n"]
                if kind == "started":
                    last = running.follow(run, "epoch", 2, last)[-1]["n"]
    step = statistics.median(steps)
    numbers = [
        Number("a step", "ms", tuple(1000 * each for each in steps)),
        Number("a change, less a step", "ms", net(heard["steered"], step), at_most=200),
        Number("a pause, less a step", "ms", net(heard["paused"], step), at_most=300),
        Number("a stop, less a step", "ms", net(heard["stopped"], step), at_most=300),
        Number("resumed: to the worker painting again", "ms", tuple(1000 * each for each in heard["started"])),
    ]
    report("steering", numbers, given.folder, size=given.size, other_load=load)


def begin(running: Studio, given: argparse.Namespace) -> str:
    """A run of full-size steps, so that each takes as long as the next."""
    steps = {"epochs": EPOCHS, "steps_per_epoch": 1, "init": "content"}
    return running.start_run({"size": given.size, "extractor": given.network, **steps})


def step_seconds(events: list[dict[str, Any]]) -> float:
    """Of the steps so far, without the first ones, which trace."""
    epochs = [event for event in events if event["kind"] == "epoch"][FIRST:]
    return float((epochs[-1]["seconds"] - epochs[0]["seconds"]) / (epochs[-1]["step"] - epochs[0]["step"]))


def net(seconds: list[float], step: float) -> tuple[float, ...]:
    """What each took beside a step, in ms; below zero where it came early in one."""
    return tuple(1000 * (each - step) for each in seconds)


if __name__ == "__main__":
    sys.exit(main())
