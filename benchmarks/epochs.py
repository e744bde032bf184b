"""Loss and seconds against epochs: default runs from noise, by network and precision, each painted to its end.

A row is one run. Its speed is that of the last tenth of its epochs at full size; the loss "falls" where it is lower at
the end of that tenth than at its beginning by more than a thousandth. A run that has converged ends before its epochs
are done; its row says with which. A network whose weights are not installed is left out, with a line: random ones would
say nothing of a loss.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.clock import seconds
from benchmarks.command import COUNT, PIXELS, SIZES, command, flags, in_words, listed
from benchmarks.curves import markdown, short
from benchmarks.outcome import NotMeasured, paint
from benchmarks.race import picture_of
from benchmarks.report import machine, others_load, rounded, slug
from nst.engine.networks import weights
from nst.engine.networks.extractors import ARCHITECTURES
from nst.errors import WeightsError
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.runs.events import Epoch, Finished
from nst.runs.job import StyleJob

FALLS = 0.001  # of the loss over the last tenth


@dataclass(frozen=True)
class Cell:
    """What one run came to."""

    network: str
    precision: str
    epochs: int  # that were asked for
    ended: int  # with which epoch; sooner if it converged
    seconds: float  # from bytes to bytes
    steps_per_second: float  # over the last tenth
    loss: float  # total, of the last epoch, in the precision of the run
    fall: float  # share of the loss that the last tenth took away

    @property
    def row(self) -> list[str]:
        """Its columns as words."""
        verdict = "yes" if self.fall > FALLS else "no"
        falls = f"{verdict}, {100 * self.fall:.2g} %"
        figures = short(self.seconds), short(self.steps_per_second), f"{self.loss:.5g}", falls
        return [self.network, self.precision, str(self.epochs), str(self.ended), *figures]


HEAD = (
    "network",
    "precision",
    "epochs",
    "ended with",
    "seconds",
    "steps/s, last tenth",
    "total loss",
    "still falls, by",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("epochs", __doc__)
    parser.add_argument(
        "--networks", type=listed(choice(*ARCHITECTURES)), default=("compact", "vgg19"), help="by comma"
    )
    precisions = choice(*StyleOptions.option("precision").choices[1:])
    parser.add_argument("--precisions", type=listed(precisions), default=("float32", "bfloat16"), help="by comma")
    parser.add_argument("--epochs", type=listed(COUNT), default=(10, 40, 100, 200, 400), help="of each run, by comma")
    parser.add_argument("--size", type=PIXELS, default=256, help=SIZES)
    parser.add_argument("--content", default="lake", help="a sample's name or a picture file")
    parser.add_argument("--style", default="night-wind", help="a sample's name or a picture file")
    return command(parser, measure, arguments)


def choice(*known: str) -> Any:
    """Reads one of these words."""

    def read(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"must be of {', '.join(known)}, got {text!r}")
        return text

    return read


def measure(given: argparse.Namespace) -> None:
    load = others_load()
    pictures = {role: encode_png(picture_of(getattr(given, role))) for role in ("content", "style")}
    cells: list[Cell] = []
    failed: list[str] = []
    for network in filter(installed, given.networks):
        for precision in given.precisions:
            for epochs in given.epochs:
                try:
                    cells.append(cell(pictures, network, precision, epochs, given.size))
                except NotMeasured as error:
                    failed.append(f"{network}, {precision}, {epochs} epochs: {in_words(error)}")
                else:
                    print("  " + ", ".join(cells[-1].row), flush=True)
    if cells:
        names = {role: Path(getattr(given, role)).name for role in pictures}
        conditions = {"size": given.size, **names, "start": StyleOptions().init, "other_load": load}
        keep(cells, conditions, given.folder)
    if failed or not cells:
        raise NotMeasured("; ".join(failed) or "no network that was asked for is installed")


def installed(network: str) -> bool:
    """Whether a network's weights are here; says so if not."""
    try:
        weights.load(network, ARCHITECTURES[network].shapes())
    except WeightsError as error:
        print(f"  {network} is left out: {error}")
        return False
    return True


def cell(pictures: Mapping[str, bytes], network: str, precision: str, epochs: int, size: int) -> Cell:
    """Paint one run, once its traces are warm. Raises NotMeasured unless it ends with its last epoch, or converged."""
    options = {"extractor": network, "precision": precision, "size": size}
    paint(StyleJob(**pictures, options=StyleOptions(**options, epochs=1)))
    events: list[Any] = []
    job = StyleJob(**pictures, options=StyleOptions(**options, epochs=epochs))
    taken = seconds(lambda: events.extend(paint(job)))
    told = [event for event in events if isinstance(event, Epoch)]
    ended = told[-1].epoch
    if ended != epochs and not any(isinstance(event, Finished) and event.converged for event in events):
        raise NotMeasured(f"it ended with epoch {ended}")
    before, last = told[-1 - max(1, ended // 10)], told[-1]
    if before.width != last.width:  # so short a run is still climbing the scales
        before = next(event for event in told if event.width == last.width)
    if before is last:
        raise NotMeasured("only its last epoch was at full size")
    speed = (last.step - before.step) / (last.seconds - before.seconds)
    fall = 1 - last.losses.total / before.losses.total
    return Cell(network, precision, epochs, ended, taken, speed, last.losses.total, fall)


def keep(cells: Sequence[Cell], conditions: Mapping[str, Any], folder: Path) -> None:
    """Print the table, and leave it in `folder` with its JSON."""
    here = machine()
    stem = folder / f"epochs-{slug(here)}"
    told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in conditions.items())
    text = f"{told}\n\n{markdown(HEAD, [each.row for each in cells])}\n"
    folder.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".md").write_text(text)
    found = {"machine": here, "conditions": dict(conditions), "cells": [asdict(each) for each in cells]}
    stem.with_suffix(".json").write_text(json.dumps(rounded(found), indent=1) + "\n")
    print(f"\n{text}\nkept in {stem}.*")


if __name__ == "__main__":
    sys.exit(main())
