"""The Studio page, and the layout of the whole document: header, pages and messages."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.pictures.samples import CONTENTS, STYLES
from nst.web import ids, instant_ids
from nst.web.components import viewer
from nst.web.components.form import mask, network, presets, settings_upload, style_mix
from nst.web.components.form.chooser import chooser
from nst.web.components.form.option_fields import basic_fields, further_fields
from nst.web.components.form.start_picture import start_picture
from nst.web.components.run import (
    batch,
    diagnosis,
    figures,
    history,
    result_tools,
    run_buttons,
    run_queue,
    status,
    steering,
)
from nst.web.components.small_button import icon_button, small_button
from nst.web.pages import compare, gallery, instant, learn, vary

FORM_NOTE = (
    "These settings are for the next run. What changes the picture that is painted now is under Adjust while painting."
)


def layout(logout: bool = False) -> Component:
    """Return the layout of the document; `logout` adds the button that ends a session."""
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            dcc.Store(id=ids.START_REQUEST),
            dcc.Store(id=ids.WRONG_FIELD),
            dcc.Store(id=ids.POLL_REQUEST),
            dcc.Store(id=ids.POLL_ANSWER),
            dcc.Store(id=ids.POLL_WAKE),
            dcc.Store(id=ids.CURSOR, data={"run": "", "n": 0, "server": None}),
            dcc.Store(id=ids.FRAMES),
            dcc.Store(id=ids.SERVER),
            dcc.Store(id=ids.FORM_SOURCE),
            dcc.Store(id=ids.SETTINGS_FILE),
            dcc.Store(id=ids.FORM_CHANGES),
            dcc.Store(id=ids.FORECAST),
            dcc.Store(id=ids.LEARN_OPENED),
            dcc.Store(id=ids.COMPARE_REQUEST),
            _header(logout),
            html.Main([_form_panel(), _image_panel(), _sidebar()], id=ids.PAGE_STUDIO, className="studio", tabIndex=-1),
            instant.layout(),
            vary.layout(),
            gallery.layout(),
            learn.layout(),
            compare.layout(),
            dbc.Toast(id=ids.TOAST, is_open=False, dismissable=True),
            dbc.Toast(id=instant_ids.NOTE, is_open=False, dismissable=True, class_name="note", header="Refine"),
            html.Div("The studio does not answer. Trying again …", className="offline", role="status"),
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
                    html.A("Studio", id=ids.LINK_STUDIO, href="/", className="in-app"),
                    html.A("Instant", id=ids.LINK_INSTANT, href="/instant", className="in-app"),
                    html.A("Variations", id=ids.LINK_VARY, href="/vary", className="in-app"),
                    html.A("Gallery", id=ids.LINK_GALLERY, href="/gallery", className="in-app"),
                    html.A("Learn", id=ids.LINK_LEARN, href="/learn", className="in-app"),
                    html.A("API", href="/docs"),
                    *([_logout()] if logout else []),
                    icon_button("◐", ids.THEME, "Light or dark", "round"),
                ],
                **{"aria-label": "Site"},
            ),
        ],
    )


def _logout() -> Component:
    everywhere = html.Button("everywhere", formAction="/logout/everywhere", title="End the sessions of all browsers")
    return html.Form([html.Button("Log out"), " ", everywhere], method="post", action="/logout")


def _form_panel() -> Component:
    buttons = html.Div(
        [
            html.Button("⇄ Swap", id=ids.SWAP, type="button", className="quiet"),
            html.Button("✦ Surprise me", id=ids.SURPRISE, type="button", className="quiet"),
            html.A("▦ Variations", href="/vary", className="quiet in-app", title="Try several values of a setting"),
            settings_upload.button(),
            html.P(id=ids.SETTINGS_MESSAGE, className="hint", role="status"),
        ],
        className="chooser-buttons",
    )
    choosers = html.Div(
        [
            chooser("content", CONTENTS, CONTENTS[0]),
            chooser("style", STYLES, STYLES[0]),
            style_mix.layout(),
            mask.layout(),
            buttons,
        ],
        className="choosers",
    )
    note = html.P(FORM_NOTE, id=ids.FORM_NOTE, className="hint form-note", hidden=True)
    return html.Section(
        className="panel",
        **{"aria-label": "What to paint"},
        children=[
            html.A("Skip to Start", href=f"#{ids.START}", className="visually-hidden-focusable skip-link"),
            html.Div([choosers, presets.layout(), note, basic_fields(), further_fields()], className="panel-scroll"),
            html.Div(
                [
                    html.Div(id=ids.ESTIMATE, className="estimate", role="status"),
                    *run_buttons.layout(),
                ],
                className="panel-foot",
            ),
        ],
    )


def _image_panel() -> Component:
    return html.Section(
        className="image-panel",
        **{"aria-label": "The painting"},
        children=[
            run_queue.layout(),
            batch.layout(),
            html.Figure(
                id=ids.IMAGE_FRAME,
                className="comparison viewer image-frame image-frame-idle",
                **{"data-other": "of the photograph"},
                children=[
                    viewer.picture_window(
                        "The painting",
                        dcc.Graph(
                            id=ids.IMAGE,
                            figure=figures.picture(),
                            config=figures.CONFIG,
                            responsive=True,
                            className="image-plot",
                        ),
                        html.Img(id=ids.PHOTOGRAPH, alt="", className="comparison-other"),
                    ),
                    *viewer.comparison_slider(ids.PHOTOGRAPH_SLIDER, "Compare with the photograph"),
                    viewer.tools(*viewer.TOOLS),
                    _instructions(),
                    start_picture(),
                ],
            ),
            html.Div(
                className="run-info",
                children=[
                    html.Div(status.READY, id=ids.STATUS, className="status", role="status", **{"aria-live": "polite"}),
                    html.Div(id=ids.NUMBERS, className="numbers"),
                    html.Label("Progress", htmlFor=ids.PROGRESS, className="visually-hidden"),
                    html.Progress(id=ids.PROGRESS, value="0", max="1"),
                    result_tools.notify_button(),
                    small_button("Download", ids.DOWNLOAD, external_link=True),
                ],
            ),
            history.layout(),
        ],
    )


def _instructions() -> Component:
    """What is shown in place of the image before the first run."""
    return html.Ol(
        [
            html.Li([html.Strong("Choose a photograph."), " It says what is in the picture."]),
            html.Li([html.Strong("Choose a painting."), " It says how it is painted."]),
            html.Li([html.Strong("Press Start"), " and watch it grow out of noise, stroke by stroke."]),
        ],
        className="instructions",
    )


def _sidebar() -> Component:
    losses = html.Section(
        [
            html.H2("Losses"),
            dcc.Graph(
                id=ids.LOSS,
                figure=figures.losses(),
                config=figures.CONFIG,
                responsive=True,
                style={"height": "13rem"},
            ),
            html.Dl(figures.legend(), id=ids.LEGEND, className="legend"),
            html.P(figures.STEPS, className="hint"),
            html.Ul(id=ids.STEERED, className="steered"),
        ],
        className="card",
    )
    return html.Aside(
        className="sidebar",
        **{"aria-label": "How the painting goes"},
        children=[losses, diagnosis.card(), steering.card(), network.card()],
    )
