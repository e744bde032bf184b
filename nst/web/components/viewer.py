"""The viewer: a picture that is zoomed and moved in its frame, under another one that a slider reveals.

Scripts: assets/viewer.js and assets/comparison.js; style: assets/viewer.css.
"""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

HELP = "plus and minus zoom, as the wheel does, the arrow keys move it, 0 fits it, 1 shows its pixels"
TOOLS = {  # data-view -> (text, title)
    "compare": ("◐", "Compare"),
    "farther": ("−", "Zoom out"),
    "closer": ("+", "Zoom in, as the wheel does with Ctrl or after a click on the picture"),
    "fit": ("Fit", "Show the whole picture"),
    "actual": ("1:1", "One pixel of the picture is one of the screen"),
    "fullscreen": ("", "Fullscreen"),  # drawn by the style sheet
}


def picture_window(label: str, *pictures: Component, **style: Any) -> Component:
    """Return the window in which pictures, which lie on each other, are seen; `label` names them."""
    return html.Div(
        html.Div(list(pictures), className="viewer-stage", style=style),
        className="viewer-window",
        tabIndex=0,
        role="group",
        **{"aria-label": f"{label}: {HELP}"},
    )


def comparison_slider(slider_id: str, label: str, value: int = 0) -> list[Component]:
    """Return the slider that reveals the picture of the class "comparison-other", from 0 to `value` %."""
    slider = dbc.Input(id=slider_id, type="range", min=0, max=100, step=1, value=value, class_name="comparison-slider")
    return [html.Label(label, htmlFor=slider_id, className="visually-hidden"), slider]


def tools(*names: str) -> Component:
    """Return the buttons of a viewer, by their names in TOOLS."""
    buttons = [
        html.Button(
            TOOLS[name][0], type="button", title=TOOLS[name][1], **{"data-view": name, "aria-label": TOOLS[name][1]}
        )
        for name in names
    ]
    return html.Div(buttons, className="viewer-tools", role="group", **{"aria-label": "View"})
