import io
import itertools
import json
import math

import numpy as np
import pytest

from nst.engine.optimization import loop
from nst.engine.optimization.checkpoint import Checkpoint, ScaleState
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.start import start_from_frame
from nst.errors import InputError
from nst.runs.schedule import Scale, of_length

from .conftest import small_options

COMPARED = ("losses", "scales", "epoch", "ends_epoch", "in_float32", "converged")


def whole_run(pictures, options, extractor):
    """(steps with their images, checkpoint files), both by number of the step."""
    steps, files = [], []
    for step in stylize(*pictures, options, extractor=extractor):
        steps.append((step, step.image))
        files.append(step.checkpoint().to_bytes() if step.step <= 20 else b"")
    return steps, files


def kept_at(number, pictures, options, extractor, **history) -> Checkpoint:
    """The checkpoint of a run after that step, read from its file."""
    step = next(step for step in stylize(*pictures, options, extractor=extractor) if step.step == number)
    return Checkpoint.from_bytes(step.checkpoint(**history).to_bytes())


def assert_same_steps(found, expected):
    for step, (was, image) in zip(found, expected, strict=True):
        assert [getattr(step, name) for name in COMPARED] == [getattr(was, name) for name in COMPARED], step.step
        np.testing.assert_array_equal(step.image, image)


# Resuming -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("epochs", [4, "auto"])
def test_a_resumed_run_paints_what_the_uninterrupted_one_does(tiny, pictures, optimizer, epochs, monkeypatch):
    monkeypatch.setattr(loop, "STILL_CHANGE", 6 * loop.STILL_CHANGE)  # or "auto" takes hundreds of steps
    options = small_options(optimizer=optimizer, epochs=epochs)
    steps, files = whole_run(pictures, options, tiny)
    for number in (0, 1, 7, 13, 14, 20):  # at the start, within a scale, at the end of one, at the end
        resume = Checkpoint.from_bytes(files[number])
        rest = list(stylize(*pictures, options, extractor=tiny, resume=resume))
        assert [step.step for step in rest] == [step.step for step, _ in steps[number:]]
        assert_same_steps(rest[1:], steps[number + 1 :])


@pytest.mark.parametrize("epochs", [7, "auto"])
def test_a_run_that_has_stalled_resumes_as_the_uninterrupted_one(tiny_half, pictures, epochs, stalls_after_4_steps):
    options = small_options(epochs=epochs)
    steps, files = whole_run(pictures, options, tiny_half)
    assert [step.in_float32 for step, _ in steps] == [*[False] * 5, *[True] * 6, *[False] * 4, *[True] * 6]
    for number in (4, 5, 7, 10, 12, 17, 20):
        resume = Checkpoint.from_bytes(files[number])
        rest = list(stylize(*pictures, options, extractor=tiny_half, resume=resume))
        assert [step.step for step in rest] == [step.step for step, _ in steps[number:]]
        assert rest[0].converged == steps[number][0].converged == (number == 20)
        assert_same_steps(rest[1:], steps[number + 1 :])


@pytest.mark.parametrize(("still_change", "ends"), [(0.99, False), (1.01, True)])
def test_a_resumed_run_measures_the_change_of_its_picture_since_before_the_checkpoint(
    tiny, pictures, monkeypatch, still_change, ends
):
    options = small_options(epochs="auto", size=64)
    first, *_, tenth = itertools.islice(stylize(*pictures, options, extractor=tiny), 11)
    change = np.abs(tenth._canvas - first._canvas).mean() / 10
    monkeypatch.setattr(loop, "STILL_CHANGE", still_change * change)
    resume = kept_at(7, pictures, options, tiny)
    steps = itertools.islice(stylize(*pictures, options, extractor=tiny, resume=resume), 4)
    assert [step.steps == step.step for step in steps] == [False, False, False, ends]


def test_the_start_of_a_resumed_run_is_as_good_a_checkpoint_as_its_later_steps(tiny, pictures):
    """Without the optimizer's state the change of the picture is measured anew, and the checkpoint says so."""
    options = small_options(epochs="auto", size=64)
    resume = kept_at(7, pictures, options, tiny, history=None)
    first = next(stylize(*pictures, options, extractor=tiny, resume=resume))
    state = first.checkpoint().scale_state
    assert state.reference_step == 7
    np.testing.assert_array_equal(state.reference, first._canvas)
    assert state.lowest_loss == math.inf


def test_a_run_that_converged_ends_soon_again_when_it_is_continued_and_is_no_worse(
    tiny_half, pictures, stalls_after_4_steps
):
    options = small_options(size=64)
    *_, last = stylize(*pictures, options, extractor=tiny_half)
    assert (last.step, last.converged) == (10, True)
    longer = of_length(last.scales, 30)
    more = list(stylize(*pictures, options, extractor=tiny_half, resume=last.checkpoint(None), scales=longer))
    assert all(step.in_float32 for step in more)
    assert [step.converged for step in more] == [False] * 5 + [True]
    assert more[-1].losses.total <= more[0].losses.total <= last.losses.total


def test_a_longer_schedule_continues_a_finished_run_at_full_size(tiny, pictures):
    *_, last = stylize(*pictures, small_options(), extractor=tiny)
    longer = of_length(last.scales, 26)
    more = list(stylize(*pictures, small_options(), extractor=tiny, resume=last.checkpoint(None), scales=longer))
    assert [step.step for step in more] == list(range(20, 27))
    assert {max(step.image.shape) for step in more} == {128}
    assert more[-1].losses.total < more[0].losses.total


def test_a_run_continues_from_a_frame(tiny, pictures):
    steps = {step.step: (step, step.image) for step in stylize(*pictures, small_options(), extractor=tiny)}
    step, image = steps[10]
    resume = start_from_frame(image, 10, step.scales)
    rest = list(stylize(*pictures, small_options(), extractor=tiny, resume=resume))
    assert [step.step for step in rest] == list(range(10, 21))
    np.testing.assert_allclose(rest[0].image, image, atol=1e-6)


def test_a_checkpoint_of_another_optimizer_is_refused(tiny, pictures):
    adam = small_options(optimizer="adam")
    checkpoint = list(itertools.islice(stylize(*pictures, adam, extractor=tiny), 3))[-1].checkpoint()
    with pytest.raises(InputError, match="not one of lbfgs"):
        next(stylize(*pictures, small_options(optimizer="lbfgs"), extractor=tiny, resume=checkpoint))


def test_of_a_long_history_the_newest_is_kept(tiny, pictures):
    step = next(step for step in stylize(*pictures, small_options(), extractor=tiny) if step.step == 4)
    whole = step.checkpoint().optimizer_state
    assert len(whole["places"]) > 2
    pair = 2 * 4 * step.checkpoint().canvas.size
    short = Checkpoint.from_bytes(step.checkpoint(2 * pair).to_bytes())
    np.testing.assert_array_equal(short.optimizer_state["places"], whole["places"][-2:])
    *_, last = stylize(*pictures, small_options(), extractor=tiny, resume=short)
    assert last.step == 20


# The file format ------------------------------------------------------------------------------------------------------

CANVAS = np.random.default_rng(1).uniform(0, 1, (1, 62, 80, 3)).astype(np.float32)  # 46 x 64 px with margins of 8
FIELDS = {"step": 3, "rungs": [[46, 64, 5], [91, 128, 5]], "since": 2, "lowest": 1.5}
STATE = {
    "state.first": CANVAS * 2,
    "state.second": CANVAS * 3,
    "state.mean": CANVAS / 4,
    "state.steps": np.array([3, 3]),
}


def stored(fields: dict, **arrays: np.ndarray) -> bytes:
    """A checkpoint file, written by hand."""
    file = io.BytesIO()
    np.savez(file, plain=np.array(json.dumps(fields)), **arrays)
    return file.getvalue()


@pytest.mark.parametrize("newer", [{}, {"in_float32": True, "converged": True}], ids=["early", "now"])
def test_a_stored_file_is_read(newer, tiny, pictures):
    found = Checkpoint.from_bytes(stored(FIELDS | newer, canvas=CANVAS, seen=CANVAS + 1, **STATE))
    assert (found.step, found.scales) == (3, (Scale(46, 64, 5), Scale(91, 128, 5)))
    assert (found.scale_index, found.steps_before) == (0, 0)
    state = found.scale_state
    assert (state.reference_step, state.lowest_loss) == (2, 1.5)
    assert (state.in_float32, state.converged) == ((True, True) if newer else (False, False))
    np.testing.assert_array_equal(found.canvas, CANVAS)
    np.testing.assert_array_equal(state.reference, CANVAS + 1)
    assert found.optimizer_state.keys() == {"first", "second", "mean", "steps"}
    first = next(stylize(*pictures, small_options(optimizer="adam"), extractor=tiny, resume=found))
    assert first.step == 3
    np.testing.assert_allclose(first.image, np.clip(CANVAS[0, 8:-8, 8:-8] / 4 / (1 - 0.9**3), 0, 1), atol=1e-6)


def test_the_file_has_the_names_that_earlier_versions_read():
    checkpoint = Checkpoint(
        step=3,
        scales=(Scale(46, 64, 5), Scale(91, 128, 5)),
        canvas=CANVAS,
        optimizer_state={"first": CANVAS * 2},
        scale_state=ScaleState(reference=CANVAS + 1, reference_step=2, lowest_loss=1.5, in_float32=True),
    )
    with np.load(io.BytesIO(checkpoint.to_bytes()), allow_pickle=False) as file:
        assert set(file.files) == {"plain", "canvas", "seen", "state.first"}
        assert json.loads(str(file["plain"])) == FIELDS | {"in_float32": True, "converged": False}
        np.testing.assert_array_equal(file["seen"], CANVAS + 1)


def test_a_loss_that_is_not_known_yet_is_null_in_the_file():
    data = Checkpoint(step=0, scales=(Scale(46, 64, 5),), canvas=CANVAS).to_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        assert json.loads(str(file["plain"]))["lowest"] is None
        assert set(file.files) == {"plain", "canvas"}
    assert Checkpoint.from_bytes(data).scale_state.lowest_loss == math.inf


def encrypted(data: bytes) -> bytes:
    """`data` with the flag of an encrypted file in its first entry, which zipfile refuses with a RuntimeError."""
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + b"\x01" + data[at + 1 :]


@pytest.mark.parametrize(
    "damaged",
    [b"", b"PK", b"no zip at all", stored(FIELDS, canvas=CANVAS)[:-40], encrypted(stored(FIELDS, canvas=CANVAS))],
)
def test_a_damaged_file_is_refused(damaged):
    with pytest.raises(InputError, match="the checkpoint is damaged: it cannot be read"):
        Checkpoint.from_bytes(damaged)


@pytest.mark.parametrize("canvas", [CANVAS[:, 1:], CANVAS.astype(np.float64)])
def test_a_canvas_that_is_not_of_its_scale_is_refused(canvas):
    with pytest.raises(InputError, match="the checkpoint is damaged: its canvas is"):
        Checkpoint.from_bytes(stored(FIELDS, canvas=canvas))
