"""The losses of a picture in a worker process, beside its run: numbers, and heat maps as PNG files in base64.

The queue names `execute` as text ("nst.worker.diagnosis_runner:execute"), so that no other process imports TensorFlow.
"""

import base64
import dataclasses
from typing import Any

from nst.engine.diagnosis import diagnose
from nst.engine.networks.choose_extractor import load_extractor
from nst.pictures import images
from nst.pictures.heat_map import matrix_heat_map, plane_heat_map
from nst.pictures.images import fit_within
from nst.pictures.masks import read_mask
from nst.runs.job import DiagnosisJob

SIDE = 320  # px, long side at which a picture is diagnosed: a second or two, beside the run


def execute(job: DiagnosisJob) -> dict[str, Any]:
    """Diagnose the losses of a job's picture, reduced to `SIDE`. Raises InputError, WeightsError.

    Returns:
        {"width", "height" (px), "layers": [{"role", "layer", "loss", "share"}], "tv_share", "neighbor_share",
        "matrices": {layer: {"now", "target"}} and "maps": {"content", "style"}}; the last two hold PNG files in base64.
        Where a mask makes two regions, "matrices" name the region after the layer.
    """
    picture = images.read(job.picture, "picture", SIDE).rgb
    height, width = picture.shape[:2]
    height, width = fit_within(height, width, SIDE)
    side = max(1, round(max(height, width) * max(job.options.scale_of_each(len(job.styles)))))
    styles = [images.read(style, "style", side).rgb for style in job.styles]
    content = images.read(job.content, "content", max(height, width))
    mask = read_mask(job.mask, max(height, width), (content.height, content.width)) if job.mask else None
    extractor = load_extractor(job.extractor, job.options.pooling)
    found = diagnose(images.resize(picture, height, width), content.rgb, styles, job.options, extractor, mask)
    return {
        "width": width,
        "height": height,
        "layers": [dataclasses.asdict(each) for each in found.layers],
        "tv_share": found.tv_share,
        "neighbor_share": found.neighbor_share,
        "matrices": {
            layer: {name: _png(matrix_heat_map(matrix, target)) for name, matrix in (("now", now), ("target", target))}
            for layer, (now, target) in found.matrices.items()
        },
        "maps": {
            name: _png(plane_heat_map(plane, height, width))
            for name, plane in (("content", found.content_map), ("style", found.style_map))
        },
    }


def _png(picture: images.Array) -> str:
    return base64.b64encode(images.encode_png(picture)).decode()
