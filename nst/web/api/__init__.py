"""The REST interface, /api/v1: runs, their actions, events, pictures; variations; samples; fast styles; the server."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

from nst.web.api import actions, events, fast, instant_results, pictures, run_pictures, runs, server, variations

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

MODULES = (runs, actions, events, run_pictures, pictures, variations, fast, instant_results, server)

router = APIRouter(routes=[route for module in MODULES for route in module.router.routes])


@router.api_route("/api/v1/{rest:path}", methods=METHODS, include_in_schema=False)
def unknown(request: Request, rest: str) -> None:
    """Answer 404 or 405. This is the last route: without it, Dash would answer unknown paths with a page."""
    matches = [route for route in router.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    allowed = ", ".join(sorted({method for route in matches for method in getattr(route, "methods", ())}))
    if allowed:
        message = f"/api/v1/{rest[:80]} answers {allowed}, got {request.method}"
        raise HTTPException(405, message, {"Allow": allowed})
    raise HTTPException(404, f"there is nothing at /api/v1/{rest[:80]}")
