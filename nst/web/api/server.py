"""What a server says of itself: its health, its options and networks, its numbers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.web.api import responses
from nst.web.api.access import Here
from nst.web.middleware.metrics import Metrics

router = APIRouter(prefix="/api/v1", tags=["server"])


async def metrics_of(request: Request) -> Metrics:
    """The numbers of the server that answers this request."""
    return request.app.state.metrics


@router.get(
    "/health", summary="Is the server there, and the worker warm?", responses={200: {"model": responses.Health}}
)
def health(service: Here) -> dict[str, Any]:
    """`worker` is starting, warm, lost or closed; what its warm-up said of devices and networks comes with it."""
    return {"status": "ok", **service.queue.health()}


@router.get("/options", summary="Every option of a run")
async def options() -> dict[str, Any]:
    """JSON schema by name; a default of null is automatic, `x-live` may change while a picture forms."""
    return {option.name: responses.schema_of(option) for option in options_of(StyleOptions)}


@router.get("/extractors", summary="The networks", responses={200: {"model": responses.Extractors}})
def extractors(service: Here) -> dict[str, Any]:
    """Which are installed, and how to get the others; `auto` is the one that stands for it with the default options."""
    unknown, known = {"installed": None, "how": "", "fetchable": None}, service.queue.extractors()
    names = [name for name in StyleOptions.choices("extractor") if name != "auto"]
    told = [{"name": name, **known.get(name, unknown)} for name in names]
    return {"extractors": told, "auto": service.queue.health().get("auto")}


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={200: {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(metrics: Annotated[Metrics, Depends(metrics_of)]) -> Response:
    """Runs by state, the line, the worker, the disk, and requests by route, in Prometheus' text format."""
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
