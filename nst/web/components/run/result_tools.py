"""Under the history of a run: what can be done with its picture, and how large it is in print."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.runs.run import Run
from nst.web import ids

UPSCALED_SIDES = (2048, 4096)  # px
PRINT_DPI = (300, 200, 150)
USES = {"content": "Use as content", "style": "Use as style"}  # of a result, by role


def layout() -> Component:
    """Return the row of buttons and the size in print."""
    resolutions = [{"label": f"{dpi} dpi", "value": dpi} for dpi in PRINT_DPI]
    return html.Div(
        [
            *(html.A(text, id=ids.use_as(role), href="/", className="in-app quiet") for role, text in USES.items()),
            html.Span(
                [
                    html.Button(
                        "Upscale",
                        id=ids.UPSCALE,
                        type="button",
                        className="quiet",
                        disabled=True,
                        **{"aria-describedby": ids.UPSCALE_FORECAST},
                    ),
                    dbc.Label("to", html_for=ids.UPSCALED_SIDE, class_name="hint"),
                    dbc.Select(id=ids.UPSCALED_SIDE),
                ],
                className="with-choice",
            ),
            html.Output(id=ids.UPSCALE_FORECAST, htmlFor=ids.UPSCALED_SIDE, className="estimate"),
            html.Span(
                [
                    html.Output(id=ids.PRINT_SIZE, htmlFor=ids.PRINT_DPI),
                    dbc.Label("in print, at", html_for=ids.PRINT_DPI, class_name="hint"),
                    dbc.Select(id=ids.PRINT_DPI, options=resolutions, value=PRINT_DPI[0]),
                ],
                className="with-choice",
            ),
        ],
        className="run-actions",
    )


def notify_button() -> Component:
    """Return the button that asks for notifications of the end of runs."""
    title = "When the run has ended, and when nothing waits any more"
    pressed = {"aria-pressed": "false"}
    return html.Button("Notify me", id=ids.NOTIFY, type="button", className="quiet", title=title, **pressed)


def copy_button(button_id: str) -> Component:
    """Return the button that copies the address of the page."""
    return html.Button("Copy link", id=button_id, type="button", className="quiet", **{"aria-live": "polite"})


def use_url(run_id: str, role: str) -> str:
    """Return the address that fills the chooser of "content" or "style" with the result of a run."""
    return f"/?{role}_of={run_id}"


def can_be_upscaled(run: Run | None) -> bool:
    """Whether there is a result that may be painted larger."""
    if run is None or run.fast or not run.has_result:
        return False
    return run.state.rests and max(run.width, run.height) < UPSCALED_SIDES[-1]


def upscaling_view(run: Run | None) -> dict[str, Any]:
    """Return the sides that the result of a run can be painted at, by names of OUTPUTS in run_view.py."""
    side = max(run.width, run.height) if run else 0
    sides = [each for each in UPSCALED_SIDES if each > side]
    options = [{"label": f"{each} px", "value": each} for each in sides]
    return {"upscaled_sides": options, "upscaled_side": sides[0] if sides else None}
