"""Pictures that a run can be made of: samples and uploads."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import Response

from nst.pictures.samples import SAMPLES, SIDES, STYLES, Sample
from nst.web.api import fast, request_parsing, responses
from nst.web.api.access import ServiceDep
from nst.web.api.openapi import PICTURE_FILE_BODY, errors, file_response
from nst.web.api.run_pictures import IMMUTABLE, Side
from nst.web.service.pictures import file_name

A_DAY = {"Cache-Control": "private, max-age=86400"}

router = APIRouter(prefix="/api/v1", tags=["pictures"])
Name = Annotated[str, InPath(description="as in the list", examples=["harbour"])]


def _sample_json(sample: Sample) -> dict[str, str]:
    return {
        "name": sample.name,
        "title": sample.title,
        "kind": sample.kind,
        "picture": f"/api/v1/samples/{sample.name}.png",
        "thumbnail": f"/api/v1/samples/{sample.name}.jpg",
    }


@router.get("/samples", summary="The sample pictures", responses={200: {"model": responses.Samples}})
async def samples() -> dict[str, Any]:
    """Contents, then styles; each with its address and a thumbnail's."""
    return {"samples": [_sample_json(sample) for sample in SAMPLES]}


@router.post(
    "/uploads",
    status_code=201,
    summary="Store a picture",
    responses={201: {"model": responses.Upload}, **errors(400, 413, 415, 503, 507)},
    openapi_extra=PICTURE_FILE_BODY,
)
async def upload(request: Request, service: ServiceDep) -> dict[str, Any]:
    """Store a picture, sent as `file` of a form, for the choosers of the page; `ref` is its path below /api/v1."""
    data, name = await request_parsing.file_of_form(request)
    ref = await asyncio.to_thread(service.pictures.keep, data, name)
    height, width = await asyncio.to_thread(service.pictures.shape, ref)
    return {"ref": ref, "title": file_name(name), "width": width, "height": height}


@router.get("/styles", summary="The styles that are here", responses={200: {"model": responses.Styles}})
def styles(service: ServiceDep) -> dict[str, Any]:
    """`styles` are sample paintings, for a run; `fast` are those that paint in one pass, for `/api/v1/stylize/fast`."""
    return {
        "styles": [_sample_json(sample) for sample in STYLES],
        "fast": [fast.describe(entry) for entry in service.library.entries()],
    }


@router.get(
    "/samples/{name}.png", summary="A sample", response_class=Response, responses=file_response("image/png", 404)
)
def sample(name: Name, service: ServiceDep) -> Response:
    """The picture itself."""
    return Response(service.pictures.sample_png(name), media_type="image/png", headers=A_DAY)


@router.get(
    "/samples/{name}.jpg",
    summary="A sample, small",
    response_class=Response,
    responses=file_response("image/jpeg", 404),
)
def sample_thumbnail(name: Name, service: ServiceDep, side: Side = SIDES[0]) -> Response:
    """Within `side` x `side` px."""
    return Response(service.pictures.thumbnail(f"samples/{name}", side), media_type="image/jpeg", headers=A_DAY)


@router.get(
    "/uploads/{upload_id}.jpg",
    summary="An upload, small",
    response_class=Response,
    responses=file_response("image/jpeg", 404, 503),
)
def upload_thumbnail(
    upload_id: Annotated[str, InPath(description="a run's `content`, `style` or `init`")],
    service: ServiceDep,
    side: Side = SIDES[0],
) -> Response:
    """Within `side` x `side` px."""
    return Response(
        service.pictures.thumbnail(f"uploads/{upload_id}", side), media_type="image/jpeg", headers=IMMUTABLE
    )
