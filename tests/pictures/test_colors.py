import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.pictures.colors import color_map, match_colors

modest = settings(max_examples=50, deadline=None, derandomize=True)


def painting(seed: int, height: int = 24, width: int = 32, spread: float = 0.25) -> np.ndarray:
    """Random colours with a random mean and random correlations, well inside 0..1. float32 [height, width, 3]."""
    random = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(random.normal(size=(3, 3)))
    colors = random.uniform(-1, 1, (height, width, 3)) * random.uniform(0.2, 1, 3) @ axes
    return (random.uniform(0.35, 0.65, 3) + spread * colors).astype(np.float32)


def moments(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance, the textbook way."""
    colors = picture.reshape(-1, 3).astype(np.float64)
    return colors.mean(axis=0), np.cov(colors.T, bias=True)


@modest
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_mean_and_covariance_are_the_contents_before_clipping(ours, theirs):
    style, content = painting(ours), painting(theirs, 20, 28)
    matrix, offset = color_map(style, content)
    mean, covariance = moments(style @ matrix.T + offset)
    wanted_mean, wanted_covariance = moments(content)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-5)
    np.testing.assert_allclose(covariance, wanted_covariance, atol=3e-4)


@modest
@given(st.integers(0, 10**6))
def test_a_picture_that_is_its_own_content_stays_as_it_is(seed):
    style = painting(seed)
    np.testing.assert_allclose(match_colors(style, style), np.clip(style, 0, 1), atol=1e-5)


@modest
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_style_of_one_colour_takes_the_contents_mean(seed, shade):
    content = painting(seed)
    flat = match_colors(np.full((8, 8, 3), shade, np.float32), content)
    np.testing.assert_allclose(flat, np.broadcast_to(content.mean((0, 1)), flat.shape), atol=1e-4)


@modest
@given(st.integers(0, 10**6))
def test_a_grey_style_stays_finite_and_gains_no_noise(seed):
    content = painting(seed)
    grey = np.repeat(painting(seed + 1)[..., :1], 3, axis=-1)
    speckled = grey + np.random.default_rng(seed).normal(scale=1e-4, size=grey.shape).astype(np.float32)
    matched = match_colors(grey, content)
    assert np.isfinite(matched).all()
    assert np.abs(match_colors(speckled, content) - matched).max() < 0.1


@pytest.mark.parametrize("spread", [0.25, 2.0])
def test_the_result_is_float32_in_range_of_the_styles_shape(spread):
    matched = match_colors(painting(1, 10, 12), painting(2, 9, 7, spread))
    assert matched.shape == (10, 12, 3)
    assert matched.dtype == np.float32
    assert matched.min() >= 0
    assert matched.max() <= 1
