import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.engine.optimization.losses import content_loss, gram, style_loss, tv_loss

from . import textbook

NORMALIZATIONS = ("relative", "gatys")
UNEVEN = np.arange(9, dtype=np.float32).reshape(3, 3)  # an upstream gradient that is not symmetric


def activations(seed: int, h: int, w: int, channels: int, scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(0, scale, (1, h, w, channels))).astype(np.float32)


shapes = st.tuples(st.integers(2, 7), st.integers(2, 7), st.integers(2, 6))
seeds = st.integers(0, 10_000)


@given(seeds, shapes)
@settings(max_examples=40, deadline=None)
def test_gram_agrees_with_its_twin_and_is_symmetric(seed, shape):
    f = activations(seed, *shape)
    matrix = gram(tf.constant(f)).numpy()
    np.testing.assert_allclose(matrix, textbook.gram(f[0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(matrix, matrix.T)


def test_gram_of_a_repeated_picture_is_the_same():
    f = activations(1, 4, 4, 3)
    twice = np.concatenate([f, f], axis=1)
    np.testing.assert_allclose(gram(tf.constant(twice)), gram(tf.constant(f)), rtol=1e-5)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@given(seeds, shapes)
@settings(max_examples=25, deadline=None)
def test_content_and_style_agree_with_their_twins(normalization, seed, shape):
    f, p = activations(seed, *shape), activations(seed + 1, *shape)
    ours = content_loss(tf.constant(f), tf.constant(p), normalization)
    np.testing.assert_allclose(ours, textbook.content_loss(f[0], p[0], normalization), rtol=1e-4)
    ours = style_loss(gram(tf.constant(f)), gram(tf.constant(p)), normalization)
    np.testing.assert_allclose(ours, textbook.style_loss(f[0], p[0], normalization), rtol=1e-3, atol=1e-6)


@given(seeds, st.integers(2, 9), st.integers(2, 9))
@settings(max_examples=25, deadline=None)
def test_total_variation_agrees_with_its_twin(seed, h, w):
    x = np.random.default_rng(seed).uniform(0, 1, (1, h, w, 3)).astype(np.float32)
    np.testing.assert_allclose(tv_loss(tf.constant(x)), textbook.tv_loss(x[0]), rtol=1e-4)


SPELLED_OUT = {
    "gram": lambda f: tf.reduce_sum(UNEVEN * gram(f)),
    "gram, squared": lambda f: tf.reduce_sum(UNEVEN * tf.square(gram(f))),
    "tv": tv_loss,
}


@pytest.mark.parametrize("spelled_out", SPELLED_OUT.values(), ids=SPELLED_OUT)
def test_a_gradient_that_is_spelled_out_is_that_of_finite_differences(spelled_out):
    f = tf.constant(activations(9, 5, 4, 3))
    with tf.GradientTape() as tape:
        tape.watch(f)
        loss = spelled_out(f)
    gradient = tape.gradient(loss, f)
    direction = activations(10, 5, 4, 3)
    ahead, behind = (float(spelled_out(f + sign * 1e-2 * direction)) for sign in (1, -1))
    assert (ahead - behind) / 2e-2 == pytest.approx(float(tf.reduce_sum(gradient * direction)), rel=1e-2)


LOSSES = {
    **{f"content {n}": lambda f, p, n=n: content_loss(f, p, n) for n in NORMALIZATIONS},
    **{f"style {n}": lambda f, p, n=n: style_loss(gram(f), gram(p), n) for n in NORMALIZATIONS},
    "tv": lambda f, p: tv_loss(f),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_a_non_negative_float32_scalar_with_a_finite_gradient(name):
    f, p = tf.constant(activations(2, 5, 6, 3)), tf.constant(activations(3, 5, 6, 3))
    with tf.GradientTape() as tape:
        tape.watch(f)
        loss = LOSSES[name](f, p)
    assert loss.shape == ()
    assert loss.dtype == tf.float32
    assert loss > 0
    gradient = tape.gradient(loss, f).numpy()
    assert np.all(np.isfinite(gradient))
    assert np.any(gradient != 0)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "tv"])
def test_a_loss_is_zero_at_its_target(name):
    f = tf.constant(activations(4, 5, 6, 3))
    assert LOSSES[name](f, f) == 0


def test_total_variation_of_a_flat_picture_is_zero():
    assert tv_loss(tf.fill([1, 4, 5, 3], 0.3)) == 0


@pytest.mark.parametrize("name", ["content relative", "style relative"])
def test_a_relative_loss_does_not_know_the_scale_of_its_features(name):
    f, p = activations(5, 4, 4, 3), activations(6, 4, 4, 3)
    once, tenfold = (float(LOSSES[name](tf.constant(f * k), tf.constant(p * k))) for k in (1, 10))
    assert tenfold == pytest.approx(once, rel=1e-4)


def test_a_silent_target_does_not_divide_by_zero():
    f, silent = tf.constant(activations(7, 3, 3, 2)), tf.zeros([1, 3, 3, 2])
    assert np.isfinite(content_loss(f, silent, "relative"))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"shapes must agree, got \(1, 3, 3, 2\) and \(1, 1, 3, 2\)"):
        content_loss(tf.zeros([1, 3, 3, 2]), tf.zeros([1, 1, 3, 2]), "relative")
    with pytest.raises(ValueError, match="shapes must agree"):
        style_loss(tf.zeros([3, 3]), tf.zeros([1, 3]), "relative")
    with pytest.raises(ValueError, match=r"\[1, h, w, C\]"):
        gram(tf.zeros([2, 3, 3, 2]))


def test_half_precision_features_are_summed_in_float32():
    f = activations(8, 64, 64, 2)
    low = gram(tf.cast(f, tf.bfloat16))
    assert low.dtype == tf.float32
    np.testing.assert_allclose(low, textbook.gram(f[0]), atol=2e-2)
