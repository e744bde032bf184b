import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import InputError
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit
from nst.runs.schedule import SMALLEST, Scale, full_size_steps, ladder, of_length, rejoin, seconds_left

modest = settings(max_examples=50, deadline=None, derandomize=True)

BOUNDS = {option.name: option for option in options_of(StyleOptions)}
SIDES = st.integers(16, 20_000)
SIZES = st.integers(int(BOUNDS["size"].low), int(BOUNDS["size"].high))
STEPS = st.integers(1, 5000)
LADDERS = st.tuples(SIDES, SIDES, SIZES, STEPS)


@modest
@given(SIDES, SIDES, SIZES)
def test_fit_keeps_the_aspect_ratio_within_a_pixel_and_the_long_side_exactly(height, width, size):
    fitted = fit(height, width, size)
    assert max(fitted) == size
    assert min(fitted) >= 1
    exact = size * min(height, width) / max(height, width)
    assert abs(min(fitted) - exact) <= (0.5 if exact >= 0.5 else 1)
    assert (fitted[0] <= fitted[1]) == (height <= width) or fitted[0] == fitted[1]


@modest
@given(LADDERS)
def test_a_ladder_climbs_to_the_full_size_and_spends_every_step(given_values):
    height, width, size, steps = given_values
    rungs = ladder(height, width, size, steps)
    assert sum(rung.steps for rung in rungs) == steps
    assert all(rung.steps >= 1 for rung in rungs)
    assert (rungs[-1].height, rungs[-1].width) == fit(height, width, size)
    sides = [max(rung.height, rung.width) for rung in rungs]
    assert sides == sorted(set(sides))
    assert all(
        coarse.height <= fine.height and coarse.width <= fine.width for coarse, fine in itertools.pairwise(rungs)
    )
    assert len(rungs) == 1 or sides[0] >= SMALLEST - 1


@modest
@given(LADDERS)
def test_coarse_scales_get_no_fewer_steps_where_there_are_enough(given_values):
    height, width, size, steps = given_values
    rungs = ladder(height, width, size, steps + 300)
    counts = [rung.steps for rung in rungs]
    assert counts == sorted(counts, reverse=True)


@modest
@given(LADDERS)
def test_without_coarse_scales_there_is_one_rung(given_values):
    height, width, size, steps = given_values
    assert ladder(height, width, size, steps, coarse=False) == (Scale(*fit(height, width, size), steps),)


def test_a_ladder_by_hand():
    # 4, 3, 2 and 1 tenths of the steps; the first takes what is left over
    assert ladder(300, 400, 512, 402) == (
        Scale(48, 64, 162),
        Scale(96, 128, 120),
        Scale(192, 256, 80),
        Scale(384, 512, 40),
    )
    assert ladder(300, 400, 64, 5) == (Scale(48, 64, 5),)
    assert ladder(300, 400, 512, 1) == (Scale(384, 512, 1),)


def test_full_size_steps_by_hand():
    # 160 / 64 + 120 / 16 + 80 / 4 + 40
    assert full_size_steps(ladder(300, 400, 512, 400)) == 70
    assert full_size_steps(ladder(300, 400, 512, 400, coarse=False)) == 400


@pytest.mark.parametrize(("height", "width"), [(16, 100_000), (100_000, 16), (1, 1)])
def test_extreme_aspect_ratios_keep_a_pixel_at_least(height, width):
    for rung in ladder(height, width, 512, 100):
        assert min(rung.height, rung.width) >= 1
        assert rung.step_cost > 0


@modest
@given(LADDERS, st.data())
def test_the_time_left_shrinks_to_nothing(given_values, data):
    rungs = ladder(*given_values)
    steps = given_values[-1]
    step = data.draw(st.integers(1, steps))
    left = seconds_left(rungs, step, 10.0)
    assert left >= 0
    assert math.isfinite(left)
    assert seconds_left(rungs, 0, 0.0) == seconds_left(rungs, steps, 10.0) == 0
    if step < steps:
        assert left > seconds_left(rungs, step + 1, 10.0)


def test_the_time_left_is_steps_left_on_a_single_scale():
    rungs = ladder(300, 400, 512, 100, coarse=False)
    assert seconds_left(rungs, 25, 5.0) == pytest.approx(15.0)


def test_a_schedule_is_prolonged_at_full_size_and_cut_from_its_end():
    rungs = ladder(300, 400, 256, 40)
    assert of_length(rungs, 50)[:-1] == rungs[:-1]
    assert of_length(rungs, 40) == rungs
    for steps in (1, 7, 23, 39, 50):
        found = of_length(rungs, steps)
        assert sum(rung.steps for rung in found) == steps
        assert all(rung.steps <= whole.steps for rung, whole in zip(found[:-1], rungs, strict=False))


def test_a_step_is_found_on_the_rung_it_was_painted_at():
    rungs = ladder(300, 400, 256, 40)
    done = 0
    for rung in rungs:
        for step in range(done + 1, done + rung.steps + 1):
            assert rejoin(rungs, step, rung.height, rung.width) == rungs
        done += rung.steps
    assert rejoin(rungs, 0, rungs[0].height, rungs[0].width) == rungs
    with pytest.raises(InputError, match="never painted at 8 x 9 px"):
        rejoin(rungs, 3, 9, 8)


def test_after_rungs_that_ended_early_a_step_still_has_all_the_steps_of_its_own_rung_before_it():
    rungs = ladder(300, 400, 256, 40)
    found = rejoin(rungs, 5, rungs[1].height, rungs[1].width)
    assert [rung.steps for rung in found] == [0, 5 + rungs[1].steps, rungs[2].steps]
    assert [(rung.height, rung.width) for rung in found] == [(rung.height, rung.width) for rung in rungs]
