"""What the OpenAPI document says of requests, with an example of each that runs, and of errors."""

from typing import Any

from nst.options.fast_options import MOST_MIXED
from nst.options.option_field import Option, options_of
from nst.pictures.timelapse import TimelapseOptions
from nst.styles.style_file import MOST_NAME, MOST_TITLE, NAME
from nst.web.api.request_parsing import EPOCH, FAVOURITE, FORMAT, GPU, MORE, PICTURES
from nst.web.api.responses import FAST_OPTIONS, LIVE, OPTIONS, Problem, schema_of, schema_of_options

Said = dict[int | str, dict[str, Any]]

# 16 x 16 px each: two flat colours.
CONTENT, STYLE = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEU8gqrmyIx1bVrVAAAAG0lEQVR42mNgwAIYmRlYeBhYDBgY/zMwMaAgABd8AVOl"
    "xjzjAAAAAElFTkSuQmCC",
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEWWKB4eKFrvdJDCAAAAG0lEQVR42mNgwAIYmRlYeBhYDBgY/zMwMaAgABd8AVOl"
    "xjzjAAAAAElFTkSuQmCC",
)

MEANT = {
    400: "The body cannot be read",
    403: "The run is another client's, or the styles are not yours to change",
    404: "There is no such thing",
    409: "The run's state does not allow that",
    413: "Too large",
    415: "Not a picture",
    422: "Something given is wrong; `field` names it",
    429: "Too many of yours wait, or are painted; `Retry-After` says when to try again",
    500: "The painting failed",
    503: "Too many runs wait, the disk is full, or the worker is not ready; `Retry-After` says when to try again",
    504: "It was not done in time, and is stopped",
}
ERROR = {"error": {"code": "invalid", "message": "`size` must be between 64 and 4096, got 8", "field": "size"}}


def errors(*codes: int) -> Said:
    """Answers of the one shape of errors; 422 is among those of every route."""
    return {
        code: {"model": Problem, "description": MEANT[code], "content": {"application/json": {"example": ERROR}}}
        for code in (*codes, 422)
    }


def file_of(kind: str, *codes: int, headers: tuple[str, ...] = ()) -> Said:
    """An answer that is a file, with `headers` of its own, or one of these errors."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    told = {name: {"schema": {"type": "string"}} for name in headers}
    return {200: {"description": "The file", "content": content, "headers": told}, **errors(*codes)}


def _json(schema: dict[str, Any], example: Any, required: bool = True) -> dict[str, Any]:
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


def _fields(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _small(*rules: Option, required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    schema = schema_of_options(rules, required)
    return {**schema, "properties": {**schema["properties"], **more}}


PICTURE = {"type": "string", "description": "base64, or a data URL"}
FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string", "description": "the options as JSON; or one field each"}


def _order() -> dict[str, Any]:
    both = ("content", "style")
    as_json = _fields({**dict.fromkeys(PICTURES, PICTURE), "options": OPTIONS, "gpu": schema_of(GPU)}, both)
    as_form = _fields(
        {**dict.fromkeys(PICTURES, FILE), "options": TEXT, **OPTIONS["properties"], "gpu": schema_of(GPU)}, both
    )
    example = {"content": CONTENT, "style": f"data:image/png;base64,{STYLE}", "options": {"size": 64, "epochs": 2}}
    told = _json(as_json, example)
    told["requestBody"]["content"]["multipart/form-data"] = {"schema": as_form}
    return told


def _fast() -> dict[str, Any]:
    picture = {**PICTURE, "description": "base64, a data URL, samples/NAME or uploads/ID"}
    weights = {
        "type": "object",
        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1e6},
        "minProperties": 1,
        "maxProperties": MOST_MIXED,
    }
    style = {"anyOf": [{"type": "string"}, weights], "description": "a fast style's name, or weights by name"}
    named = {"type": "string", "description": "a fast style's name, or weights by name as JSON"}
    both, format = ("content", "style"), schema_of(FORMAT)
    as_json = _fields({"content": picture, "style": style, "options": FAST_OPTIONS, "format": format}, both)
    as_form = _fields(
        {"content": FILE, "style": named, "options": TEXT, **FAST_OPTIONS["properties"], "format": format}, both
    )
    told = _json(as_json, {"content": CONTENT, "style": "starry-night", "options": {"strength": 0.8}})
    told["requestBody"]["content"]["multipart/form-data"] = {"schema": as_form}
    return told


def _estimate() -> dict[str, Any]:
    ref = {"type": "string", "description": "samples/NAME or uploads/ID"}
    side = {"type": "integer", "description": "of the content, px, if that is not given", "minimum": 16}
    schema = _fields({"content": ref, "style": ref, "height": side, "width": side, "options": OPTIONS})
    return _json(schema, {"height": 768, "width": 1024, "options": {"size": 256, "epochs": 60}})


ORDER = _order()
ESTIMATE = _estimate()
FAST = _fast()
STYLE_FILE = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _fields({"file": FILE}, ("file",))}},
    }
}
NEW_NAME = _json(
    {
        **_fields(
            {
                "name": {"type": "string", "pattern": f"^{NAME.pattern}$", "maxLength": MOST_NAME},
                "title": {"type": "string", "minLength": 1, "maxLength": MOST_TITLE},
            }
        ),
        "minProperties": 1,
    },
    {"title": "The quilt"},
)
LIKE = _json(_small(FAVOURITE, required=("favourite",)), {"favourite": True})
WEIGHTS = _json(LIVE, {"strength": 3.0})
CONTINUE = _json(_small(MORE, options=LIVE), {"epochs": 2, "options": {"strength": 3.0}}, required=False)
BRANCH = _json(_small(EPOCH, MORE, required=("epoch",), options=LIVE), {"epoch": 1, "options": {"style_weight": 20.0}})
FILM = _json(
    schema_of_options(options_of(TimelapseOptions)), {"format": "gif", "seconds": 2.0, "size": 64}, required=False
)
