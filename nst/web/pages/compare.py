"""The Compare page: any two runs, side by side or under one slider. Callbacks: nst/web/callbacks/compare.py."""

from dash import html
from dash.development.base_component import Component

from nst.web import ids
from nst.web.components.run.result_tools import copy_button


def layout() -> Component:
    """Return the page, hidden until the address names it."""
    return html.Main(
        id=ids.PAGE_COMPARE,
        className="compare-page",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Compare"},
        children=[
            html.Div([html.H2("Compare"), copy_button(ids.COPY_COMPARED_LINK)], className="compare-head"),
            html.Div(id=ids.COMPARED),
        ],
    )
