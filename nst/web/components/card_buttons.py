"""Buttons of a run's card, in the gallery and in a grid of variations, whose scripts read what a button does."""

from dash import html
from dash.development.base_component import Component


def action(name: str, run_id: str, label: str) -> dict[str, str]:
    """Return the attributes from which a script knows what a button does to a run, and the button's accessible name."""
    return {"data-do": name, "data-run": run_id, "aria-label": label}


def star(run_id: str, favorite: bool, label: str, title: str) -> Component:
    """Return the button that makes a run a favorite, or none; `label` is what it does, `title` that of the run."""
    return html.Button(
        "★" if favorite else "☆",
        className="star star-on" if favorite else "star",
        type="button",
        title=label,
        **action("unlike" if favorite else "like", run_id, f"{label}: {title}"),
    )
