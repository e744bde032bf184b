import itertools

import numpy as np
import pytest

from nst.engine.optimization import loop, start
from nst.engine.optimization.canvas import to_canvas
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.optimize import stylize
from nst.pictures.images import fit
from nst.runs.events import Losses
from nst.runs.schedule import Scale

from .conftest import small_options


def schedule_of(monkeypatch, *scales: Scale) -> None:
    """Let runs have this schedule."""
    monkeypatch.setattr(start, "schedule", lambda *_: scales)


def steps_of(scales: tuple[Scale, ...]) -> list[int]:
    return [scale.steps for scale in scales]


# Scales and weights ---------------------------------------------------------------------------------------------------


def test_detail_of_the_content_is_added_on_each_new_scale(tiny, pictures, monkeypatch):
    """The detail is what the finer content has and the coarser lacks: together they are the content itself."""
    resized = []

    class Watched(loop.OPTIMIZERS["lbfgs"]):
        def resize(self, resize, detail):
            resized.append((resize, detail))
            super().resize(resize, detail)

    monkeypatch.setitem(loop.OPTIMIZERS, "lbfgs", Watched)
    content = np.random.default_rng(5).uniform(0, 1, (96, 128, 3)).astype(np.float32)
    list(stylize(content, pictures[1], small_options(color_transfer=0), extractor=tiny))
    [(resize, detail)] = resized
    small, large = (fit(*content.shape[:2], side) for side in (64, 128))
    coarse = resize(to_canvas(content, *small), "bicubic")
    np.testing.assert_allclose(detail + coarse, to_canvas(content, *large), atol=1e-5)
    assert np.abs(detail).mean() > 0.01


def test_smoothness_and_content_weigh_more_on_coarse_scales(tiny, pictures):
    def start(size: int) -> Losses:
        return next(stylize(*pictures, small_options(size=size), extractor=tiny)).losses

    fine, coarse = start(64), start(256)  # the same scale of 64 px: the only one, and the first of three
    assert coarse.tv == pytest.approx(5 * fine.tv)
    assert coarse.content == pytest.approx(24 * fine.content, rel=0.05)  # the content came to 64 px another way
    assert coarse.style == pytest.approx(fine.style, rel=0.05)


def test_weights_may_change_while_the_picture_forms(tiny, pictures):
    options = small_options(size=64, init="content", style_weight=8.0, tv_weight=4.0)
    live = LiveWeights.of(options, "tiny")
    run = stylize(*pictures, options, live=live, extractor=tiny)
    before = list(itertools.islice(run, 5))[-1].losses
    live.style = live.style * 3
    after = next(run).losses
    assert after.style == pytest.approx(3 * before.style, rel=0.5)
    assert after.style > 1.5 * before.style
    live.tv = 0.0
    assert next(run).losses.tv == 0


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_changed_weights_are_used_from_the_next_step_on(tiny, pictures, optimizer):
    options = small_options(size=64, optimizer=optimizer)
    live = LiveWeights.of(options, "tiny")
    run = stylize(*pictures, options, live=live, extractor=tiny)
    next(run), next(run)
    live.content = live.style = live.neighbors = 0.0
    losses = next(run).losses
    assert (losses.content, losses.style, losses.neighbors) == (0, 0, 0)
    assert losses.total == pytest.approx(losses.tv)


# Ending a scale when the picture hardly changes -----------------------------------------------------------------------


def test_a_run_may_end_when_its_picture_hardly_changes(tiny, pictures, monkeypatch):
    monkeypatch.setattr(loop, "STILL_CHANGE", 1.0)  # every epoch changes less
    steps = list(stylize(*pictures, small_options(epochs="auto"), extractor=tiny))
    last = steps[-1]
    assert [step.step for step in steps if step.ends_epoch] == [0, 5, 10, 15, 20]
    assert steps_of(last.scales) == [10, 10]  # the change is taken over ten steps at least
    assert (last.step, last.steps, last.epoch, last.epochs) == (20, 20, 4, 4)
    assert max(last.scale.height, last.scale.width) == 128


def test_a_run_whose_picture_always_changes_takes_the_whole_schedule(tiny, pictures, monkeypatch):
    monkeypatch.setattr(loop, "STILL_CHANGE", 0.0)
    options = small_options(epochs="auto", size=64, steps_per_epoch=1)
    *_, last = stylize(*pictures, options, extractor=tiny)
    assert (last.step, last.steps, last.epoch) == (100, 100, 100)


def test_a_last_epoch_of_fewer_steps_ends_too(tiny, pictures, monkeypatch):
    monkeypatch.setattr(loop, "STILL_CHANGE", 1.0)
    schedule_of(monkeypatch, Scale(64, 64, 20), Scale(128, 128, 3))
    *_, last = stylize(*pictures, small_options(epochs="auto"), extractor=tiny)
    assert (last.step, last.steps, last.epoch, last.epochs, last.ends_epoch) == (13, 13, 3, 3, True)


def test_scales_without_steps_at_the_end_of_a_cut_schedule_are_not_entered(tiny, pictures, monkeypatch):
    entered = []
    made = loop.ScaleObjective.__init__

    def count(self, problem, scales, index, *more):
        entered.append(index)
        made(self, problem, scales, index, *more)

    monkeypatch.setattr(loop.ScaleObjective, "__init__", count)
    scales = (Scale(46, 64, 4), Scale(91, 128, 0))
    *_, last = stylize(*pictures, small_options(), extractor=tiny, scales=scales)
    assert (last.step, entered) == (4, [0])


# Ending a scale when the optimizer has stalled ------------------------------------------------------------------------


def test_a_long_run_in_bfloat16_continues_in_float32_where_it_gets_no_further(tiny_half, pictures, evaluations):
    steps, spent = [], [0]
    options = small_options(size=64, init="content", epochs=30, tv_weight=8.0, color_transfer=0, neighbor_weight=0)
    for step in stylize(*pictures, options, extractor=tiny_half):
        steps.append(step)
        spent.append(len(evaluations))
    each = np.diff(spent[1:])
    assert max(each) <= 5
    assert max(np.convolve(each, np.ones(10), "valid")) <= 40
    turn = next(n for n, step in enumerate(steps) if step.in_float32)  # 89
    in_half = spent[turn + 1]
    assert evaluations == ["bfloat16"] * in_half + ["float32"] * (len(evaluations) - in_half)
    totals = [step.losses.total for step in steps]
    assert totals[turn + 1] == pytest.approx(totals[turn], rel=0.01)  # no jump; a network that ships has .0003
    for half in (totals[1 : turn + 1], totals[turn + 1 :]):
        assert all(later <= earlier for earlier, later in itertools.pairwise(half))
    assert totals[-1] < 0.99 * totals[turn]
    assert (len(steps), steps[-1].converged) == (151, False)


def test_a_run_that_never_stalls_evaluates_nothing_in_float32(tiny_half, pictures, evaluations):
    steps = list(stylize(*pictures, small_options(), extractor=tiny_half))
    assert set(evaluations) == {"bfloat16"}
    assert not any(step.in_float32 for step in steps)


def test_a_run_with_nothing_to_gain_ends_after_an_epoch_and_has_converged(tiny, pictures):
    options = small_options(size=64, init="content", style_weight=0, tv_weight=0, neighbor_weight=0)
    *_, last = stylize(*pictures, options, extractor=tiny)
    assert (last.step, last.steps, last.epoch, last.epochs) == (5, 5, 1, 1)  # a whole epoch, of one line search
    assert last.converged
    assert last.ends_epoch


def test_a_scale_that_has_converged_leaves_its_steps_to_the_next_one(tiny, pictures, monkeypatch, stalls_after_4_steps):
    schedule_of(monkeypatch, Scale(32, 64, 13), Scale(48, 96, 5), Scale(64, 128, 2))
    steps = list(stylize(*pictures, small_options(), extractor=tiny))
    assert steps_of(steps[4].scales) == [13, 5, 2]
    assert steps_of(steps[5].scales) == [5, 13, 2]
    assert steps_of(steps[10].scales) == [5, 5, 10]
    assert steps_of(steps[15].scales) == [5, 5, 5]
    assert [step.converged for step in steps] == [False] * 15 + [True]
    assert {step.epochs for step in steps[:15]} == {4}
    assert (steps[15].epoch, steps[15].epochs) == (3, 3)


def test_a_run_with_auto_epochs_passes_no_steps_on(tiny, pictures, stalls_after_4_steps):
    *_, last = stylize(*pictures, small_options(epochs="auto"), extractor=tiny)
    assert steps_of(last.scales) == [5, 5]
    assert last.converged
