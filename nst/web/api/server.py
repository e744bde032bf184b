"""The server itself: its health, options, networks and metrics."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from nst.options.json_schema import schema_of
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.web.api import responses
from nst.web.api.access import ServiceDep
from nst.web.middleware.metrics import Metrics

router = APIRouter(prefix="/api/v1", tags=["server"])


async def get_metrics(request: Request) -> Metrics:
    """Return the metrics of the server that handles the request."""
    return request.app.state.metrics


@router.get("/health", summary="Health of the server and the worker", responses={200: {"model": responses.Health}})
def health(service: ServiceDep) -> dict[str, Any]:
    """Return the state of the worker, starting, warm, lost or closed, and what it reported of its hardware."""
    return {"status": "ok", **service.queue.health()}


@router.get("/options", summary="Every option of a run")
async def options() -> dict[str, Any]:
    """Return the JSON schema of each option; a default of null is automatic, `x-live` may change during the run."""
    return {option.name: schema_of(option) for option in options_of(StyleOptions)}


@router.get("/extractors", summary="The networks", responses={200: {"model": responses.Extractors}})
def extractors(service: ServiceDep) -> dict[str, Any]:
    """List the networks, which are installed, and how to get the others.

    `auto` is the network that "auto" stands for with the default options.
    """
    unknown, known = {"installed": None, "how": "", "fetchable": None}, service.queue.extractors()
    names = [name for name in StyleOptions.option("extractor").choices if name != "auto"]
    found = [{"name": name, **known.get(name, unknown)} for name in names]
    return {"extractors": found, "auto": service.queue.health().get("auto")}


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(metrics: Annotated[Metrics, Depends(get_metrics)]) -> Response:
    """Return runs by state, queue, worker, disk, and requests by route, in Prometheus' text format."""
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
