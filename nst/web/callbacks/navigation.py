"""The callback that shows the page an address names. It runs in the browser: nothing is loaded anew."""

from dash import ClientsideFunction, Dash, Input, Output

from nst.web import ids
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callback with `app`."""
    app.clientside_callback(
        ClientsideFunction("navigation", "show"),
        *(Output(page, "hidden") for page in ids.PAGES.values()),
        *(Output(link, what) for link in ids.PAGES for what in ("href", "aria-current")),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
    )
