"""Further paintings of a run: a chooser for each, and the weight and the scale of each painting in the mix."""

import math

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.options.picture_roles import STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures.samples import STYLES
from nst.web import ids
from nst.web.components.form.chooser import chooser

OPTIONS = ("style_mix", "style_scales")  # their text boxes are hidden: assets/style_mix.js writes them
SLIDER_WEIGHT = 100  # at the right end of a slider
SCALES = StyleOptions.option("style_scales")


def layout() -> Component:
    """Return the choosers of further paintings, the button that adds one, and the mix; hidden until they are needed."""
    return html.Section(
        [
            html.Div([_slot(role) for role in STYLE_ROLES[1:]], className="further-styles"),
            html.Button("+ Another painting", id=ids.ADD_STYLE, type="button", className="quiet add-style"),
            dcc.Store(id=ids.OPEN_STYLES, data=0),
            _mix(),
        ],
        className="style-mix-panel",
        **{"aria-label": "Further paintings"},
    )


def _slot(role: str) -> Component:
    number = STYLE_ROLES.index(role) + 1
    remove = html.Button(
        "Remove",
        id=ids.remove_style(role),
        type="button",
        className="quiet",
        **{"aria-label": f"Remove painting {number}"},
    )
    return html.Div([chooser(role, STYLES), remove], id=ids.style_slot(role), className="style-slot", hidden=True)


def _mix() -> Component:
    return html.Div(
        [
            html.H3("Mix"),
            html.P(
                "The paintings are blended into one style. Brushwork is the size of a painting's strokes, in place of "
                "Style scale.",
                className="hint",
            ),
            *(_row(number) for number in range(len(STYLE_ROLES))),
            *(dbc.Input(id=ids.value(name), type="hidden", value="") for name in OPTIONS),
            *(html.Div(id=ids.error(ids.value(name)), className="field-error", role="alert") for name in OPTIONS),
        ],
        id=ids.STYLE_MIX,
        hidden=True,
    )


def _row(number: int) -> Component:
    """The title of a painting, its weight with its share, and its scale."""
    weight, scale = ids.style_mix(number, "weight"), ids.style_mix(number, "scale")
    smallest, largest = (round(math.log10(bound or 1), 2) for bound in (SCALES.low, SCALES.high))  # in whole steps
    return html.Div(
        [
            html.Span(id=ids.style_mix(number, "title"), className="style-mix-title"),
            html.Label("Weight", htmlFor=weight),
            dbc.Input(id=weight, type="range", min=0, max=SLIDER_WEIGHT, step=1, value=SLIDER_WEIGHT // 2),
            html.Span(id=ids.style_mix(number, "share"), className="unit"),
            html.Label("Brushwork", htmlFor=scale),
            dbc.Input(id=scale, type="range", min=smallest, max=largest, step=0.01, value=0),
            html.Span(id=ids.style_mix(number, "factor"), className="unit"),
        ],
        id=ids.style_mix(number, "row"),
        className="style-mix-row",
        role="group",
        **{"aria-labelledby": ids.style_mix(number, "title")},
        hidden=True,
    )
