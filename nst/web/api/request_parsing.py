"""Parses request bodies: pictures in base64 or as files, options, sizes. An error is one line that names the field."""

import dataclasses
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from nst.errors import InputError
from nst.options.option_field import ECHO, Option, did_you_mean, shown, with_new_names
from nst.options.picture_roles import MOST_STYLES, STYLE_ROLES
from nst.options.style_options import StyleOptions
from nst.pictures.decoding import MAX_PIXELS, MIN_SIDE
from nst.web.middleware.json_limit import check_json
from nst.web.problems import FieldError, Malformed
from nst.web.service.base64_decoding import decode_base64
from nst.web.service.pictures import is_ref
from nst.web.service.runs import LONGEST, UPSCALED_SIDE, UPSCALING_EPOCHS

PICTURE_FIELDS = ("content", "style", "init", "mask")  # of a request for a run; `style` may have several pictures
Files = dict[str, tuple[bytes, str]]  # role -> (bytes, name)

GPU = Option("gpu", bool, False, "let only a worker with a graphics card paint it, and wait until one is there", "run")
FEW_EPOCHS = dataclasses.replace(
    StyleOptions.option("epochs"),
    default=UPSCALING_EPOCHS,
    help="how many epochs to paint at that size",
    group="run",
    words=(),
)
MORE_EPOCHS = dataclasses.replace(
    FEW_EPOCHS, default=0, low=0, help="how many epochs to paint beyond those it was to have"
)
LARGER = dataclasses.replace(
    StyleOptions.option("size"), default=UPSCALED_SIDE, help="long side of the new result, px", group="run", unit=""
)
EPOCH = Option("epoch", int, None, "whose frame to begin with; it must be kept", "run", low=0, high=10**6)
FAVORITE = Option("favorite", bool, None, "whether the run is one", "run", old_name="favourite")


@dataclass(frozen=True)
class RunRequest:
    """A request for a run."""

    pictures: Files
    options: Any  # as JSON, not checked yet
    gpu: bool  # whether the run needs a graphics card


def is_form(request: Request) -> bool:
    """Return whether the body of a request is a form, not JSON."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def run_request(text: bytes) -> RunRequest:
    """Parse a JSON body that requests a run. Slow for large pictures: call it in a thread."""
    pictures, body = pictures_and_fields(text, ("options", GPU.name), refs=False)
    files = {role: (data, role) for role, data in pictures.items()}
    return RunRequest(files, options_of_body(body), GPU.check(body.get(GPU.name, GPU.default)))


async def run_request_from_form(request: Request) -> RunRequest:
    """Parse a form that requests a run; the options are one field with JSON, or one field each."""
    files, values = await form_fields(request, PICTURE_FIELDS, texts=("init",))
    gpu = GPU.check(values.pop(GPU.name, GPU.default))
    return RunRequest(files, values, gpu)


def pictures_and_fields(text: bytes, names: Collection[str], refs: bool = True) -> tuple[Any, dict[str, Any]]:
    """Return (pictures by role: bytes, or references with `refs`; the fields called `names`) of a JSON body."""
    body = check_names(json_body(text), (*PICTURE_FIELDS, *names))
    found: dict[str, Any] = {}
    for name in PICTURE_FIELDS:
        given = body.pop(name, None)
        for picture in given if name == "style" and isinstance(given, list) else [given]:
            if picture is not None:
                found[_role(name, found)] = picture if refs and is_ref(picture) else decode(name, picture)
    return found, body


async def form_fields(request: Request, roles: Collection[str], texts: Collection[str] = ()) -> tuple[Files, Any]:
    """Return (files by role, values by name) of a form. Fields in `texts` may be text, which is not parsed as JSON.

    A repeated file replaces the one before it, except `style`: each is another painting.
    """
    files: Files = {}
    values: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if name in roles and isinstance(value, UploadFile):
                files[_role(name, files)] = (await value.read(), value.filename or name)
            elif isinstance(value, UploadFile) or (name in roles and name not in texts):
                expected = "a file" if name in roles else "text"
                raise FieldError(name, InputError(f"`{name}` must be {expected}"))
            elif name == "options":
                values |= json_object(name, value)
            else:
                values[name] = value if name in texts else _value_of(value)
    return files, values


async def file_of_form(request: Request) -> tuple[bytes, str]:
    """Return (bytes, name) of the `file` of a form."""
    files, values = await form_fields(request, ("file",))
    check_names(values, ("file",))
    data, name = required("file", files.get("file"), "give one, as multipart/form-data")
    return data, name


def _role(name: str, files: Files) -> str:
    """Return the role of the next picture in a field. Raises FieldError if there are too many paintings."""
    if name != "style":
        return name
    role = next((role for role in STYLE_ROLES if role not in files), None)
    if role is None:
        raise FieldError(name, InputError(f"`style` must be one to {MOST_STYLES} pictures, got more"))
    return role


def annotations(text: bytes) -> dict[str, Any]:
    """Return what a JSON body changes of a run's annotations: `favorite`, `name` and `notes`, those that it has."""
    body = check_names(with_new_names(json_body(text or b"{}"), [FAVORITE]), (FAVORITE.name, *LONGEST))
    if not body or body.get(FAVORITE.name, True) is None:
        raise FieldError(FAVORITE.name, InputError("give `favorite`, `name`, `notes`, or several of them"))
    checks: dict[str, Any] = {FAVORITE.name: FAVORITE.check, **{name: partial(_text, name) for name in LONGEST}}
    return {name: checks[name](value) for name, value in body.items()}


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str) or len(given) > LONGEST[name]:
        rule = f"text of at most {LONGEST[name]} characters"
        raise FieldError(name, InputError(f"`{name}` must be {rule}, got {shown(given)}"))
    return given.strip()


def fields(text: bytes, rules: Iterable[Option], required: Collection[str] = (), others: Collection[str] = ()) -> Any:
    """Return the fields of a small JSON body by name, checked by their rules; missing ones have their defaults.

    Fields in `others` are objects that are not checked, {} if missing. An empty body is an empty object.
    """
    body = check_names(json_body(text or b"{}"), [*(rule.name for rule in rules), *others])
    found = {rule.name: rule.check(body.get(rule.name, rule.default)) for rule in rules}
    for name in required:
        if found[name] is None:
            raise FieldError(name, InputError(f"`{name}` is missing"))
    return found | {name: _mapping(name, body.get(name)) for name in others}


def estimate_request(text: bytes) -> tuple[str | tuple[int, int], list[str], Any]:
    """Parse a JSON body that requests an estimate.

    Returns (the content's reference or its (height, width) in px, the references of the paintings, the options).
    """
    body = check_names(json_body(text), ("content", "style", "height", "width", "options"))
    given = body.get("style")
    found = [_ref("style", style) for style in (given if isinstance(given, list) else [given])]
    content, styles = _ref("content", body.get("content")), [style for style in found if style]
    if len(styles) > MOST_STYLES:
        raise FieldError("style", InputError(f"`style` must be one to {MOST_STYLES} pictures, got {len(styles)}"))
    if content is None:
        return (_side("height", body.get("height")), _side("width", body.get("width"))), styles, options_of_body(body)
    return content, styles, options_of_body(body)


def _ref(role: str, given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise FieldError(role, InputError(f"`{role}` must be samples/NAME or uploads/ID, got {shown(given)}"))
    return given if "/" in given else f"uploads/{given}"


def required(name: str, given: Any, advice: str) -> Any:
    """Return `given`, the field `name` of a body, if there is one. Raises FieldError with `advice`."""
    if given is None:
        raise FieldError(name, InputError(f"`{name}` is missing: {advice}"))
    return given


def check_pair(pictures: Mapping[str, Any]) -> None:
    """Check that there are a content and a style among `pictures`, by role. Raises FieldError."""
    for role in ("content", "style"):
        required(role, pictures.get(role), "give a picture")


@contextmanager
def errors_of_picture(role: str) -> Iterator[None]:
    """A context whose InputError becomes a FieldError that names the field of the picture with that role."""
    try:
        yield
    except InputError as error:
        raise FieldError("style" if role in STYLE_ROLES else role, error) from error


def _side(name: str, given: Any) -> int:
    if given is None:
        raise FieldError(name, InputError(f"`{name}` is missing: give a `content`, or its `height` and `width` in px"))
    if isinstance(given, bool) or not isinstance(given, int) or not MIN_SIDE <= given <= MAX_PIXELS:
        rule = f"`{name}` must be a whole number between {MIN_SIDE} and {MAX_PIXELS}"
        raise FieldError(name, InputError(f"{rule}, got {shown(given)}"))
    return given


def options_of_body(body: dict[str, Any]) -> Any:
    """Return the options of a JSON body, not checked yet; {} without any."""
    options = body.get("options")
    return {} if options is None else options


def _mapping(name: str, given: Any) -> dict[str, Any]:
    if not (given is None or isinstance(given, dict)):
        raise FieldError(name, InputError(f"`{name}` must be an object of names and values, got {shown(given)}"))
    return given or {}


def json_body(text: bytes) -> dict[str, Any]:
    """Return the object in a JSON body. Raises Malformed."""
    try:
        body = json.loads(text)
        _check_surrogates(body)
    except RecursionError:
        raise Malformed("the body is not JSON: it is nested too deeply") from None
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Malformed(f"the body must be a JSON object, got {type(body).__name__}")
    return body


def check_names(body: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return `body` if all of its fields are known. Raises FieldError."""
    for name in body:
        if name not in known:
            raise FieldError(name[:ECHO], InputError(f"there is no field {shown(name)}{did_you_mean(name, known)}"))
    return body


def decode(field: str, text: Any) -> bytes:
    """Return the bytes of base64 text or of a data URL. Raises FieldError with `field`."""
    if not isinstance(text, str):
        raise FieldError(field, InputError(f"`{field}` must be a picture in base64, got {type(text).__name__}"))
    head, comma, tail = text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise FieldError(field, InputError(f"`{field}` must be base64 or a data URL, got {text[:40]!r}"))
    try:
        return decode_base64(tail if comma else head)
    except ValueError as error:
        raise FieldError(field, InputError(f"`{field}` is not base64: {error}")) from error


def _check_surrogates(value: Any) -> None:
    """Raise ValueError if a text contains half of a surrogate pair (`"\\ud800"`), which cannot be encoded."""
    if isinstance(value, dict):  # ASCII texts are skipped: encoding pictures again would take long
        value = {name: each for name, each in value.items() if not (isinstance(each, str) and each.isascii())}
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"it has half of a surrogate pair, {error.object[error.start]!r}") from None


def _parse_json(text: str) -> Any:
    """Return the value of JSON text. Raises ValueError, also if it is nested too deeply or has too many values."""
    check_json(text.encode(errors="replace"))
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check_surrogates(value)
    return value


def json_object(name: str, text: str) -> dict[str, Any]:
    """Return the JSON object in the form field `name`. Raises FieldError."""
    try:
        given = _parse_json(text)
    except ValueError as error:
        raise FieldError(name, InputError(f"`{name}` is not JSON: {error}")) from error
    if not isinstance(given, dict):
        raise FieldError(name, InputError(f"`{name}` must be an object, got {type(given).__name__}"))
    return given


def _value_of(text: str) -> Any:
    """Return the JSON value of a form field, such as a number; the text itself if it is not JSON."""
    try:
        return _parse_json(text)
    except ValueError:
        return text
