"""Grids of variations: quick runs of the same pictures with several values of one or two options."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response

from nst.jobs.storage.grids import Grid
from nst.options.style_options import StyleOptions
from nst.options.variations import EPOCHS, SIZE, Variations
from nst.web.api import request_parsing, responses
from nst.web.api.access import Client, RunId, ServiceDep
from nst.web.api.openapi import VARIATIONS_BODY, errors, file_response
from nst.web.api.runs import run_started
from nst.web.service.permissions import check_owner
from nst.web.service.service import Service

router = APIRouter(prefix="/api/v1/variations", tags=["variations"])
GridId = Annotated[str, Path(description="32 hex digits, from the answer to the request that started the grid")]


def visible_grid(grid_id: GridId, service: ServiceDep) -> Grid:
    """Return the grid in the path. Raises NotFound."""
    return service.variations.get(grid_id)


def own_grid(grid_id: GridId, service: ServiceDep, client: Client) -> Grid:
    """Return the grid in the path for a change. Raises NotFound, and Forbidden if it is another client's."""
    grid = service.variations.get(grid_id)
    check_owner(grid.client, client, f"the grid {grid_id}")
    return grid


VisibleGrid = Annotated[Grid, Depends(visible_grid)]
OwnGrid = Annotated[Grid, Depends(own_grid)]


@router.post(
    "",
    status_code=202,
    summary="Start a grid of variations",
    responses={202: {"model": responses.Variations}, **errors(400, 404, 413, 415, 429, 503, 507)},
    openapi_extra=VARIATIONS_BODY,
)
async def create(request: Request, service: ServiceDep, client: Client) -> JSONResponse:
    """Queue quick runs, one for each combination of the values in `vary`, at most 25.

    `options` are those of a run at full size, which `POST .../runs/{run_id}/paint` starts. A quick run has
    the `size` and `epochs` of this request, and for the network "auto" the built-in one.
    """
    grid = await asyncio.to_thread(_start, service, await request.body(), client)
    answer = await asyncio.to_thread(service.variations.describe, grid)
    return JSONResponse(answer, 202, {"Location": f"/api/v1/variations/{grid.id}"})


def _start(service: Service, body: bytes, client: str) -> Grid:
    names = ("options", "vary", SIZE.name, EPOCHS.name)
    pictures, given = request_parsing.pictures_and_fields(body, names)
    request_parsing.check_pair(pictures)
    sizes = {rule.name: rule.check(given.get(rule.name, rule.default)) for rule in (SIZE, EPOCHS)}
    variations = Variations.parse(StyleOptions.from_json(given.get("options") or {}), given.get("vary") or {}, **sizes)
    refs = {}
    for role, picture in pictures.items():
        with request_parsing.errors_of_picture(role):
            refs[role] = picture if isinstance(picture, str) else service.pictures.keep(picture, role)
    return service.variations.start(variations, refs, client=client)


@router.get("", summary="List the grids of variations", responses={200: {"model": responses.VariationsList}})
def grids(service: ServiceDep, client: Client) -> dict[str, Any]:
    """List the newest grids, newest first; where several people share the studio, only those of the client."""
    return {"variations": [service.variations.describe(grid) for grid in service.variations.newest(client)]}


@router.get(
    "/{grid_id}", summary="A grid of variations", responses={200: {"model": responses.Variations}, **errors(404)}
)
def one(grid: VisibleGrid, service: ServiceDep) -> dict[str, Any]:
    """Describe a grid and all of its runs. To keep a quick run, make it a favorite: the gallery then shows it."""
    return service.variations.describe(grid)


@router.get(
    "/{grid_id}/sheet.jpg",
    summary="The contact sheet of a grid",
    response_class=Response,
    responses=file_response("image/jpeg", 404),
)
def sheet(grid: VisibleGrid, service: ServiceDep) -> Response:
    """Return what is painted so far as one picture, with titles of rows and columns."""
    picture = service.variations.sheet(grid)
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@router.delete("/{grid_id}", status_code=204, summary="Cancel a grid of variations", responses=errors(403, 404))
def cancel(grid: OwnGrid, service: ServiceDep) -> None:
    """Stop the quick runs that wait or are painted; what is painted so far stays."""
    service.variations.cancel(grid)


@router.post(
    "/{grid_id}/runs/{run_id}/paint",
    status_code=202,
    summary="Paint a quick run at full size",
    responses={202: {"model": responses.RunStarted}, **errors(403, 404, 429, 503, 507)},
)
def paint(grid: OwnGrid, run_id: RunId, service: ServiceDep, client: Client) -> JSONResponse:
    """Queue a run with the settings of a quick run, at the size and with the epochs of `options`."""
    return run_started(service.variations.paint(grid, run_id, client))
