"""The mix of fast styles on the Instant page: a slot with a weight for each style."""

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.web import instant_ids

MIX_SLOTS = 3  # styles that the page mixes at most


def mix() -> Component:
    """Return the slots, hidden until two styles are mixed; assets/instant.js fills them."""
    return html.Section(
        [html.H2("Mix"), *(_slot(n) for n in range(MIX_SLOTS))],
        id=instant_ids.MIX,
        hidden=True,
        className="mix",
    )


def _slot(n: int) -> Component:
    """The name of a style, its share and its weight."""
    return html.Div(
        [
            html.Div(
                [
                    html.Label(id=instant_ids.mix(n, "name"), htmlFor=instant_ids.mix(n, "weight")),
                    html.Span(id=instant_ids.mix(n, "share"), className="unit"),
                ],
                className="field-head",
            ),
            dbc.Input(id=instant_ids.mix(n, "weight"), type="range", min=0, max=100, step=1, value=50),
        ],
        id=instant_ids.mix(n, "slot"),
        className="mix-slot",
        hidden=True,
    )
