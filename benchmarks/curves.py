"""What a race leaves behind: curves of loss against seconds, and what is read off them. It runs nothing.

A curve has a row for the start and one for every tenth step: step, `work` (steps counted in full-size pixels), seconds
of the loop's own work since its start, and the judges' verdicts.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import rounded
from nst.atomic_write import atomic_write

OURS = "ours"
AIM = 0.1  # of a loop's time, in which ours should reach what it reaches


@dataclass
class Curve:
    """One loop's race; all lists run in parallel."""

    title: str
    start: str
    step: list[int] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    judged: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # judge -> {"total", "content", "style"}
    finished: bool = False
    note: str = ""  # why it ended before its time, if it did
    circumstances: dict[str, Any] = field(default_factory=dict)  # that differ from loop to loop

    def losses(self, judge: str) -> list[float]:
        """The weighted totals."""
        return self.judged[judge]["total"]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def step_seconds(self) -> float:
        """Median seconds of a step among those at the size it ends with."""
        rows = range(1, len(self.step))
        full = [i for i in rows if self.work[i] - self.work[i - 1] >= 0.99 * (self.work[-1] - self.work[-2])]
        each = sorted((self.seconds[i] - self.seconds[i - 1]) / (self.step[i] - self.step[i - 1]) for i in full)
        return each[len(each) // 2] if each else math.nan


def time_to(seconds: Sequence[float], losses: Sequence[float], loss: float) -> float | None:
    """When the curve first comes down to `loss`, between two rows as if losses fell evenly in proportion; or None."""
    for i, found in enumerate(losses):
        if found <= loss:
            if i == 0:
                return seconds[0]
            before = losses[i - 1]
            share = math.log(before / loss) / math.log(before / found)
            return seconds[i - 1] + share * (seconds[i] - seconds[i - 1])
    return None


def loss_at(seconds: Sequence[float], losses: Sequence[float], moment: float) -> float | None:
    """The loss shown at `moment`: the last row's after its end, None before its start."""
    if moment < seconds[0]:
        return None
    for i in range(1, len(seconds)):
        if moment <= seconds[i]:
            share = (moment - seconds[i - 1]) / (seconds[i] - seconds[i - 1])
            return losses[i - 1] * (losses[i] / losses[i - 1]) ** share
    return losses[-1]


def own_time(curve: Curve, judge: str) -> float:
    """Seconds until the curve came down to the loss that it ends with; all of them where it never was above."""
    losses = curve.losses(judge)
    above = next((i for i, loss in enumerate(losses) if loss > losses[-1]), None)
    if above is None:
        return curve.seconds[-1]
    found = time_to(curve.seconds[above:], losses[above:], losses[-1])
    assert found is not None
    return found


@dataclass(frozen=True)
class Duel:
    """One loop against one of ours, before one judge."""

    loss: float  # of the loop at its end
    its_seconds: float  # until it came down to that
    our_seconds: float | None  # until ours had come down to it; None if never
    our_loss: float | None  # of ours when the loop ended; None if ours had shown nothing yet
    its_loss: float | None  # of the loop when ours ended; None if it had shown nothing yet
    our_last: float  # loss of ours at its end

    @property
    def ratio(self) -> float | None:
        """Our time over its time."""
        return None if self.our_seconds is None else self.our_seconds / self.its_seconds


def duel(its: Curve, ours: Curve, judge: str) -> Duel:
    """`its` loop against `ours`."""
    loss = its.losses(judge)[-1]
    theirs, mine = (its.seconds, its.losses(judge)), (ours.seconds, ours.losses(judge))
    return Duel(
        loss,
        own_time(its, judge),
        time_to(*mine, loss),
        loss_at(*mine, its.seconds[-1]),
        loss_at(*theirs, ours.seconds[-1]),
        mine[1][-1],
    )


def table(curves: Mapping[str, Curve], judges: Sequence[str]) -> str:
    """Markdown: every loop's end, then every loop against ours, for each judge."""
    judge = judges[0]
    head = ["loop", "start", "s a step", "steps", "full-size steps", "seconds", "loss", "content", "style"]
    rows = [
        [
            curve.title, curve.start, short(curve.step_seconds), str(curve.step[-1]), short(curve.work[-1]),
            short(curve.seconds[-1]), *(short(column[-1]) for column in curve.judged[judge].values()),
            *(short(curve.losses(other)[-1]) for other in judges[1:]),
        ]
        for curve in curves.values()
    ]  # fmt: skip
    parts = [markdown([*head, *(f"loss, judge: {other}" for other in judges[1:])], rows)]
    rivals = {name: curve for name, curve in curves.items() if not name.startswith(OURS)}
    for mine in (curve for name, curve in curves.items() if name.startswith(OURS)):
        parts += [_against(rivals, mine, by) for by in judges]
    worse = [curve.title for curve in curves.values() if curve.losses(judge)[-1] >= curve.losses(judge)[0]]
    if worse:
        parts.append(
            f"Ends no better than it starts on the yardstick, which is not what it aims at: {', '.join(worse)}."
        )
    return "\n\n".join(parts) + "\n"


def _against(rivals: Mapping[str, Curve], mine: Curve, judge: str) -> str:
    duels = {curve.title: duel(curve, mine, judge) for curve in rivals.values()}
    met = sum(d.ratio is not None and d.ratio <= AIM for d in duels.values())
    lower = sum(d.our_loss is not None and d.our_loss < d.loss for d in duels.values())
    then = sum(d.its_loss is None or d.our_last < d.its_loss for d in duels.values())
    rows = [
        [
            title, short(d.loss), short(d.its_seconds), short(d.our_seconds), _fraction(d.ratio),
            short(d.our_loss), short(d.its_loss),
        ]
        for title, d in duels.items()
    ]  # fmt: skip
    head = [
        "loop",
        "its loss",
        "its seconds to it",
        "ours to it",
        "ratio",
        "loss of ours when it ends",
        "its loss when ours ends",
    ]
    return (
        f"**{mine.title}** (judge: {judge}): {met} of {len(duels)} loops in at most a tenth of their time; "
        f"a lower loss than {then} of {len(duels)} when ours ends, and than {lower} when the loop itself ends.\n\n"
    ) + markdown(head, rows)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, numbers to the right."""
    ruler = ["---" if i == 0 else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def short(value: float | None) -> str:
    """Three digits, without a thousand's e+03."""
    if value is None or math.isnan(value):
        return "never" if value is None else "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _fraction(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 1 else f"{ratio:.1f}"


def read(path: Path) -> dict[str, Any]:
    """What is kept at `path`: {"machine", "conditions", "loops": {name: Curve}}; empty without a file."""
    if not path.exists():
        return {}
    kept = json.loads(path.read_text())
    return {**kept, "loops": {name: Curve(**curve) for name, curve in kept["loops"].items()}}


def write(path: Path, kept: Mapping[str, Any]) -> None:
    """Keep it whole or not at all; a list of numbers takes one line."""
    value = {**kept, "loops": {name: curve.to_json() for name, curve in kept["loops"].items()}}
    text = json.dumps(rounded(value), indent=1)
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda found: " ".join(found[0].split()), text)
    with atomic_write(path) as part:
        part.write_text(text + "\n")
