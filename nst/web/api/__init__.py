"""The REST interface, /api/v1, by nouns: runs, their course, events and pictures; samples; the server itself."""

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

from nst.web.api import course, events, pictures, runs, samples, server

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

router = APIRouter(
    routes=[route for noun in (runs, course, events, pictures, samples, server) for route in noun.router.routes]
)


@router.api_route("/api/v1/{rest:path}", methods=METHODS, include_in_schema=False)
def unknown(request: Request, rest: str) -> None:
    """The last route: Dash would answer any other path with its page."""
    there = [route for route in router.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    allowed = ", ".join(sorted({method for route in there for method in getattr(route, "methods", ())}))
    if allowed:
        message = f"/api/v1/{rest[:80]} answers {allowed}, got {request.method}"
        raise HTTPException(405, message, {"Allow": allowed})
    raise HTTPException(404, f"there is nothing at /api/v1/{rest[:80]}")
