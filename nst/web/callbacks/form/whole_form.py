"""The form as a whole: the values of its controls and the chosen pictures, as state and as outputs of callbacks."""

from collections.abc import Mapping
from typing import Any

from dash import Output, State, no_update

from nst.options.picture_roles import ROLES
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.form.chooser import choices_of_run
from nst.web.components.form.option_fields import BOXES, fill_form, read_form

FORM_STATE = {
    "choices": {role: State(ids.choice(role), "data") for role in ROLES},
    "values": {name: State(box, "value") for name, box in BOXES.items()},
}
FORM_OUTPUTS = {
    "values": {name: Output(box, "value", allow_duplicate=True) for name, box in BOXES.items()},
    "choices": {role: Output(ids.choice(role), "data", allow_duplicate=True) for role in ROLES},
}
UNCHANGED = {"values": dict.fromkeys(BOXES, no_update), "choices": dict.fromkeys(ROLES, no_update)}


def read_options(values: Mapping[str, Any], choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the form's options as `read_form` does; without a mask, its use is the default."""
    return read_form(values) | ({} if choices["mask"] else {"mask_use": StyleOptions().mask_use})


def filled(options: StyleOptions, choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return FORM_OUTPUTS for `options` and for the pictures in `choices`, by role; see `choices_of_run`."""
    return {"values": fill_form(options), "choices": choices_of_run(choices)}
