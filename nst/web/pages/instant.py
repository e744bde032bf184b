"""The instant room: a wall on which every style shows the picture at hand, painted in one pass. Callbacks: wall.py."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.pictures.images import MAX_BYTES
from nst.pictures.samples import CONTENTS
from nst.styles.style_file import SUFFIX
from nst.web import ids
from nst.web.callbacks.instant import FORM, MIXED, OPTIONS
from nst.web.components.form import chooser, field


def layout() -> Component:
    """The whole room, hidden until the address asks for it."""
    stores = (ids.STYLES, ids.STYLE_WISH, ids.PREVIEWS_ASK, ids.PREVIEWS, ids.PAINT_ASK, ids.PAINTED, ids.SHOWN)
    return html.Main(
        id=ids.ROOM_INSTANT,
        className="instant",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Instant"},
        children=[
            *(dcc.Store(id=store) for store in stores),
            html.Div([chooser("photo", CONTENTS, CONTENTS[0]), _controls()], className="instant-side"),
            html.Div([_stage(), _wall()], className="instant-main"),
        ],
    )


def _stage() -> Component:
    """The result over the picture it was painted from; where they meet is for the visitor to say."""
    return html.Section(
        id=ids.INSTANT_STAGE,
        className="instant-stage",
        hidden=True,
        **{"aria-label": "The result"},
        children=[
            html.Figure(
                id=ids.CANVAS,
                className="easel instant-canvas",
                children=[
                    html.Img(id=ids.RESULT, alt="The result"),
                    html.Img(id=ids.ORIGINAL, alt="The picture as it was"),
                    html.Label("Compare with the picture as it was", htmlFor=ids.CUT, className="visually-hidden"),
                    dbc.Input(id=ids.CUT, type="range", min=0, max=100, step=1, value=0),
                ],
            ),
            html.Div(
                className="instant-ledger",
                children=[
                    html.H2(id=ids.RESULT_TITLE),
                    html.Div(id=ids.RESULT_NUMBERS, className="numbers", role="status"),
                    dbc.Button(
                        "Refine",
                        id=ids.REFINE,
                        disabled=True,
                        outline=True,
                        color="secondary",
                        size="sm",
                        title="Hand it to the studio, as the start of a painting",
                    ),
                    dbc.Button(
                        "Download",
                        id=ids.RESULT_DOWNLOAD,
                        disabled=True,
                        external_link=True,
                        color="primary",
                        size="sm",
                    ),
                ],
            ),
        ],
    )


def _controls() -> Component:
    return html.Section(
        className="instant-controls",
        **{"aria-label": "How it is painted"},
        children=[
            html.Section(
                [html.H2("Mix"), *(_slot(n) for n in range(MIXED))],
                id=ids.MIX,
                hidden=True,
                className="mix",
            ),
            html.Div([field(option, FORM) for option in OPTIONS], className="fields"),
        ],
    )


def _slot(n: int) -> Component:
    """A style of the mix and its weight; the page's script fills it."""
    return html.Div(
        [
            html.Div(
                [
                    html.Label(id=ids.mixed(n, "name"), htmlFor=ids.mixed(n, "weight")),
                    html.Span(id=ids.mixed(n, "share"), className="unit"),
                ],
                className="field-head",
            ),
            dbc.Input(id=ids.mixed(n, "weight"), type="range", min=0, max=100, step=1, value=50),
        ],
        id=ids.mixed(n, "slot"),
        className="mix-slot",
        hidden=True,
    )


def _wall() -> Component:
    return html.Section(
        className="instant-wall",
        **{"aria-label": "Styles"},
        children=[
            html.Div(
                [
                    html.H2("Styles"),
                    html.P(id=ids.INSTANT_SAID, role="status"),
                    dcc.Upload(
                        html.Span("Import a style", className="quiet"),
                        id=ids.STYLE_IMPORT,
                        max_size=MAX_BYTES,
                        accept=SUFFIX,
                    ),
                ],
                className="wall-head",
            ),
            html.P(id=ids.INSTANT_WRONG, className="field-error", role="alert"),
            html.Div(id=ids.STYLE_WALL, className="style-wall", children=[]),
        ],
    )
