import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import InputError
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit
from nst.runs.schedule import FIRST_SCALE_SIDE, Scale, coarse_to_fine, of_length, rejoin, seconds_left

modest = settings(max_examples=50, deadline=None, derandomize=True)

BOUNDS = {option.name: option for option in options_of(StyleOptions)}
SIDES = st.integers(16, 20_000)
SIZES = st.integers(int(BOUNDS["size"].low), int(BOUNDS["size"].high))
STEPS = st.integers(1, 5000)
GIVEN = st.tuples(SIDES, SIDES, SIZES, STEPS)


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
@given(GIVEN)
def test_scales_grow_to_the_full_size_and_share_every_step(given_values):
    height, width, size, steps = given_values
    scales = coarse_to_fine(height, width, size, steps)
    assert sum(scale.steps for scale in scales) == steps
    assert all(scale.steps >= 1 for scale in scales)
    assert (scales[-1].height, scales[-1].width) == fit(height, width, size)
    sides = [max(scale.height, scale.width) for scale in scales]
    assert sides == sorted(set(sides))
    assert all(
        coarse.height <= fine.height and coarse.width <= fine.width for coarse, fine in itertools.pairwise(scales)
    )
    assert len(scales) == 1 or sides[0] >= FIRST_SCALE_SIDE - 1


@modest
@given(GIVEN)
def test_coarse_scales_get_no_fewer_steps_where_there_are_enough(given_values):
    height, width, size, steps = given_values
    scales = coarse_to_fine(height, width, size, steps + 300)
    counts = [scale.steps for scale in scales]
    assert counts == sorted(counts, reverse=True)


@modest
@given(GIVEN)
def test_without_coarse_scales_there_is_one_scale(given_values):
    height, width, size, steps = given_values
    assert coarse_to_fine(height, width, size, steps, coarse=False) == (Scale(*fit(height, width, size), steps),)


def test_scales_by_hand():
    # 4, 3, 2 and 1 tenths of the steps; the first takes what is left over
    assert coarse_to_fine(300, 400, 512, 402) == (
        Scale(48, 64, 162),
        Scale(96, 128, 120),
        Scale(192, 256, 80),
        Scale(384, 512, 40),
    )
    assert coarse_to_fine(300, 400, 64, 5) == (Scale(48, 64, 5),)
    assert coarse_to_fine(300, 400, 512, 1) == (Scale(384, 512, 1),)


@pytest.mark.parametrize(("height", "width"), [(16, 100_000), (100_000, 16), (1, 1)])
def test_extreme_aspect_ratios_keep_a_pixel_at_least(height, width):
    for scale in coarse_to_fine(height, width, 512, 100):
        assert min(scale.height, scale.width) >= 1
        assert scale.step_cost > 0


@modest
@given(GIVEN, st.data())
def test_the_time_left_shrinks_to_nothing(given_values, data):
    scales = coarse_to_fine(*given_values)
    steps = given_values[-1]
    step = data.draw(st.integers(1, steps))
    left = seconds_left(scales, step, 10.0)
    assert left >= 0
    assert math.isfinite(left)
    assert seconds_left(scales, 0, 0.0) == seconds_left(scales, steps, 10.0) == 0
    if step < steps:
        assert left > seconds_left(scales, step + 1, 10.0)


def test_the_time_left_is_steps_left_on_a_single_scale():
    scales = coarse_to_fine(300, 400, 512, 100, coarse=False)
    assert seconds_left(scales, 25, 5.0) == pytest.approx(15.0)


def test_a_schedule_is_prolonged_at_full_size_and_cut_from_its_end():
    scales = coarse_to_fine(300, 400, 256, 40)
    assert of_length(scales, 50)[:-1] == scales[:-1]
    assert of_length(scales, 40) == scales
    for steps in (1, 7, 23, 39, 50):
        found = of_length(scales, steps)
        assert sum(scale.steps for scale in found) == steps
        assert all(scale.steps <= whole.steps for scale, whole in zip(found[:-1], scales, strict=False))


def test_a_step_is_found_on_the_scale_it_was_painted_at():
    scales = coarse_to_fine(300, 400, 256, 40)
    done = 0
    for scale in scales:
        for step in range(done + 1, done + scale.steps + 1):
            assert rejoin(scales, step, scale.height, scale.width) == scales
        done += scale.steps
    assert rejoin(scales, 0, scales[0].height, scales[0].width) == scales
    with pytest.raises(InputError, match="never painted at 8 x 9 px"):
        rejoin(scales, 3, 9, 8)


def test_after_scales_that_ended_early_a_step_still_has_all_the_steps_of_its_own_scale_before_it():
    scales = coarse_to_fine(300, 400, 256, 40)
    found = rejoin(scales, 5, scales[1].height, scales[1].width)
    assert [scale.steps for scale in found] == [0, 5 + scales[1].steps, scales[2].steps]
    assert [(scale.height, scale.width) for scale in found] == [(scale.height, scale.width) for scale in scales]
