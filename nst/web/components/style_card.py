"""The card of a fast style on the Instant page."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.styles.style_file import MOST_TITLE
from nst.styles.style_library import Entry
from nst.web import ids
from nst.web.components import data_url


def style_card(entry: Entry, fixed: bool) -> Component:
    """Return the card of a style, with its own picture until there is a preview; `fixed` means that it has no menu."""
    title = entry.style.title
    return html.Article(
        id=ids.style_card(entry.name),
        className="style-card",
        **{"data-style": entry.name},
        children=[
            html.Button(
                html.Img(src=data_url.encode(entry.style.picture), alt=""),
                type="button",
                className="style-pick",
                **{"data-do": "pick", "aria-label": f"Paint with {title}", "aria-pressed": "false"},
            ),
            html.Button(
                "+",
                type="button",
                className="style-mix",
                title=f"Mix {title} in",
                **{"data-do": "mix", "aria-label": f"Mix {title} in", "aria-pressed": "false"},
            ),
            html.H3([title, *([] if entry.shipped else [html.Span("yours", className="own-style")])]),
            *([] if fixed else [_menu(entry)]),
        ],
    )


def _menu(entry: Entry) -> Component:
    """Rename, export and remove."""
    box, title = f"title-{entry.name}", entry.style.title
    return html.Details(
        [
            html.Summary("⋯", title=f"More for {title}", **{"aria-label": f"More for {title}"}),
            html.Div(
                [
                    html.Label("Title", htmlFor=box),
                    dbc.Input(id=box, value=title, maxLength=MOST_TITLE, autocomplete="off"),
                    html.Button("Rename", type="button", **{"data-do": "rename"}),
                    html.A("Export", href=f"/api/v1/styles/fast/{entry.name}.style", download=f"{entry.name}.style"),
                    html.Button("Remove", type="button", **{"data-do": "remove"}),
                ]
            ),
        ],
        className="style-menu",
    )


def style_summary(entry: Entry) -> dict[str, Any]:
    """Return what assets/instant.js needs to know of a style."""
    return {"name": entry.name, "title": entry.style.title, "network": entry.file.network}
