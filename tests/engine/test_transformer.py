import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.engine.feed_forward.strips import paint_in_strips
from nst.engine.feed_forward.transformer import (
    NOISE_SIDE,
    Condition,
    Transformer,
    padded,
    prepared,
    upsample_and_convolve,
)
from nst.engine.operations import NORM_EPSILON, instance_norm
from nst.styles.network_plan import PLANS, Plan
from tests.engine import textbook
from tests.engine.fast import TINY, picture, style_file, transformer

NETWORK = transformer()
ONE = np.eye(3, dtype=np.float32)


def test_johnsons_shape_has_the_weights_of_the_paper() -> None:
    plan = PLANS["johnson"]
    # 9x9x3-32, 3x3x32-64, 3x3x64-128, five blocks of two 3x3x128-128, back to 64 and 32, 9x9x32-3: by hand
    assert sum(math.prod(unit.shape) for unit in plan.units) == 7776 + 18432 + 73728 + 1474560 + 73728 + 18432 + 7776


def test_enlarging_and_convolving_at_once_is_enlarging_then_convolving() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(1, 5, 7, 3)).astype(np.float32)
    kernel = random.normal(size=(3, 3, 3, 4)).astype(np.float32)
    large = np.pad(x[0].repeat(2, axis=0).repeat(2, axis=1), [(1, 1), (1, 1), (0, 0)], mode="reflect")
    expected = textbook.convolve(large, kernel, np.zeros(4))
    np.testing.assert_allclose(upsample_and_convolve(padded(x, 1, "symmetric"), kernel)[0], expected, atol=1e-4)


def test_instance_norm_is_that_of_the_equation() -> None:
    random = np.random.default_rng(2)
    x = random.normal(3, 2, (2, 6, 5, 4)).astype(np.float32)
    scale, offset = random.normal(size=(2, 2, 4)).astype(np.float32)
    deviation = np.sqrt(x.var(axis=(1, 2), keepdims=True) + NORM_EPSILON)
    expected = (x - x.mean(axis=(1, 2), keepdims=True)) / deviation * scale[:, None, None] + offset[:, None, None]
    np.testing.assert_allclose(instance_norm(x, scale, offset), expected, atol=1e-5)


@settings(max_examples=12, deadline=None)
@given(height=st.integers(16, 70), width=st.integers(16, 70))
def test_every_size_comes_out_as_it_went_in(height: int, width: int) -> None:
    found = np.asarray(NETWORK(picture(height, width)[None], ONE[:1]))
    assert found.shape == (1, height, width, 3)
    assert ((found > 0) & (found < 1)).all()


def test_a_batch_is_each_picture_in_its_style_at_its_strength() -> None:
    pictures = np.stack([picture(33, 40, seed) for seed in range(3)])
    strength = np.array([1.0, 0.4, 0.0], np.float32)
    together = np.asarray(NETWORK(pictures, ONE, strength))
    for n in range(3):
        alone = np.asarray(NETWORK(pictures[n : n + 1], ONE[n : n + 1], strength[n : n + 1]))
        np.testing.assert_allclose(together[n], alone[0], atol=1e-5)


def test_pooled_pictures_are_normalized_by_the_moments_of_all() -> None:
    random, unit = np.random.default_rng(4), TINY.units[1]
    x = random.normal([[[[1.0]]], [[[5.0]]]], 2, (2, 6, 5, unit.outputs)).astype(np.float32)
    style, identity = random.normal(size=(2, TINY.length)).astype(np.float32)
    strength = np.array([0.7], np.float32)
    scales, offsets = TINY.slices[f"{unit.name}/scale"], TINY.slices[f"{unit.name}/offset"]
    normal = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + NORM_EPSILON)
    offset = (0.7 * style + 0.3 * identity)[offsets]
    found = Condition(TINY, style[None], identity, strength, pooled=True).normalize(unit, x)
    np.testing.assert_allclose(found, 0.7 * style[scales] * normal + 0.3 * identity[scales] * x + offset, atol=1e-4)
    twice = np.stack([picture(33, 40)] * 2)
    alone = NETWORK(twice[:1], ONE[:1], strength)
    np.testing.assert_allclose(NETWORK(twice, ONE[:1], strength, pooled=True), np.repeat(alone, 2, axis=0), atol=1e-5)


def test_convolutions_in_bfloat16_paint_nearly_the_same() -> None:
    halved, x = Transformer(TINY, 3, precision="bfloat16"), picture(48, 40)[None]
    for weight, of in zip(halved.weights, NETWORK.weights, strict=True):
        weight.assign(of)
    found, expected = np.asarray(halved(x, ONE[:1])), np.asarray(NETWORK(x, ONE[:1]))
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 0.1


def test_full_strength_is_the_same_whether_said_or_not() -> None:
    x = picture(32, 32)[None]
    said = NETWORK(x, ONE[:1], np.ones(1, np.float32))
    np.testing.assert_allclose(said, NETWORK(x, ONE[:1]), atol=1e-6)


def test_at_no_strength_all_styles_are_alike_and_in_between_they_differ() -> None:
    x = picture(32, 32)[None]
    found = {
        strength: [np.asarray(NETWORK(x, ONE[n : n + 1], np.array([strength], np.float32))) for n in (0, 1)]
        for strength in (0.0, 0.5)
    }
    np.testing.assert_array_equal(*found[0.0])
    assert np.abs(found[0.5][0] - found[0.5][1]).max() > 0.01


def test_a_mix_is_the_style_of_the_mixed_vectors() -> None:
    x, mix = picture(32, 48)[None], np.array([[0.2, 0.3, 0.5]], np.float32)
    other = transformer(styles=1)
    for name, kernel in NETWORK.kernels.items():
        other.kernels[name].assign(kernel)
    other.styles.assign(mix @ np.asarray(NETWORK.styles))
    np.testing.assert_allclose(NETWORK(x, mix), other(x, ONE[:1, :1]), atol=1e-6)


def test_the_grain_depends_on_the_position_alone() -> None:
    x = picture(40, 30)[None]
    whole = np.asarray(prepared(x, TINY))
    np.testing.assert_array_equal(prepared(x[:, 25:], TINY, 25), whole[:, 25:])
    np.testing.assert_array_equal(prepared(x, TINY, NOISE_SIDE), whole)
    assert whole[..., 3].std() > 0.5
    assert prepared(x, PLANS["johnson"]).shape == x.shape


def test_a_file_gives_the_network_back() -> None:
    file = style_file()
    x, mix = picture(24, 24)[None], np.array([[0.5, 0.5]], np.float32)
    again = Transformer.of(type(file).from_bytes(file.to_bytes()))
    np.testing.assert_array_equal(again(x, mix), Transformer.of(file)(x, mix))


@pytest.mark.parametrize("plan", [TINY, Plan((4, 6), 2, 9, 9)], ids=["skips and grain", "as Johnson's"])
@pytest.mark.parametrize("size", [(97, 131), (64, 50), (61, 200)])
@pytest.mark.parametrize("strength", [None, 0.4])
def test_a_picture_painted_in_strips_is_the_same(
    plan: Plan, size: tuple[int, int], strength: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst.engine.feed_forward.strips.STRIP_PIXELS", 700)
    network, x = transformer(plan), picture(*size)
    x[: size[0] // 3] = 0.6  # a plain sky: statistics of strips alone would differ most
    mix = np.array([[0.2, 0.3, 0.5]], np.float32)
    share = None if strength is None else np.array([strength], np.float32)
    whole = np.asarray(network(x[None], mix, share))[0]
    style = mix @ np.asarray(network.styles)
    np.testing.assert_allclose(paint_in_strips(network, x, style, share), whole, atol=0.1 / 255)
