"""The Variations page: what varies, and the grid of quick runs. Callbacks: nst/web/callbacks/vary.py."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.options.variations import MOST_AXES, MOST_RUNS, QUICK_SIZE, VARIABLE, proposed_values
from nst.web import ids
from nst.web.components.form.network import BUILT_IN, NETWORK_NAMES
from nst.web.components.form.option_fields import page_help
from nst.web.components.small_button import small_button
from nst.web.components.variation_grid import NO_TITLE

FIRST_OPTIONS = ("strength", "seed")  # that the page proposes
NONE = "none"  # value of the second choice where one option varies; not "", which dbc.Select shows as no choice
PROPOSALS = {
    option.name: {"values": proposed_values(option), "help": page_help(option)} for option in VARIABLE.values()
}
NETWORKS = (
    f"Where Network is Automatic, quick runs are painted with the {BUILT_IN.lower()}, and a large one may be painted "
    f"with {NETWORK_NAMES['vgg19']}."
)


def layout() -> Component:
    """Return the page, hidden until the address names it."""
    return html.Main(
        id=ids.PAGE_VARY,
        className="vary",
        hidden=True,
        tabIndex=-1,
        **{"aria-label": "Variations"},
        children=[
            dcc.Store(id=ids.VARY_PROPOSALS, data=PROPOSALS),
            dcc.Store(id=ids.VARY_CHECK),
            dcc.Store(id=ids.VARY_REQUEST),
            dcc.Store(id=ids.VARY_ANSWER),
            dcc.Store(id=ids.VARY_SHOWN, data=["", []]),
            dcc.Store(id=ids.VARY_ACTION),
            dcc.Store(id=ids.VARY_ACTION_RESULT),
            _form(),
            _grid(),
        ],
    )


def _form() -> Component:
    return html.Section(
        className="vary-form",
        **{"aria-label": "What varies"},
        children=[
            html.H2("Variations"),
            html.P(
                [
                    "Quick runs of the pictures and settings in the ",
                    html.A("Studio", href="/", className="in-app"),
                    f", {QUICK_SIZE} px each. Click one to paint it large.",
                ]
            ),
            html.P(NETWORKS, className="hint"),
            html.Div(id=ids.VARY_PAIR, className="vary-pair"),
            *(_axis(n, name) for n, name in enumerate(FIRST_OPTIONS[:MOST_AXES])),
            html.P(id=ids.VARY_SUMMARY, className="estimate", role="status"),
            dbc.Button("Start", id=ids.VARY_START, color="primary"),
            html.Details([html.Summary("Earlier ones"), html.Ul(id=ids.VARY_EARLIER)], className="vary-earlier"),
        ],
    )


def _axis(n: int, name: str) -> Component:
    """The choice of an option and the box of its values."""
    options = [{"label": option.label, "value": option.name} for option in VARIABLE.values()]
    none = [{"label": "Nothing else", "value": NONE}] if n else []
    title, which = ("Vary", "first") if n == 0 else ("And", "second")
    values = ids.axis(n, "values")
    return html.Div(
        className="field",
        children=[
            dbc.Label(title, html_for=ids.axis(n, "option")),
            dbc.Select(id=ids.axis(n, "option"), options=[*none, *options], value=name),
            dbc.Label(f"Values of the {which} option", html_for=values, class_name="visually-hidden"),
            dbc.Input(
                id=values,
                type="text",
                value=PROPOSALS[name]["values"],
                autocomplete="off",
                placeholder="values, separated by commas",
            ),
            html.Div(PROPOSALS[name]["help"], id=ids.hint(values), className="hint"),
            html.Div(id=ids.error(values), className="field-error", role="alert"),
        ],
    )


def _grid() -> Component:
    return html.Section(
        className="vary-result",
        **{"aria-label": "The grid"},
        children=[
            html.Div(
                [
                    html.H2(NO_TITLE, id=ids.VARY_TITLE),
                    html.Span(id=ids.VARY_STATUS, role="status"),
                    small_button("Stop", ids.VARY_STOP),
                    small_button("Download the sheet", ids.VARY_SHEET, external_link=True, download="variations.jpg"),
                ],
                className="vary-head",
            ),
            # It scrolls sideways where it is wider than the window, with the arrow keys too.
            html.Div(
                id=ids.VARY_GRID, className="vary-grid", tabIndex=0, role="region", **{"aria-label": "Quick runs"}
            ),
            html.Div(
                [
                    html.Strong("Nothing is painted here yet."),
                    html.P(f"Choose one or two options and a few values of each, {MOST_RUNS} runs at most."),
                ],
                className="empty-grid vary-empty",
            ),
        ],
    )
