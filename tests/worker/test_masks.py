"""A run with a mask in a worker."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from nst.errors import OptionError
from nst.pictures import images
from nst.pictures.provenance import read
from nst.runs.job import StyleJob
from nst.worker.style_run import StyleRun
from tests.worker.test_runner import SMALL, at, end, events_of, pictures, png, with_options

HALF = np.zeros((48, 64), np.float32)
HALF[:, 32:] = 1


@pytest.fixture
def job(content, style) -> StyleJob:
    return StyleJob(png(content), png(style), SMALL, mask=png(HALF, "L"))


def test_the_result_has_the_content_where_the_mask_is_white_and_names_the_mask(job):
    result = end(events_of(job))[0].image
    found, expected = images.read(result, "it").rgb, images.resize(images.read(job.content).rgb, 72, 96)
    np.testing.assert_allclose(found[:, 56:], expected[:, 56:], atol=1 / 255)
    assert np.abs(found[:, :40] - expected[:, :40]).mean() > 0.02
    assert read(result, "it").mask == hashlib.sha256(job.mask).hexdigest()
    assert StyleRun(job).note == ""


def test_a_white_mask_returns_the_content_and_is_noted(job):
    white = replace(job, mask=png(np.ones((24, 32), np.float32), "L"))
    found = images.read(end(events_of(white))[0].image, "it").rgb
    np.testing.assert_allclose(found, images.resize(images.read(job.content).rgb, 72, 96), atol=1 / 255)
    assert StyleRun(white).note == "The mask has one value all over: 100% of the content is kept everywhere."


def test_a_paused_run_goes_on_with_its_mask(job):
    _, checkpoint = end(events_of(job, at(1, "pause")))
    rest, whole = pictures(events_of(replace(job, checkpoint=checkpoint))), pictures(events_of(job))
    assert (rest[2], rest[3]) == (whole[2], whole[3])


def test_a_mask_that_does_not_fit_the_run_is_refused(job):
    with pytest.raises(OptionError, match="`mask` must have the shape of the content, 64 x 48 px"):
        StyleRun(replace(job, mask=png(np.ones((40, 40)), "L")))
    with pytest.raises(OptionError, match="`mask_use` styles needs two paintings"):
        StyleRun(with_options(job, mask_use="styles"))
