import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.pictures import color_transfer
from nst.pictures.color_transfer import BLUR, UNUSED_COST, ColorTransfer, transported
from nst.pictures.colors import LUMA, luma

few = settings(max_examples=6, deadline=None, derandomize=True)


@pytest.fixture(autouse=True)
def smaller(monkeypatch):
    """Fewer samples and smaller tables, so that a test takes some hundredths of a second."""
    monkeypatch.setattr(color_transfer, "MATCHED_PIXELS", 192)
    monkeypatch.setattr(color_transfer, "TABLE_SIDE", 9)


def colors(seed: int, count: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Random colors, float32 [count, 3]."""
    return np.random.default_rng(seed).uniform(low, high, (count, 3)).astype(np.float32)


def picture(seed: int, height: int = 20, width: int = 30, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    return colors(seed, height * width, low, high).reshape(height, width, 3)


def fixed_point(source: np.ndarray, target: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """`transported` the textbook way: scalings u and v in float64, at the last blur only, until they rest."""
    axes = color_transfer._OPPONENT
    costs = lambda a, b: (((a[:, None] - b[None]) @ axes.T) ** 2).sum(-1)  # noqa: E731
    source, target, colors = (each.astype(np.float64) for each in (source, target, colors))
    kernel = np.exp(-costs(source, target) / BLUR)
    v = np.ones(len(target))
    for _ in range(20000):
        u = len(target) / (kernel @ v)
        v = (len(source) / (kernel.T @ u)) ** (UNUSED_COST / (UNUSED_COST + BLUR))
    weights = np.exp(-costs(colors, target) / BLUR) * v
    return weights @ target / weights.sum(axis=1, keepdims=True)


def test_the_map_is_the_fixed_point_of_the_scalings(monkeypatch):
    monkeypatch.setattr(color_transfer, "LAST_ROUNDS", 3000)
    source, target = colors(1, 12, 0.3, 0.7), colors(2, 9, 0.3, 0.7)
    np.testing.assert_allclose(transported(source, target, source), fixed_point(source, target, source), atol=2e-3)


@few
@given(st.integers(0, 10**6))
def test_no_color_is_outside_those_of_the_target(seed):
    target = colors(seed, 40, 0.2, 0.6)
    found = transported(colors(seed + 1, 40), target, colors(seed + 2, 100))
    assert (found >= target.min(axis=0) - 1e-6).all()
    assert (found <= target.max(axis=0) + 1e-6).all()


def test_a_color_that_nothing_is_near_stays_unused():
    source = colors(1, 64, 0.0, 0.2)
    target = np.concatenate([colors(2, 32, 0.0, 0.2), np.tile(np.float32([1, 0.9, 0]), (32, 1))])
    # With balanced transport half of the source would become yellow, of luma .83.
    assert (transported(source, target, source) @ LUMA).max() < 0.3


def test_a_picture_that_is_its_own_style_hardly_changes():
    content = picture(3, low=0.2, high=0.8)
    found = ColorTransfer(content, [content], 1.0).apply(content, (1.0,))
    assert np.abs(found - content).mean() < 0.05


def test_no_transfer_gives_the_picture_itself():
    content = picture(4)
    assert ColorTransfer(content, [picture(5)], 0.0).apply(content, (1.0,)) is content


def test_half_a_transfer_is_half_way():
    content, style = picture(6), picture(7, low=0.4, high=0.6)
    whole, half = (ColorTransfer(content, [style], amount).apply(content, (1.0,)) for amount in (1.0, 0.5))
    np.testing.assert_allclose(half, (content + whole) / 2, atol=1.5 / 255)


def test_a_gray_painting_takes_the_hues_and_half_of_the_change_of_luma():
    content = picture(8, low=0.3, high=0.7)
    gray = np.full((8, 8, 3), 0.5, np.float32)
    found = ColorTransfer(content, [gray], 1.0).apply(content, (1.0,))
    np.testing.assert_allclose(found, np.broadcast_to(found[..., :1], found.shape), atol=1.5 / 255)
    np.testing.assert_allclose(luma(found), (luma(content) + 0.5) / 2, atol=2 / 255)


def test_each_painting_counts_by_its_share():
    content = picture(9)
    red, blue = (np.full((8, 8, 3), color, np.float32) for color in ([0.9, 0.1, 0.1], [0.1, 0.1, 0.9]))
    transfer = ColorTransfer(content, [red, blue], 1.0)
    alone = [ColorTransfer(content, [each], 1.0).apply(content, (1.0,)) for each in (red, blue)]
    np.testing.assert_array_equal(transfer.apply(content, (1.0, 0.0)), alone[0])
    np.testing.assert_array_equal(transfer.apply(content, (0.0, 1.0)), alone[1])
    mixed = transfer.apply(content, (0.5, 0.5))
    assert np.abs(mixed - alone[0]).max() > 0.2 < np.abs(mixed - alone[1]).max()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 200, 3), (300, 2, 3)])
def test_any_shape_and_plain_pictures_work(shape):
    content, style = np.zeros(shape, np.float32), np.ones((2, 2, 3), np.float32)
    found = ColorTransfer(content, [style], 1.0).apply(content, (1.0,))
    assert found.shape == shape
    np.testing.assert_allclose(found, 0.5, atol=1.5 / 255)
