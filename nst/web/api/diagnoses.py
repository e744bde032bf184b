"""What the losses of a run's frame consist of."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from nst.web.api.access import ServiceDep, VisibleRun
from nst.web.api.openapi import errors
from nst.web.api.responses import Answer, Number

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["pictures of a run"])


class LayerLoss(Answer):
    """The loss of a layer without weights, and its share of the whole objective with them."""

    role: str
    layer: str
    loss: Number
    share: Number


class Diagnosis(Answer):
    """The losses of a frame; `matrices` and `maps` hold heat maps, PNG files in base64."""

    epoch: int
    width: int
    height: int
    layers: list[LayerLoss]
    tv_share: Number
    matrices: dict[str, dict[str, str]]
    maps: dict[str, str]


@router.get(
    "/diagnosis",
    summary="What the losses of a frame consist of",
    responses={200: {"model": Diagnosis}, **errors(404, 409, 429, 500, 503)},
)
def diagnosis(
    run: VisibleRun,
    service: ServiceDep,
    epoch: Annotated[int | None, Query(ge=0, le=10**6, description="whose frame; the newest one by default")] = None,
) -> dict[str, Any]:
    """Return each layer's share of the loss, Gram matrices and their targets, and where the picture disagrees.

    A worker computes it from the frame, at 320 px, when it is first asked for.
    """
    return service.diagnoses.of(run, epoch)
