import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nst.engine.backend import tf
from nst.errors import Diverged, OutOfMemory
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.provenance import read
from nst.runs.control import Control
from nst.runs.estimates import Calibration, PlannedRun
from nst.runs.events import Checkpointed, Epoch, Failed, Finished, Paused, Started, Steered, Stopped
from nst.runs.job import StyleJob
from nst.worker import calibrations, runner, style_run
from nst.worker.style_run import StyleRun

SMALL = StyleOptions(epochs=3, steps_per_epoch=2, size=96, extractor="compact", precision="float32")


def png(array: np.ndarray, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.fromarray((array * 255).astype(np.uint8), mode).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def job(content, style) -> StyleJob:
    return StyleJob(png(content), png(style), SMALL)


def with_options(job: StyleJob, **options) -> StyleJob:
    return replace(job, options=replace(job.options, **options))


def events_of(job: StyleJob, request=lambda control, event: None) -> list:
    """The events of a run; `request` is called with its control at each."""
    events: list = []
    control = Control()

    def emit(event) -> None:
        events.append(event)
        request(control, event)

    runner.execute(job, emit, control)
    return events


def at(epoch: int, method: str, *given):
    """Call a method of the control once `epoch` is done."""

    def request(control, event) -> None:
        if isinstance(event, Epoch) and event.epoch == epoch:
            getattr(control, method)(*given)

    return request


def end(events: list):
    """The event that ended the run, and the checkpoint that follows it."""
    *_, last, kept = events
    assert isinstance(kept, Checkpointed)
    return last, kept.checkpoint


def pictures(events: list) -> dict[int, bytes]:
    """The frames by their epochs."""
    return {event.epoch: event.image for event in events if isinstance(event, Epoch)}


def test_a_run_emits_its_start_every_epoch_and_its_end(job):
    *events, kept = events_of(job)
    started, *epochs, finished = (event for event in events if not isinstance(event, Checkpointed))
    assert kept.step == 6
    assert started == Started(
        extractor="compact", note="", width=96, height=72, epochs=3, steps=6, precision="float32", tiled=False
    )
    assert [type(event) for event in epochs] == [Epoch] * 4
    assert [event.epoch for event in epochs] == [0, 1, 2, 3]
    assert [event.step for event in epochs] == [0, 2, 4, 6]
    for event in epochs:
        frame = Image.open(io.BytesIO(event.image))
        assert frame.format == "JPEG"
        assert frame.size == (event.width, event.height)
    assert epochs[-1].seconds_left == 0
    assert isinstance(finished, Finished)


def test_a_style_for_large_brushwork_keeps_its_detail(job):
    """Enlarged fourfold, it must come from its own pixels, not from those that a painting of 96 px would need."""
    job = with_options(replace(job, style=png(np.zeros((600, 800, 3)))), style_scale=4.0)
    assert max(StyleRun(job)._styles[0].shape) >= 4 * 96
    of_each = with_options(replace(job, more_styles=(job.style,)), style_scale=1.0, style_scales=[4, 0.5])
    assert max(StyleRun(of_each)._styles[0].shape) >= 4 * 96


def test_the_start_names_the_precision(job):
    assert StyleRun(with_options(job, precision="bfloat16")).started().precision == "bfloat16"


def test_the_result_is_a_png_with_its_settings_inside(job):
    finished, _ = end(events_of(job))
    result = Image.open(io.BytesIO(finished.image))
    assert (result.format, result.size) == ("PNG", (96, 72))
    said = read(finished.image, "it")
    assert said.options == SMALL
    assert (said.extractor, said.epochs, said.branched) == ("compact", 3, False)
    assert said.content == hashlib.sha256(job.content).hexdigest()
    assert set(said.versions) == {"python", "tensorflow", "keras", "numpy"}


def test_the_contents_transparency_is_put_back(job, content):
    alpha = np.zeros((48, 64, 1), np.float32)
    alpha[:, 32:] = 1
    finished, _ = end(events_of(replace(job, content=png(np.concatenate([content, alpha], -1), "RGBA"))))
    result = np.asarray(Image.open(io.BytesIO(finished.image)))
    assert result.shape == (72, 96, 4)
    assert result[:, :40, 3].max() == 0
    assert result[:, 56:, 3].min() == 255


def test_a_stop_keeps_the_picture_so_far(job):
    last, _ = end(events_of(job, at(1, "stop")))
    assert isinstance(last, Stopped)
    assert Image.open(io.BytesIO(last.image)).size == (96, 72)


@pytest.mark.parametrize("method", ["", "stop", "pause"])
def test_a_quick_run_makes_no_checkpoint(job, monkeypatch, method):
    monkeypatch.setattr(style_run, "SHORTEST_INTERVAL", 0.0)
    request = at(1, method) if method else lambda control, event: None
    assert not [
        event for event in events_of(replace(job, checkpoints=False), request) if isinstance(event, Checkpointed)
    ]


def test_a_run_that_was_paused_goes_on_as_if_it_had_not_been(job):
    whole = events_of(job)
    *first, paused, kept = events_of(job, at(1, "pause"))
    assert isinstance(paused, Paused)
    assert (kept.step, Image.open(io.BytesIO(paused.image)).size) == (2, (96, 72))
    started, *rest = events_of(replace(job, checkpoint=kept.checkpoint, seconds=paused.seconds))
    assert (started.epoch, started.resumed) == (1, True)
    assert pictures([*first, *rest]) == pictures(whole)
    assert not set(pictures(first)) & set(pictures(rest))
    assert rest[-1].seconds > paused.seconds
    assert pixels(rest) == pixels(whole)


def pixels(events: list) -> bytes:
    """Of the result."""
    return Image.open(io.BytesIO(end(events)[0].image)).tobytes()


def test_a_finished_run_is_continued_at_full_size(job):
    _, checkpoint = end(events_of(job))
    events = events_of(replace(job, checkpoint=checkpoint, epochs=5))
    assert (events[0].epochs, events[0].epoch, events[0].resumed) == (5, 3, True)
    assert list(pictures(events)) == [4, 5]
    assert Image.open(io.BytesIO(pictures(events)[5])).size == (96, 72)
    assert isinstance(end(events)[0], Finished)


def test_a_run_that_converges_finishes_early_and_says_so(job):
    job = with_options(job, init="content", style_weight=0, tv_weight=0, neighbor_weight=0)
    events = events_of(job)
    finished, checkpoint = end(events)
    assert finished == Finished(seconds=finished.seconds, image=finished.image, converged=True)
    assert read(finished.image, "it").epochs == 1
    assert list(pictures(events)) == [0, 1]
    # Resumed after its worker was lost before the end was reported, and continued for more epochs.
    for epochs, more in ((None, []), (3, [2])):
        again = events_of(replace(job, checkpoint=checkpoint, epochs=epochs))
        assert list(pictures(again)) == more
        assert end(again)[0].converged


def test_a_branch_begins_with_the_frame_and_ends_where_the_run_would_have(job):
    whole = events_of(job)
    frame = pictures(whole)[2]
    events = events_of(with_options(replace(job, start=frame, first=2), strength=4.0))
    assert (events[0].epoch, events[0].resumed, events[0].epochs) == (2, False, 3)
    assert list(pictures(events)) == [2, 3]
    assert pictures(events)[2] == images.encode_jpeg(images.read(frame, least=1).rgb, images.FRAME_QUALITY)
    assert read(end(events)[0].image, "it").branched


def test_steering_is_an_event_and_is_used_from_the_next_step_on(job):
    steady, steered = events_of(job), events_of(job, at(1, "steer", {"strength": 20.0}))
    (change,) = [event for event in steered if isinstance(event, Steered)]
    assert change == Steered(step=3, epoch=1, changes={"strength": 20.0})
    assert pictures(steered)[1] == pictures(steady)[1]
    assert pictures(steered)[2] != pictures(steady)[2]
    again = events_of(replace(job, steered=((3, {"strength": 20.0}),)))
    assert pictures(again) == pictures(steered)
    said = read(end(steered)[0].image, "it")
    assert (said.steered, said.options.strength) == (((3, {"strength": 20.0}),), 1.0)


def test_changes_made_before_a_checkpoint_hold_after_it(job):
    steer, pause = at(1, "steer", {"tv_weight": 9.0}), at(2, "pause")
    _, checkpoint = end(events_of(job, lambda control, event: (steer(control, event), pause(control, event))))
    whole = events_of(job, steer)
    rest = events_of(replace(job, checkpoint=checkpoint, steered=((3, {"tv_weight": 9.0}),)))
    assert pictures(rest)[3] == pictures(whole)[3]


def test_an_invalid_change_is_ignored(job):
    events = events_of(job, at(1, "steer", {"style_layers": {"nowhere": 1.0}}))
    assert isinstance(end(events)[0], Finished)
    assert not [event for event in events if isinstance(event, Steered)]


def test_checkpoints_are_as_frequent_as_their_interval_and_each_can_be_resumed(job, monkeypatch):
    monkeypatch.setattr(style_run, "LONGEST_INTERVAL", 0.0)
    events = events_of(job)
    kept = {event.step: event.checkpoint for event in events if isinstance(event, Checkpointed)}
    assert sorted(kept) == list(range(7))
    for step in (1, 3, 6):
        rest = events_of(replace(job, checkpoint=kept[step]))
        assert pictures(rest).items() <= pictures(events).items()
        assert pixels(rest) == pixels(events)


def test_a_run_whose_checkpoint_is_damaged_starts_anew_with_a_note(job):
    events = events_of(replace(job, checkpoint=b"PK nonsense"))
    assert (events[0].epoch, events[0].resumed) == (0, False)
    assert "Its checkpoint was damaged, so it is painted anew." in events[0].note
    assert list(pictures(events)) == [0, 1, 2, 3]


def test_a_run_that_is_cut_ends_there(job):
    events = events_of(replace(job, epochs=2))
    assert list(pictures(events)) == [0, 1, 2]
    assert pictures(events)[1] == pictures(events_of(job))[1]


def test_a_branch_near_the_end_of_a_longer_run_has_the_epochs_it_was_asked_for(job):
    frame = pictures(events_of(replace(job, epochs=5)))[4]
    events = events_of(replace(job, start=frame, first=4, epochs=6))
    assert (events[0].epochs, list(pictures(events))) == (6, [4, 5, 6])


def test_a_run_that_goes_on_keeps_its_network(job):
    run = StyleRun(with_options(replace(job, extractor="compact", precision="bfloat16"), extractor="auto"))
    assert (run.extractor, run.started().precision) == ("compact", "bfloat16")


def test_a_newer_change_overrules_one_that_was_made_later_in_an_attempt_that_was_lost(job):
    *_, kept = events_of(job, at(1, "pause"))
    run = StyleRun(replace(job, checkpoint=kept.checkpoint, steered=((5, {"strength": 2.0}),)))
    for step in run.steps():
        if step.step == 3:
            run.steer(step, {"strength": 9.0})
    assert run._options_now.strength == 9.0
    assert [(step, changes["strength"]) for step, changes in run.steered] == [(4, 2.0), (4, 9.0)]


def test_changes_that_were_recorded_out_of_order_are_made_in_the_order_of_their_record(job):
    lost_then_newer = ((5, {"strength": 2.0}), (3, {"tv_weight": 9.0}))
    run = StyleRun(replace(job, steered=lost_then_newer))
    assert run.steered == [(3, {"strength": 2.0}), (3, {"tv_weight": 9.0})]
    made = [(run._options_now.strength, run._options_now.tv_weight) for _ in run.steps()]
    assert made[3] == (2.0, 9.0)
    assert made[1] == (job.options.strength, job.options.tv_weight)


def test_the_event_of_a_change_has_all_layers(job):
    first, second = (layer for layer, _ in job.options.layers("compact")[1][:2])
    found = events_of(job, at(1, "steer", {"style_layers": {first: 2.0}}))
    (change,) = [event.changes for event in found if isinstance(event, Steered)]
    assert change["style_layers"][first] == 2.0
    assert change["style_layers"][second] == 0.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content": b"GIF89a nonsense"}, "content"),
        ({"options": replace(SMALL, style_layers={"block7_conv1": 1})}, "no layer 'block7_conv1'"),
        ({"options": replace(SMALL, init="image")}, "`init` is image"),
    ],
)
def test_bad_input_fails_the_run_with_one_line(job, change, words):
    *_, last = events_of(replace(job, **change))
    assert isinstance(last, Failed)
    assert words in last.error
    assert "\n" not in last.error
    assert "Traceback" not in last.error


def test_missing_weights_fail_the_run_and_say_how_to_get_them(job, monkeypatch, tmp_path):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("NST_VGG19_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    (failed,) = events_of(with_options(job, extractor="vgg19"))
    assert isinstance(failed, Failed)
    assert "nst weights fetch vgg19" in failed.error


def test_a_loss_that_runs_away_keeps_the_picture_before_it(job, monkeypatch):
    steps = []

    def diverge(*arguments, **named):
        for step in stylize(*arguments, **named):
            if step.step == 4:
                raise Diverged("the loss ran away at step 4")
            steps.append(step)
            yield step

    stylize = style_run.stylize
    monkeypatch.setattr(style_run, "stylize", diverge)
    *_, failed = events_of(job)
    assert failed.error == "the loss ran away at step 4"
    kept = np.asarray(Image.open(io.BytesIO(failed.image)), np.float32) / 255
    np.testing.assert_allclose(kept, images.resize(steps[2].image, 72, 96), atol=0.01)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory at size 96; choose a smaller one"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), "not enough memory at size 96"),
        (ZeroDivisionError("1/0"), r"failed unexpectedly (ZeroDivisionError)"),
    ],
)
def test_an_unexpected_error_keeps_the_picture_so_far(job, monkeypatch, error, words):
    stylize = style_run.stylize

    def fail(*arguments, **named):
        yield next(stylize(*arguments, **named))
        raise error

    monkeypatch.setattr(style_run, "stylize", fail)
    *_, failed = events_of(job)
    assert words in failed.error
    assert Image.open(io.BytesIO(failed.image)).size == (96, 72)


@pytest.mark.parametrize(("width", "height", "size"), [(3840, 2160, 224), (1000, 333, 100), (999, 1000, 128)])
def test_the_aspect_ratio_is_that_of_the_picture_not_of_its_reduction(job, width, height, size):
    job = replace(job, content=png(np.zeros((height, width, 3))))
    finished, _ = end(events_of(with_options(job, size=size, epochs=1, steps_per_epoch=1)))
    factor = size / max(width, height)
    assert Image.open(io.BytesIO(finished.image)).size == (round(width * factor), round(height * factor))


def test_a_given_start_picture_is_used(job):
    job = replace(job, init=png(np.full((48, 64, 3), (1.0, 0.0, 0.0))))
    _, start, *_ = events_of(with_options(job, init="image"))
    red = np.asarray(Image.open(io.BytesIO(start.image))).mean((0, 1))
    assert red[0] > 240
    assert red[1] < 20


def test_warming_up_reports_what_there_is(monkeypatch):
    monkeypatch.setattr(calibrations, "_measured", {})  # other tests measure networks of other precisions
    info = runner.warm_up()
    assert info["device"]
    assert info["extractors"]["compact"]["installed"] is True
    assert info["auto"] in ("vgg19", "compact")
    assert info["precision"] in ("float32", "bfloat16")
    assert info["memory"] > 10**8
    measured = [Calibration.from_json(each) for each in info["calibrations"]]
    installed = {name for name in ("compact", "vgg19") if info["extractors"][name]["installed"]}
    assert {calibration.network for calibration in measured} == installed
    assert {calibration.precision for calibration in measured} == {info["precision"]}
    assert all(calibration.pixel_seconds > 0 for calibration in measured)
    json.dumps(info)


def test_a_machine_is_measured_once_though_the_worker_warms_up_again(monkeypatch):
    first = runner.warm_up()["calibrations"]
    monkeypatch.setattr(calibrations, "calibrate", lambda network: pytest.fail("measured again"))
    assert runner.warm_up()["calibrations"] == first


def test_a_run_is_estimated_on_this_machine(job):
    estimate = StyleRun(job).estimate()
    assert (estimate.width, estimate.height, estimate.at_most) == (96, 72, False)
    assert estimate.seconds > 0


def test_the_memory_of_a_run_is_estimated_once(job, monkeypatch):
    estimate, estimated = PlannedRun.estimate, []
    monkeypatch.setattr(PlannedRun, "estimate", lambda self, **given: estimated.append(self) or estimate(self, **given))
    next(StyleRun(job).steps())
    assert len(estimated) == 1


def test_a_run_that_does_not_fit_is_refused_before_it_starts(job, monkeypatch):
    monkeypatch.setenv("NST_MEMORY", "0.1")
    with pytest.raises(OutOfMemory, match="`size` 96 needs"):
        StyleRun(job)
