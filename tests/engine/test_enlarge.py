"""The enlargement of a painted picture by its photo."""

import numpy as np
import pytest

from nst.engine.feed_forward.enlarge import NOISE, RADIUS, _gain, _mean, enlarge_painted
from nst.pictures.images import resize
from tests.engine.fast import picture


def photo_with_edge(side: int = 128) -> np.ndarray:
    """Dark and light halves with a hard edge."""
    x = np.full((side, side, 3), 0.2, np.float32)
    x[:, side // 2 + 3 :] = 0.8
    return x


def test_the_unpainted_picture_is_enlarged_to_its_photo_at_strength_0() -> None:
    photo = np.repeat(picture(96, 120)[..., :1], 3, axis=2)  # gray: detail is taken from the lightness alone
    reduced = resize(photo, 48, 60)
    blurred = resize(reduced, 96, 120)
    found = enlarge_painted(reduced, reduced, photo, strength=0.0)
    assert np.abs(found - photo).mean() < np.abs(blurred - photo).mean() / 2


def test_edges_of_the_photo_are_as_sharp_as_there_and_strokes_remain() -> None:
    photo = photo_with_edge()
    reduced = resize(photo, 32, 32)
    rows = np.arange(32, dtype=np.float32)[:, None, None]
    strokes = 0.08 * np.sin(rows) * np.ones((32, 32, 3), np.float32)  # which the photo does not have
    painted = np.clip(0.9 * reduced + strokes, 0, 1)
    plain, found = resize(painted, 128, 128), enlarge_painted(painted, reduced, photo)
    steps = [np.abs(np.diff(x[..., 1], axis=1)).max() for x in (plain, found)]
    assert steps[1] > 2 * steps[0]
    inside = slice(0, 40)  # far from the edge
    np.testing.assert_allclose(found[:, inside], plain[:, inside], atol=0.01)


def test_grain_of_the_photo_in_plain_areas_is_left_out() -> None:
    random = np.random.default_rng(0)
    photo = np.float32(0.5) + random.normal(0, 0.01, (128, 128, 1)).astype(np.float32) * np.ones(3, np.float32)
    reduced = resize(photo, 32, 32)
    painted = resize(picture(32, 32) * 0.2 + 0.4, 32, 32)
    difference = enlarge_painted(painted, reduced, photo) - resize(painted, 128, 128)
    assert np.abs(difference).mean() < 0.001


def test_the_gain_is_the_slope_of_a_linear_fit() -> None:
    reduced = picture(40, 40)[..., 0]
    np.testing.assert_allclose(_gain(0.5 * reduced + 0.1, reduced, 1e-9), 0.5, atol=1e-3)
    np.testing.assert_allclose(_gain(-0.5 * reduced, reduced, 1e-9), -0.5, atol=1e-3)
    assert np.abs(_gain(reduced, np.full_like(reduced, 0.5), NOISE)).max() < 1e-3


def test_window_means_are_those_of_the_plain_sum() -> None:
    x = np.random.default_rng(0).random((20, 23)).astype(np.float32)
    padded = np.pad(x, RADIUS, mode="edge")
    side = 2 * RADIUS + 1
    plain = [[padded[i : i + side, j : j + side].mean() for j in range(23)] for i in range(20)]
    np.testing.assert_allclose(_mean(x), plain, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_results_stay_within_their_range(strength: float) -> None:
    photo = np.round(picture(90, 70))
    reduced = resize(photo, 45, 35)
    found = enlarge_painted(1 - reduced, reduced, photo, strength)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
