"""The callback that reads the settings in a result, a PNG or JPEG file, fills the form and chooses the pictures.

The file is dropped on the painting or chosen with a button, and sent by assets/uploads.js; dropped on a chooser it
would be a picture like any other.
"""

import asyncio
import dataclasses
from typing import Any

from dash import Dash, Input, Output

from nst.errors import NoSettings, NotFound, NstError
from nst.options.style_options import StyleOptions
from nst.pictures import provenance
from nst.pictures.provenance import Provenance
from nst.web import ids
from nst.web.callbacks.form.whole_form import FORM_OUTPUTS, UNCHANGED
from nst.web.components.form.chooser import choices_of_run
from nst.web.components.form.option_fields import fill_form
from nst.web.components.form.settings_upload import message
from nst.web.components.run import figures
from nst.web.components.toast import show_error
from nst.web.service.service import Service

MOST_EPOCHS_AT_START = int(StyleOptions.option("epochs").high or 0)


def register(app: Dash, service: Service) -> None:
    """Register the callback with `app`."""

    @app.callback(
        output={**FORM_OUTPUTS, "message": Output(ids.SETTINGS_MESSAGE, "children")},
        inputs={"file": Input(ids.SETTINGS_FILE, "data")},
        prevent_initial_call=True,
    )
    async def restore(file: dict[str, Any]) -> dict[str, Any]:
        """Fill the form with the settings in `file`, a stored picture. Dropped and without any, it is the content."""
        name = file["title"]
        try:
            found = await asyncio.to_thread(lambda: provenance.read(service.pictures.read(file["ref"]), name))
        except NstError as error:
            if not (file["dropped"] and isinstance(error, NoSettings)):
                show_error(error, "The settings were not loaded")
                return {**UNCHANGED, "message": ""}
            chosen = UNCHANGED["choices"] | {"content": file}
            return {**UNCHANGED, "choices": chosen, "message": f"{name} has no settings: it is the content now."}
        choices, missing = await asyncio.to_thread(_pictures, service, found)
        values, too_long = form_values(found)
        cut_to = MOST_EPOCHS_AT_START if too_long else 0
        return {
            "values": values,
            "message": message(name, missing, found.branched, cut_to, steering_of(found)),
            "choices": choices_of_run(choices),
        }


def form_values(found: Provenance) -> tuple[dict[str, Any], bool]:
    """Return the values of the form, and whether the run was continued beyond the epochs that a run may begin with."""
    too_long = found.options.epochs != "auto" and found.epochs > MOST_EPOCHS_AT_START
    found = dataclasses.replace(found, epochs=min(found.epochs, MOST_EPOCHS_AT_START))
    return fill_form(found.options_at_the_end), too_long


def steering_of(found: Provenance) -> list[str]:
    """Return the changes during the run in words, the first one first: "Epoch 3: strength 2"."""
    each = found.options.steps_per_epoch
    return [figures.steering_line(max(0, step - 1) // each, changes) for step, changes in found.steered]


def _pictures(service: Service, found: Provenance) -> tuple[dict[str, Any], list[str]]:
    """Return ({role: choice} of the pictures that are stored here, the roles of those that are not)."""
    choices, missing = {}, []
    for role, upload in found.pictures.items():
        try:
            choices[role] = service.pictures.choice_of(f"uploads/{upload}")
        except NotFound:
            missing.append(role)
    return choices, missing
