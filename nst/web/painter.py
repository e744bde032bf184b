"""Callbacks of the painter's card: which network paints or will paint, and how to get its weights."""

from itertools import cycle
from typing import Any

from dash import Dash, Input, Output, State, html

from nst.errors import NstError
from nst.web import ids
from nst.web.components import toast
from nst.web.desk import Desk

SPOKEN = {"vgg19": "VGG19", "vgg16": "VGG16", "compact": "The compact network"}
CAN_BE_FETCHED = ("vgg19", "vgg16")

SHOWN = {
    "painter": (ids.PAINTER, "children"),
    "fetch": (ids.FETCH, "children"),
    "fetch_hidden": (ids.FETCH, "hidden"),
    "fetching_hidden": (ids.FETCHING, "hidden"),
    "fetch_text": (ids.FETCH_TEXT, "children"),
    "fetch_value": (ids.FETCH_BAR, "value"),
    "fetch_max": (ids.FETCH_BAR, "max"),
}


def register(app: Dash, desk: Desk) -> None:
    """Attach the callbacks to `app`."""
    chosen = ids.value("extractor")

    @app.callback(
        output={name: Output(*place) for name, place in SHOWN.items()},
        inputs={"studio": Input(ids.STUDIO, "data"), "extractor": Input(chosen, "value")},
        prevent_initial_call=True,
    )
    async def show(studio: dict[str, Any] | None, extractor: str) -> dict[str, Any]:
        return card(studio or NOTHING_KNOWN, extractor)

    @app.callback(
        Output(ids.FETCH, "hidden", allow_duplicate=True),
        Input(ids.FETCH, "n_clicks"),
        State(chosen, "value"),
        prevent_initial_call=True,
    )
    async def fetch(clicks: int, extractor: str) -> bool:
        try:
            desk.queue.fetch_weights(_missing_at_most(extractor))
        except NstError as error:
            toast(str(error))
            return False
        return True


NOTHING_KNOWN: dict[str, Any] = {"networks": {}, "fetching": {}, "offline": False, "run": None}


def card(studio: dict[str, Any], extractor: str) -> dict[str, Any]:
    """The painter's card, by the names of SHOWN; `studio` as painting.studio_view tells, `extractor` is the choice."""
    name = _missing_at_most(extractor)
    network = studio["networks"].get(name, {"installed": True, "how": ""})
    download = studio["fetching"].get(name)
    going = bool(download) and not download["done"]
    troubled = download["error"] if download else ""
    return {
        "painter": [
            *_painter(studio["run"], studio["networks"], extractor),
            html.Span(troubled, className="field-error"),
        ],
        "fetch": f"Fetch {SPOKEN.get(name, name)}",
        "fetch_hidden": network["installed"] or going or studio["offline"],
        "fetching_hidden": not going,
        "fetch_text": _fetched(name, download) if going else "",
        "fetch_value": str(download["received"]) if going else "0",
        "fetch_max": str(download["size"] or 1) if going else "1",
    }


def _missing_at_most(extractor: str) -> str:
    """The network whose weights may be missing for a choice: "auto" would like to have VGG19's."""
    return "vgg19" if extractor == "auto" else extractor


def _painter(run: dict[str, Any] | None, networks: dict[str, Any], extractor: str) -> list[Any]:
    """Which network paints, or which will and what it still needs."""
    will = _will(networks, extractor)
    if run is None or not run["extractor"]:
        return will
    name = html.Strong(SPOKEN.get(run["extractor"], run["extractor"]))
    how = (f" in {run['precision']}" if run["precision"] else "") + (", by tiles" if run["tiled"] else "")
    if not run["ended"]:
        return [name, f" paints{how}. ", *_with_code(run["note"])]
    again = run["extractor"] == (_auto(networks) if extractor == "auto" else extractor)
    return [name, f" painted{how}. ", *(_with_code(run["note"]) if again else will)]


def _auto(networks: dict[str, Any]) -> str:
    return "vgg19" if networks.get("vgg19", {}).get("installed") else "compact"


def _will(networks: dict[str, Any], extractor: str) -> list[Any]:
    """What will paint once Start is pressed."""
    compact = [html.Strong(SPOKEN["compact"]), " will paint. It is quick and came with the studio. "]
    if not networks:
        return ["The worker will say which networks are there."]
    if extractor == "compact":
        return compact
    network = networks.get(_missing_at_most(extractor), {"installed": True, "how": ""})
    name = html.Strong(SPOKEN.get(_missing_at_most(extractor), extractor))
    if extractor == "auto":
        if network["installed"]:
            return [name, " is here and will paint, unless you choose another extractor."]
        return [*compact, *_with_code(network["how"])]
    if network["installed"]:
        return [name, " will paint."]
    return [name, " cannot paint yet: its weights are not here. ", *_with_code(network["how"])]


def _with_code(text: str) -> list[Any]:
    """`text` with what stands between backticks set as code."""
    return [html.Code(part) if odd else part for part, odd in zip(text.split("`"), cycle((False, True)), strict=False)]


def _fetched(name: str, download: dict[str, Any]) -> str:
    received, size = (round(download[part] / 2**20) for part in ("received", "size"))
    return (
        f"Fetching {SPOKEN.get(name, name)}: {received} of {size} MB"
        if size
        else f"Fetching {SPOKEN.get(name, name)} …"
    )
