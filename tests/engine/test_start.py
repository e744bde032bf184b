import numpy as np
import pytest

from nst.engine.optimization.canvas import cut_margins
from nst.engine.optimization.start import start_from_frame, start_of_run
from nst.errors import InputError
from nst.runs.schedule import Scale

from .conftest import small_options

FLAT = np.full((40, 56, 3), (0.9, 0.1, 0.4), np.float32)


def noise_of(pictures: tuple[np.ndarray, np.ndarray], **options) -> np.ndarray:
    """The noise that a run starts from."""
    start = start_of_run(*pictures, None, small_options(**options))
    assert (start.step, start.scale_index, start.optimizer_state) == (0, 0, {})
    return np.asarray(cut_margins(start.canvas, start.scales[0])[0])


def test_noise_is_near_grey_and_of_the_first_scale(pictures):
    noise = noise_of(pictures)
    assert noise.shape == (46, 64, 3)
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
    assert noise.std() == pytest.approx(0.1, rel=0.1)


def test_the_seed_decides_the_noise(pictures):
    np.testing.assert_array_equal(noise_of(pictures, seed=1), noise_of(pictures, seed=1))
    assert np.abs(noise_of(pictures, seed=1) - noise_of(pictures, seed=2)).mean() > 0.05


@pytest.mark.parametrize(("init", "index"), [("content", 0), ("style", 1), ("image", 2)])
def test_a_picture_to_start_from_is_used_at_full_size(pictures, init, index):
    start = start_of_run(*pictures, FLAT, small_options(init=init))
    assert [(scale.height, scale.width) for scale in start.scales] == [(91, 128)]
    picture = cut_margins(start.canvas, start.scales[0])[0]
    np.testing.assert_allclose(np.mean(picture, (0, 1)), (*pictures, FLAT)[index].mean((0, 1)), atol=0.1)


def test_a_picture_of_another_aspect_ratio_is_cropped_around_its_center(pictures):
    """The content is 40 x 56 px, the picture three times as wide: a red, a green and a blue third."""
    wide = np.zeros((40, 168, 3), np.float32)
    for third in range(3):
        wide[:, 56 * third : 56 * (third + 1), third] = 1
    start = start_of_run(*pictures, wide, small_options(init="image"))
    np.testing.assert_allclose(start.canvas[0].mean((0, 1)), (0, 1, 0), atol=0.02)


def test_a_missing_picture_to_start_from_is_refused(pictures):
    with pytest.raises(InputError, match="`init` is image, but no picture"):
        start_of_run(*pictures, None, small_options(init="image"))


def test_a_frame_starts_on_the_scale_of_its_size():
    scales = (Scale(46, 64, 10), Scale(91, 128, 10))
    frame = np.random.default_rng(0).uniform(0, 1, (91, 128, 3)).astype(np.float32)
    start = start_from_frame(frame, 15, scales)
    assert (start.step, start.scales, start.scale_index, start.steps_before) == (15, scales, 1, 10)
    np.testing.assert_array_equal(cut_margins(start.canvas, scales[1])[0], frame)


def test_a_frame_of_a_size_that_the_run_never_had_is_refused():
    with pytest.raises(InputError, match="never painted at 7 x 7 px"):
        start_from_frame(np.zeros((7, 7, 3), np.float32), 10, (Scale(46, 64, 10), Scale(91, 128, 10)))
