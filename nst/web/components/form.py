"""Functions that return Dash trees: a chooser of pictures, and the form, built from options.py."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, set_props
from dash.development.base_component import Component

from nst.options.option_field import LayerWeights, Option, number, options_of
from nst.options.style_options import StyleOptions
from nst.pictures.images import MAX_BYTES
from nst.pictures.samples import Sample
from nst.runs.events import Losses
from nst.web import ids
from nst.web.components import figures

OPTIONS = options_of(StyleOptions)

# The part of an option's range that a slider spans; the box beside it takes the rest.
COMFORTABLE = {"epochs": (1, 200), "size": (128, 1536), "steps_per_epoch": (1, 50)}

# What a switch calls the word that may stand in a number's place.
WORDS = {"auto": "Until it hardly changes"}

GROUPS = {
    "start": "Where it starts",
    "weights": "Loss weights",
    "layers": "Networks and layers",
    "optimiser": "Optimiser",
}
# Choices whose name is written otherwise than with a capital.
SPOKEN = {"vgg19": "VGG19", "vgg16": "VGG16", "lbfgs": "L-BFGS", "float32": "float32", "bfloat16": "bfloat16"}
ASKS = {
    "content": ("Content", "Drop a photograph here, or choose one"),
    "style": ("Style", "Drop a painting here, or choose one"),
    "init": ("Start from", "Drop the picture to start from, or choose one"),
    "photo": ("Picture", "Drop a photograph here, or choose one"),
}


def chooser(role: str, samples: Iterable[Sample] = (), chosen: Sample | None = None) -> Component:
    """A drop zone with preview, and samples one click away."""
    title, hint = ASKS[role]
    shown = chosen and {"ref": f"samples/{chosen.name}", "title": chosen.title}
    return html.Section(
        className=f"chooser chooser-{role}",
        **{"data-largest": MAX_BYTES},
        children=[
            html.H2(title),
            dcc.Upload(
                id=ids.upload(role),
                className="drop",
                className_active="drop drop-over",
                className_reject="drop drop-reject",
                max_size=MAX_BYTES,
                children=[
                    html.Img(id=ids.preview(role), src=shown and address(shown["ref"], 512), alt=""),
                    html.Span(hint, className="drop-hint"),
                ],
            ),
            html.P(shown and shown["title"], id=ids.caption(role), className="caption", **{"aria-live": "polite"}),
            html.Div(id=ids.error(role), className="field-error", role="alert"),
            html.Div(
                [_sample(role, sample) for sample in samples],
                className="samples",
                role="group",
                **{"aria-label": f"Samples for {title.lower()}"},
            ),
            dcc.Store(id=ids.choice(role), data=shown),
        ],
    )


def address(ref: str, side: int) -> str:
    """Where a picture's thumbnail is; `ref` as service.py means it."""
    return f"/api/v1/{ref}.jpg?side={side}"


def _sample(role: str, sample: Sample) -> Component:
    picture = html.Img(src=address(f"samples/{sample.name}", 128), alt=sample.title)
    return html.Button(picture, id=ids.sample(role, sample.name), title=sample.title, type="button", className="sample")


def basics() -> Component:
    """The options that everyone meets."""
    return html.Div([field(option) for option in OPTIONS if option.group == "basic"], className="fields basics")


def further() -> Component:
    """The other options, in an accordion."""
    groups = [
        dbc.AccordionItem(
            [
                html.Div([field(option) for option in OPTIONS if option.group == group], className="fields"),
                *([html.Div(chooser("init"), id=ids.OWN_START, hidden=True)] if group == "start" else []),
            ],
            title=title,
        )
        for group, title in GROUPS.items()
    ]
    return dbc.Accordion(groups, start_collapsed=True, flush=True, always_open=True)


def field(option: Option, form: str = "") -> Component:
    """Label, control, help and a place for what is wrong; `form` begins the ids of another form than the studio's."""
    key = form + option.name
    name = ids.slider(key) if has_slider(option) else ids.value(key)
    label = dbc.Label([option.label, html.Span(f" {option.unit}", className="unit")], html_for=name)
    control = _control(option, key)
    head = [label, *([_box(option, key)] if has_slider(option) else [])]
    if option.type is bool:
        head, control = [], [control[0]]
    return html.Div(
        className=f"field field-{option.name}",
        children=[
            html.Div(head, className="field-head"),
            *control,
            html.Div(option.help, id=ids.hint(key), className="hint"),
            html.Div(id=ids.error(ids.value(key)), className="field-error", role="alert"),
        ],
    )


def _control(option: Option, key: str) -> list[Component]:
    name = ids.value(key)
    if option.type is bool:
        return [dbc.Switch(id=name, value=option.default, label=option.label)]
    if option.choices:
        choices = [{"label": _spoken(choice), "value": choice} for choice in option.choices]
        return [dbc.Select(id=name, options=choices, value=option.default)]
    if has_slider(option):
        worded = option.default in option.words
        low, high, step = scale(option)
        start = low if worded else math.log10(option.default) if option.log else option.default
        slider = {"min": low, "max": high, "step": step, "value": start, "disabled": worded}
        return [
            dbc.Input(id=ids.slider(key), type="range", **slider),
            dbc.Label(f"{option.label}, as a number", html_for=name, class_name="visually-hidden"),
            *(
                dbc.Switch(id=ids.word(key), name=word, label=WORDS[word], value=option.default == word)
                for word in option.words
            ),
        ]
    if option.name == "seed":
        dice = html.Button("⚄", id=ids.DICE, type="button", title="Another seed", className="dice")
        return [html.Div([_box(option, key), dice], className="with-dice")]
    return [_box(option, key)]


def _box(option: Option, key: str) -> Component:
    """Text rather than a number field: what was typed reaches the server, which says what is wrong with it."""
    return dbc.Input(
        id=ids.value(key),
        type="text",
        inputmode="text" if option.type is LayerWeights else "decimal",
        autocomplete="off",
        value=spell(option.default),
        placeholder="automatic" if option.default is None else None,
    )


def has_slider(option: Option) -> bool:
    """Whether an option gets a slider beside its box."""
    comfortable = option.name in COMFORTABLE or option.log or (option.type is float and option.step is not None)
    return comfortable and option.default is not None


def scale(option: Option) -> tuple[float, float, float]:
    """(low, high, step) of an option's slider; of the decimal logarithm if the option is logarithmic."""
    assert option.low is not None
    assert option.high is not None
    if option.log:
        return math.log10(option.low), math.log10(option.high), 0.01
    return *COMFORTABLE.get(option.name, (option.low, option.high)), option.step or 1


def legend(losses: Losses | None = None) -> list[Component]:
    """The losses as text, beside their colours."""
    values = {part: getattr(losses, part) if losses else None for part in figures.PARTS}
    return [
        html.Div(
            [html.Dt(figures.NAMES[part]), html.Dd("–" if value is None else f"{value:.3g}")],
            className=f"part part-{part}",
        )
        for part, value in values.items()
    ]


def toast(message: str) -> None:
    """Have the page say what did not work; for callbacks."""
    set_props(ids.TOAST, {"is_open": True, "children": message})


def register_sliders(app: Dash, options: Iterable[Option] = OPTIONS, form: str = "") -> None:
    """Tie each slider to its box, both ways, and to the switch of a word."""
    for option in filter(has_slider, options):
        key = form + option.name
        pair = ids.slider(key), ids.value(key)
        outputs, inputs = [Output(each, "value") for each in pair], [Input(each, "value") for each in pair]
        move = "pairLogarithmic" if option.log else "pair"
        if option.words:
            switch = ids.word(key)
            outputs += [Output(switch, "value"), Output(pair[0], "disabled")]
            inputs += [Input(switch, "value"), State(switch, "name")]
            move = "pairOrWord"
        app.clientside_callback(ClientsideFunction("form", move), outputs, inputs, prevent_initial_call=True)


def read_form(values: Mapping[str, Any], options: Iterable[Option] = OPTIONS) -> dict[str, Any]:
    """What the form holds, plain values of its options; what cannot be read stays text: the option refuses it."""
    return {option.name: _parse(option, values[option.name]) for option in options}


def fill_form(options: StyleOptions) -> dict[str, Any]:
    """The form's values that say `options`."""
    return {name: value if isinstance(value, bool) else spell(value) for name, value in options.to_json().items()}


def _parse(option: Option, value: Any) -> Any:
    if value in (None, "") and option.default is None:
        return None
    if option.type not in (int, float) or not isinstance(value, str):
        return value
    return number(value)


def spell(value: Any) -> str:
    """A value as its box shows it, exactly: 1 for 1.0, "a=1,b=2" for layers, "" for automatic."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ",".join(f"{layer}={spell(weight)}" for layer, weight in value.items())
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _spoken(choice: str) -> str:
    return SPOKEN.get(choice, choice.capitalize())
