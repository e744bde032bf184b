"""/docs: the REST interface as a page, which Swagger UI makes from /openapi.json. All of its files are served here."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from nst.web.api.openapi import ADDRESS
from nst.web.pages.html_page import html_page

router = APIRouter(include_in_schema=False)

HEAD = """<link rel="stylesheet" href="/assets/docs/swagger-ui/swagger-ui.css">
<link rel="stylesheet" href="/assets/docs/docs.css">
<script src="/assets/requests.js" defer></script>
<script src="/assets/buttons.js" defer></script>
<script src="/assets/docs/swagger-ui/swagger-ui-bundle.js" defer></script>
<script src="/assets/docs/docs.js" defer></script>"""

BODY = """<header class="bar">
<div class="site-name"><a href="/"><span class="wordmark">nst</span> studio</a></div>
<nav aria-label="Site">
<a href="/">Studio</a>
<a href="/instant">Instant</a>
<a href="/vary">Variations</a>
<a href="/gallery">Gallery</a>
<a href="/learn">Learn</a>
<a href="/docs" aria-current="page">API</a>
<button id="theme" type="button" title="Light or dark" aria-label="Light or dark" class="round">◐</button>
</nav>
</header>
<div id="docs"></div>"""


@router.get("/docs")
def docs() -> HTMLResponse:
    """Return the page."""
    return HTMLResponse(html_page("the API", BODY, head=HEAD))


@router.get("/openapi.json")
def openapi(request: Request) -> JSONResponse:
    """Return the OpenAPI document. Its examples name the address at which the client has reached this server."""
    document = request.app.openapi()
    own = str(request.base_url).rstrip("/")
    description = document["info"]["description"].replace(ADDRESS, own)
    return JSONResponse({**document, "info": {**document["info"], "description": description}})
