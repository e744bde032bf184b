"""The Gallery page, where runs are found again. Callbacks: nst/web/callbacks/gallery.py."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.jobs.storage.archive import UNDO
from nst.runs.run import State
from nst.web import ids
from nst.web.components.run_grid import ANY_STATE, INSTANT

SEARCH_DEBOUNCE = 300  # ms without a key press before a search is sent


def layout() -> Component:
    """Return the page, hidden until the address names it."""
    return html.Main(
        id=ids.PAGE_GALLERY,
        className="gallery",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Gallery"},
        children=[
            dcc.Store(id=ids.GRID_REQUEST),
            dcc.Store(id=ids.GRID_ANSWER),
            dcc.Store(id=ids.GRID_VERSIONS, data=[]),
            dcc.Store(id=ids.ACTION),
            dcc.Store(id=ids.ACTION_RESULT),
            _head(),
            _filters(),
            html.Div(id=ids.GRID, className="run-grid", children=[]),
            _empty_hints(),
            html.Button(
                "More", id=ids.MORE, type="button", className="btn btn-outline-secondary show-more", hidden=True
            ),
            _undo_bar(),
            _chosen_bar(),
        ],
    )


def _head() -> Component:
    return html.Div(
        [
            html.H2("Gallery"),
            html.Div(id=ids.FOUND, className="run-count", role="status"),
            html.Div(
                [
                    html.Label(id=ids.USED_TEXT, htmlFor=ids.USED),
                    html.Progress(id=ids.USED, value="0", max="1"),
                ],
                className="disk",
            ),
        ],
        className="gallery-head",
    )


def _filters() -> Component:
    states = [
        {"label": "Any state", "value": ANY_STATE},
        {"label": "Instant", "value": INSTANT},
        *({"label": each.capitalize(), "value": each} for each in State),
    ]
    return html.Div(
        [
            html.Label("Search", htmlFor=ids.SEARCH, className="visually-hidden"),
            dbc.Input(
                id=ids.SEARCH,
                type="search",
                debounce=SEARCH_DEBOUNCE,
                autocomplete="off",
                placeholder="Names of pictures, a network, a setting …",
            ),
            html.Label("State", htmlFor=ids.STATE_FILTER, className="visually-hidden"),
            dbc.Select(id=ids.STATE_FILTER, options=states, value=ANY_STATE),
            dbc.Switch(id=ids.FAVORITE_FILTER, label="Favorites", value=False),
        ],
        className="filters",
        role="search",
    )


def _empty_hints() -> Component:
    """What is shown in place of an empty grid: that there is no run yet, or that none was found."""
    studio = html.A("In the studio", href="/", className="in-app")
    return html.Div(
        [
            html.P(
                [html.Strong("There are no runs yet."), " ", studio, ", choose two pictures and press Start."],
                id=ids.NONE_YET,
                hidden=True,
            ),
            html.P(
                [html.Strong("Nothing was found."), " Try fewer words, or another state."],
                id=ids.NONE_FOUND,
                hidden=True,
            ),
        ],
        className="empty-grid",
        role="status",
    )


def _undo_bar() -> Component:
    """Names the run that was deleted last, and restores it; assets/gallery.js fills it."""
    return html.Div(
        [
            html.Span(id=ids.UNDO_TEXT, role="status"),
            html.Button("Undo", id=ids.UNDO, type="button"),
            html.Button("✕", id=ids.CLOSE_UNDO, type="button", title="Close", **{"aria-label": "Close"}),
        ],
        id=ids.UNDO_BAR,
        className="undo-bar",
        hidden=True,
        **{"data-seconds": UNDO},
    )


def _chosen_bar() -> Component:
    """Names the runs that are chosen to be compared, and leads to the comparison; assets/gallery.js fills it."""
    return html.Div(
        [
            html.Span(id=ids.CHOSEN_TEXT, role="status"),
            html.A("Compare", id=ids.CHOSEN_LINK, href="/compare", className="in-app", hidden=True),
            html.Button("✕", id=ids.CHOSEN_CLEAR, type="button", title="Choose none", **{"aria-label": "Choose none"}),
        ],
        id=ids.CHOSEN_BAR,
        className="undo-bar chosen-bar",
        hidden=True,
    )
