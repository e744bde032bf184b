"""The line about runs that were started together, with a link to their results (assets/batch.js)."""

from dash import dcc, html
from dash.development.base_component import Component

from nst.web import ids
from nst.web.components.small_button import icon_button


def layout() -> Component:
    """Return the line, hidden until several runs are started at once."""
    return html.Div(
        [
            dcc.Store(id=ids.BATCH, storage_type="local", data=None),
            html.Span(id=ids.BATCH_TEXT, role="status"),
            html.A(id=ids.BATCH_LINK, download="paintings.zip", className="quiet"),
            icon_button("✕", ids.BATCH_CLOSE, "Hide this", "quiet"),
        ],
        id=ids.BATCH_BAR,
        className="batch",
        hidden=True,
    )
