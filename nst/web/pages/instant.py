"""The Instant page: previews of one picture in every fast style, and the result. Callbacks: callbacks/instant.py."""

from dash import dcc, html
from dash.development.base_component import Component

from nst.pictures.images import MAX_BYTES
from nst.pictures.samples import CONTENTS
from nst.web import ids, instant_ids
from nst.web.components.fast_mix import mix
from nst.web.components.form.chooser import chooser
from nst.web.components.form.option_fields import FAST_OPTIONS, FAST_PREFIX, field
from nst.web.components.small_button import small_button
from nst.web.components.viewer import comparison_slider

STORES = (
    instant_ids.STYLES,
    instant_ids.STYLE_ACTION,
    instant_ids.STYLES_SENT,
    instant_ids.PREVIEWS_REQUEST,
    instant_ids.PREVIEWS,
    instant_ids.RESULT_REQUEST,
    instant_ids.RESULT_ANSWER,
    instant_ids.SHOWN_RESULT,
    instant_ids.KEPT_RESULT,
)


def layout() -> Component:
    """Return the page, hidden until the address names it."""
    return html.Main(
        id=ids.PAGE_INSTANT,
        className="instant",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Instant"},
        children=[
            *(dcc.Store(id=store) for store in STORES),
            html.Div([chooser("photo", CONTENTS, CONTENTS[0]), _controls()], className="instant-side"),
            html.Div([_result_panel(), _styles()], className="instant-main"),
        ],
    )


def _result_panel() -> Component:
    """The result over the original; a slider moves the line between them."""
    return html.Section(
        id=instant_ids.RESULT_PANEL,
        className="result-panel",
        hidden=True,
        **{"aria-label": "The result"},
        children=[
            html.Figure(
                id=instant_ids.COMPARISON,
                className="image-frame comparison comparison-instant",
                **{"data-other": "of the picture as it was"},
                children=[
                    html.Img(id=instant_ids.RESULT, alt="The result"),
                    html.Img(id=instant_ids.ORIGINAL, alt="The picture as it was", className="comparison-other"),
                    *comparison_slider(instant_ids.COMPARISON_SLIDER, "Compare with the picture as it was"),
                ],
            ),
            html.Div(
                className="result-info",
                children=[
                    html.H2(id=instant_ids.RESULT_TITLE),
                    html.Div(id=instant_ids.RESULT_NUMBERS, className="numbers", role="status"),
                    small_button(
                        "Refine", instant_ids.REFINE, title="Hand it to the studio, as the start of a painting"
                    ),
                    small_button("Keep", instant_ids.KEEP_RESULT, title="Keep it in the gallery, with its settings"),
                    small_button(
                        "Download", instant_ids.RESULT_DOWNLOAD, external_link=True, color="primary", outline=False
                    ),
                ],
            ),
        ],
    )


def _controls() -> Component:
    return html.Section(
        className="instant-controls",
        **{"aria-label": "How it is painted"},
        children=[mix(), html.Div([field(option, FAST_PREFIX) for option in FAST_OPTIONS], className="fields")],
    )


def _styles() -> Component:
    return html.Section(
        className="style-section",
        **{"aria-label": "Styles"},
        children=[
            html.Div(
                [
                    html.H2("Styles"),
                    html.P(id=instant_ids.INSTANT_HINT, role="status"),
                    dcc.Upload(
                        html.Span("Import a style", className="quiet"), id=instant_ids.STYLE_IMPORT, max_size=MAX_BYTES
                    ),
                ],
                className="style-head",
            ),
            html.P(id=instant_ids.INSTANT_ERROR, className="field-error", role="alert"),
            html.Label("Sending: styles", htmlFor=instant_ids.STYLES_PROGRESS, className="visually-hidden"),
            html.Progress(id=instant_ids.STYLES_PROGRESS, value="0", max="1", hidden=True),
            html.Div([_painting_upload(), html.Div(id=instant_ids.STYLE_GRID, children=[])], className="style-grid"),
        ],
    )


def _painting_upload() -> Component:
    """The drop zone for paintings; each becomes a card of the grid."""
    return html.Section(
        dcc.Upload(
            [html.Strong("Style from a painting"), html.Span("Drop paintings here, or choose them")],
            id=instant_ids.PAINTING_UPLOAD,
            className="drop",
            className_active="drop drop-over",
            className_reject="drop drop-reject",
            max_size=MAX_BYTES,
            multiple=True,
        ),
        className="painting-drop",
        **{"data-largest": MAX_BYTES, "aria-label": "Style from a painting"},
    )
