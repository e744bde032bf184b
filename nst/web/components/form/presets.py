"""The first control of the form: the shipped looks, and presets of one's own, which the browser keeps."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from nst.options.shipped_presets import LOOK_OPTIONS, LOOKS
from nst.options.style_options import StyleOptions
from nst.web import ids
from nst.web.components.form import style_mix
from nst.web.components.form.option_fields import BOXES, fill_form

# The weights and scales of paintings are left out: a preset has no pictures.
PRESET_OPTIONS = [name for name in BOXES if name not in style_mix.OPTIONS]


def layout() -> Component:
    """Return the buttons of the looks, and the list of presets with the means to save one."""
    return html.Section(
        [
            html.H2("Look"),
            html.Div([_button(n) for n in range(len(LOOKS))], className="looks"),
            html.Details([html.Summary("Presets of your own"), *_presets()]),
            dcc.Store(id=ids.LOOKS, data=[_values(n) for n in range(len(LOOKS))]),
            dcc.Store(id=ids.LOOK_NAMES, data=LOOK_OPTIONS),
            dcc.Store(id=ids.OPTION_NAMES, data=[_names(name) for name in PRESET_OPTIONS]),
            dcc.Store(id=ids.PRESETS, storage_type="local", data={}),
        ],
        className="looks-panel",
        **{"aria-label": "Look"},
    )


def _button(n: int) -> Component:
    look = LOOKS[n]
    return html.Button(look.title, id=ids.look(n), type="button", title=look.help, className="look")


def _values(n: int) -> dict[str, str]:
    """What the form's controls are set to by a look: all options that some look sets."""
    values = fill_form(StyleOptions(**LOOKS[n].options))
    return {name: values[name] for name in LOOK_OPTIONS}


def _names(name: str) -> list[str]:
    """Return the names that a preset may have an option under: its own, and its earlier one, if any."""
    return [each for each in (name, StyleOptions.option(name).old_name) if each]


def _presets() -> list[Component]:
    return [
        html.Div(
            [
                dbc.Label("Preset", html_for=ids.PRESET, class_name="visually-hidden"),
                dbc.Select(id=ids.PRESET, options=[], placeholder="Choose a preset"),
                html.Button("Apply", id=ids.APPLY_PRESET, type="button", className="quiet", disabled=True),
                html.Button("Delete", id=ids.DELETE_PRESET, type="button", className="quiet", disabled=True),
            ],
            className="with-button",
        ),
        html.Div(
            [
                dbc.Label("Name of the new preset", html_for=ids.PRESET_NAME, class_name="visually-hidden"),
                dbc.Input(id=ids.PRESET_NAME, type="text", maxlength=60, placeholder="Name", autocomplete="off"),
                html.Button("Save these settings", id=ids.SAVE_PRESET, type="button", className="quiet"),
            ],
            className="with-button",
        ),
        html.Div(id=ids.error(ids.PRESET_NAME), className="field-error", role="alert"),
        html.P("Presets are kept in this browser, with all settings but the pictures and their mix.", className="hint"),
    ]
