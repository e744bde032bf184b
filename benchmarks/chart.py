"""The chart of a race: loss against seconds, both logarithmic, as an SVG that looks the same on any page.

It has a light ground of its own. Each curve is named at its right, in its colour; names that would overlap are moved
apart and tied to their curves by thin lines.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.curves import OURS, Curve

WIDTH, HEIGHT = 960, 560
LEFT, RIGHT, TOP, BOTTOM = 76, 250, 62, 58  # px around the plot
LINE = 17.0  # px between two names
INK, FAINT, GROUND = "#1f2933", "#e3e7ec", "#fcfcfa"
OUR_COLOURS = ("#d3371f", "#e8890c")
COLOURS = (
    "#2f6fb5", "#1d8a7a", "#7a4fb0", "#b0478f", "#4d7c2c", "#8a6d3b", "#51606f", "#3aa0c9", "#9a4a4a", "#6b8fd6",
    "#5a9a5a", "#a98bd0", "#c7a03c",
)  # fmt: skip


def chart(curves: Mapping[str, Curve], judge: str, title: str) -> str:
    """The SVG of `curves` as `judge` saw them."""
    losses = [loss for curve in curves.values() for loss in curve.losses(judge)]
    seconds = [moment for curve in curves.values() for moment in curve.seconds if moment > 0]
    x = _Axis(min(seconds), max(seconds), LEFT, WIDTH - RIGHT)
    y = _Axis(min(losses), max(losses), HEIGHT - BOTTOM, TOP)
    colours = _colours(list(curves))
    ends = {name: y.place(curve.losses(judge)[-1]) for name, curve in curves.items()}
    names = dict(zip(ends, spread(list(ends.values()), LINE, TOP, HEIGHT - BOTTOM), strict=True))
    parts = [*_frame(title), *_grid(x, y)]
    for ours in (False, True):  # ours above the others
        for name, curve in curves.items():
            if name.startswith(OURS) == ours:
                points = [
                    (x.place(max(moment, x.low)), y.place(loss))
                    for moment, loss in zip(curve.seconds, curve.losses(judge), strict=True)
                ]
                parts += _curve(curve.title, points, names[name], colours[name], ours)
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """Logarithmic, with room at both ends."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        room = max(0.04, 0.04 * math.log10(high / low))
        self.low, self.high = low / 10**room, high * 10**room
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        """The position of `value`, px."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        """1, 2 and 5 of each decade within; only the tens where they are many."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            found = [s * 10.0**d for d in decades for s in steps if self.low <= s * 10.0**d <= self.high]
            if len(found) <= 9:
                break
        return found


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved apart to at least `gap`, in their order, by little; within `low` and `high` where all fit.

    Neighbours that are too near form a cluster around the mean of their places.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    clusters: list[tuple[float, list[int]]] = []  # (middle, members)
    for i in order:
        middle, members = places[i], [i]
        while True:
            half = gap * (len(members) - 1) / 2
            middle = max(low + half, min(high - half, middle))
            if not clusters or middle - half >= clusters[-1][0] + gap * (len(clusters[-1][1]) - 1) / 2 + gap:
                break
            before, others = clusters.pop()
            middle = (before * len(others) + middle * len(members)) / (len(others) + len(members))
            members = others + members
        clusters.append((middle, members))
    found = [0.0] * len(places)
    for middle, members in clusters:
        for rank, i in enumerate(members):
            found[i] = middle + gap * (rank - (len(members) - 1) / 2)
    return found


def _colours(names: Sequence[str]) -> dict[str, str]:
    ours = [name for name in names if name.startswith(OURS)]
    others = [name for name in names if not name.startswith(OURS)]
    return {
        **{name: OUR_COLOURS[i % len(OUR_COLOURS)] for i, name in enumerate(ours)},
        **{name: COLOURS[i % len(COLOURS)] for i, name in enumerate(others)},
    }


def _frame(title: str) -> list[str]:
    heading, _, rest = title.partition("\n")
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" font-size="13" role="img">',
        f"<title>{escape(heading)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="{GROUND}"/>',
        _text(LEFT, 26, heading, size=17, weight=600),
        _text(LEFT, 46, rest, fill="#5b6773", size=12.5),
    ]


def _grid(x: _Axis, y: _Axis) -> list[str]:
    right, foot = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in x.ticks():
        at = x.place(tick)
        parts += [_line(at, TOP, at, foot, FAINT), _text(at, foot + 20, _number(tick), anchor="middle")]
    for tick in y.ticks():
        at = y.place(tick)
        parts += [_line(LEFT, at, right, at, FAINT), _text(LEFT - 8, at + 4.5, _number(tick), anchor="end")]
    middle = (TOP + foot) / 2
    return [
        *parts,
        _text((LEFT + right) / 2, foot + 42, "seconds of the loop's own work", anchor="middle"),
        f'<g transform="rotate(-90 20 {middle})">{_text(20, middle, "loss, content and style", anchor="middle")}</g>',
    ]


def _curve(title: str, points: Sequence[tuple[float, float]], name_at: float, colour: str, ours: bool) -> list[str]:
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    end_x, end_y = points[-1]
    right = WIDTH - RIGHT
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{3.2 if ours else 1.6}" '
        'stroke-linejoin="round" stroke-linecap="round"/>',
        f'<polyline points="{end_x:.1f},{end_y:.1f} {right + 4},{end_y:.1f} {right + 16},{name_at:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="0.8" stroke-opacity="0.55" stroke-dasharray="2 3"/>',
        f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="{4 if ours else 2.8}" fill="{colour}"/>',
        _text(right + 20, name_at + 4.5, title, fill=colour, weight=700 if ours else 400),
    ]


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(
    x: float, y: float, text: str, fill: str = INK, anchor: str = "start", size: float = 13, weight: int = 400
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _number(value: float) -> str:
    """1, 500, 20k, 1M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= unit * 0.999:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"
