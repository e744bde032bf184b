"""How soon a run hears what it is asked: from the request over HTTP to the event that says it was done.

A change, a pause and a stop wait for the step that is being taken; the median of a step is subtracted, and told.
"""

import argparse
import base64
import random
import statistics
import time
from typing import Any

from benchmarks.memory import picture
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, studio

EPOCHS = 1000


def main() -> None:
    given = arguments()
    load = others_load()
    heard: dict[str, list[float]] = {"steered": [], "paused": [], "resumed": [], "stopped": []}
    steps: list[float] = []
    with studio() as running:
        running.seconds_until(running.worker_warm)
        for _ in range(given.times):
            run = begin(running, given.size)
            follow(running, run, "epoch", 6)
            steps.append(step_seconds(running, run))
            wishes = (
                ("steered", "PATCH", "weights", {"strength": 2.0}),
                ("paused", "POST", "pause", {}),
                ("resumed", "POST", "resume", {}),
                ("stopped", "POST", "stop", {}),
            )
            for name, method, path, body in wishes:
                heard[name].append(seconds_to_hear(running, run, name, method, path, body))
                if name == "resumed":
                    follow(running, run, "epoch", len([e for e in running.events(run) if e["kind"] == "epoch"]) + 2)
    step = statistics.median(steps)
    numbers = [
        Number("a step", "ms", tuple(1000 * each for each in steps)),
        Number("a change, less a step", "ms", net(heard["steered"], step), at_most=200),
        Number("a pause, less a step", "ms", net(heard["paused"], step), at_most=300),
        Number("a stop, less a step", "ms", net(heard["stopped"], step), at_most=300),
        Number("resumed: to the worker painting again", "ms", tuple(1000 * each for each in heard["resumed"])),
    ]
    report("steering", numbers, size=given.size, other_load=load)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steering", description=__doc__)
    parser.add_argument("--times", type=int, default=7, help="runs that are asked (default: %(default)s)")
    parser.add_argument("--size", type=int, default=512, help="long side, px (default: %(default)s)")
    return parser.parse_args()


def begin(running: Studio, size: int) -> str:
    """A run of full-size steps, so that each takes as long as the next."""
    content, style = (base64.b64encode(picture(random.Random(n), 4 / 3)).decode() for n in (1, 2))
    options = {"size": size, "epochs": EPOCHS, "steps_per_epoch": 1, "init": "content", "extractor": "compact"}
    body = {"content": content, "style": style, "options": options}
    return str(running.send("POST", "/api/v1/runs", body)["id"])


def follow(running: Studio, run: str, kind: str, count: int) -> list[dict[str, Any]]:
    """The run's events once `count` of them are of that kind."""
    events: list[dict[str, Any]] = []
    while sum(event["kind"] == kind for event in events) < count:
        events += running.events(run, events[-1]["n"] if events else 0)
    return events


def step_seconds(running: Studio, run: str) -> float:
    """Of the steps so far, without the first ones, which trace."""
    epochs = [event for event in running.events(run) if event["kind"] == "epoch"]
    return float((epochs[-1]["seconds"] - epochs[2]["seconds"]) / (epochs[-1]["step"] - epochs[2]["step"]))


def seconds_to_hear(running: Studio, run: str, name: str, method: str, path: str, body: Any) -> float:
    """Seconds from the request to the event that says it was heard, by the server's clock, which is ours."""
    last = running.events(run)[-1]["n"]
    asked = time.time()
    running.send(method, f"/api/v1/runs/{run}/{path}", body)
    kind = "started" if name == "resumed" else name
    while True:
        for event in running.events(run, last):
            last = event["n"]
            if event["kind"] == kind:
                return float(event["time"] - asked)


def net(seconds: list[float], step: float) -> tuple[float, ...]:
    return tuple(1000 * max(0.0, each - step) for each in seconds)


if __name__ == "__main__":
    main()
