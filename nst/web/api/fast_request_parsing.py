"""Parses request bodies about fast styles: pictures in one pass, and styles that are added or renamed."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from nst.errors import ImageError, InputError, OptionError
from nst.options.option_field import Option, shown
from nst.runs.job import Format
from nst.styles.style_file import MOST_NAME
from nst.styles.style_picture import StylePicture
from nst.web.api.request_parsing import (
    Files,
    check_names,
    decode,
    form_fields,
    json_body,
    json_object,
    options_of_body,
    required,
)
from nst.web.problems import FieldError
from nst.web.service.fast_styles import RESULT_FORMATS
from nst.web.service.pictures import is_ref

FORMAT = Option(
    "format", str, "png", "of the result; jpeg loses what is transparent", "picture", choices=RESULT_FORMATS
)
KEEP = Option("keep", bool, False, "keep the result in the gallery; it must be a png then", "picture")
_RULES = {rule.name: rule for rule in (FORMAT, KEEP)}
BASE64 = re.compile(rf"data:|[\w+/=\s]{{{MOST_NAME + 1}}}", re.ASCII)  # how a picture begins, and no style's name


@dataclass(frozen=True)
class ParsedFastRequest:
    """A request for a picture in one pass."""

    content: bytes | str  # a picture's file, or its reference
    style: str | dict[str, Any] | StylePicture  # a name or the reference of a picture, weights by these, or a painting
    options: Any  # as JSON, not checked yet
    format: Format
    keep: bool  # whether the result is kept in the gallery
    files: Files  # the pictures that were sent, by field: "content", "style"


def fast_request(text: bytes) -> ParsedFastRequest:
    """Parse a JSON body that requests a picture in one pass. Slow for large pictures: call it in a thread."""
    body = check_names(json_body(text), ("content", "style", "options", *_RULES))
    content = required("content", body.get("content"), "give a picture")
    files = {} if is_ref(content) else {"content": (decode("content", content), "content")}
    given = {name: body[name] for name in _RULES if name in body}
    return _parsed(content, body.get("style"), files, options_of_body(body), given)


async def fast_request_from_form(request: Request) -> ParsedFastRequest:
    """Parse a form that requests a picture in one pass; a mix is JSON, options are as in `run_request_from_form`."""
    files, values = await form_fields(request, ("content", "style"), texts=("style", FORMAT.name))
    content, _ = required("content", files.get("content"), "give a picture")
    style, given = values.pop("style", None), {name: values.pop(name) for name in _RULES if name in values}
    if isinstance(style, str) and style.lstrip().startswith("{"):
        style = json_object("style", style)
    return await asyncio.to_thread(_parsed, content, style, files, values, given)


def _parsed(content: bytes | str, style: Any, files: Files, options: Any, given: dict[str, Any]) -> ParsedFastRequest:
    """Return the request of these fields, of which `files` are the pictures that were sent, and `given` is by rule."""
    format, keep = (rule.check(given.get(name, rule.default)) for name, rule in _RULES.items())
    if keep and format != "png":
        raise OptionError(f"`{FORMAT.name}` must be png where the result is kept, got {format}", FORMAT.name)
    if "style" not in files:
        style = _style(style)
        if isinstance(style, str) and not is_ref(style) and BASE64.match(style):
            files = {**files, "style": (decode("style", style), "style")}
    if "style" in files:
        style = painting("style", *files["style"])
    if "content" in files:
        content, _ = files["content"]
    return ParsedFastRequest(content, style, options, format, keep, files)


async def style_of_form(request: Request) -> tuple[bytes, str, dict[str, str]]:
    """Return (bytes, name of the file, {"name", "title"} as far as given) of a form that adds styles."""
    files, values = await form_fields(request, ("file",), texts=("name", "title"))
    check_names(values, ("file", "name", "title"))
    data, name = required("file", files.get("file"), "give one, as multipart/form-data")
    return data, name, values


def painting(field: str, data: bytes, name: str) -> StylePicture:
    """Return the painting in a picture file called `name`. Raises FieldError with `field`."""
    try:
        return StylePicture.read(data, name)
    except ImageError as error:
        raise FieldError(field, error) from error


def style_name(text: bytes) -> tuple[str | None, str | None]:
    """Return (new name, new title) of a JSON body that renames a style; None for what is not given."""
    body = check_names(json_body(text), ("name", "title"))
    if not body:
        raise InputError("give a `name`, a `title`, or both")
    return body.get("name"), body.get("title")


def _style(given: Any) -> str | dict[str, Any]:
    found: Any = required("style", given, "name one, several with their weights, or give a picture")
    if not isinstance(found, str | dict):
        rule = "`style` must be a style's name, an object of names and weights, or a picture in base64"
        raise FieldError("style", InputError(f"{rule}, got {shown(given)}"))
    return found
