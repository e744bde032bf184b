"""Results of the Instant page and the originals beside them.

Only the page requests them, by names that cannot be guessed; clients of the REST interface get the picture itself.
"""

from fastapi import APIRouter
from fastapi.responses import Response

from nst.web.api.access import ServiceDep, VisibleRun
from nst.web.api.run_pictures import IMMUTABLE

router = APIRouter(prefix="/api/v1/instant", include_in_schema=False)


@router.get("/{name}.png")
def result(name: str, service: ServiceDep) -> Response:
    """Return a result. Raises NotFound."""
    return Response(service.result_cache.get(name).data, media_type="image/png", headers=IMMUTABLE)


@router.get("/runs/{run_id}.jpg")
def content(run: VisibleRun, service: ServiceDep) -> Response:
    """Return the content of a run, at the size that the page shows, to whoever may see the run. Raises NotFound."""
    picture = service.pictures.original_in_run(run.content)
    return Response(picture, media_type="image/jpeg", headers=IMMUTABLE)


@router.get("/{kind}/{name}.jpg")
def original(kind: str, name: str, service: ServiceDep) -> Response:
    """Return the sample or upload that a result was made from, at the size that the page shows. Raises NotFound."""
    picture = service.pictures.original(f"{kind}/{name}")
    return Response(picture, media_type="image/jpeg", headers=IMMUTABLE)
