"""The gallery: the wall on which one finds one's runs again. Callbacks: shelf.py."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.jobs.archive import UNDO
from nst.runs.run import State
from nst.web import ids
from nst.web.callbacks.gallery import ANY

TYPING = 300  # ms of rest before what is typed is looked for


def layout() -> Component:
    """The whole room, hidden until the address asks for it."""
    return html.Main(
        id=ids.ROOM_GALLERY,
        className="gallery",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Gallery"},
        children=[
            dcc.Store(id=ids.LOOK),
            dcc.Store(id=ids.LOOKED),
            dcc.Store(id=ids.HUNG, data=[]),
            dcc.Store(id=ids.WISH),
            dcc.Store(id=ids.GRANTED),
            _head(),
            _filters(),
            html.Div(id=ids.WALL, className="wall", children=[]),
            _nothing(),
            html.Button("More", id=ids.MORE, type="button", className="btn btn-outline-secondary more", hidden=True),
            _bin(),
        ],
    )


def _head() -> Component:
    return html.Div(
        [
            html.H2("Gallery"),
            html.Div(id=ids.FOUND, className="found", role="status"),
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
    states = [{"label": "Any state", "value": ANY}, *({"label": each.capitalize(), "value": each} for each in State)]
    return html.Div(
        [
            html.Label("Search", htmlFor=ids.WORDS, className="visually-hidden"),
            dbc.Input(
                id=ids.WORDS,
                type="search",
                debounce=TYPING,
                autocomplete="off",
                placeholder="Names of pictures, a network, a setting …",
            ),
            html.Label("State", htmlFor=ids.OF_STATE, className="visually-hidden"),
            dbc.Select(id=ids.OF_STATE, options=states, value=ANY),
            dbc.Switch(id=ids.OF_FAVOURITES, label="Favourites", value=False),
        ],
        className="filters",
        role="search",
    )


def _nothing() -> Component:
    """What an empty wall says."""
    studio = html.A("In the studio", href="/", className="inside")
    return html.Div(
        [
            html.P(
                [html.Strong("Nothing hangs here yet."), " ", studio, ", choose two pictures and press Start."],
                id=ids.NONE_YET,
                hidden=True,
            ),
            html.P(
                [html.Strong("Nothing was found."), " Try fewer words, or another state."],
                id=ids.NONE_FOUND,
                hidden=True,
            ),
        ],
        className="nothing",
        role="status",
    )


def _bin() -> Component:
    """The last run that was deleted, and the way back; the page's script fills it."""
    return html.Div(
        [
            html.Span(id=ids.BIN_TEXT, role="status"),
            html.Button("Undo", id=ids.UNDO, type="button"),
            html.Button("✕", id=ids.FORGET, type="button", title="Close", **{"aria-label": "Close"}),
        ],
        id=ids.BIN,
        className="bin",
        hidden=True,
        **{"data-lasts": UNDO},
    )
