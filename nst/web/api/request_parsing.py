"""What a request brings: pictures in base64 or as files, options, a shape. Whatever is wrong with it is one line."""

import base64
import binascii
import json
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from nst.errors import InputError
from nst.options.option_field import ECHO, Option, did_you_mean, shown
from nst.pictures.images import MAX_PIXELS, MIN_SIDE
from nst.runs.job import Format
from nst.web.problems import Malformed, Refused
from nst.web.service.fast_styles import FORMATS

PICTURES = ("content", "style", "init")
SLICE = 2**22  # characters of base64 decoded at a time; a multiple of 4

Pictures = dict[str, tuple[bytes, str]]  # role -> (bytes, name)

GPU = Option("gpu", bool, False, "let only a worker with a graphics card paint it, and wait until one is there", "run")
MORE = Option("epochs", int, 0, "how many epochs to paint beyond those it was to have", "run", low=0, high=1000)
EPOCH = Option("epoch", int, None, "whose frame to begin with; it must be kept", "run", low=0, high=10**6)
FAVOURITE = Option("favourite", bool, None, "whether the run is one", "run")
FORMAT = Option("format", str, "png", "of the result; jpeg loses what is transparent", "picture", choices=FORMATS)


@dataclass(frozen=True)
class Order:
    """What a request to paint brings: pictures, options in their JSON form, and whether it takes a graphics card."""

    pictures: Pictures
    options: Any
    gpu: bool


@dataclass(frozen=True)
class FastOrder:
    """What a request to paint in one pass brings; `style` is a name, or weights by name."""

    content: bytes | str  # a picture's file, or its ref
    style: str | dict[str, Any]
    options: Any
    format: Format


def is_form(request: Request) -> bool:
    """Whether a request brings its fields and files as a form, not as JSON."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def order(text: bytes) -> Order:
    """The order in a JSON body. Slow for large pictures: use a thread."""
    body = _known(_body(text), (*PICTURES, "options", GPU.name))
    given = {role: (decode(role, body[role]), role) for role in PICTURES if body.get(role) is not None}
    return Order(given, _options(body), GPU.check(body.get(GPU.name, GPU.default)))


async def order_of_form(request: Request) -> Order:
    """The order in a form; its options come as one JSON field, or one field each."""
    pictures, given = await _form(request, PICTURES, texts=("init",))
    gpu = GPU.check(given.pop(GPU.name, GPU.default))
    return Order(pictures, given, gpu)


def fast_order(text: bytes) -> FastOrder:
    """The order in a JSON body, to be painted in one pass. Slow for large pictures: use a thread."""
    body = _known(_body(text), ("content", "style", "options", FORMAT.name))
    content = _there("content", body.get("content"), "give a picture")
    content = content if _is_ref(content) else decode("content", content)
    format = FORMAT.check(body.get(FORMAT.name, FORMAT.default))
    return FastOrder(content, _style(body.get("style")), _options(body), format)


async def fast_order_of_form(request: Request) -> FastOrder:
    """The same in a form; a mix of styles comes as JSON, options as one JSON field, or one field each."""
    files, given = await _form(request, ("content",), texts=("style", FORMAT.name))
    content, _ = _there("content", files.get("content"), "give a picture")
    style, format = given.pop("style", None), FORMAT.check(given.pop(FORMAT.name, FORMAT.default))
    if isinstance(style, str) and style.lstrip().startswith("{"):
        style = _object("style", style)
    return FastOrder(content, _style(style), given, format)


async def file_of_form(request: Request) -> tuple[bytes, str]:
    """(the bytes, the name) of the file that a form brings as `file`."""
    files, given = await _form(request, ("file",))
    _known(given, ("file",))
    data, name = _there("file", files.get("file"), "give one, as multipart/form-data")
    return data, name


async def _form(request: Request, roles: Collection[str], texts: Collection[str] = ()) -> tuple[Pictures, Any]:
    """(the files of a form by role, its other fields); those in `texts` may be text, and stay as they were written."""
    files: Pictures = {}
    given: dict[str, Any] = {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if name in roles and isinstance(value, UploadFile):
                files[name] = (await value.read(), value.filename or name)
            elif isinstance(value, UploadFile) or (name in roles and name not in texts):
                expected = "a file" if name in roles else "text"
                raise Refused(name, InputError(f"`{name}` must be {expected}"))
            elif name == "options":
                given |= _object(name, value)
            else:
                given[name] = value if name in texts else _plain(value)
    return files, given


def name_of_style(text: bytes) -> tuple[str | None, str | None]:
    """(new name, new title) of a style in a JSON body; None of what shall stay."""
    body = _known(_body(text), ("name", "title"))
    if not body:
        raise InputError("give a `name`, a `title`, or both")
    return body.get("name"), body.get("title")


def fields(text: bytes, rules: Iterable[Option], required: Collection[str] = (), others: Collection[str] = ()) -> Any:
    """The fields of a small JSON body by name, each checked by its rule; one that is not given has its default.

    Those named in `others` are there as they came, {} if they did not. No body at all is an empty one.
    """
    body = _known(_body(text or b"{}"), [*(rule.name for rule in rules), *others])
    found = {rule.name: rule.check(body.get(rule.name, rule.default)) for rule in rules}
    for name in required:
        if found[name] is None:
            raise Refused(name, InputError(f"`{name}` is missing"))
    return found | {name: _mapping(name, body.get(name)) for name in others}


def changes(text: bytes) -> dict[str, Any]:
    """The changes of live options that are a JSON body."""
    return _body(text)


def to_be_estimated(text: bytes) -> tuple[str | tuple[int, int], str | None, Any]:
    """(content's ref or (height, width), style's ref if given, options) of a JSON body that asks for an estimate."""
    body = _known(_body(text), ("content", "style", "height", "width", "options"))
    content, style = (_ref(role, body.get(role)) for role in ("content", "style"))
    if content is None:
        return (_side("height", body.get("height")), _side("width", body.get("width"))), style, _options(body)
    return content, style, _options(body)


def _ref(role: str, given: Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise Refused(role, InputError(f"`{role}` must be samples/NAME or uploads/ID, got {shown(given)}"))
    return given if "/" in given else f"uploads/{given}"


def _is_ref(given: Any) -> bool:
    """Whether a field means a picture that is here: no picture's base64 begins like that."""
    return isinstance(given, str) and given.startswith(("samples/", "uploads/"))


def _style(given: Any) -> str | dict[str, Any]:
    found = _there("style", given, "name one, or several with their weights")
    if not isinstance(found, str | dict):
        rule = "`style` must be a style's name, or an object of names and weights"
        raise Refused("style", InputError(f"{rule}, got {shown(given)}"))
    return found


def _there(name: str, given: Any, wanted: str) -> Any:
    if given is None:
        raise Refused(name, InputError(f"`{name}` is missing: {wanted}"))
    return given


def _side(name: str, given: Any) -> int:
    if given is None:
        raise Refused(name, InputError(f"`{name}` is missing: give a `content`, or its `height` and `width` in px"))
    if isinstance(given, bool) or not isinstance(given, int) or not MIN_SIDE <= given <= MAX_PIXELS:
        rule = f"`{name}` must be a whole number between {MIN_SIDE} and {MAX_PIXELS}"
        raise Refused(name, InputError(f"{rule}, got {shown(given)}"))
    return given


def _options(body: dict[str, Any]) -> Any:
    options = body.get("options")
    return {} if options is None else options


def _mapping(name: str, given: Any) -> dict[str, Any]:
    if not (given is None or isinstance(given, dict)):
        raise Refused(name, InputError(f"`{name}` must be an object of names and values, got {shown(given)}"))
    return given or {}


def _body(text: bytes) -> dict[str, Any]:
    """The object that a body is. Raises Malformed."""
    try:
        body = json.loads(text)
        _check_letters(body)
    except RecursionError:
        raise Malformed("the body is not JSON: it is nested too deeply") from None
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Malformed(f"the body must be a JSON object, got {type(body).__name__}")
    return body


def _known(body: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """`body`, none of whose fields is unknown. Raises Refused."""
    for name in body:
        if name not in known:
            raise Refused(name[:ECHO], InputError(f"there is no field {shown(name)}{did_you_mean(name, known)}"))
    return body


def decode(field: str, text: Any) -> bytes:
    """The bytes of base64 or of a data URL. Raises Refused, which names `field`."""
    if not isinstance(text, str):
        raise Refused(field, InputError(f"`{field}` must be a picture in base64, got {type(text).__name__}"))
    head, comma, tail = text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise Refused(field, InputError(f"`{field}` must be base64 or a data URL, got {text[:40]!r}"))
    try:
        return decode_base64(tail if comma else head)
    except ValueError as error:
        raise Refused(field, InputError(f"`{field}` is not base64: {error}")) from error


def decode_base64(text: str) -> bytes:
    """The bytes that base64 spells. Raises ValueError.

    One call for all of a large picture would hold Python's lock, and with it the server, until it is done.
    """
    if any(space in text for space in " \t\r\n"):
        text = "".join(text.split())
    slices = []
    for start in range(0, len(text), SLICE):
        piece = text[start : start + SLICE]
        if start + SLICE < len(text) and "=" in piece[-2:]:
            raise binascii.Error("Excess data after padding")
        slices.append(base64.b64decode(piece, validate=True))
        time.sleep(0)  # lets others have the lock
    return b"".join(slices)


def _check_letters(found: Any) -> None:
    """Raise ValueError where a text has half of a character (`"\\ud800"`), which nobody could write down."""
    if isinstance(found, dict):  # to write pictures again would take long; that they are ASCII is known at once
        found = {name: value for name, value in found.items() if not (isinstance(value, str) and value.isascii())}
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"it has half of a surrogate pair, {error.object[error.start]!r}") from None


def _parsed(text: str) -> Any:
    """What JSON says. Raises ValueError, also where it is nested too deeply."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check_letters(found)
    return found


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        given = _parsed(text)
    except ValueError as error:
        raise Refused(name, InputError(f"`{name}` is not JSON: {error}")) from error
    if not isinstance(given, dict):
        raise Refused(name, InputError(f"`{name}` must be an object, got {type(given).__name__}"))
    return given


def _plain(text: str) -> Any:
    """The number or truth value that a form's text spells, else the text."""
    try:
        return _parsed(text)
    except ValueError:
        return text
