"""The chart of a race: loss against seconds, both logarithmic, as an SVG that looks the same on any page."""

import io
from collections.abc import Mapping
from itertools import cycle

from matplotlib import colormaps, rc_context
from matplotlib.figure import Figure

from benchmarks.curves import OURS, Curve

OUR_COLORS = ("#d3371f", "#e8890c")
STYLE = {
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e3e7ec",
    "svg.fonttype": "none",  # text as text
    "svg.hashsalt": "race",  # the same curves give the same file
}


def chart(curves: Mapping[str, Curve], judge: str, title: str) -> str:
    """The SVG of `curves` as `judge` saw them; the names stand in the order of the last losses."""
    ours = [name for name in curves if name.startswith(OURS)]
    others = [name for name in curves if name not in ours]
    cold = [color for color in colormaps["tab20"].colors if color[0] < max(color)]  # ours are red
    colors = dict(zip(ours, cycle(OUR_COLORS))) | dict(zip(others, cycle(cold)))
    heading, _, rest = title.partition("\n")
    file = io.BytesIO()
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 5.8), layout="constrained")
        axes = figure.add_subplot(xscale="log", yscale="log")
        axes.set(xlabel="seconds of the loop's own work", ylabel="loss, content and style")
        axes.set_title(rest, loc="left", fontsize="small")
        axes.grid(which="major")
        figure.suptitle(heading, fontweight="bold")
        lines = {}
        for name in [*others, *ours]:  # ours above the others
            curve, width = curves[name], 3.2 if name in ours else 1.6
            points = curve.seconds, curve.losses(judge)
            (lines[name],) = axes.plot(*points, label=curve.title, color=colors[name], linewidth=width)
        highest_first = sorted(lines, key=lambda name: -curves[name].losses(judge)[-1])
        figure.legend(handles=[lines[name] for name in highest_first], loc="outside right upper", frameon=False)
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue().decode()
