"""A siege: what a studio of our own holds against, and how soon it answers others meanwhile.

Hostile files, requests and JSON, floods, slow connections, clients that never read, pipelined requests, streams,
strangers on the ports of its cluster, kills, and a disk that gets full. Everything happens on 127.0.0.1, against a
studio that is started for it with an empty data folder. What failed is printed line by line; the exit status is 1 then.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from benchmarks.command import COUNT, command, flags
from benchmarks.outcome import NotHeld, NotMeasured
from benchmarks.report import Number, others_load, report
from benchmarks.siege.attacks import (
    floods,
    hostile_files,
    hostile_requests,
    hostile_settings,
    kills,
    strangers,
    streams,
)
from benchmarks.siege.connection_attacks import pipelines, slow_connections, slow_readers
from benchmarks.siege.full_disk import full_disk
from benchmarks.siege.hostile_json import hostile_json
from benchmarks.siege.target import Attack, HealthProbe, Scale, Target
from benchmarks.studio import warm_studio

ATTACKS: dict[str, Attack] = {
    "hostile files": hostile_files,
    "hostile settings": hostile_settings,
    "hostile requests": hostile_requests,
    "hostile JSON": hostile_json,
    "floods": floods,
    "slow connections": slow_connections,
    "slow readers": slow_readers,
    "pipelined requests": pipelines,
    "streams and polls": streams,
    "strangers": strangers,
    "kills": kills,
}
FULL_DISK = "full disk"
SHOWN = 10  # failures of an attack that are printed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("siege", __doc__)
    parser.add_argument("--requests", type=COUNT, default=400, help="hostile ones")
    parser.add_argument("--connections", type=COUNT, default=200, help="that are held at once")
    parser.add_argument(
        "--kills",
        type=COUNT,
        default=14,
        help="of the worker while it starts, in a row; a third as many while it paints",
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the hostile files and JSON that is sent")
    parser.add_argument("--seed", type=int, default=0, help="of what is random")
    parser.add_argument("--only", nargs="+", choices=[*ATTACKS, FULL_DISK], help="attacks; all if not given")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load, numbers, failed = others_load(), [], {}
    scale = Scale(given.requests, given.connections, given.kills, given.seed, given.share)
    chosen = given.only or [*ATTACKS, FULL_DISK]
    with warm_studio("") as running:
        target = Target(running)
        for name in (name for name in ATTACKS if name in chosen):
            with HealthProbe(target) as probe:
                failures, tried = _count(name, ATTACKS[name](target, scale))
            failures += probe.failures
            failed[name] = len(failures)
            numbers += _numbers(name, failures, tried, probe)
    if FULL_DISK in chosen:
        try:
            failures, tried = _count(FULL_DISK, full_disk())
        except NotMeasured as error:
            print(f"{FULL_DISK}: not tried: {error}", file=sys.stderr)
        else:
            failed[FULL_DISK] = len(failures)
            numbers += _numbers(FULL_DISK, failures, tried)
    report("siege", numbers, given.folder, seed=given.seed, other_load=load)
    if told := ", ".join(f"{count} of {name}" for name, count in failed.items() if count):
        raise NotHeld(f"the studio did not hold against {told}")


def _count(name: str, attempts: Iterator[str]) -> tuple[list[str], int]:
    """(failures, how many were tried), the first of them printed."""
    found = list(attempts)
    failures = [each for each in found if each]
    for each in failures[:SHOWN]:
        print(f"{name}: {each}", file=sys.stderr)
    print(f"{name}: {len(found)} tried, {len(found) - len(failures)} held, {len(failures)} failed", flush=True)
    return failures, len(found)


def _numbers(name: str, failures: list[str], tried: int, probe: HealthProbe | None = None) -> list[Number]:
    numbers = [Number(f"{name}: tried", "", (tried,)), Number(f"{name}: failed", "", (len(failures),), at_most=0)]
    if probe and probe.latencies:
        numbers.append(Number(f"{name}: /health meanwhile", "ms", tuple(probe.latencies)))
        numbers.append(Number(f"{name}: the server's memory", "MB", tuple(probe.memory)))
    return numbers


if __name__ == "__main__":
    sys.exit(main())
