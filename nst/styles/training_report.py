"""The report of a training as an HTML page: losses on held-out photos, previews, settings.

The page has no scripts and refers to no other file.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from nst.runs.events import LOSS_NAMES
from nst.runs.humanize import duration
from nst.styles.style_to_learn import StyleToLearn

MOST_SHOWN = 24  # previews of a style; of more, every n-th is shown, and the last
REFRESH = 20  # seconds
WIDTH, HEIGHT = 360, 150  # of a curve, px
EDGE = 6  # px around it, for the points
LEAST_LOSS = 1e-9  # loss on the logarithmic axis

STYLESHEET = """
:root { color-scheme: light dark; --page: #ece7dd; --raised: #fdfbf7; --ink: #231e19; --muted: #655c50;
  --line: #2b1d0d1f; --total: #231e19; --content: #1f7482; --style: #c2471d; --tv: #927107; }
@media (prefers-color-scheme: dark) { :root { --page: #110f0d; --raised: #1a1714; --ink: #f1ebe1; --muted: #aba193;
  --line: #ffffff1a; --total: #f1ebe1; --content: #6fb7c4; --style: #ff8155; --tv: #c9a227; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 3rem; background: var(--page); color: var(--ink);
  font: 0.9375rem/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font: italic 2rem/1.2 Palatino, Georgia, serif; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 0.75rem; font: 1.3rem/1.3 Palatino, Georgia, serif; overflow-wrap: anywhere; }
p { margin: 0.3rem 0 0; color: var(--muted); }
.curves, .pictures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.pictures { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.75rem; }
figure { margin: 0; padding: 0.75rem; background: var(--raised); border: 1px solid var(--line); border-radius: 10px; }
.pictures figure { padding: 0.4rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.5rem;
  font-size: 0.8125rem; color: var(--muted); }
figcaption * { white-space: nowrap; }
figcaption b { font-weight: 600; color: var(--ink); }
img, svg { display: block; width: 100%; height: auto; }
.pictures img { aspect-ratio: 1; object-fit: cover; border-radius: 5px; margin-bottom: 0.3rem; }
svg { margin: 0.5rem 0 0.25rem; overflow: visible; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.tables { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th, td { padding: 0.25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { width: 45%; font-weight: 400; color: var(--muted); } td { overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Preview:
    """The losses on the held-out photos after a step, and one of these photos in each style."""

    step: int
    seconds: float
    losses: Mapping[str, float]  # "total", "content", "style" and "tv"
    pictures: Mapping[str, bytes]  # JPEG by style


def report_page(
    styles: Sequence[StyleToLearn],
    photo: bytes,
    previews: Sequence[Preview],
    status: str,
    tables: Mapping[str, Mapping[str, object]],
    running: bool,
) -> str:
    """The report as HTML.

    Args:
        styles: those that are learned.
        photo: JPEG of the photo that the previews are painted from; b"" before the first preview.
        previews: oldest first.
        status: a line about how far the training is.
        tables: by heading: settings, machine.
        running: whether the page reloads itself every `REFRESH` seconds.
    """
    title = ", ".join(style.title for style in styles)
    refresh = f'<meta http-equiv="refresh" content="{REFRESH}">' if running else ""
    curves = "".join(_curve(name, previews) for name in previews[0].losses) if previews else ""
    pictures = "".join(_previews(style, photo, previews) for style in styles)
    sections = "".join(_table(heading, rows) for heading, rows in tables.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{refresh}
<title>Training: {escape(title)}</title><style>{STYLESHEET}</style></head>
<body><header><h1>{escape(title)}</h1><p>{escape(status)}</p></header>
<h2>Losses on photos it does not train on</h2><div class="curves">{curves}</div>
{pictures}
<div class="tables">{sections}</div></body></html>
"""


def _curve(name: str, previews: Sequence[Preview]) -> str:
    """A loss against time, on a logarithmic axis."""
    losses = [preview.losses[name] for preview in previews]
    logs = [math.log(max(loss, LEAST_LOSS)) for loss in losses]
    low, span = min(logs), (max(logs) - min(logs)) or 1.0
    longest = previews[-1].seconds or 1.0
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    points = [
        (EDGE + across * preview.seconds / longest, EDGE + down * (1 - (log - low) / span))
        for preview, log in zip(previews, logs, strict=True)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>step {preview.step}: {loss:.4g}</title></circle>'
        for (x, y), preview, loss in zip(points, previews, losses, strict=True)
    )
    grid = "".join(f'<line x1="0" x2="{WIDTH}" y1="{y}" y2="{y}"/>' for y in (EDGE, HEIGHT // 2, HEIGHT - EDGE))
    label = f"{LOSS_NAMES[name]}: from {losses[0]:.4g} to {losses[-1]:.4g}"
    axis = f"{max(losses):.3g} to {min(losses):.3g}"
    return f"""<figure><figcaption><b>{LOSS_NAMES[name]}</b><span>now {losses[-1]:.3g}</span></figcaption>
<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{grid}
<g style="color: var(--{name})" fill="currentColor"><polyline stroke="currentColor" points="{line}"/>{dots}</g></svg>
<figcaption><span>{axis}</span><span>{duration(longest)}</span></figcaption>
</figure>"""


def _previews(style: StyleToLearn, photo: bytes, previews: Sequence[Preview]) -> str:
    kept = [preview for preview in previews if style.name in preview.pictures]
    every = max(1, math.ceil((len(kept) - 1) / (MOST_SHOWN - 1)))
    shown = [preview for n, preview in enumerate(kept) if n % every == 0 or preview is kept[-1]]
    figures = [_picture(style.thumbnail, "the style"), _picture(photo, "the photo")]
    figures += [
        _picture(preview.pictures[style.name], f"step {preview.step}", duration(preview.seconds)) for preview in shown
    ]
    return f'<h2>{escape(style.title)}</h2><div class="pictures">{"".join(figures)}</div>'


def _picture(data: bytes, caption: str, beside: str = "") -> str:
    if not data:
        return ""
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return f"""<figure><img src="{source}" alt="{escape(caption)}">
<figcaption><b>{escape(caption)}</b><span>{escape(beside)}</span></figcaption></figure>"""


def _table(heading: str, rows: Mapping[str, object]) -> str:
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape('automatic' if value is None else str(value))}</td></tr>"
        for name, value in rows.items()
    )
    return f"<section><h2>{escape(heading)}</h2><table>{cells}</table></section>"
