"""What the page shows of a picture painted in one pass: the result, and the picture that it is compared with.

The page alone asks for them, by names that nobody guesses; REST clients are given the picture itself.
"""

from fastapi import APIRouter
from fastapi.responses import Response

from nst.pictures import images
from nst.web.api.access import Here
from nst.web.api.pictures import IMMUTABLE

SIDE = 1536  # px of the picture to compare with

router = APIRouter(prefix="/api/v1/instant", include_in_schema=False)


@router.get("/{name}.png")
def result(name: str, service: Here) -> Response:
    """As it was painted. Raises NotFound."""
    return Response(service.result_cache.get(name).data, media_type="image/png", headers=IMMUTABLE)


@router.get("/{kind}/{name}.jpg")
def original(kind: str, name: str, service: Here) -> Response:
    """The sample or upload that it was painted from, as large as a page shows it. Raises NotFound."""
    picture = images.thumbnail(service.pictures.read(f"{kind}/{name}"), SIDE)
    return Response(picture, media_type="image/jpeg", headers=IMMUTABLE)
