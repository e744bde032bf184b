"""/docs: the REST interface as a page of its own, made from the OpenAPI document. Unlike Swagger's it works offline."""

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from nst.web.middleware.clients import HEADER
from nst.web.pages.html_page import html_page

Route = tuple[str, str, dict[str, Any]]  # (method, path, what the document says of it)

PREFIX = "/api/v1"

router = APIRouter(include_in_schema=False)

PAGE = """<main class="reference">
<h1><a href="/"><span class="wordmark">nst</span> studio</a> · the API</h1>
<p>Runs are jobs: post two pictures, follow the events, fetch frames while it paints and the result at the end.
Every error has one shape: <code>{error}</code>. The same as <a href="/openapi.json">OpenAPI</a>.</p>
<p>An id is enough to see a run. Where several people share the studio, only the client who began a run may change it:
a program is told its id in the header <code>{header}</code> of the first answer, and sends it with each request.</p>
<pre tabindex="0">{curl}</pre>
<nav aria-label="Routes">{contents}</nav>
{routes}
</main>"""

CURL = """curl -s {base}/api/v1/runs -F content=@photo.jpg -F style=@painting.jpg -F size=512 -F epochs=40
curl -s {base}/api/v1/runs/ID
curl -sN {base}/api/v1/runs/ID/stream
curl -s {base}/api/v1/runs/ID/result.png -o painting.png
curl -s {base}/api/v1/stylize/fast -F content=@photo.jpg -F style=starry-night -o out.png"""


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every route, with its parameters, fields, an example and its answers."""
    document = request.app.openapi()
    routes = [(method, path, said) for path, methods in document["paths"].items() for method, said in methods.items()]
    page = PAGE.format(
        error='{"error": {"code", "message", "field"?}}',
        header=HEADER,
        curl=escape(CURL.format(base=str(request.base_url).rstrip("/"))),
        contents=_contents(routes),
        routes="\n".join(_route(*route, document["components"]["schemas"]) for route in routes),
    )
    return HTMLResponse(html_page("the API", page))


def _contents(routes: list[Route]) -> str:
    """Links to the routes, a paragraph a tag."""
    tags: dict[str, list[str]] = {}
    for method, path, said in routes:
        link = f"<a href='#{said['operationId']}'>{method.upper()}&nbsp;{escape(path.removeprefix(PREFIX))}</a>"
        tags.setdefault(said["tags"][0], []).append(link)
    return "".join(f"<p><strong>{escape(tag)}</strong><br>{' · '.join(links)}</p>" for tag, links in tags.items())


def _route(method: str, path: str, said: dict[str, Any], known: dict[str, Any]) -> str:
    parts = [f"<p>{_with_code(paragraph)}</p>" for paragraph in said["description"].split("\n\n")]
    parts.append(
        _table(
            _row(each["name"], f"in {each['in']}", each["schema"] | {"description": each.get("description", "")})
            for each in said.get("parameters", [])
        )
    )
    body = said.get("requestBody", {}).get("content", {})
    for kind, each in body.items():
        parts.append(_fields(f"Fields of the body, {kind}", each["schema"]))
        if "example" in each:
            parts.append(f"<pre tabindex='0'>{escape(json.dumps(each['example'], indent=2))}</pre>")
    for code, answer in said["responses"].items():
        for kind, each in answer.get("content", {}).items() if code < "300" else ():
            schema = known.get(each.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
            parts.append(_fields(f"Fields of the answer {code}, {kind}", schema))
    answers = ", ".join(f"{code} {escape(answer['description'])}" for code, answer in said["responses"].items())
    parts.append(f"<p class='hint'>Answers: {answers}</p>")
    return (
        f"<section class='card' id='{said['operationId']}'><h2><code>{method.upper()}</code> "
        f"<code>{escape(path)}</code></h2><p><strong>{escape(said['summary'])}</strong></p>{''.join(parts)}</section>"
    )


def _fields(title: str, schema: dict[str, Any]) -> str:
    """The fields of an object to be unfolded, with those of its options; "" if there are none."""
    needed = schema.get("required", ())
    rows = [_row(name, "", each, name in needed) for name, each in schema.get("properties", {}).items()]
    inner = schema.get("properties", {}).get("options", {}).get("properties", {})
    rows += [_row(name, "option", each) for name, each in inner.items()]
    return f"<details><summary>{escape(title)}</summary>{_table(rows)}</details>" if rows else ""


def _table(rows: Iterable[str]) -> str:
    body = "".join(rows)
    return f"<table class='table'><tbody>{body}</tbody></table>" if body else ""


def _row(name: str, place: str, schema: dict[str, Any], needed: bool = False) -> str:
    told = [_bounds(schema), "required" if needed else "", escape(schema.get("description", ""))]
    return (
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td>{place}</td>"
        f"<td>{'; '.join(each for each in told if each)}</td></tr>"
    )


def _with_code(text: str) -> str:
    """`text` as HTML, with what stands between backticks set as code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))


def _bounds(schema: dict[str, Any]) -> str:
    """What a value may be, in words."""
    low, high, kinds = schema.get("minimum"), schema.get("maximum"), schema.get("type", [])
    parts = [
        " or ".join(_bounds(each) for each in schema.get("anyOf", ())),
        schema.get("$ref", "").rpartition("/")[2],
        " | ".join(map(str, schema.get("enum", ()))) or " or ".join([kinds] if isinstance(kinds, str) else kinds),
        f"{low:.10g} to {high:.10g}" if low is not None and high is not None else "",
        f"default {json.dumps(schema['default'])}" if schema.get("default") is not None else "",
    ]
    return ", ".join(part for part in parts if part)
