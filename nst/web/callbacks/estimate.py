"""Callbacks of the line above Start: what a run of the form's settings would take, and which network would paint it.

It is asked for once the form has rested a moment (assets/form.js), not at every tick of a slider.
"""

import asyncio
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from nst.errors import NstError, OptionError
from nst.humanize import gigabytes, roughly
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.callbacks.inputs import VALUES
from nst.web.components.form import read_form
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    pictures = {role: ids.choice(role) for role in ("content", "style")}
    app.clientside_callback(
        ClientsideFunction("form", "rest"),
        Input(ids.STUDIO, "data"),
        *(Input(choice, "data") for choice in pictures.values()),
        *(Input(box, "value") for box in VALUES.values()),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "children": Output(ids.ESTIMATE, "children"),
            "class": Output(ids.ESTIMATE, "className"),
            "forecast": Output(ids.FORECAST, "data"),
        },
        inputs={"draft": Input(ids.DRAFT, "data")},
        state={
            "choices": {role: State(choice, "data") for role, choice in pictures.items()},
            "values": {name: State(box, "value") for name, box in VALUES.items()},
        },
        prevent_initial_call=True,
    )
    async def estimate(draft: int, choices: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        nothing = {"children": "", "class": "estimate", "forecast": None}
        refs = [choice["ref"] for choice in choices.values() if choice]
        if len(refs) < len(choices):
            return nothing
        try:
            options = StyleOptions.from_json(read_form(values))
        except OptionError:  # Start will say what is wrong, beside the field
            return nothing
        try:
            forecast = await asyncio.to_thread(service.forecasts.forecast, options, *refs)
        except NstError as error:
            return nothing | {"children": str(error), "class": "estimate estimate-refused"}
        told = forecast and {"asked": options.extractor, "extractor": forecast["extractor"], "why": forecast["why"]}
        return line(forecast, service.queue.health()["worker"]) | {"forecast": told}


def line(forecast: dict[str, Any] | None, worker: str) -> dict[str, str]:
    """The line as {"children", "class"}: `forecast` as `Service.forecast` tells it, `worker` its state."""
    if forecast is None or (forecast["seconds"] is None and worker == "starting"):
        return {"children": MEASURING if worker == "starting" else "", "class": "estimate"}
    memory = gigabytes(forecast["bytes"])
    if forecast["seconds"] is None:
        said = f"About {memory}"
    else:
        said = f"{'At most' if forecast['at_most'] else 'About'} {roughly(forecast['seconds'])}, {memory}"
    if forecast["tiled"]:
        return {"children": f"{said}. {TILED}", "class": "estimate estimate-warning"}
    return {"children": said, "class": "estimate"}


MEASURING = "Measuring this machine …"
TILED = "Too large for the memory as a whole: it will be painted by tiles, which takes longer."
