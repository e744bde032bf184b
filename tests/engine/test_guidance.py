"""Masks: guided Gram matrices, what each use of a mask paints, and what it leaves."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nst.engine.optimization.canvas import to_canvas
from nst.engine.optimization.checkpoint import Checkpoint
from nst.engine.optimization.guidance import guidance_channels, layer_guidance, mask_canvas, transfer_colors
from nst.engine.optimization.losses import gram, guided_gram
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.scale_objective import OptimizationInput, ScaleObjective
from nst.engine.optimization.tiles import TiledObjective
from nst.errors import InputError, OptionError
from nst.pictures.color_transfer import ColorTransfer
from nst.pictures.images import resize
from nst.runs.schedule import schedule

from . import textbook
from .conftest import TINY, small_options

STYLE = ("block1_conv1", "block2_conv1", "block2_conv2", "block4_conv1")
LEFT = np.zeros((40, 56), np.float32)
LEFT[:, :28] = 1


@pytest.fixture
def soft() -> np.ndarray:
    """A mask with every value from 0 to 1."""
    return np.linspace(0, 1, 56, dtype=np.float32)[None].repeat(40, 0)


@pytest.fixture
def second() -> np.ndarray:
    """Another painting."""
    return np.random.default_rng(9).uniform(0, 0.4, (30, 50, 3)).astype(np.float32)


def test_guided_gram_matrices_are_those_of_the_twin():
    random = np.random.default_rng(0)
    features, guidance = random.normal(size=(1, 5, 7, 4)), random.uniform(0, 1, (1, 5, 7, 2))
    matrices = guided_gram(tf.constant(features, tf.float32), tf.constant(guidance, tf.float32))
    for region in range(2):
        weights = guidance[0, ..., region]
        np.testing.assert_allclose(matrices[region], textbook.guided_gram(features[0], weights), rtol=1e-4, atol=1e-6)


def test_guidance_of_1_everywhere_gives_the_gram_matrix_of_the_whole():
    features = tf.constant(np.random.default_rng(0).normal(size=(1, 5, 7, 4)), tf.float32)
    matrices = guided_gram(features, tf.ones([1, 5, 7, 1]))
    np.testing.assert_allclose(matrices[0], gram(features), rtol=1e-5, atol=1e-6)


def test_one_region_has_the_gram_matrix_of_the_whole_in_bfloat16_too():
    features = tf.cast(np.random.default_rng(0).uniform(0, 1, (1, 37, 41, 6)), tf.bfloat16)  # 1 / 1517 is not exact
    np.testing.assert_array_equal(guided_gram(features, tf.ones([1, 37, 41, 1]))[0], gram(features))


def test_the_gradient_of_guided_gram_matrices_is_tensorflows_own():
    random = np.random.default_rng(1)
    features = tf.constant(random.normal(size=(1, 3, 4, 2)), tf.float32)
    guidance = tf.constant(random.uniform(0, 1, (1, 3, 4, 2)), tf.float32)
    by_matrices = tf.constant(random.normal(size=(2, 2, 2)), tf.float32)

    def gradient(of) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(features)
            value = tf.reduce_sum(by_matrices * of())
        return tape.gradient(value, features)

    def plain() -> tf.Tensor:
        return tf.einsum("nhwr,nhwi,nhwj->rij", guidance / tf.reduce_sum(guidance, (0, 1, 2)), features, features)

    np.testing.assert_allclose(gradient(lambda: guided_gram(features, guidance)), gradient(plain), atol=1e-5)


def test_a_region_without_any_weight_has_no_matrix_and_no_gradient():
    features = tf.constant(np.random.default_rng(0).normal(size=(1, 5, 7, 4)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(features)
        matrices = guided_gram(features, tf.zeros([1, 5, 7, 1]))
        value = tf.reduce_sum(tf.square(matrices - 1.0))
    assert not np.any(matrices)
    assert not np.any(tape.gradient(value, features))


def test_guidance_has_the_positions_of_each_layer_and_means_over_their_pixels(tiny, soft):
    canvas = mask_canvas(soft, 45, 61)
    found = layer_guidance(guidance_channels(canvas, "styles"), TINY, ("block1_conv1", "block3_conv3"), 8)
    activations = Objective(tiny, ("block1_conv1", "block3_conv3"), STYLE, "relative", margin=8)._activations(
        to_canvas(np.zeros((45, 61, 3), np.float32), 45, 61), ("block1_conv1", "block3_conv3")
    )
    for layer, each in found.items():
        assert each.shape == (*activations[layer].shape[:3], 2)
        np.testing.assert_allclose(tf.reduce_sum(each, -1), 1, atol=1e-6)
    block = canvas[0, 8:12, 8:12, 0]  # px of the first position of block3 that counts
    assert float(found["block3_conv3"][0, 0, 0, 0]) == pytest.approx(float(tf.reduce_mean(block)), abs=1e-6)


def test_the_content_takes_on_colors_where_the_style_counts(pictures, second, soft):
    content, style = pictures
    picture, mask = resize(content, 40, 56), soft[..., None]
    one, both = ColorTransfer(content, [style], 1.0), ColorTransfer(content, [style, second], 1.0)
    first, last = (ColorTransfer(content, [each], 1.0).apply(picture, (1.0,)) for each in (style, second))
    expected = {
        "protect": mask * picture + (1 - mask) * first,
        "strength": mask * first + (1 - mask) * picture,
        "styles": mask * first + (1 - mask) * last,
    }
    for use, wanted in expected.items():
        transfer, shares = (both, (0.7, 0.3)) if use == "styles" else (one, (1.0,))
        np.testing.assert_allclose(transfer_colors(picture, transfer, shares, mask, use), wanted, atol=1e-5)
    np.testing.assert_array_equal(transfer_colors(picture, one, (1.0,), None, "protect"), first)
    assert np.abs(first - picture).mean() > 0.02 < np.abs(first - last).mean()


def evaluated(tiny, content, styles, mask, tile=None, **options):
    """(losses, gradient) of a grey canvas."""
    options = small_options(init="content", **options)
    inputs = OptimizationInput(content=content, styles=styles, mask=mask, options=options, extractor=tiny, tile=tile)
    shares = options.style_shares(len(styles))
    objective = ScaleObjective(inputs, schedule(*content.shape[:2], options), 0, True, shares)
    noise = np.random.default_rng(3).uniform(0.3, 0.6, objective.content.shape)
    return objective.evaluate(tf.constant(noise, tf.float32), LiveWeights.of(options, "tiny", len(styles)))


@pytest.mark.parametrize("normalization", ["relative", "gatys"])
def test_the_style_loss_of_regions_is_that_of_the_twin(tiny, pictures, second, soft, normalization):
    content, style = pictures
    size = {"size": 64, "normalization": normalization, "style_mix": [3, 1]}
    losses, _ = evaluated(tiny, content, (style, second), soft, mask_use="styles", **size)
    options = small_options(**size)
    plain = Objective(tiny, (), STYLE, normalization, margin=8)
    image = np.random.default_rng(3).uniform(0.3, 0.6, (1, 46 + 16, 64 + 16, 3)).astype(np.float32)
    found = plain._activations(tf.constant(image), STYLE)
    targets = [
        plain._activations(to_canvas(style, 64, 64), STYLE),
        plain._activations(to_canvas(second, 38, 64), STYLE),
    ]
    channels = guidance_channels(mask_canvas(soft, 46, 64), "styles")
    expected = 0.0
    for layer, share in options.layers("tiny")[1]:
        weights = layer_guidance(channels, TINY, (layer,), 8)[layer][0].numpy()
        for region, of_region in enumerate((1.5, 0.5)):  # twice the shares of the paintings
            matrix = textbook.guided_gram(np.float64(found[layer][0]), weights[..., region])
            target = textbook.gram(np.float64(targets[region][layer][0]))
            error = np.sum((matrix - target) ** 2)
            error /= np.sum(target**2) if normalization == "relative" else 4 * target.shape[0] ** 2
            expected += share * of_region * weights[..., region].mean() * error
    assert losses.style == pytest.approx(options.weights.style * expected, rel=2e-3)


@pytest.mark.parametrize(("neighbors", "tolerance"), [(0, 1e-4), (4, 1e-2)])  # rounding may find another neighbor
@pytest.mark.parametrize(("use", "paintings"), [("protect", 1), ("strength", 2), ("styles", 2)])
def test_losses_and_gradient_by_tiles_are_those_of_the_whole(
    tiny, pictures, second, soft, use, paintings, neighbors, tolerance
):
    styles = (pictures[1], second)[:paintings]
    options = {"size": 256, "mask_use": use, "neighbor_weight": neighbors}
    whole, gradient = evaluated(tiny, pictures[0], styles, soft, **options)
    tiled, by_tiles = evaluated(tiny, pictures[0], styles, soft, tile=16, **options)
    for part, value in dataclasses.asdict(whole).items():
        assert dataclasses.asdict(tiled)[part] == pytest.approx(value, rel=tolerance)
    assert float(tf.norm(gradient - by_tiles) / tf.norm(gradient)) < 10 * tolerance
    side = 16 + 2 * TiledObjective(Objective(tiny, ("block3_conv3",), STYLE, "relative"), 16)._halo
    assert gradient.shape[1] * gradient.shape[2] > side**2  # it was painted by tiles


def test_a_mask_that_protects_nothing_has_the_losses_of_no_mask(tiny, pictures):
    content, style = pictures
    plain, gradient = evaluated(tiny, content, (style,), None, size=64)
    for mask, use in ((np.zeros((40, 56), np.float32), "protect"), (np.ones((40, 56), np.float32), "strength")):
        losses, guided = evaluated(tiny, content, (style,), mask, size=64, mask_use=use)
        for part, value in dataclasses.asdict(plain).items():
            assert dataclasses.asdict(losses)[part] == pytest.approx(value, rel=1e-4)
        assert float(tf.norm(gradient - guided) / tf.norm(gradient)) < 1e-3


def test_grey_all_over_is_that_share_of_the_strength(tiny, pictures):
    content, style = pictures
    half, gradient = evaluated(tiny, content, (style,), np.full((9, 12), 0.5, np.float32), size=64, mask_use="strength")
    plain, expected = evaluated(tiny, content, (style,), None, size=64, strength=0.5)
    assert half.style == pytest.approx(plain.style, rel=1e-4)
    assert float(tf.norm(gradient - expected) / tf.norm(expected)) < 1e-3


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("init", ["noise", "content", "style"])
def test_a_white_mask_that_protects_returns_the_content(tiny, pictures, optimizer, init):
    content, style = pictures
    options = small_options(optimizer=optimizer, init=init)
    *_, last = stylize(content, style, options, extractor=tiny, mask=np.ones((10, 14), np.float32))
    np.testing.assert_array_equal(last.image, resize(content, 91, 128))


def test_what_is_protected_is_the_content_in_every_frame_and_the_rest_is_painted(tiny, pictures):
    content, style = pictures
    for step in stylize(content, style, small_options(), extractor=tiny, mask=LEFT):
        height, width = step.scale.height, step.scale.width
        kept = resize(LEFT, height, width) == 1
        assert kept.mean() > 0.4
        np.testing.assert_allclose(step.image[kept], resize(content, height, width)[kept], atol=1e-6)
    assert np.abs(step.image - resize(content, height, width))[:, 3 * width // 4 :].mean() > 0.02


def test_two_paintings_fill_the_two_parts_of_a_mask(tiny, pictures, second):
    content, style = pictures
    options = small_options(size=64, epochs=10, strength=100, mask_use="styles")
    *_, last = stylize(content, [style, second], options, extractor=tiny, mask=LEFT)
    *_, other = stylize(content, [second, style], options, extractor=tiny, mask=LEFT)

    def distance(image: np.ndarray, painting: np.ndarray) -> float:
        layer = "block1_conv1"
        first, target = (textbook.gram(np.float64(tiny(each[None], [layer])[layer][0])) for each in (image, painting))
        return float(np.sum((first - target) ** 2))

    left, right = (slice(None), slice(0, 28)), (slice(None), slice(36, 64))
    assert distance(last.image[left], style) < distance(other.image[left], style)
    assert distance(last.image[right], second) < distance(other.image[right], second)


@pytest.mark.parametrize("use", ["protect", "strength"])
def test_a_run_with_a_mask_goes_on_from_its_checkpoint_as_if_it_had_not_stopped(tiny, pictures, soft, use):
    given = (*pictures, small_options(mask_use=use))
    whole = list(stylize(*given, extractor=tiny, mask=soft))
    half = next(step for step in stylize(*given, extractor=tiny, mask=soft) if step.step == 7)
    resume = Checkpoint.from_bytes(half.checkpoint().to_bytes())
    rest = list(stylize(*given, extractor=tiny, mask=soft, resume=resume))
    for step, expected in zip(rest[1:], whole[8:], strict=True):
        np.testing.assert_array_equal(step.image, expected.image)


@pytest.mark.parametrize("mask", [np.ones((4, 4, 3), np.float32), np.ones((4, 4), np.uint8), np.full((4, 4), 1.5), []])
def test_a_mask_that_is_no_plane_of_values_is_refused(tiny, pictures, mask):
    with pytest.raises(
        InputError, match=r"^`mask` must be an array \[H, W\] of floating-point numbers in 0\.\.1, got "
    ):
        next(stylize(*pictures, small_options(), extractor=tiny, mask=mask))


def test_regions_of_styles_need_two_paintings(tiny, pictures):
    with pytest.raises(OptionError, match=r"`mask_use` styles needs two paintings, .*, got 1"):
        next(stylize(*pictures, small_options(mask_use="styles"), extractor=tiny, mask=LEFT))
