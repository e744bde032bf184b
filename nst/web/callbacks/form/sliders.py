"""Callbacks that keep each slider, its text box and the switch of a word equal. They run in the browser."""

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State

from nst.options.option_field import Option
from nst.web import ids
from nst.web.components.form.option_fields import FAST_OPTIONS, FAST_PREFIX, OPTIONS, has_slider
from nst.web.service.service import Service


def register(app: Dash, service: Service) -> None:
    """Register the callbacks of the form, of the Instant page and of the steering card with `app`."""
    for options, prefix in ((OPTIONS, ""), (FAST_OPTIONS, FAST_PREFIX)):
        for option in filter(has_slider, options):
            _register_option(app, option, prefix + option.name)
    for scale, function in (("log", "pairLogarithmic"), ("linear", "pair")):
        pair = [(ids.steer(MATCH, part, scale), "value") for part in ("slider", "box")]
        app.clientside_callback(
            ClientsideFunction("sliders", function),
            [Output(*each) for each in pair],
            [Input(*each) for each in pair],
            prevent_initial_call=True,
        )

    boxes = ids.steer(ALL, "box", ALL)
    app.clientside_callback(
        ClientsideFunction("sliders", "product"),
        Output(ids.STEER_PRODUCT, "children"),
        Input(boxes, "value"),
        State(boxes, "id"),
        prevent_initial_call=True,
    )


def _register_option(app: Dash, option: Option, key: str) -> None:
    pair = ids.slider(key), ids.value(key)
    outputs, inputs = [Output(each, "value") for each in pair], [Input(each, "value") for each in pair]
    function = "pairLogarithmic" if option.log else "pair"
    if option.words:
        switch = ids.word(key)
        outputs += [Output(switch, "value"), Output(pair[0], "disabled")]
        inputs += [Input(switch, "value"), State(switch, "name")]
        function = "pairOrWord"
    app.clientside_callback(ClientsideFunction("sliders", function), outputs, inputs, prevent_initial_call=True)
