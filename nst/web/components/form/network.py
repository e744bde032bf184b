"""The card that says which network a run uses, and downloads the weights of a missing one."""

from itertools import cycle
from typing import Any

from dash import html
from dash.development.base_component import Component

from nst.options.layer_presets import SHIPPED_NETWORK
from nst.web import ids
from nst.web.components.form.option_fields import LABELS

BUILT_IN = LABELS["extractor"][SHIPPED_NETWORK]
NETWORK_NAMES = {**LABELS["extractor"], SHIPPED_NETWORK: f"The {BUILT_IN[:1].lower()}{BUILT_IN[1:]}"}  # in sentences

OUTPUTS = {  # what `network_view` returns, by (component, property)
    "text": (ids.NETWORK, "children"),
    "fetch": (ids.FETCH, "children"),
    "fetch_hidden": (ids.FETCH, "hidden"),
    "fetching_hidden": (ids.FETCHING, "hidden"),
    "fetch_text": (ids.FETCH_TEXT, "children"),
    "fetch_value": (ids.FETCH_BAR, "value"),
    "fetch_max": (ids.FETCH_BAR, "max"),
    "cancel_hidden": (ids.CANCEL_FETCH, "hidden"),
}

UNKNOWN: dict[str, Any] = {"networks": {}, "fetching": {}, "shared": False, "run": None}  # before the first poll
INSTALLED: dict[str, Any] = {"installed": True, "how": "", "fetchable": False}
COMPACT_FACTS = " will paint. It is quick and came with the studio. "


def card() -> Component:
    """Return the card."""
    return html.Section(
        [
            html.H2("Network"),
            html.P(id=ids.NETWORK, role="status", **{"aria-live": "polite"}),
            html.Button("Fetch VGG19", id=ids.FETCH, type="button", hidden=True, className="quiet"),
            html.Div(
                [
                    html.Label(id=ids.FETCH_TEXT, htmlFor=ids.FETCH_BAR),
                    html.Progress(id=ids.FETCH_BAR, value="0", max="1"),
                    html.Button("Cancel", id=ids.CANCEL_FETCH, type="button", className="quiet"),
                ],
                id=ids.FETCHING,
                hidden=True,
            ),
        ],
        className="card",
    )


def network_view(server: dict[str, Any], extractor: str, forecast: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the card shows, by the names of OUTPUTS.

    `server` is as ids.SERVER holds it, `extractor` the form's choice, `forecast` as ids.FORECAST holds it.
    """
    name = fetchable_network(extractor)
    download = server["fetching"].get(name)
    going = bool(download) and not download["outcome"]
    if forecast and forecast["chosen"] != extractor:
        forecast = None  # it was made for an earlier choice
    return {
        "text": [
            *_text(server, extractor, forecast),
            html.Span(_failed_download(name, download), className="fetch-result"),
        ],
        "fetch": f"Fetch {NETWORK_NAMES.get(name, name)}",
        "fetch_hidden": going or not server["networks"].get(name, INSTALLED)["fetchable"],
        "fetching_hidden": not going,
        "fetch_text": _download_progress(name, download) if going else "",
        "fetch_value": str(download["received"]) if going else "0",
        "fetch_max": str(download["size"] or 1) if going else "1",
        "cancel_hidden": server["shared"],
    }


def fetchable_network(extractor: str) -> str:
    """Return the network whose weights a choice may lack: those of VGG19 for "auto"."""
    return "vgg19" if extractor == "auto" else extractor


def _text(server: dict[str, Any], extractor: str, forecast: dict[str, Any] | None) -> list[Any]:
    """The network of the run; and that of the next one, if the run has ended and the next one would differ."""
    run, following = server["run"], _next_run(server, extractor, forecast)
    if run is None or not run["extractor"]:
        return following
    name = html.Strong(NETWORK_NAMES.get(run["extractor"], run["extractor"]))
    how = (f" in {run['precision']}" if run["precision"] else "") + (", by tiles" if run["tiled"] else "")
    if not run["ended"]:
        return [name, f" paints{how}. ", *_with_code(run["note"])]
    installed = server["networks"].get("vgg19", {}).get("installed")
    same = run["extractor"] == extractor or (
        extractor == "auto" and run["extractor"] == SHIPPED_NETWORK and not installed
    )
    return [name, f" painted{how}. ", *(_with_code(run["note"]) if same else following)]


def _next_run(server: dict[str, Any], extractor: str, forecast: dict[str, Any] | None) -> list[Any]:
    """The network that a run started now would use."""
    networks, name = server["networks"], fetchable_network(extractor)
    compact, chosen = html.Strong(NETWORK_NAMES[SHIPPED_NETWORK]), html.Strong(NETWORK_NAMES.get(name, name))
    if not networks:
        return ["The worker will say which networks are there."]
    if extractor == SHIPPED_NETWORK:
        return [compact, COMPACT_FACTS]
    network, download = networks.get(name, INSTALLED), server["fetching"].get(name, {"outcome": "none"})
    if network["installed"] and extractor == "auto":
        return _auto(chosen, compact, forecast, fetched=download["outcome"] == "installed")
    if network["installed"]:
        return [chosen, " will paint."]
    if extractor == "auto" and not download["outcome"]:
        return [compact, " will paint until ", chosen, " is here."]
    if extractor == "auto":
        how = [] if name in server["fetching"] else _with_code(network["how"])  # the card says how the download ended
        return [compact, COMPACT_FACTS, *how]
    return [chosen, " cannot paint yet: its weights are not here. ", *_with_code(network["how"])]


def _auto(vgg19: Component, compact: Component, forecast: dict[str, Any] | None, fetched: bool) -> list[Any]:
    """The network that "auto" stands for if VGG19 is installed; `fetched` means that the server downloaded it."""
    if forecast is None:
        return [vgg19, " is ready." if fetched else " is here."]
    why = _with_code(forecast["why"])
    if forecast["extractor"] == SHIPPED_NETWORK:
        return [*([vgg19, " is ready. "] if fetched else []), compact, " will paint all the same: ", *why]
    return [vgg19, " is ready: the next run paints with it."] if fetched else [vgg19, " will paint. ", *why]


def _failed_download(name: str, download: dict[str, Any] | None) -> str:
    """A sentence on a download that was cancelled or failed, "" for any other."""
    outcome = download["outcome"] if download else ""
    if outcome == "cancelled":
        return " The download was cancelled, and will not begin again by itself."
    if download is None or outcome not in ("broken", "refused"):
        return ""
    later = " Try again later." if outcome == "broken" else ""
    return f" {NETWORK_NAMES.get(name, name)} could not be fetched: {download['error']}.{later}"


def _download_progress(name: str, download: dict[str, Any]) -> str:
    received, size = (round(download[part] / 1e6) for part in ("received", "size"))
    progress = f": {received} of {size} MB" if size else " …"
    return f"Fetching {NETWORK_NAMES.get(name, name)}{progress}"


def _with_code(text: str) -> list[Any]:
    """`text` with its parts between backticks as <code>."""
    return [html.Code(part) if odd else part for part, odd in zip(text.split("`"), cycle((False, True)), strict=False)]
