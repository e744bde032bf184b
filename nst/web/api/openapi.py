"""Parts of the OpenAPI document: request bodies, each with an example that works, and errors."""

from typing import Any

from nst.options.fast_options import MOST_MIXED
from nst.options.json_schema import FAST_OPTIONS_SCHEMA, LIVE_SCHEMA, OPTIONS_SCHEMA, schema_of, schema_of_options
from nst.options.option_field import MOST_WEIGHT, Option, options_of
from nst.options.picture_roles import MOST_STYLES
from nst.options.variations import EPOCHS, MOST_AXES, SIZE
from nst.pictures.timelapse import TimelapseOptions
from nst.styles.style_file import MOST_NAME, MOST_TITLE, NAME
from nst.web.api.fast_request_parsing import FORMAT, KEEP
from nst.web.api.request_parsing import EPOCH, FEW_EPOCHS, GPU, LARGER, MORE_EPOCHS, PICTURE_FIELDS
from nst.web.api.responses import Problem
from nst.web.middleware.clients import HEADER
from nst.web.service.runs import LONGEST

ADDRESS = "http://127.0.0.1:8050"  # in the examples; a server names its own instead
DESCRIPTION = f"""A run is a job: post two pictures, follow its events, get frames meanwhile and the result at its end.

```
curl -s {ADDRESS}/api/v1/runs -F content=@photo.jpg -F style=@painting.jpg -F size=512 -F epochs=40
curl -s {ADDRESS}/api/v1/runs/ID
curl -sN {ADDRESS}/api/v1/runs/ID/stream
curl -s {ADDRESS}/api/v1/runs/ID/result.png -o painting.png
curl -s {ADDRESS}/api/v1/stylize/fast -F content=@photo.jpg -F style=starry-night -o out.png
```

Every error is `{{"error": {{"code", "message", "field"?}}}}`.

The id of a run is enough to see it. Where several people share the studio, only the client that started a run may
change it: the header `{HEADER}` of the first answer contains the client's id, which a program sends with each request.

## Routes
"""

Responses = dict[int | str, dict[str, Any]]

# Two pictures in one color, 16 x 16 px each.
CONTENT, STYLE = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEU8gqrmyIx1bVrVAAAAG0lEQVR42mNgwAIYmRlYeBhYDBgY/zMwMaAgABd8AVOl"
    "xjzjAAAAAElFTkSuQmCC",
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQAQMAAAAlPW0iAAAABlBMVEWWKB4eKFrvdJDCAAAAG0lEQVR42mNgwAIYmRlYeBhYDBgY/zMwMaAgABd8AVOl"
    "xjzjAAAAAElFTkSuQmCC",
)

DESCRIPTIONS = {
    400: "The body cannot be parsed",
    403: "The run is another client's, or clients may not change the styles",
    404: "Not found",
    409: "The run's state does not allow that",
    413: "Too large",
    415: "Not a picture of a supported format",
    422: "A value is invalid; `field` names it",
    429: "Too many requests of the client wait; `Retry-After` is when to repeat this one, in seconds",
    500: "The run failed",
    503: "Too many runs wait, they take too much disk space, too many pictures are being read, or the worker is not "
    "ready; `Retry-After` is as for 429",
    504: "The run was not finished in time, and is stopped",
    507: "The disk is full",
}
ERROR = {"error": {"code": "invalid", "message": "`size` must be between 64 and 4096, got 8", "field": "size"}}


def errors(*codes: int) -> Responses:
    """Describe the error answers of a route; 422 is added to them."""
    return {
        code: {"model": Problem, "description": DESCRIPTIONS[code], "content": {"application/json": {"example": ERROR}}}
        for code in (*codes, 422)
    }


def file_response(kind: str, *codes: int, headers: tuple[str, ...] = ()) -> Responses:
    """Describe an answer that is a file of media type `kind`, with `headers`, and the error answers."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    described = {name: {"schema": {"type": "string"}} for name in headers}
    return {200: {"description": "The file", "content": content, "headers": described}, **errors(*codes)}


def _json_body(schema: dict[str, Any], example: Any, required: bool = True) -> dict[str, Any]:
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


def _file_body(**more: Any) -> dict[str, Any]:
    """A form with a file, and with `more` fields that may be left out."""
    schema = _object({"file": FILE, **more}, ("file",))
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def _object_of(*rules: Option, required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    schema = schema_of_options(rules, required)
    return {**schema, "properties": {**schema["properties"], **more}}


PICTURE = {"type": "string", "description": "base64, or a data URL"}
PICTURE_OR_REF = {"type": "string", "description": "base64, a data URL, samples/NAME or uploads/ID"}
FILE = {"type": "string", "format": "binary"}
TEXT = {"type": "string", "description": "the options as JSON; or one field each"}
STYLE_NAME = {"type": "string", "pattern": f"^{NAME.pattern}$", "maxLength": MOST_NAME}
STYLE_TITLE = {"type": "string", "minLength": 1, "maxLength": MOST_TITLE}


def _several(picture: dict[str, Any]) -> dict[str, Any]:
    """The schema of one to four paintings."""
    return {"type": "array", "items": picture, "minItems": 1, "maxItems": MOST_STYLES}


def _pictures(picture: dict[str, Any]) -> dict[str, Any]:
    """The fields of the pictures of a run."""
    return {**dict.fromkeys(PICTURE_FIELDS, picture), "style": {"anyOf": [picture, _several(picture)]}}


def _run_body() -> dict[str, Any]:
    both = ("content", "style")
    files = {**dict.fromkeys(PICTURE_FIELDS, FILE), "style": _several(FILE)}
    as_json = _object({**_pictures(PICTURE), "options": OPTIONS_SCHEMA, "gpu": schema_of(GPU)}, both)
    as_form = _object({**files, "options": TEXT, **OPTIONS_SCHEMA["properties"], "gpu": schema_of(GPU)}, both)
    example = {"content": CONTENT, "style": f"data:image/png;base64,{STYLE}", "options": {"size": 64, "epochs": 2}}
    body = _json_body(as_json, example)
    body["requestBody"]["content"]["multipart/form-data"] = {"schema": as_form}
    return body


def _fast_body() -> dict[str, Any]:
    weights = {
        "type": "object",
        "additionalProperties": {"type": "number", "minimum": 0, "maximum": MOST_WEIGHT},
        "minProperties": 1,
        "maxProperties": MOST_MIXED,
    }
    names = "a fast style's name, a painting's reference, samples/NAME or uploads/ID, or weights by these"
    style = {
        "anyOf": [{"type": "string"}, weights],
        "description": f"{names}; or a painting in base64 or as a data URL",
    }
    named = {"anyOf": [{"type": "string"}, FILE], "description": f"{names} as JSON; or a painting"}
    both, more = ("content", "style"), {rule.name: schema_of(rule) for rule in (FORMAT, KEEP)}
    as_json = _object({"content": PICTURE_OR_REF, "style": style, "options": FAST_OPTIONS_SCHEMA, **more}, both)
    as_form = _object(
        {"content": FILE, "style": named, "options": TEXT, **FAST_OPTIONS_SCHEMA["properties"], **more}, both
    )
    body = _json_body(as_json, {"content": CONTENT, "style": "starry-night", "options": {"strength": 0.8}})
    body["requestBody"]["content"]["multipart/form-data"] = {"schema": as_form}
    return body


def _estimate_body() -> dict[str, Any]:
    ref = {"type": "string", "description": "samples/NAME or uploads/ID"}
    side = {"type": "integer", "description": "of the content, px, if that is not given", "minimum": 16}
    styles = {"anyOf": [ref, _several(ref)]}
    schema = _object({"content": ref, "style": styles, "height": side, "width": side, "options": OPTIONS_SCHEMA})
    return _json_body(schema, {"height": 768, "width": 1024, "options": {"size": 256, "epochs": 60}})


def _variations_body() -> dict[str, Any]:
    pictures = _pictures(PICTURE_OR_REF)
    vary = {
        "type": "object",
        "description": "one or two options with their values, rows first; or the values as text, separated by commas; "
        "`style` varies over the paintings by number, each of them alone",
        "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1}]},
        "minProperties": 1,
        "maxProperties": MOST_AXES,
    }
    quick = {rule.name: schema_of(rule) for rule in (SIZE, EPOCHS)}
    options = {**OPTIONS_SCHEMA, "description": "of the run at full size"}
    schema = _object({**pictures, "options": options, "vary": vary, **quick}, ("content", "style", "vary"))
    varied = {"strength": [0.5, 2], "seed": "0, 1"}
    return _json_body(schema, {"content": CONTENT, "style": STYLE, "vary": varied, "size": 64, "epochs": 1})


RUN_BODY = _run_body()
VARIATIONS_BODY = _variations_body()
ESTIMATE_BODY = _estimate_body()
FAST_BODY = _fast_body()
PICTURE_FILE_BODY = _file_body()
STYLE_FILE_BODY = _file_body(name=STYLE_NAME, title=STYLE_TITLE)
RENAME_BODY = _json_body(
    {
        **_object(
            {
                "name": STYLE_NAME,
                "title": STYLE_TITLE,
            }
        ),
        "minProperties": 1,
    },
    {"title": "The quilt"},
)
ANNOTATIONS_BODY = _json_body(
    {
        **_object(
            {
                "favorite": {"type": "boolean"},
                **{name: {"type": "string", "maxLength": longest} for name, longest in LONGEST.items()},
            }
        ),
        "minProperties": 1,
    },
    {"favorite": True, "name": "The harbor, bolder", "notes": "for the kitchen"},
)
WEIGHTS_BODY = _json_body(LIVE_SCHEMA, {"strength": 3.0})
CONTINUE_BODY = _json_body(
    _object_of(MORE_EPOCHS, options=LIVE_SCHEMA), {"epochs": 2, "options": {"strength": 3.0}}, required=False
)
BRANCH_BODY = _json_body(
    _object_of(EPOCH, MORE_EPOCHS, required=("epoch",), options=LIVE_SCHEMA),
    {"epoch": 1, "options": {"style_weight": 20.0}},
)
UPSCALE_BODY = _json_body(_object_of(LARGER, FEW_EPOCHS), {"size": 1024, "epochs": 1}, required=False)
TIMELAPSE_BODY = _json_body(
    schema_of_options(options_of(TimelapseOptions)), {"format": "gif", "seconds": 2.0, "size": 64}, required=False
)
