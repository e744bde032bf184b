"""The Plotly figures of the Studio page, as plain values, and patches that update them. Colors: assets/figures.css.

A whole figure is sent only when the page begins to show a run. Updates are patches.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dash import Patch, html
from dash.development.base_component import Component

from nst.options.option_field import AUTOMATIC, options_of
from nst.options.style_options import StyleOptions
from nst.runs.events import LOSS_NAMES, Losses
from nst.runs.run import Run

LABELS = {option.name: option.label[:1].lower() + option.label[1:] for option in options_of(StyleOptions)}
STEPS = "The curves step where a larger picture begins: its finer details were never compared before."
CONFIG = {"displayModeBar": False}
TRANSPARENT = "rgba(0,0,0,0)"


def picture(width: int = 1, height: int = 1, source: str = "") -> dict[str, Any]:
    """Return the figure of one image, `width` x `height` px, on hidden axes; `source` is its address, "" for none.

    The element around the figure has the picture's aspect ratio (assets/viewer.css), so that the axes need no
    constraint.
    """
    image = {
        "source": source,
        "xref": "x",
        "yref": "y",
        "x": 0,
        "y": 0,
        "sizex": width,
        "sizey": height,
        "xanchor": "left",
        "yanchor": "top",
        "sizing": "stretch",
        "layer": "below",
    }
    axis = {"visible": False, "autorange": False, "fixedrange": True}  # the viewer zooms it (components/viewer.py)
    return {
        "data": [],
        "layout": {
            "images": [image],
            "xaxis": {**axis, "range": [0, width]},
            "yaxis": {**axis, "range": [height, 0]},
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
        },
    }


def losses(
    events: Iterable[Mapping[str, Any]] = (),
    first: int = 0,
    last: int = 40,
    revision: str = "",
    scales: Iterable[tuple[int, int]] = (),
) -> dict[str, Any]:
    """Return the figure of the losses over epochs `first` to `last`, on a logarithmic axis.

    `events` are those of a run as plain values; of an epoch that was done twice, after a resume, the last one counts.
    `scales` are those of the run. The first shape is the line that follows the scrubber (assets/player.js), the others
    mark where a scale began and where the run was steered.
    """
    events = list(events)
    epochs = {event["epoch"]: event for event in events if event["kind"] == "epoch"}.values()
    cursor = {**_vertical_line(0), "visible": False, "line": {"width": 1}}
    axis = {"zeroline": False, "automargin": True, "ticks": "", "fixedrange": True}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": LOSS_NAMES[part],
                "line": {"width": 3 if part == "total" else 1.75},
                "hovertemplate": "%{y:.3g}",
                **_points(epochs, part),
            }
            for part in LOSS_NAMES
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": "epoch", "standoff": 6}, "range": [first, last], "showgrid": False},
            "yaxis": {**axis, "type": "log", "dtick": 1, "exponentformat": "power"},
            "margin": {"l": 36, "r": 8, "t": 8, "b": 34},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "showlegend": False,
            "hovermode": "x unified",
            "shapes": [cursor, *_scale_marks(scales), *_steering_marks(events)],
            "dragmode": False,
            "uirevision": revision,
        },
    }


def _vertical_line(epoch: int) -> dict[str, Any]:
    """A shape of the figure of the losses: a line over its whole height."""
    return {"type": "line", "yref": "paper", "x0": epoch, "x1": epoch, "y0": 0, "y1": 1}


def _scale_marks(scales: Iterable[tuple[int, int]]) -> list[dict[str, Any]]:
    """A line at the first epoch of each scale, with its size."""
    return [
        {
            **_vertical_line(epoch),
            "line": {"width": 0.75, "dash": "dash"},
            "name": f"{side} px",
            "label": {"text": f"{side} px", "textposition": "end", "textangle": -90, "font": {"size": 10}},
        }
        for epoch, side in scales
    ]


def _steering_marks(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A dotted line for each event in which the run was steered, named after the changes."""
    return [
        {
            **_vertical_line(event["epoch"]),
            "line": {"width": 1, "dash": "dot"},
            "name": steering_summary(event["changes"]),
        }
        for event in events
        if event["kind"] == "steered"
    ]


def steering_lines(run: Run) -> list[str]:
    """Return a line of text for each time a run was steered, the newest first."""
    return [steering_line(change["epoch"], change["changes"]) for change in reversed(run.steered)]


def steering_line(epoch: int, changes: Mapping[str, Any]) -> str:
    """Return what was changed in an epoch, such as "Epoch 3: strength 2"."""
    return f"Epoch {epoch}: {steering_summary(changes)}"


def steering_summary(changes: Mapping[str, Any]) -> str:
    """Return changes of options in short, such as "strength 2, style mix 3 : 1"."""
    return ", ".join(f"{LABELS[name]} {_short(value)}" for name, value in changes.items())


def _short(value: Any) -> str:
    """The value of a live option: a number, a list of them, or the weights of layers."""
    if isinstance(value, Mapping):
        return " ".join(f"{layer} {_short(weight)}" for layer, weight in value.items())
    if isinstance(value, list | tuple):
        return " : ".join(map(_short, value))
    return AUTOMATIC if value is None else f"{value:.3g}"


def more_losses(
    events: Iterable[Mapping[str, Any]], first: int, last: int, scales: Iterable[tuple[int, int]] = ()
) -> Patch:
    """Return the patch that adds events to the figure of `losses`; `last` falls when a run ends early.

    Of `scales`, those of the run, the ones that begin with one of the events are added.
    """
    events = list(events)
    epochs = {event["epoch"] for event in events if event["kind"] == "epoch"}
    patch = Patch()
    patch["layout"]["xaxis"]["range"] = [first, last]
    for index, part in enumerate(LOSS_NAMES):
        for axis, values in _points([event for event in events if event["kind"] == "epoch"], part).items():
            patch["data"][index][axis].extend(values)
    begun = [scale for scale in scales if scale[0] in epochs]
    if marks := [*_scale_marks(begun), *_steering_marks(events)]:
        patch["layout"]["shapes"].extend(marks)
    return patch


def _points(epochs: Iterable[Mapping[str, Any]], part: str) -> dict[str, list[Any]]:
    pairs = [(event["epoch"], event["losses"].get(part, 0.0)) for event in epochs]  # early runs lack neighbors
    return {"x": [epoch for epoch, _ in pairs], "y": [loss for _, loss in pairs]}


def legend(losses: Losses | None = None) -> list[Component]:
    """Return the names of the losses with their values, or dashes."""
    values = {part: getattr(losses, part) if losses else None for part in LOSS_NAMES}
    return [
        html.Div(
            [html.Dt(LOSS_NAMES[part]), html.Dd("–" if value is None else f"{value:.3g}")],
            className=f"part part-{part}",
        )
        for part, value in values.items()
    ]
