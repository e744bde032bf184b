"""Callbacks of the line above Start: the forecast of a run of the form's settings.

A forecast is requested when the form has not changed for a moment (assets/form.js), not at every move of a slider.
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.errors import NstError, OptionError
from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.callbacks.form.whole_form import read_options
from nst.web.components.form.estimate import estimate_line, refusal_line
from nst.web.components.form.option_fields import BOXES, errors_of_form
from nst.web.components.toast import message_of
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    pictures = {role: ids.choice(role) for role in ("content", *STYLE_ROLES, "mask")}
    app.clientside_callback(
        ClientsideFunction("form", "countChange"),
        Input(ids.SERVER, "data"),
        *(Input(choice, "data") for choice in pictures.values()),
        *(Input(box, "value") for box in BOXES.values()),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "children": Output(ids.ESTIMATE, "children"),
            "class": Output(ids.ESTIMATE, "className"),
            "forecast": Output(ids.FORECAST, "data"),
            "errors": {name: Output(ids.error(box), "children", allow_duplicate=True) for name, box in BOXES.items()},
        },
        inputs={"changes": Input(ids.FORM_CHANGES, "data")},
        state={
            "choices": {role: State(choice, "data") for role, choice in pictures.items()},
            "values": {name: State(box, "value") for name, box in BOXES.items()},
        },
        prevent_initial_call=True,
    )
    async def estimate(changes: int, choices: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        errors = errors_of_form(values)
        empty = {"children": "", "class": "estimate", "forecast": None, "errors": errors}
        masked = bool(choices["mask"])
        refs = [choice["ref"] for role, choice in choices.items() if choice and role != "mask"]
        try:
            options = StyleOptions.from_json(read_options(values, choices))
            options.check_layers()
        except OptionError as error:
            if error.option in errors:
                errors[error.option] = errors[error.option] or message_of(error)
            return empty
        if not (choices["content"] and choices["style"]):
            return empty
        try:
            options.check_pictures(sum(bool(choices[role]) for role in STYLE_ROLES), masked)
            forecast = await asyncio.to_thread(service.forecasts.forecast, options, *refs, masked=masked)
            worker = (await asyncio.to_thread(service.queue.health))["worker"]
        except NstError as error:
            # of an option, which does not fit the pictures or the memory, or a network whose weights are missing
            if isinstance(error, OptionError) and error.option in errors:
                errors[error.option] = message_of(error)
            return empty | refusal_line(error)
        chosen = forecast and {
            "chosen": options.extractor,
            "extractor": forecast["extractor"],
            "why": forecast["why"],
        }
        return estimate_line(forecast, worker) | {"forecast": chosen, "errors": errors}
