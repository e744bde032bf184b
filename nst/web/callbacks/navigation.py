"""The callbacks that show the page of an address, in the browser, without a reload; Learn is filled when shown."""

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from nst.web import ids
from nst.web.pages import learn
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks with `app`."""
    app.clientside_callback(
        ClientsideFunction("navigation", "show"),
        *(Output(page, "hidden") for page in ids.PAGES),
        *(Output(link, what) for link in ids.LINKS for what in ("href", "aria-current")),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        Input(ids.URL, "hash"),
    )

    @app.callback(Output(ids.PAGE_LEARN, "children"), Input(ids.URL, "pathname"), State(ids.PAGE_LEARN, "children"))
    async def fill_learn(pathname: str | None, shown: object) -> Component:
        """Fill Learn when it is first shown, so that other pages do not load its figures."""
        if pathname != "/learn" or shown:
            raise PreventUpdate
        return learn.article()
