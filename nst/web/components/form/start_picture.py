"""The picture that a run is to start from, shown in the place of the painting while the Studio page shows no run."""

from dash import html
from dash.development.base_component import Component

from nst.web import ids


def start_picture() -> Component:
    """Return the picture and what to do, hidden unless one is chosen; assets/start_picture.js shows it."""
    return html.Div(
        [
            html.Img(id=ids.START_IMAGE, alt="The picture that the painting starts from"),
            html.P([html.Strong("The painting starts from this picture."), " ", html.Span(id=ids.START_HINT)]),
        ],
        id=ids.START_PICTURE,
        className="start-picture",
        hidden=True,
    )
