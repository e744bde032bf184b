"""The grid of run cards in the gallery, and what surrounds it: counts, hints and the disk space used."""

from typing import Any

from dash import Patch, no_update

from nst.runs.humanize import GIGABYTE, count
from nst.web import ids
from nst.web.components.run_card import RunCard
from nst.web.components.settings_text import differing_settings
from nst.web.service.service import Service

ANY_STATE = "any"  # value of the filter that shows runs in every state
INSTANT = "instant"  # ... that shows the pictures that were painted in one pass

OUTPUTS = {  # what `run_grid` returns, by (component, property)
    "grid": (ids.GRID, "children"),
    "versions": (ids.GRID_VERSIONS, "data"),
    "found": (ids.FOUND, "children"),
    "none_yet": (ids.NONE_YET, "hidden"),
    "none_found": (ids.NONE_FOUND, "hidden"),
    "no_more": (ids.MORE, "hidden"),
    "used": (ids.USED, "value"),
    "used_max": (ids.USED, "max"),
    "used_text": (ids.USED_TEXT, "children"),
}


def run_grid(service: Service, client: str, filters: dict[str, Any], limit: int, shown: list[Any]) -> dict[str, Any]:
    """Return what the gallery shows of a client's newest `limit` runs, by the names of OUTPUTS.

    `filters` are arguments of `Archive.find`; `shown` are the versions of the cards that the browser shows.
    """
    found = service.archive.find(client, **filters, limit=limit + 1)
    runs = [run for run, _ in found[:limit]]
    differing = differing_settings(runs)
    cards = [RunCard.of(service, run, differing[run.id]) for run in runs]
    used, more = service.archive.used(), len(found) > limit
    return {
        "grid": grid_update(cards, shown),
        "versions": [card.version for card in cards],
        "found": f"The newest {limit} runs" if more else count(len(cards), "run") if cards else "",
        "none_yet": bool(cards) or any(filters.values()),
        "none_found": bool(cards) or not any(filters.values()),
        "no_more": not more,
        "used": str(used),
        "used_max": str(service.archive.limit),
        "used_text": f"{used / GIGABYTE:.2f} of {service.archive.limit / GIGABYTE:g} GB on disk",
    }


def grid_update(cards: list[RunCard], shown: list[Any]) -> Any:
    """Return the children of the grid: all where a card was added, removed or moved, else a patch of changed ones."""
    if [version[0] for version in shown] != [card.run.id for card in cards[: len(shown)]]:
        return [card.component() for card in cards]
    changed = [n for n, version in enumerate(shown) if version != cards[n].version]
    if not changed and len(cards) == len(shown):
        return no_update
    patch = Patch()
    for n in changed:
        patch[n] = cards[n].component()
    for card in cards[len(shown) :]:
        patch.append(card.component())
    return patch
