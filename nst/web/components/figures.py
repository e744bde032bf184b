"""The page's two Plotly figures as plain values, and patches that bring them up to date. Colours: figures.css.

A whole figure is sent only when a run is attached; after that come patches, which leave the user's zoom alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dash import Patch

from nst.runs.run import Run

PARTS = ("total", "content", "style", "tv")  # of the losses, in the order of the traces
NAMES = {"total": "Total", "content": "Content", "style": "Style", "tv": "Smoothness (TV)"}
CONFIG = {
    "displaylogo": False,
    "showSendToCloud": False,  # pictures stay here
    "scrollZoom": True,
    "modeBarButtonsToRemove": ["zoom2d", "select2d", "lasso2d", "autoScale2d", "toImage"],
}
LOSS_CONFIG = {"displayModeBar": False}
CLEAR = "rgba(0,0,0,0)"


def picture(width: int = 1, height: int = 1, source: str = "", revision: str = "") -> dict[str, Any]:
    """One image, `width` x `height` px, on hidden axes; `source` is an address, "" for none.

    The easel around it has the picture's aspect (studio.css), so the axes need not keep it.
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
    axis = {"visible": False, "autorange": False}
    return {
        "data": [],
        "layout": {
            "images": [image],
            "xaxis": {**axis, "range": [0, width]},
            "yaxis": {**axis, "range": [height, 0]},
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "dragmode": "pan",
            "uirevision": revision,
        },
    }


def losses(
    events: Iterable[Mapping[str, Any]] = (), first: int = 0, last: int = 40, revision: str = ""
) -> dict[str, Any]:
    """The four losses over epochs `first` to `last`, on a logarithmic axis, and marks where the run was steered.

    `events` are a run's, as plain values; of an epoch that was painted twice the last one counts. The first of the
    shapes is the line that follows the scrubber (assets/player.js).
    """
    events = list(events)
    epochs = {event["epoch"]: event for event in events if event["kind"] == "epoch"}.values()
    cursor = {
        "type": "line",
        "yref": "paper",
        "x0": 0,
        "x1": 0,
        "y0": 0,
        "y1": 1,
        "visible": False,
        "line": {"width": 1},
    }
    axis = {"zeroline": False, "automargin": True, "ticks": "", "fixedrange": True}
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": NAMES[part],
                "line": {"width": 3 if part == "total" else 1.75},
                "hovertemplate": "%{y:.3g}",
                **_points(epochs, part),
            }
            for part in PARTS
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": "epoch", "standoff": 6}, "range": [first, last], "showgrid": False},
            "yaxis": {**axis, "type": "log", "dtick": 1, "exponentformat": "power"},
            "margin": {"l": 36, "r": 8, "t": 8, "b": 34},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "showlegend": False,
            "hovermode": "x unified",
            "shapes": [cursor, *marks(events)],
            "dragmode": False,
            "uirevision": revision,
        },
    }


def marks(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A dotted line for each time the run was steered, named after what was changed."""
    return [
        {
            "type": "line",
            "yref": "paper",
            "x0": event["epoch"],
            "x1": event["epoch"],
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "dash": "dot"},
            "name": _in_short(event["changes"]),
        }
        for event in events
        if event["kind"] == "steered"
    ]


def in_words(run: Run) -> list[str]:
    """The times a run was steered, the newest first."""
    return [f"Epoch {change['epoch']}: {_in_short(change['changes'])}" for change in reversed(run.steered)]


def _in_short(changes: Mapping[str, Any]) -> str:
    """strength 2, layers"""
    return ", ".join(
        "layers"
        if name.endswith("_layers")
        else f"{name.removesuffix('_weight').replace('_', ' ')} {value:.3g}"
        if isinstance(value, int | float)
        else name
        for name, value in changes.items()
    )


def more_losses(events: Iterable[Mapping[str, Any]], first: int, last: int) -> Patch:
    """What further events add to `losses`; `last` is less than it was if the run ended early."""
    events = list(events)
    patch = Patch()
    patch["layout"]["xaxis"]["range"] = [first, last]
    for index, part in enumerate(PARTS):
        for axis, values in _points([event for event in events if event["kind"] == "epoch"], part).items():
            patch["data"][index][axis].extend(values)
    if steered := marks(events):
        patch["layout"]["shapes"].extend(steered)
    return patch


def _points(epochs: Iterable[Mapping[str, Any]], part: str) -> dict[str, list[Any]]:
    pairs = [(event["epoch"], event["losses"][part]) for event in epochs]
    return {"x": [epoch for epoch, _ in pairs], "y": [loss for _, loss in pairs]}
