"""/docs: the REST interface as a page of its own, made from the OpenAPI document. Unlike Swagger's it works offline."""

import json
import re
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nst studio: the API</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<script>document.documentElement.dataset.bsTheme = localStorage.getItem("theme") ||
(matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");</script>
<link rel="stylesheet" href="/assets/bootstrap.min.css">
<link rel="stylesheet" href="/assets/theme.css">
<link rel="stylesheet" href="/assets/studio.css">
</head>
<body>
<main class="reference">
<h1><a href="/"><span class="wordmark">nst</span> studio</a> · the API</h1>
<p>Runs are jobs: post two pictures, follow the events, fetch frames while it paints and the result at the end.
Every error has one shape: <code>{error}</code>. The same as <a href="/openapi.json">OpenAPI</a>.</p>
<pre tabindex="0">{curl}</pre>
{routes}
</main>
</body>
</html>"""

CURL = """curl -s {base}/api/v1/runs -F content=@photo.jpg -F style=@painting.jpg -F size=512 -F epochs=40
curl -s {base}/api/v1/runs/ID
curl -s '{base}/api/v1/runs/ID/events?after=0&wait=10'
curl -s {base}/api/v1/runs/ID/result.png -o painting.png"""


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every route, with its parameters, an example and its answers."""
    document = request.app.openapi()
    routes = [
        _route(method, path, said) for path, methods in document["paths"].items() for method, said in methods.items()
    ]
    error = '{"error": {"code", "message", "field"?}}'
    curl = escape(CURL.format(base=str(request.base_url).rstrip("/")))
    return HTMLResponse(PAGE.format(error=error, curl=curl, routes="\n".join(routes)))


def _route(method: str, path: str, said: dict[str, Any]) -> str:
    parts = [f"<p>{_with_code(said['description'])}</p>"]
    rows = [
        f"<tr><th scope='row'><code>{escape(each['name'])}</code></th><td>{each['in']}</td>"
        f"<td>{escape(_bounds(each['schema']))}</td></tr>"
        for each in said.get("parameters", [])
    ]
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {})
    properties = body.get("schema", {}).get("properties", {})
    rows += [
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td>option</td>"
        f"<td>{escape(each['description'])} ({escape(_bounds(each))})</td></tr>"
        for name, each in properties.get("options", {}).get("properties", {}).items()
    ]
    if rows:
        parts.append(f"<table class='table'><tbody>{''.join(rows)}</tbody></table>")
    if "example" in body:
        parts.append(f"<pre tabindex='0'>{escape(json.dumps(body['example'], indent=2))}</pre>")
    answers = ", ".join(f"{code} {escape(answer['description'])}" for code, answer in said["responses"].items())
    parts.append(f"<p class='hint'>Answers: {answers}</p>")
    return (
        f"<section class='card'><h2><code>{method.upper()}</code> <code>{escape(path)}</code></h2>"
        f"<p><strong>{escape(said['summary'])}</strong></p>{''.join(parts)}</section>"
    )


def _with_code(text: str) -> str:
    """`text` as HTML, with what stands between backticks set as code."""
    return re.sub("`(.+?)`", r"<code>\1</code>", escape(text))


def _bounds(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        kinds, default = schema["anyOf"], {name: schema[name] for name in ("default",) if name in schema}
        return " or ".join(_bounds(kind) for kind in kinds) + f", {_bounds(default)}"
    low, high = schema.get("minimum"), schema.get("maximum")
    parts = [
        " | ".join(map(str, schema["enum"])) if "enum" in schema else schema.get("type", ""),
        f"{low} to {high}" if low is not None and high is not None else "",
        f"default {json.dumps(schema['default'])}" if "default" in schema else "",
    ]
    return ", ".join(part for part in parts if part)
