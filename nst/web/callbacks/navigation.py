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
        Output(ids.LEARN_OPENED, "data"),
        Output(ids.COMPARE_REQUEST, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        Input(ids.URL, "hash"),
    )

    @app.callback(
        Output(ids.PAGE_LEARN, "children"),
        Input(ids.LEARN_OPENED, "data"),
        State(ids.PAGE_LEARN, "children"),
        prevent_initial_call=True,
    )
    async def fill_learn(opened: bool, shown: object) -> Component:
        """Fill Learn when it is first shown, so that other pages do not load its figures."""
        if shown:
            raise PreventUpdate
        return learn.article()
