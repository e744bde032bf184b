"""The JSON answers of the REST interface as models for the OpenAPI document. The fields of a run are those of `Run`."""

import dataclasses
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, WithJsonSchema, create_model

from nst.options.json_schema import OPTIONS_SCHEMA
from nst.runs.estimates import Estimate
from nst.runs.run import Run

Options = Annotated[dict[str, Any], WithJsonSchema(OPTIONS_SCHEMA)]
Number = float | None  # None if it is not finite


class Answer(BaseModel):
    """Base of all answers. They may have more fields than the models name."""

    model_config = ConfigDict(extra="allow")


class ErrorDetail(Answer):
    """`field` is the field of the request that caused the error, where it was one."""

    code: str
    message: str
    field: str = ""


class Problem(Answer):
    """An error."""

    error: ErrorDetail


class Losses(Answer):
    """The losses of the last epoch."""

    total: Number
    content: Number
    style: Number
    tv: Number
    neighbors: Number


def _fields_of_run() -> dict[str, Any]:
    hints = get_type_hints(Run)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(Run) if field.name != "client"}
    fields |= {"options": Options, "options_now": Options, "losses": Losses | None}
    fields |= {"queue_position": int | None, "starts_in": Number, "children": list[str]}
    fields |= {"favorite": bool, "name": str, "notes": str}
    fields |= {"events": str, "frames_kept": str, "result": str | None}
    return {name: (kind, ...) for name, kind in fields.items()}


RunAnswer = create_model("Run", __base__=Answer, __doc__="A run.", **_fields_of_run())


def _fields_of_forecast() -> dict[str, Any]:
    fields = {field.name: get_type_hints(Estimate)[field.name] for field in dataclasses.fields(Estimate)}
    return {name: (kind, ...) for name, kind in {**fields, "extractor": str, "precision": str, "why": str}.items()}


Forecast = create_model(
    "Forecast", __base__=Answer, __doc__="The time and memory that a run takes.", **_fields_of_forecast()
)


class RunStarted(Answer):
    """A run that was queued: its id, its address here and on the page, and its forecast where there is one."""

    id: str
    run: str
    page: str
    estimate: Forecast | None = None  # type: ignore[valid-type]


class Stylized(Answer):
    """The result in base64, and its run."""

    image: str
    run: RunAnswer  # type: ignore[valid-type]


class Runs(Answer):
    """Runs, newest first."""

    runs: list[RunAnswer]  # type: ignore[valid-type]


class Event(Answer):
    """An event; its other fields depend on its kind."""

    n: int
    time: float
    kind: str


class Events(Answer):
    """Events, oldest first; `last` is the number to send as `after` next."""

    events: list[Event]
    last: int


class Frame(Answer):
    """A stored frame; a `marked` one is never dropped."""

    epoch: int
    bytes: int
    marked: bool
    url: str


class Frames(Answer):
    """Frames, oldest first."""

    frames: list[Frame]


class TimelapseProgress(Answer):
    """Frames of the timelapse being made that are `done`, of `total`."""

    format: str
    done: int
    total: int


class TimelapseFile(Answer):
    """A finished timelapse."""

    format: str
    bytes: int
    url: str


class Timelapses(Answer):
    """The timelapses of a run; `error` is why the last one failed."""

    making: TimelapseProgress | None
    made: list[TimelapseFile]
    error: str


class LayerShare(Answer):
    """The loss of a layer without weights, and its share of the whole objective with them."""

    role: str
    layer: str
    loss: Number
    share: Number


class Diagnosis(Answer):
    """The losses of a frame at `width` x `height` px, which was painted at long side `side`.

    `matrices` and `maps` hold heat maps, PNG files in base64.
    """

    epoch: int
    width: int
    height: int
    side: int
    layers: list[LayerShare]
    tv_share: Number
    neighbor_share: Number
    matrices: dict[str, dict[str, str]]
    maps: dict[str, str]


class QuickRun(Answer):
    """A quick run: what varies in it as text, and its newest frame; of a deleted one only `id` and `state`."""

    id: str
    changes: dict[str, str]
    state: str
    favorite: bool
    frame: str | None = None
    result: str | None = None


class Variations(Answer):
    """A grid of quick runs, row by row; `options` are those of a run at full size, `page` shows the grid."""

    id: str
    options: Options
    axes: list[dict[str, Any]]
    rows: int
    columns: int
    ended: bool
    runs: list[QuickRun]
    sheet: str
    page: str


class VariationsList(Answer):
    """Grids, newest first."""

    variations: list[Variations]


class Sample(Answer):
    """A sample picture, with the addresses of the picture and of its thumbnail."""

    name: str
    title: str
    kind: Literal["content", "style"]
    picture: str
    thumbnail: str


class Samples(Answer):
    """Samples, contents first."""

    samples: list[Sample]


class Upload(Answer):
    """A stored picture, and its size in px; `ref` is its path below /api/v1, without a suffix."""

    ref: str
    title: str
    width: int
    height: int


class FastStyle(Answer):
    """A fast style; `network` is equal for styles that can be mixed.

    `thumbnail` is the picture that it was learned or predicted from where `provenance.picture` has its SHA-256, a
    texture with that picture's statistics where `provenance.picture_kind` is "texture", and else a sample photo painted
    in the style; `file` is the style and its network.
    """

    name: str
    title: str
    shipped: bool
    network: str
    provenance: dict[str, Any]
    thumbnail: str
    file: str


class FastStyles(Answer):
    """Fast styles, those that came with the program first."""

    fast: list[FastStyle]


class Styles(FastStyles):
    """Sample paintings for a run, and the fast styles."""

    styles: list[Sample]


class FastStylized(Answer):
    """The result in base64, its size in px, the seconds it took, and the weights of the styles, of sum 1.

    `run` is there where the result is kept.
    """

    image: str
    width: int
    height: int
    seconds: float
    mix: dict[str, float]
    run: RunAnswer | None = None  # type: ignore[valid-type]


class Extractor(Answer):
    """A network; `how` is how to get it, `fetchable` whether the page can. None until a worker has reported it."""

    name: str
    installed: bool | None
    how: str
    fetchable: bool | None


class Extractors(Answer):
    """`auto` is the network that it stands for with the default options, None until a worker has reported it."""

    extractors: list[Extractor]
    auto: str | None


class Health(Answer):
    """The state of the worker, and what it reported of its devices and networks."""

    status: Literal["ok"]
    worker: Literal["starting", "warm", "lost", "closed"] | None = None
    error: str = ""
