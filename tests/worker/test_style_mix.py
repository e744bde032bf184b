"""A run of several paintings in a worker: steered, paused, resumed, and described in its result."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from nst.errors import OptionError
from nst.pictures.provenance import read
from nst.runs.events import Failed, Finished, Steered
from nst.runs.job import StyleJob
from nst.worker.style_run import StyleRun
from tests.worker.test_runner import SMALL, at, end, events_of, pictures, png


@pytest.fixture
def job(content, style) -> StyleJob:
    return StyleJob(png(content), png(style), SMALL, more_styles=(png(np.flip(content, 0)),))


def test_a_change_of_the_mix_is_used_from_the_next_step_on_and_repeated(job):
    steady, steered = events_of(job), events_of(job, at(1, "steer", {"style_mix": [0.0, 1.0]}))
    (change,) = [event for event in steered if isinstance(event, Steered)]
    assert (change.step, change.changes) == (3, {"style_mix": [0.0, 1.0]})
    assert pictures(steered)[1] == pictures(steady)[1]
    assert pictures(steered)[2] != pictures(steady)[2]
    assert pictures(events_of(replace(job, steered=((3, {"style_mix": [0.0, 1.0]}),)))) == pictures(steered)
    result = read(end(steered)[0].image, "it")
    assert result.more_styles == (hashlib.sha256(job.more_styles[0]).hexdigest(),)
    assert result.steered == ((3, {"style_mix": [0.0, 1.0]}),)


def test_a_paused_run_goes_on_with_all_of_its_paintings(job):
    job = replace(job, options=replace(job.options, style_mix=[1, 2]))
    _, checkpoint = end(events_of(job, at(1, "pause")))
    rest, whole = pictures(events_of(replace(job, checkpoint=checkpoint))), pictures(events_of(job))
    assert (rest[2], rest[3]) == (whole[2], whole[3])


def test_a_mix_of_other_than_the_runs_paintings_is_not_used(job):
    events = events_of(job, at(1, "steer", {"style_mix": [1.0, 2.0, 3.0]}))
    assert not [event for event in events if isinstance(event, Steered)]
    assert isinstance(end(events)[0], Finished)
    with pytest.raises(OptionError, match="`style_mix` must have a number for each of the 2 paintings, got 1"):
        StyleRun(replace(job, options=replace(job.options, style_mix=[1])))
    (failed,) = events_of(replace(job, steered=((1, {"style_mix": [1.0]}),)))
    assert isinstance(failed, Failed)
