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
from nst.runs.schedule import scales_left, schedule

DIAGNOSED_SIDE = 320  # px, long side at which a picture is diagnosed: a second or two, beside the run


def execute(job: DiagnosisJob) -> dict[str, Any]:
    """Diagnose the losses of a job's picture, reduced to `DIAGNOSED_SIDE`. Raises InputError, WeightsError.

    Returns:
        {"width", "height" (px), "side" (long side of the picture as it was painted, px),
        "layers": [{"role", "layer", "loss", "share"}], "tv_share", "neighbor_share",
        "matrices": {layer: {"now", "target"}} and "maps": {"content", "style"}}; the last two hold PNG files in base64.
        Where a mask makes two regions, "matrices" name the region after the layer.
    """
    painted = images.read(job.picture, "picture", DIAGNOSED_SIDE)
    height, width = fit_within(painted.height, painted.width, DIAGNOSED_SIDE)
    side = max(1, round(max(height, width) * max(job.options.scale_of_each(len(job.styles)))))
    styles = [images.read(style, "style", side).rgb for style in job.styles]
    content = images.read(job.content, "content", max(height, width))
    mask = read_mask(job.mask, max(height, width), (content.height, content.width)) if job.mask else None
    extractor = load_extractor(job.extractor, job.options.pooling)
    scales = schedule(content.height, content.width, job.options)
    sizes = [(scale.height, scale.width) for scale in scales]
    size = painted.height, painted.width
    left = scales_left(scales, sizes.index(size)) if size in sizes else 0.0
    image = images.resize(painted.rgb, height, width)
    found = diagnose(image, content.rgb, styles, job.options, extractor, mask, left)
    return {
        "side": max(painted.height, painted.width),
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
