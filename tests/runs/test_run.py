import dataclasses
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nst.errors import Conflict
from nst.options.style_options import StyleOptions
from nst.runs.events import (
    Checkpointed,
    Continued,
    Epoch,
    Event,
    Failed,
    Fetching,
    Finished,
    Interrupted,
    Losses,
    Paused,
    Queued,
    Started,
    Steered,
    Stopped,
)
from nst.runs.run import MOVES, Run, State
from tests.epochs import epoch_event

RUN = Run("0" * 32, 0.0, StyleOptions(epochs=3), "c" * 64, "d" * 64, epochs=3)
STARTED = Started(extractor="compact", note="a note", width=640, height=480, epochs=3, steps=30)
STARTED_AUTO = Started(
    extractor="compact", note="a note", width=640, height=480, epochs=100, steps=1000, precision="bfloat16", tiled=True
)


def epoch(n: int) -> Epoch:
    return epoch_event(
        n,
        losses=Losses(6.0, 1.0, 2.0, 3.0),
        width=320,
        height=240,
        seconds=1.5,
        steps_per_second=20.0,
        seconds_left=4.5,
        image=b"jpeg",
    )


events = st.one_of(
    st.just(Queued()),
    st.just(STARTED),
    st.integers(0, 5).map(epoch),
    st.just(Finished(seconds=2.0, image=b"png")),
    st.sampled_from([Stopped(seconds=1.0), Stopped(seconds=1.0, image=b"png")]),
    st.sampled_from([Failed(error="no"), Failed(error="no", image=b"png")]),
    st.just(Interrupted(error="the server went away")),
    st.just(Fetching(name="vgg19", received=0, size=1)),
    st.just(Steered(step=3, epoch=1, changes={"strength": 2.0})),
    st.just(Checkpointed(step=20, seconds=2.0, checkpoint=b"checkpoint")),
    st.just(Paused(seconds=1.0, image=b"png")),
    st.just(Continued(epochs=5)),
)


@settings(deadline=None)
@given(st.lists(events, max_size=12))
def test_only_the_moves_of_the_table_happen(happened: list[Event]) -> None:
    run = RUN
    for event in happened:
        allowed = MOVES.get(run.state, {}).get(type(event))
        stale = isinstance(event, Epoch) and run.frames > 0 and event.epoch <= run.epoch
        if allowed is None or stale:
            with pytest.raises(Conflict, match=run.id):
                run.after(event)
        else:
            after = run.after(event)
            assert after.state is allowed
            assert after.last == run.last + run.is_numbered(event)
            run = after
        assert Run.from_json(json.loads(json.dumps(run.to_json()))) == run


@settings(deadline=None)
@given(st.sampled_from([state for state in State if state.ended]), events)
def test_an_ended_run_never_moves_again_unless_it_is_continued(state: State, event: Event) -> None:
    assume(not isinstance(event, Continued | Checkpointed))
    with pytest.raises(Conflict, match=f"is {state}"):
        dataclasses.replace(RUN, state=state).after(event)


def test_finished_failed_stopped_and_interrupted_are_the_ends() -> None:
    assert {state for state in State if state.ended} == {
        State.FINISHED,
        State.FAILED,
        State.STOPPED,
        State.INTERRUPTED,
    }


def test_the_events_of_a_run_add_up() -> None:
    run = RUN.after(STARTED).after(epoch(0)).after(epoch(1))
    assert (run.state, run.extractor, run.note, run.width, run.height) == ("running", "compact", "a note", 640, 480)
    assert (run.epoch, run.frames, run.losses) == (1, 2, Losses(6.0, 1.0, 2.0, 3.0))
    assert (run.seconds, run.seconds_left, run.steps_per_second, run.has_result) == (1.5, 4.5, 20.0, False)
    run = run.after(Finished(seconds=2.0, image=b"png"))
    assert (run.state, run.seconds, run.seconds_left, run.has_result, run.last) == ("finished", 2.0, 0.0, True, 5)


def test_a_run_that_ends_by_itself_has_the_epochs_that_were_done() -> None:
    run = dataclasses.replace(RUN, options=StyleOptions(epochs="auto"), epochs=100).after(STARTED_AUTO)
    assert (run.epochs, run.precision, run.tiled) == (100, "bfloat16", True)
    run = run.after(epoch(0)).after(epoch(1)).after(Finished(seconds=2.0, image=b"png"))
    assert (run.state, run.epoch, run.epochs) == ("finished", 1, 1)


def test_a_run_that_converged_keeps_its_planned_epochs_until_it_is_continued() -> None:
    run = RUN.after(STARTED).after(epoch(0)).after(epoch(1)).after(Finished(seconds=2.0, image=b"png", converged=True))
    assert (run.converged, run.epoch, run.epochs, run.planned) == (True, 1, 1, 3)
    run = run.after(Continued(epochs=5))
    assert (run.converged, run.epochs) == (False, 5)
    assert not RUN.after(STARTED).after(epoch(0)).after(Finished(seconds=2.0, image=b"png")).converged


def test_events_and_runs_stored_without_precision_and_tiles_still_load() -> None:
    old_event = {name: value for name, value in STARTED.to_json().items() if name not in ("precision", "tiled")}
    assert Event.from_wire(old_event) == dataclasses.replace(STARTED, precision="float32", tiled=False)
    old_run = {name: value for name, value in RUN.to_json().items() if name not in ("precision", "tiled")}
    assert Run.from_json(old_run) == RUN


def test_a_run_stored_before_colors_were_transferred_goes_on_without() -> None:
    stored = RUN.to_json()
    assert Run.from_json(stored).options.color_transfer_amount == 1.0
    del stored["options"]["color_transfer"]
    assert Run.from_json(stored).options.color_transfer_amount == 0.0


def test_a_run_stored_before_there_were_neighbors_goes_on_without() -> None:
    stored = RUN.to_json()
    assert Run.from_json(stored).options.weights.neighbors > 0
    del stored["options"]["neighbor_weight"]
    assert Run.from_json(stored).options.weights.neighbors == 0


def test_a_steered_run_and_those_that_begin_with_its_picture_have_the_color_transfer_it_began_with() -> None:
    run = RUN.after(STARTED).after(epoch(0)).after(Steered(step=1, epoch=0, changes={"strength": 0.25}))
    assert run.options_now.color_transfer_amount == 0.25
    assert run.with_its_colors(run.options_now) == dataclasses.replace(run.options_now, color_transfer=1.0)
    stronger = dataclasses.replace(RUN.options, strength=2.0)
    assert RUN.with_its_colors(stronger) is stronger


def test_a_failure_keeps_its_reason_and_the_last_good_picture() -> None:
    run = RUN.after(STARTED).after(Failed(error="the loss became NaN", image=b"png"))
    assert (run.state, run.error, run.has_result) == ("failed", "the loss became NaN", True)


def test_a_run_stopped_while_it_waited_has_no_result() -> None:
    assert not RUN.after(Stopped(seconds=0.0)).has_result


def test_the_json_form_has_the_names_of_the_api() -> None:
    names = {"id", "state", "epoch", "epochs", "frames", "losses", "options", "extractor", "error"}
    assert names <= RUN.to_json().keys()
    assert RUN.to_json()["state"] == "queued"


def test_changes_hold_from_then_on_and_the_first_options_are_kept() -> None:
    run = RUN.after(STARTED).after(epoch(0)).after(Steered(step=1, epoch=0, changes={"strength": 2.0}))
    run = run.after(epoch(1)).after(Steered(step=11, epoch=1, changes={"strength": 3.0, "tv_weight": 1.0}))
    assert (run.options.strength, run.options_now.strength, run.options_now.tv_weight) == (1.0, 3.0, 1.0)
    assert [change["step"] for change in run.steered] == [1, 11]


def test_a_run_that_was_paused_resumes_at_its_checkpoint() -> None:
    run = (
        RUN.after(STARTED)
        .after(epoch(0))
        .after(epoch(1))
        .after(Paused(seconds=2.0, image=b"png"))
        .after(Checkpointed(step=12, seconds=2.0, checkpoint=b"checkpoint"))
    )
    assert (run.state, run.kept, run.has_result, run.state.rests, run.state.ended) == ("paused", 12, True, True, False)
    run = run.after(Continued(epochs=3))
    assert (run.state, run.prolonged, run.epochs) == ("queued", False, 3)
    run = run.after(dataclasses.replace(STARTED, epoch=1, resumed=True))
    assert (run.epoch, run.frames) == (1, 2)
    assert run.after(epoch(2)).frames == 3


def test_what_was_painted_after_the_last_checkpoint_is_painted_again() -> None:
    run = (
        RUN.after(STARTED)
        .after(epoch(0))
        .after(epoch(1))
        .after(Checkpointed(step=10, seconds=1.0, checkpoint=b"checkpoint"))
        .after(epoch(2))
    )
    run = run.after(Interrupted(error="gone"))
    assert (run.state, run.lost) == ("interrupted", 10)
    run = run.after(Continued(epochs=3)).after(dataclasses.replace(STARTED, epoch=1, resumed=True))
    assert (run.error, run.epoch) == ("", 1)
    assert run.after(epoch(2)).frames == 3


def test_a_run_knows_its_scales_and_forgets_those_that_are_painted_again() -> None:
    small, large = (dataclasses.replace(epoch(n), width=side, height=side) for n, side in ((0, 64), (2, 128)))
    middle = dataclasses.replace(epoch(1), width=64, height=48)
    run = (
        RUN.after(STARTED)
        .after(small)
        .after(middle)
        .after(Checkpointed(step=10, seconds=1.0, checkpoint=b"checkpoint"))
        .after(large)
    )
    assert run.scales == ((0, 64), (2, 128))
    queued = run.after(Interrupted(error="gone")).after(Continued(epochs=3))
    assert queued.after(dataclasses.replace(STARTED, epoch=1, resumed=True)).scales == ((0, 64),)
    assert queued.after(STARTED).scales == ()
    before = {name: value for name, value in run.to_json().items() if name != "scales"}
    assert Run.from_json(before).scales == ()  # as older versions stored it


def test_a_finished_run_may_be_prolonged() -> None:
    run = (
        RUN.after(STARTED)
        .after(epoch(0))
        .after(epoch(3))
        .after(Finished(seconds=2.0, image=b"png"))
        .after(Checkpointed(step=30, seconds=2.0, checkpoint=b"checkpoint"))
    )
    run = run.after(Continued(epochs=5))
    assert (run.state, run.epochs, run.prolonged, run.has_result) == ("queued", 5, True, True)
