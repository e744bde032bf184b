"""The mask of a run: what it does, its file, and a dialog in which it is painted over the content."""

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.form.chooser import chooser
from nst.web.components.form.option_fields import field

TOOLS = {"paint": "Paint", "erase": "Erase"}
ADVICE = (
    "White, black and gray parts of a picture of the content's shape. Paint it over the content, for example a face to "
    "keep, or give a file; what is transparent is black."
)
KEYS = "The mask over the content: the arrow keys move the brush, Space paints. Instead, a file can be chosen"


def layout() -> Component:
    """Return the panel of the mask, closed until there is one, and the dialog."""
    use = StyleOptions.option("mask_use")
    buttons = html.Div(
        [
            html.Button("Paint it", id=ids.mask("open"), type="button", className="quiet"),
            html.Button(
                "Remove",
                id=ids.mask("remove"),
                type="button",
                className="quiet",
                hidden=True,
                **{"aria-label": "Remove mask"},
            ),
        ],
        className="mask-buttons",
    )
    panel = [html.P(ADVICE, className="hint"), html.Div([chooser("mask"), buttons], className="mask-file"), field(use)]
    summary = html.Summary(["Keep or split parts of the picture", html.Strong(id=ids.mask("name"))])
    return html.Div([html.Details([summary, *panel], id=ids.mask("panel")), _dialog()], className="mask-panel")


def _dialog() -> Component:
    size, value = ids.mask("size"), ids.mask("value")
    return html.Dialog(
        [
            html.H2("Paint the mask", id=ids.mask("title")),
            html.Div(
                [
                    html.Img(id=ids.mask("picture"), alt=""),
                    html.Canvas(
                        id=ids.mask("canvas"),
                        role="application",
                        tabIndex=0,
                        **{"aria-label": KEYS},
                    ),
                    html.Span(id=ids.mask("ring"), className="mask-ring", **{"aria-hidden": "true"}),
                ],
                className="mask-stage",
            ),
            html.Div(
                [
                    dbc.RadioItems(
                        id=ids.mask("tool"),
                        options=[{"label": label, "value": name} for name, label in TOOLS.items()],
                        value="paint",
                        inline=True,
                    ),
                    html.Label(["Brush size", dbc.Input(id=size, type="range", min=2, max=40, step=1, value=10)]),
                    html.Label(["White", dbc.Input(id=value, type="range", min=10, max=100, step=5, value=100)]),
                    dbc.Switch(id=ids.mask("soft"), label="Soft edge", value=True),
                ],
                className="mask-tools",
            ),
            html.Div(
                [
                    html.Button("Undo", id=ids.mask("undo"), type="button", className="quiet"),
                    html.Button("Clear", id=ids.mask("clear"), type="button", className="quiet"),
                    html.Button("Cancel", id=ids.mask("cancel"), type="button", className="quiet"),
                    dbc.Button("Use this mask", id=ids.mask("use"), color="primary"),
                ],
                className="mask-actions",
            ),
        ],
        id=ids.mask("dialog"),
        className="mask-dialog",
        **{"aria-labelledby": ids.mask("title")},
    )
