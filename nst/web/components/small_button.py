"""The small buttons beside a picture or a grid."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


def small_button(text: str, button_id: str, **more: Any) -> Component:
    """Return a button, disabled until there is something to do; `more` are other properties of it."""
    properties: dict[str, Any] = {"disabled": True, "outline": True, "color": "secondary", "size": "sm"}
    return dbc.Button(text, id=button_id, **(properties | more))


def icon_button(symbol: str, button_id: str, title: str, style: str, **more: Any) -> Component:
    """Return a button with a symbol; `style` is its CSS class, `title` its name, for screen readers, too."""
    named = {"title": title, "aria-label": title}
    return html.Button(symbol, id=button_id, type="button", className=style, **named, **more)
