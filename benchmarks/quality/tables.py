"""What the judge tells: a table with medians, the same as JSON, and a contact sheet."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.quality.pairs import Pair
from benchmarks.quality.verdicts import CONTROLS, MEASURES, PASTED, PairJudge, Picture, Verdict
from nst.pictures.contact_sheet import Cell, sheet
from tools.sheets import opened

COLUMNS = ("s", *MEASURES)
CELL = 320  # px, long side of a picture in the contact sheet
NONE = "-"


@dataclass(frozen=True)
class Row:
    """The verdict on one picture. `of` is a control, a setting or a folder; `file` None for controls."""

    pair: str
    of: str
    seconds: float | None  # None if it was not painted here
    verdict: Verdict
    file: Path | None = None

    def figures(self) -> dict[str, float | None]:
        """By `COLUMNS`."""
        return {"s": self.seconds, **self.verdict}


def medians(rows: Sequence[Row]) -> list[Row]:
    """For each control, setting or folder the medians over its pairs, in their first order."""
    found = []
    for of in dict.fromkeys(row.of for row in rows):
        own = [row.figures() for row in rows if row.of == of]
        figures = {name: _median([figure[name] for figure in own]) for name in COLUMNS}
        found.append(Row(f"median of {len(own)}", of, figures.pop("s"), figures))
    return found


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def table(rows: Sequence[Row]) -> str:
    """Every row, then the medians, as Markdown with aligned columns; "-" where there is no figure."""
    head = ("pair", "picture", *COLUMNS)
    lines = [
        head, *((row.pair, row.of, *map(_shown, row.figures().values())) for row in (*rows, *medians(rows)))
    ]  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = ["| " + " | ".join(_aligned(line, widths)) + " |" for line in lines]
    rule = (
        "|" + "|".join(f"{'-' * (width + 1)}{'-' if column < 2 else ':'}" for column, width in enumerate(widths)) + "|"
    )
    return "\n".join([shown[0], rule, *shown[1:]])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    pairs = enumerate(zip(line, widths, strict=True))
    return [text.ljust(width) if column < 2 else text.rjust(width) for column, (text, width) in pairs]


def _shown(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def as_json(rows: Sequence[Row], conditions: Mapping[str, Any]) -> dict[str, Any]:
    """The same as plain values; None where there is no figure."""
    return {
        "conditions": dict(conditions),
        "measures": MEASURES,
        "results": [{"pair": row.pair, "of": row.of, **row.figures()} for row in rows],
        "medians": [{"of": row.of, "pairs": row.pair, **row.figures()} for row in medians(rows)],
    }


def contact_sheet(judged: Sequence[tuple[Pair, PairJudge]], rows: Sequence[Row]) -> Image.Image:
    """A row for each pair: the content, which is one control, the style, the other control, then every result."""
    names = [of for of in dict.fromkeys(row.of for row in rows) if of not in CONTROLS]
    files = {(row.pair, row.of): row.file for row in rows}
    cells: list[list[Cell]] = []
    for pair, judge in judged:
        cells.append([(opened(pair.content), pair.name), (opened(pair.style), "style")])
        cells[-1].append((_image(judge.controls[PASTED]), PASTED))
        cells[-1] += [(opened(file), name) for name in names if (file := files.get((pair.name, name)))]
    return sheet(cells, CELL)


def _image(picture: Picture) -> Image.Image:
    return Image.fromarray(np.rint(255 * picture).astype(np.uint8))
