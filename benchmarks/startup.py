"""`python app.py` to a page that answers, and to a warm worker. Each round starts with an empty data folder."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.command import COUNT, command, flags
from benchmarks.report import Number, others_load, report
from benchmarks.studio import studio


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("startup", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=5, help="studios that are started")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    page, warm = [], []
    for _ in range(given.rounds):
        with studio() as new:
            page.append(new.seconds_until(new.page_answers))
            warm.append(new.seconds_until(new.worker_warm))
    numbers = [
        Number("python app.py to a page that answers", "s", tuple(page), at_most=5),
        Number("... to a warm worker", "s", tuple(warm)),
    ]
    report("startup", numbers, given.folder, other_load=load)


if __name__ == "__main__":
    sys.exit(main())
