"""A grid of variations with a warm worker: from the request to the first picture, to the first tile, and to the last.

Three values of strength and three seeds, with the built-in network.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.command import COUNT, PIXELS, SIZES, command, studio_flags
from benchmarks.report import Number, others_load, report
from benchmarks.studio import Studio, warm_studio
from nst.options.variations import QUICK_EPOCHS, QUICK_SIZE

VARY = {"strength": [0.25, 1, 4], "seed": [0, 1, 2]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = studio_flags("variations", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=3, help="grids that are painted")
    parser.add_argument("--size", type=PIXELS, default=QUICK_SIZE, help=SIZES)
    parser.add_argument("--epochs", type=COUNT, default=QUICK_EPOCHS, help="of each run")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    firsts, tiles, grids = [], [], []
    with warm_studio(given.studio) as running:
        for _ in range(given.rounds):
            first, tile, grid = paint(running, given.size, given.epochs)
            firsts.append(first)
            tiles.append(tile)
            grids.append(grid)
    numbers = [
        Number("request to the first painted picture", "s", tuple(firsts), at_most=2),
        Number("request to the first finished tile", "s", tuple(tiles)),
        Number("request to the whole grid", "s", tuple(grids), at_most=60),
    ]
    what = f"3 x 3, {given.size} px, {given.epochs} epochs"
    report("variations", numbers, given.folder, grid=what, other_load=load)


def paint(running: Studio, size: int, epochs: int) -> tuple[float, float, float]:
    """Seconds from a request to the first epoch, the first finished run and the last one, by the server's clock."""
    body = {"content": "samples/owl", "style": "samples/night-wind", "vary": VARY, "size": size, "epochs": epochs}
    began = datetime.now(UTC).timestamp()
    grid = running.send("POST", "/api/v1/variations", body)
    runs = [running.follow(run["id"], "finished") for run in grid["runs"]]
    ends = [events[-1]["time"] - began for events in runs]
    first = next(event["time"] for event in runs[0] if event["kind"] == "epoch" and event["epoch"] > 0)
    return first - began, min(ends), max(ends)


if __name__ == "__main__":
    sys.exit(main())
