"""The JSON answers as OpenAPI tells them. What a run is, is said in nst/runs/run.py; this adds what a server knows."""

import dataclasses
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, WithJsonSchema, create_model

from nst.options.fast_options import FastOptions
from nst.options.option_field import LayerWeights, Option, options_of
from nst.options.style_options import StyleOptions
from nst.runs.estimates import Estimate
from nst.runs.run import Run


def schema_of(option: Option) -> dict[str, Any]:
    """JSON schema of one option."""
    names = {int: "integer", float: "number", bool: "boolean", str: "string", LayerWeights: "object"}
    bounds = {"minimum": option.low, "maximum": option.high, "enum": list(option.choices) or None}
    value: dict[str, Any] = {"type": names[option.type]}
    value |= {name: bound for name, bound in bounds.items() if bound is not None}
    if option.type is LayerWeights:
        value["additionalProperties"] = {"type": "number", "minimum": 0, "maximum": 1e6}
    if option.words:
        value = {"anyOf": [value, {"type": "string", "enum": list(option.words)}]}
    elif option.default is None:
        value["type"] = [value["type"], "null"]
    return {
        **value,
        "default": option.default,
        "description": option.help,
        "x-group": option.group,
        **({"x-unit": option.unit} if option.unit else {}),
        **({"x-live": True} if option.live else {}),
    }


def schema_of_options(options: tuple[Option, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """JSON schema of an object with these options and no others."""
    properties = {option.name: schema_of(option) for option in options}
    for name in required:
        properties[name].pop("default")
        properties[name]["type"] = properties[name]["type"][0]
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


OPTIONS = schema_of_options(options_of(StyleOptions))
LIVE = schema_of_options(tuple(option for option in options_of(StyleOptions) if option.live))

FAST_OPTIONS = schema_of_options(options_of(FastOptions))

Options = Annotated[dict[str, Any], WithJsonSchema(OPTIONS)]
Number = float | None  # None where it is not finite


class Said(BaseModel):
    """Base of all answers: they may say more than is written here."""

    model_config = ConfigDict(extra="allow")


class WhatIsWrong(Said):
    """`field` names what was wrong in what was given, where one thing was."""

    code: str
    message: str
    field: str = ""


class Problem(Said):
    """The one shape of errors."""

    error: WhatIsWrong


class Losses(Said):
    """Of the last epoch."""

    total: Number
    content: Number
    style: Number
    tv: Number


def _fields_of_run() -> dict[str, Any]:
    hints = get_type_hints(Run)
    told = {field.name: hints[field.name] for field in dataclasses.fields(Run) if field.name != "client"}
    told |= {"options": Options, "options_now": Options, "losses": Losses | None}
    told |= {"queue_position": int | None, "starts_in": Number, "children": list[str], "favourite": bool}
    told |= {"events": str, "frames_kept": str, "result": str | None}
    return {name: (kind, ...) for name, kind in told.items()}


RunSaid = create_model("Run", __base__=Said, __doc__="A run as it stands.", **_fields_of_run())


def _fields_of_forecast() -> dict[str, Any]:
    told = {field.name: get_type_hints(Estimate)[field.name] for field in dataclasses.fields(Estimate)}
    return {name: (kind, ...) for name, kind in {**told, "extractor": str, "precision": str, "why": str}.items()}


Forecast = create_model("Forecast", __base__=Said, __doc__="What a run would take.", **_fields_of_forecast())


class Begun(Said):
    """A run that was queued: its id, its addresses here and on the page, and what it will take where that is known."""

    id: str
    run: str
    page: str
    estimate: Forecast | None = None  # type: ignore[valid-type]


class Painted(Said):
    """The result in base64, and its run."""

    image: str
    run: RunSaid  # type: ignore[valid-type]


class Runs(Said):
    """Newest first."""

    runs: list[RunSaid]  # type: ignore[valid-type]


class Happened(Said):
    """An event; what else it tells depends on its kind."""

    n: int
    time: float
    kind: str


class Events(Said):
    """Oldest first; `last` is the number to ask after next."""

    events: list[Happened]
    last: int


class Frame(Said):
    """`marked` ones are never thinned out."""

    epoch: int
    bytes: int
    marked: bool
    url: str


class Frames(Said):
    """Oldest first."""

    frames: list[Frame]


class Making(Said):
    """Frames that the timelapse being made has taken, of so many."""

    format: str
    done: int
    total: int


class Film(Said):
    """A timelapse that is there."""

    format: str
    bytes: int
    url: str


class Timelapses(Said):
    """The timelapses of a run; `error` says why the last one was not made."""

    making: Making | None
    made: list[Film]
    error: str


class Sample(Said):
    """A picture that ships with the program, with the addresses of it and of its thumbnail."""

    name: str
    title: str
    kind: Literal["content", "style"]
    picture: str
    thumbnail: str


class Samples(Said):
    """Contents first."""

    samples: list[Sample]


class FastStyle(Said):
    """A style to paint with in one pass; `network` is equal for those that can be mixed.

    `thumbnail` shows what it learned from, `file` is the style and its network.
    """

    name: str
    title: str
    shipped: bool
    network: str
    provenance: dict[str, Any]
    thumbnail: str
    file: str


class FastStyles(Said):
    """Those that came with the program first."""

    fast: list[FastStyle]


class Styles(FastStyles):
    """Paintings to take a style from, and the fast styles."""

    styles: list[Sample]


class FastPainted(Said):
    """The result in base64, its size in px, the seconds of painting, the weights of the styles, of sum 1."""

    image: str
    width: int
    height: int
    seconds: float
    mix: dict[str, float]


class Extractor(Said):
    """A network; `how` tells how to get it, `fetchable` that the page can. None if no worker has said yet."""

    name: str
    installed: bool | None
    how: str
    fetchable: bool | None


class Extractors(Said):
    """`auto` is the one that stands for it in a run with the default options, None if no worker has said yet."""

    extractors: list[Extractor]
    auto: str | None


class Health(Said):
    """What the worker's warm-up said of devices and networks comes with it."""

    status: Literal["ok"]
    worker: Literal["starting", "warm", "lost", "closed"] | None = None
    error: str = ""
