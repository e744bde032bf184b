"""The button that takes a result file, to fill the form with the settings in it."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from nst.pictures.images import MAX_BYTES
from nst.web import ids


def button() -> Component:
    """Return the button, which is a drop zone as well."""
    return dcc.Upload(
        html.Span("⟲ Load settings from image", className="quiet"),
        id=ids.SETTINGS,
        className="settings-upload",
        max_size=MAX_BYTES,
        accept="image/png,image/jpeg",
    )


def message(name: str, missing: list[str], branched: bool, most_epochs: int = 0, steered: Sequence[str] = ()) -> str:
    """Return what the page says once the form is filled from file `name`; `missing` are roles without their picture.

    `most_epochs` is how many the form has where the run was continued beyond those, else 0. `steered` are the changes
    during the run, as "Epoch 3: strength 2".
    """
    parts = [f"The settings of {name} are in the form."]
    if missing:
        parts.append(f"Its {' and '.join(missing)} picture is not here: choose it.")
    if steered:
        parts.append(f"It was steered while it was painted ({'; '.join(steered)}): the form has the last values.")
    if branched:
        parts.append("It began with a frame of another run, which they do not repeat.")
    if most_epochs:
        parts.append(f"It was continued beyond {most_epochs} epochs, the most that a run may begin with.")
    return " ".join(parts)
