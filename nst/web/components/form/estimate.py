"""The line above Start, and beside Upscale: the time and the memory that a run would take, or why there can be none."""

from typing import Any

from nst.errors import NstError
from nst.runs.humanize import gigabytes, roughly
from nst.web.components.toast import message_of

MEASURING = "Measuring this machine …"
TILED = "Too large for the memory as a whole: it will be painted by tiles, which takes longer."


def estimate_line(forecast: dict[str, Any] | None, worker: str) -> dict[str, str]:
    """Return the line as {"children", "class"}, of `Forecasts.forecast` and the worker's state."""
    if forecast is None or (forecast["seconds"] is None and worker == "starting"):
        return {"children": MEASURING if worker == "starting" else "", "class": "estimate"}
    memory = gigabytes(forecast["bytes"])
    if forecast["seconds"] is None:
        text = f"About {memory}"
    else:
        text = f"{'At most' if forecast['at_most'] else 'About'} {roughly(forecast['seconds'])}, {memory}"
    if forecast["tiled"]:
        return {"children": f"{text}. {TILED}", "class": "estimate estimate-warning"}
    return {"children": text, "class": "estimate"}


def refusal_line(error: NstError) -> dict[str, str]:
    """Return the line as `estimate_line` does, for a run that is refused with `error`."""
    return {"children": message_of(error), "class": "estimate estimate-refused"}
