"""The studio: two pictures in, and a painting that forms before your eyes."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.pictures.samples import CONTENTS, STYLES
from nst.web import follow, ids
from nst.web.callbacks import history, restore, steering
from nst.web.components import figures
from nst.web.components.form import basics, chooser, further, legend
from nst.web.pages import gallery, instant

TICKING = 100  # ms between two tries to send a poll; one that waits for its answer holds the others back


def layout(logout: bool = False) -> Component:
    """The whole page; `logout` says that one has logged in to see it."""
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Interval(id=ids.TICK, interval=TICKING),
            dcc.Store(id=ids.ASK),
            dcc.Store(id=ids.ANSWERED),
            dcc.Store(id=ids.CURSOR, data={"run": "", "n": 0, "studio": None}),
            dcc.Store(id=ids.FRAMES),
            dcc.Store(id=ids.STUDIO),
            dcc.Store(id=ids.DRAFT),
            dcc.Store(id=ids.FORECAST),
            _header(logout),
            html.Main([_panel(), _stage(), _notes()], id=ids.ROOM_STUDIO, className="studio", tabIndex=-1),
            instant.layout(),
            gallery.layout(),
            dbc.Toast(id=ids.TOAST, header="That did not work", is_open=False, dismissable=True, duration=12000),
            dbc.Toast(id=ids.NOTE, is_open=False, dismissable=True, duration=12000, class_name="note", header="Refine"),
            html.Div("The studio does not answer. Trying again …", className="away", role="status"),
        ]
    )


def _header(logout: bool) -> Component:
    return html.Header(
        className="bar",
        children=[
            html.H1(html.A([html.Span("nst", className="wordmark"), " studio"], href="/", title="Start afresh")),
            html.Div("the worker is getting ready", id=ids.WORKER, className="pill pill-starting", role="status"),
            html.Nav(
                [
                    html.A("Studio", id=ids.TO_STUDIO, href="/", className="inside"),
                    html.A("Instant", id=ids.TO_INSTANT, href="/instant", className="inside"),
                    html.A("Gallery", id=ids.TO_GALLERY, href="/gallery", className="inside"),
                    html.A("API", href="/docs"),
                    *([html.Form(html.Button("Log out"), method="post", action="/logout")] if logout else []),
                    html.Button("◐", id=ids.THEME, type="button", title="Light or dark", className="round"),
                ],
                **{"aria-label": "Site"},
            ),
        ],
    )


def _panel() -> Component:
    return html.Section(
        className="panel",
        **{"aria-label": "What to paint"},
        children=[
            html.Div(
                [
                    html.Div(
                        [
                            chooser("content", CONTENTS, CONTENTS[0]),
                            chooser("style", STYLES, STYLES[0]),
                            html.Div(
                                [
                                    html.Button("⇄ Swap", id=ids.SWAP, type="button", className="quiet"),
                                    html.Button("✦ Surprise me", id=ids.SURPRISE, type="button", className="quiet"),
                                    restore.button(),
                                    html.P(id=ids.SETTINGS_SAID, className="hint", role="status"),
                                ],
                                className="whims",
                            ),
                        ],
                        className="choosers",
                    ),
                    basics(),
                    further(),
                ],
                className="panel-scroll",
            ),
            html.Div(
                [
                    html.Div(id=ids.ESTIMATE, className="estimate", role="status"),
                    dbc.Button("Start", id=ids.START, color="primary", class_name="start"),
                    dbc.Button("Pause", id=ids.PAUSE, color="secondary", outline=True, disabled=True),
                    dbc.Button("Stop", id=ids.STOP, color="secondary", outline=True, disabled=True),
                ],
                className="panel-foot",
            ),
        ],
    )


def _stage() -> Component:
    return html.Section(
        className="stage",
        **{"aria-label": "The painting"},
        children=[
            html.Figure(
                id=ids.EASEL,
                className="easel easel-idle",
                children=[
                    dcc.Graph(
                        id=ids.IMAGE,
                        figure=figures.picture(),
                        config=figures.CONFIG,
                        responsive=True,
                        className="canvas",
                    ),
                    _lesson(),
                ],
            ),
            html.Div(
                className="ledger",
                children=[
                    html.Div(follow.READY, id=ids.STATUS, className="status", role="status", **{"aria-live": "polite"}),
                    html.Div(id=ids.NUMBERS, className="numbers"),
                    html.Label("Progress", htmlFor=ids.PROGRESS, className="visually-hidden"),
                    html.Progress(id=ids.PROGRESS, value="0", max="1"),
                    dbc.Button(
                        "Download",
                        id=ids.DOWNLOAD,
                        disabled=True,
                        external_link=True,
                        outline=True,
                        color="secondary",
                        size="sm",
                    ),
                ],
            ),
            history.layout(),
        ],
    )


def _lesson() -> Component:
    """What an empty easel says."""
    return html.Ol(
        [
            html.Li([html.Strong("Choose a photograph."), " It says what is in the picture."]),
            html.Li([html.Strong("Choose a painting."), " It says how it is painted."]),
            html.Li([html.Strong("Press Start"), " and watch it grow out of noise, stroke by stroke."]),
        ],
        className="lesson",
    )


def _notes() -> Component:
    return html.Aside(
        className="notes",
        **{"aria-label": "How the painting goes"},
        children=[
            html.Section(
                [
                    html.H2("Losses"),
                    dcc.Graph(
                        id=ids.LOSS,
                        figure=figures.losses(),
                        config=figures.LOSS_CONFIG,
                        responsive=True,
                        style={"height": "13rem"},
                    ),
                    html.Dl(legend(), id=ids.LEGEND, className="legend"),
                    html.Ul(id=ids.MARKS, className="marks"),
                ],
                className="card",
            ),
            steering.card(),
            html.Section(
                [
                    html.H2("The painter"),
                    html.P(id=ids.PAINTER, role="status", **{"aria-live": "polite"}),
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
            ),
        ],
    )
