"""The grid of the Variations page: a table of quick runs, updated cell by cell."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Patch, html, no_update
from dash.development.base_component import Component

from nst.jobs.storage.grids import Grid
from nst.options.picture_roles import STYLE_ROLES
from nst.runs.humanize import count
from nst.web import ids
from nst.web.components.card_buttons import action, star
from nst.web.components.run_card import SOURCE_SIDE
from nst.web.components.urls import run_url, thumbnail_url
from nst.web.service.runs import title_of

OUTPUTS = {  # what `grid_view` returns, by (component, property)
    "grid": (ids.VARY_GRID, "children"),
    "shown": (ids.VARY_SHOWN, "data"),
    "title": (ids.VARY_TITLE, "children"),
    "status": (ids.VARY_STATUS, "children"),
    "sheet": (ids.VARY_SHEET, "href"),
    "sheet_off": (ids.VARY_SHEET, "disabled"),
    "stop_off": (ids.VARY_STOP, "disabled"),
}
NO_TITLE = "Quick runs"  # a heading is never empty
EMPTY = {
    "grid": [],
    "shown": ["", []],
    "title": NO_TITLE,
    "status": "",
    "sheet": None,
    "sheet_off": True,
    "stop_off": True,
}


def grid_view(found: dict[str, Any], shown: list[Any]) -> dict[str, Any]:
    """Return what the page shows of a grid, by the names of OUTPUTS.

    `found` is the grid as `VariationsService.describe` returns it, `shown` what this function returned last.
    """
    versions = [_version(cell) for cell in found["runs"]]
    pictures = found["pictures"]
    content, *styles = (picture["title"] for picture in pictures.values())
    states = [cell["state"] for cell in found["runs"]]
    done = sum(state not in ("queued", "running") for state in states)
    painted = any(cell.get("frame") for cell in found["runs"])
    return {
        "grid": _update(found, versions, shown),
        "shown": [found["id"], versions],
        "title": [content, html.Em(" after "), " and ".join(styles)],
        "status": count(len(states), "quick run") if found["ended"] else f"{done} of {len(states)} painted",
        "sheet": found["sheet"] if painted else None,
        "sheet_off": not painted,
        "stop_off": found["ended"],
    }


def _version(cell: dict[str, Any]) -> list[Any]:
    """What a cell shows of its run: two cells are equal if their versions are."""
    return [cell["state"], cell.get("epoch"), bool(cell.get("frame")), cell["favorite"]]


def _update(found: dict[str, Any], versions: list[Any], shown: list[Any]) -> Any:
    """The table of another grid, else a patch of the cells that have changed."""
    columns = found["columns"]
    if shown[0] != found["id"] or len(shown[1]) != len(versions):
        return _table(found)
    changed = [n for n, version in enumerate(versions) if version != shown[1][n]]
    if not changed:
        return no_update
    patch, beside = Patch(), int(found["rows"] > 1)
    for n in changed:
        row, column = divmod(n, columns)
        body = patch["props"]["children"][1]["props"]["children"]
        body[row]["props"]["children"][column + beside] = _cell(found, n)
    return patch


def _table(found: dict[str, Any]) -> Component:
    *_, across = found["axes"]
    beside, columns = found["rows"] > 1, found["columns"]
    head = [html.Th(title, scope="col") for title in across["titles"]]
    rows = []
    for row in range(found["rows"]):
        cells = [_cell(found, row * columns + column) for column in range(columns)]
        title = [html.Th(found["axes"][0]["titles"][row], scope="row")] if beside else []
        rows.append(html.Tr([*title, *cells]))
    corner = [html.Td(className="vary-corner")] if beside else []
    parts = [html.Thead(html.Tr([*corner, *head])), html.Tbody(rows)]
    return html.Table(parts, style={"--columns": columns, "--beside": int(beside)})


def _titles(found: dict[str, Any], n: int) -> str:
    """What varies in a cell: "Strength 2, Seed 1"."""
    row, column = divmod(n, found["columns"])
    titles = [found["axes"][-1]["titles"][column]]
    return ", ".join(([found["axes"][0]["titles"][row]] if found["rows"] > 1 else []) + titles)


def _cell(found: dict[str, Any], n: int) -> Component:
    cell, title = found["runs"][n], _titles(found, n)
    if cell["state"] == "deleted":
        return html.Td(html.Div("no longer kept", className="vary-missing"))
    active = cell["state"] in ("queued", "running")
    size = {"width": cell["width"] or 4, "height": cell["height"] or 3}
    picture = html.Img(src=cell["frame"], alt="", **size) if cell.get("frame") else html.Span(className="vary-waiting")
    progress = html.Progress(
        value=str(cell["epoch"]), max=str(cell["epochs"] or 1), hidden=not active, **{"aria-label": "Progress"}
    )
    paint = html.Button(
        [picture, progress],
        type="button",
        className="vary-paint",
        title=f"Paint large: {title}",
        **action("paint", cell["id"], f"Paint large: {title}"),
    )
    state = cell["error"] if cell["state"] == "failed" else "" if cell["state"] == "finished" else cell["state"]
    return html.Td(html.Div([paint, _foot(cell, title, state)], className=f"vary-cell vary-cell-{cell['state']}"))


def _foot(cell: dict[str, Any], title: str, state: str) -> Component:
    keep = "Do not keep" if cell["favorite"] else "Keep in the gallery"
    link = html.A("Open", href=run_url(cell["id"]), className="in-app", **{"aria-label": f"Open: {title}"})
    button = star(cell["id"], cell["favorite"], keep, title)
    return html.Div([html.Span(state, className="vary-state"), link, button], className="vary-foot")


def pair_view(choices: dict[str, dict[str, str] | None]) -> list[Component]:
    """Return thumbnails of the pictures that are chosen in the Studio, with their titles."""
    return [
        html.Figure([html.Img(src=thumbnail_url(choice["ref"], SOURCE_SIDE), alt=""), html.Figcaption(choice["title"])])
        for role, choice in choices.items()
        if choice and role in ("content", *STYLE_ROLES)
    ]


def earlier_link(grid: Grid, pictures: Mapping[str, Mapping[str, str]]) -> Component:
    """Return a link to a grid: its `pictures`, {"ref", "title"} by role, what varies, and when it was started."""
    names = {role: picture["title"] for role, picture in pictures.items()}
    varied = [", ".join(axis.titles(names)) for axis in grid.variations.axes]
    thumbnails = [html.Img(src=thumbnail_url(each["ref"], SOURCE_SIDE), alt="") for each in pictures.values()]
    started = html.Time(dateTime=datetime.fromtimestamp(grid.created, UTC).isoformat())
    texts = [html.Span(title_of(pictures)), html.Small([*(f"{each} · " for each in varied), started])]
    return html.Li(html.A([*thumbnails, *texts], href=f"#{grid.id}"))
