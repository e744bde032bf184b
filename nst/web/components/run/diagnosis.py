"""The card that shows what the losses of the painting consist of: shares of layers, heat maps, Gram matrices."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from nst.runs.events import LOSS_NAMES
from nst.web import ids

EXPLANATION = (
    "Content compares activations of the network position by position, style compares Gram matrices: which channels "
    "respond together, wherever that is. Smoothness is the difference of neighboring pixels. Neighbors compares each "
    "place with the place of the painting that is most like the photograph's."
)
MATRIX_WORDS = "Gram matrix now, and that of the style: a row and a column for each channel, lighter for more."
MAP_WORDS = {
    "content": "Content: where activations differ most from those of the photograph.",
    "style": "Style: which pixels would have to change most to come closer to the painting.",
}
UNCOVER = "Point at it, tap it or move the focus to it to see the painting."
RECONSTRUCTIONS = {  # id of the button -> (role, text)
    ids.RECONSTRUCT_CONTENT: ("content", "Content, one layer at a time"),
    ids.RECONSTRUCT_STYLE: ("style", "Style, one layer at a time"),
}


def card() -> Component:
    """Return the card; nothing is computed until its button is pressed."""
    buttons = [
        html.Button(text, id=name, type="button", className="quiet", title="Paint quick pictures with only one layer")
        for name, (_, text) in RECONSTRUCTIONS.items()
    ]
    return html.Details(
        [
            html.Summary("Look closer"),
            html.P([EXPLANATION, " ", html.A("The whole story", href="/learn", className="in-app")]),
            html.Button("Examine this epoch", id=ids.DIAGNOSE, type="button", className="quiet"),
            html.P(id=ids.DIAGNOSIS_STATE, className="diagnosis-state", role="status"),
            html.Div(id=ids.DIAGNOSIS, className="diagnosis"),
            dcc.Store(id=ids.DIAGNOSIS_ANSWER),
            html.P("See what a single layer holds, in quick pictures that start from noise:", className="hint"),
            html.Div(buttons, className="diagnosis-buttons"),
        ],
        className="card diagnosis-card",
    )


def diagnosis_line(found: dict[str, Any]) -> list[str | Component]:
    """Return what is said of a diagnosis: the sizes at which the epoch was painted and examined, and what is worst."""
    side, examined = found["side"], max(found["width"], found["height"])
    size = f"painted at {side}\u00a0px" + (f", examined at {examined}\u00a0px" if examined < side else "")
    name, _, share = max(_shares(found), key=lambda row: row[2] or 0.0)
    return [f"Epoch {found['epoch']}, {size}. ", html.Strong(name), f" disagrees most: {_percent(share)}."]


def diagnosis_view(found: dict[str, Any], frame: str) -> list[Component]:
    """Return what the card shows of a diagnosis, see `Diagnoses.of`; `frame` is the address of the picture."""
    return [
        _bars(found),
        *(_map(name, png, found, frame) for name, png in found["maps"].items()),
        html.Figure(
            [
                *(_matrices(layer, pair) for layer, pair in found["matrices"].items()),
                html.Figcaption(MATRIX_WORDS),
            ]
        ),
    ]


def _name(layer: dict[str, Any]) -> str:
    return f"{layer['role'].capitalize()} {layer['layer']}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.0f}\u00a0%"


def _shares(found: dict[str, Any]) -> list[tuple[str, str, float | None]]:
    """(name, part, share of the whole loss) of each layer, of smoothness and of neighbors."""
    layers = [(_name(layer), layer["role"], layer["share"]) for layer in found["layers"]]
    others = (("tv", found["tv_share"]), ("neighbors", found["neighbor_share"]))
    return [*layers, *((LOSS_NAMES[part], part, share) for part, share in others)]


def _bars(found: dict[str, Any]) -> Component:
    return html.Dl(
        [
            html.Div(
                [html.Dt(name), html.Dd(_percent(share))],
                className=f"bar-row part-{part}",
                style={"--share": share or 0.0},
            )
            for name, part, share in _shares(found)
        ],
        className="bars",
    )


def _map(name: str, png: str, found: dict[str, Any], frame: str) -> Component:
    """The heat map over the painting."""
    size = {"width": found["width"], "height": found["height"]}
    pictures = [
        html.Img(src=frame, alt="", **size),
        html.Img(src=f"data:image/png;base64,{png}", alt=MAP_WORDS[name], className="heat-map", **size),
    ]
    overlaid = html.Div(pictures, className="overlaid", tabIndex=0, role="group", **{"aria-label": f"Map of {name}"})
    return html.Figure([overlaid, html.Figcaption(f"{MAP_WORDS[name]} {UNCOVER}")])


def _matrices(layer: str, pair: dict[str, str]) -> Component:
    """The Gram matrix of a layer, now and at its target."""
    words = {"now": "now", "target": "the style's"}
    pictures = [
        html.Img(src=f"data:image/png;base64,{png}", alt=f"Gram matrix of {layer}, {words[name]}")
        for name, png in pair.items()
    ]
    return html.Div([html.Span(layer), *pictures], className="matrices")
