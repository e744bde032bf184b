"""Callbacks of the painter's card: which network paints or will paint, and how its weights come here."""

import asyncio
from itertools import cycle
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html
from dash.development.base_component import Component

from nst.errors import NstError
from nst.web import ids
from nst.web.components.form import toast
from nst.web.service.service import Service

SPOKEN = {"vgg19": "VGG19", "vgg16": "VGG16", "compact": "The compact network"}

SHOWN = {
    "painter": (ids.PAINTER, "children"),
    "fetch": (ids.FETCH, "children"),
    "fetch_hidden": (ids.FETCH, "hidden"),
    "fetching_hidden": (ids.FETCHING, "hidden"),
    "fetch_text": (ids.FETCH_TEXT, "children"),
    "fetch_value": (ids.FETCH_BAR, "value"),
    "fetch_max": (ids.FETCH_BAR, "max"),
    "cancel_hidden": (ids.CANCEL_FETCH, "hidden"),
}


def register(app: Dash, service: Service) -> None:
    """Attach the callbacks to `app`."""
    chosen = ids.value("extractor")
    app.clientside_callback(
        ClientsideFunction("painter", "keepFocus"), Input(ids.FETCHING, "hidden"), prevent_initial_call=True
    )

    @app.callback(
        output={name: Output(*place) for name, place in SHOWN.items()},
        inputs={
            "studio": Input(ids.STUDIO, "data"),
            "extractor": Input(chosen, "value"),
            "forecast": Input(ids.FORECAST, "data"),
        },
        prevent_initial_call=True,
    )
    async def show(studio: dict[str, Any] | None, extractor: str, forecast: dict[str, Any] | None) -> dict[str, Any]:
        return card(studio or NOTHING_KNOWN, extractor, forecast)

    @app.callback(
        Output(ids.FETCH, "hidden", allow_duplicate=True),
        Input(ids.FETCH, "n_clicks"),
        State(chosen, "value"),
        prevent_initial_call=True,
    )
    async def fetch(clicks: int, extractor: str) -> bool:
        try:
            service.queue.fetch_weights(_missing_at_most(extractor))
        except NstError as error:
            toast(str(error))
            return False
        return True

    @app.callback(Input(ids.CANCEL_FETCH, "n_clicks"), State(chosen, "value"), prevent_initial_call=True)
    async def cancel(clicks: int, extractor: str) -> None:
        try:
            await asyncio.to_thread(cancel_fetch, service, extractor)
        except NstError as error:
            toast(str(error))


def cancel_fetch(service: Service, extractor: str) -> None:
    """Cancel the download for a choice of network. Raises Conflict."""
    service.permissions.check_cancel_fetch()
    service.queue.cancel_fetch(_missing_at_most(extractor))


NOTHING_KNOWN: dict[str, Any] = {"networks": {}, "fetching": {}, "many": False, "run": None}
HERE: dict[str, Any] = {"installed": True, "how": "", "fetchable": False}


def card(studio: dict[str, Any], extractor: str, forecast: dict[str, Any] | None = None) -> dict[str, Any]:
    """The painter's card, by the names of SHOWN.

    `studio` is as painting.studio_view tells, `extractor` the choice, `forecast` as ids.FORECAST has it.
    """
    name = _missing_at_most(extractor)
    download = studio["fetching"].get(name)
    going = bool(download) and not download["outcome"]
    if forecast and forecast["asked"] != extractor:
        forecast = None  # it is of the choice before
    return {
        "painter": [
            *_painter(studio, extractor, forecast),
            html.Span(_ended(name, download), className="fetch-said"),
        ],
        "fetch": f"Fetch {SPOKEN.get(name, name)}",
        "fetch_hidden": going or not studio["networks"].get(name, HERE)["fetchable"],
        "fetching_hidden": not going,
        "fetch_text": _fetched(name, download) if going else "",
        "fetch_value": str(download["received"]) if going else "0",
        "fetch_max": str(download["size"] or 1) if going else "1",
        "cancel_hidden": studio["many"],
    }


def _missing_at_most(extractor: str) -> str:
    """The network whose weights may be missing for a choice: "auto" would like to have VGG19's."""
    return "vgg19" if extractor == "auto" else extractor


def _painter(studio: dict[str, Any], extractor: str, forecast: dict[str, Any] | None) -> list[Any]:
    """Which network paints, or which will and what it still needs."""
    run, will = studio["run"], _will(studio, extractor, forecast)
    if run is None or not run["extractor"]:
        return will
    name = html.Strong(SPOKEN.get(run["extractor"], run["extractor"]))
    how = (f" in {run['precision']}" if run["precision"] else "") + (", by tiles" if run["tiled"] else "")
    if not run["ended"]:
        return [name, f" paints{how}. ", *_with_code(run["note"])]
    installed = studio["networks"].get("vgg19", {}).get("installed")
    again = run["extractor"] == extractor or (extractor == "auto" and run["extractor"] == "compact" and not installed)
    return [name, f" painted{how}. ", *(_with_code(run["note"]) if again else will)]


def _will(studio: dict[str, Any], extractor: str, forecast: dict[str, Any] | None) -> list[Any]:
    """What will paint once Start is pressed."""
    networks, name = studio["networks"], _missing_at_most(extractor)
    compact, named = html.Strong(SPOKEN["compact"]), html.Strong(SPOKEN.get(name, name))
    if not networks:
        return ["The worker will say which networks are there."]
    if extractor == "compact":
        return [compact, QUICK]
    network, download = networks.get(name, HERE), studio["fetching"].get(name, {"outcome": "none"})
    if network["installed"] and extractor == "auto":
        return _judged(named, compact, forecast, fresh=download["outcome"] == "installed")
    if network["installed"]:
        return [named, " will paint."]
    if extractor == "auto" and not download["outcome"]:
        return [compact, " will paint until ", named, " is here."]
    if extractor == "auto":
        how = [] if name in studio["fetching"] else _with_code(network["how"])  # how it ended is told instead
        return [compact, QUICK, *how]
    return [named, " cannot paint yet: its weights are not here. ", *_with_code(network["how"])]


QUICK = " will paint. It is quick and came with the studio. "


def _judged(vgg19: Component, compact: Component, forecast: dict[str, Any] | None, fresh: bool) -> list[Any]:
    """What "auto" stands for now that VGG19 is here; `fresh` says that it came while the studio was up."""
    if forecast is None:
        return [vgg19, " is ready." if fresh else " is here."]
    why = _with_code(forecast["why"])
    if forecast["extractor"] == "compact":
        return [*([vgg19, " is ready. "] if fresh else []), compact, " will paint all the same: ", *why]
    return [vgg19, " is ready: the next run paints with it."] if fresh else [vgg19, " will paint. ", *why]


def _ended(name: str, download: dict[str, Any] | None) -> str:
    """One quiet line about a download that brought nothing."""
    outcome = download["outcome"] if download else ""
    if outcome == "cancelled":
        return " The download was cancelled, and will not begin again by itself."
    if download is None or outcome not in ("broken", "refused"):
        return ""
    later = " Try again later." if outcome == "broken" else ""
    return f" {SPOKEN.get(name, name)} could not be fetched: {download['error']}.{later}"


def _with_code(text: str) -> list[Any]:
    """`text` with what stands between backticks set as code."""
    return [html.Code(part) if odd else part for part, odd in zip(text.split("`"), cycle((False, True)), strict=False)]


def _fetched(name: str, download: dict[str, Any]) -> str:
    received, size = (round(download[part] / 1e6) for part in ("received", "size"))
    return (
        f"Fetching {SPOKEN.get(name, name)}: {received} of {size} MB"
        if size
        else f"Fetching {SPOKEN.get(name, name)} …"
    )
