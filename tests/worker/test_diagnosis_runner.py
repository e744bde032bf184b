import base64
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from nst.engine.optimization.objective import FIRST_SCALE_CONTENT
from nst.errors import ImageError
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_jpeg, encode_png
from nst.runs.job import DiagnosisJob
from nst.worker.diagnosis_runner import DIAGNOSED_SIDE, execute


def job(picture: bytes, content: np.ndarray, style: np.ndarray, **options: object) -> DiagnosisJob:
    return DiagnosisJob(picture, encode_png(content), (encode_png(style),), StyleOptions.from_json(options), "compact")


def test_a_frame_is_diagnosed_from_files(content, style):
    found = execute(job(encode_jpeg(content), content, style))
    assert (found["width"], found["height"]) == (content.shape[1], content.shape[0])
    assert {layer["role"] for layer in found["layers"]} == {"content", "style"}
    others = found["tv_share"] + found["neighbor_share"]
    assert sum(layer["share"] for layer in found["layers"]) + others == pytest.approx(1)
    with Image.open(io.BytesIO(base64.b64decode(found["maps"]["style"]))) as picture:
        assert picture.size == (found["width"], found["height"])
    assert set(found["matrices"]["block1_conv1"]) == {"now", "target"}


def test_what_the_mask_of_a_run_protects_everywhere_has_no_style_loss(content, style):
    white = encode_png(np.ones_like(content))
    found = execute(dataclasses.replace(job(encode_jpeg(content), content, style), mask=white))
    assert [layer["loss"] for layer in found["layers"] if layer["role"] == "style"] == [0.0] * 5


def test_a_frame_is_diagnosed_with_the_weights_of_the_scale_that_it_was_painted_on(content, style):
    """Of a run of several scales, the first of which is as large as the content; of a run of one scale; and reduced."""
    side = max(content.shape[:2])
    coarse, alone = (
        execute(job(encode_jpeg(content[::-1]), content, style, **options))
        for options in ({"size": 2 * side, "init": "noise"}, {"size": side, "init": "content"})
    )
    assert coarse["side"] == alone["side"] == side
    ratios = [found["neighbor_share"] / found["layers"][-1]["share"] for found in (coarse, alone)]
    assert ratios[0] == pytest.approx(FIRST_SCALE_CONTENT * ratios[1], rel=1e-3)
    large = execute(job(encode_jpeg(np.repeat(np.repeat(content, 6, 0), 6, 1)), content, style))
    assert (large["side"], max(large["width"], large["height"])) == (6 * side, DIAGNOSED_SIDE)


def test_a_picture_that_cannot_be_read_is_refused(content, style):
    with pytest.raises(ImageError):
        execute(job(b"no picture", content, style))
