"""The buttons under the form: start, pause or resume, stop, and restart."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.runs.run import Run, State
from nst.web import ids

OUTPUTS = {  # what `buttons_view` returns, by (component, property)
    "start": (ids.START, "children"),
    "start_color": (ids.START, "color"),
    "start_outline": (ids.START, "outline"),
    "pause": (ids.PAUSE, "children"),
    "pause_color": (ids.PAUSE, "color"),
    "pause_outline": (ids.PAUSE, "outline"),
    "pause_class": (ids.PAUSE, "class_name"),
    "pause_off": (ids.PAUSE, "disabled"),
    "stop_off": (ids.STOP, "disabled"),
    "form_note_hidden": (ids.FORM_NOTE, "hidden"),
    "restart_class": (ids.RESTART, "class_name"),
}


def layout() -> list[Component]:
    """Return the buttons as they are without a run."""
    secondary: dict[str, Any] = {"color": "secondary", "outline": True}
    return [
        dbc.Button("Start", id=ids.START, color="primary", class_name="start"),
        dbc.Button("Pause", id=ids.PAUSE, disabled=True, **secondary),
        dbc.Button("Stop", id=ids.STOP, disabled=True, **secondary),
        dbc.Button(
            "Clear and restart",
            id=ids.RESTART,
            class_name="restart d-none",
            title="Stop this run, which stays in the gallery, and start again with these settings",
            **secondary,
        ),
        html.Div(id=ids.ADDED, className="visually-hidden", role="status"),
    ]


def buttons_view(run: Run | None) -> dict[str, Any]:
    """Return the buttons for the run that is shown, by the names of OUTPUTS. The first thing to do is primary."""
    active = run is not None and not run.state.rests
    paused = run is not None and run.state is State.PAUSED
    going = active or paused
    return {
        "start": "Add to queue" if active else "Start",
        "start_color": "secondary" if paused else "primary",
        "start_outline": paused,
        "pause": "Resume" if paused else "Pause",
        "pause_color": "primary" if paused else "secondary",
        "pause_outline": not paused,
        "pause_class": "resume" if paused else "",
        "pause_off": not going,
        "stop_off": not going,
        "form_note_hidden": not going,
        "restart_class": "restart" if going else "restart d-none",
    }
