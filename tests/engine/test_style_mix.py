"""Several paintings in one run: their targets, their weights while it paints, its checkpoints."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from nst.engine.optimization.canvas import to_canvas
from nst.engine.optimization.checkpoint import Checkpoint
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.scale_objective import OptimizationInput, ScaleObjective
from nst.errors import InputError, OptionError
from nst.runs.schedule import schedule

from . import textbook
from .conftest import small_options

MIX = {"style_mix": [3, 1], "style_scales": [1, 0.5]}


@pytest.fixture
def paintings(pictures):
    """Two paintings of other sizes and colors."""
    other = np.random.default_rng(9).uniform(0, 0.4, (30, 50, 3)).astype(np.float32)
    return [pictures[1], other]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_one_painting_of_any_weight_paints_the_same_as_without_a_mix_bit_for_bit(tiny, pictures, optimizer):
    content, style = pictures
    expected = list(stylize(content, style, small_options(optimizer=optimizer), extractor=tiny))
    for weight in (1, 0.3):
        options = small_options(optimizer=optimizer, style_mix=[weight], style_scales=[1])
        for step, before in zip(stylize(content, [style], options, extractor=tiny), expected, strict=True):
            assert step.losses == before.losses
            np.testing.assert_array_equal(step.image, before.image)


def test_the_targets_of_a_mix_are_the_weighted_mean_of_the_paintings_gram_matrices(tiny, pictures, paintings):
    options = small_options(size=64, **MIX)
    inputs = OptimizationInput(content=pictures[0], styles=tuple(paintings), options=options, extractor=tiny, tile=None)
    scales = schedule(40, 56, options)
    objective = ScaleObjective(inputs, scales, 0, True, options.style_shares(2))
    objective.evaluate(objective.content, LiveWeights.of(options, "tiny", 2))
    plain = Objective(tiny, (), ("block1_conv1", "block2_conv1", "block2_conv2", "block4_conv1"), "relative", margin=8)
    canvases = [to_canvas(paintings[0], 64, 64), to_canvas(paintings[1], 19, 32)]  # the second at half the size
    found = [plain._activations(canvas, plain.style_layers) for canvas in canvases]
    for layer, target in objective._targets.style.items():
        activations = [np.float64(each[layer][0]) for each in found]
        np.testing.assert_allclose(target, textbook.mixed_gram(activations, [0.75, 0.25]), rtol=2e-3, atol=1e-6)


def distance(tiny, image, painting) -> float:
    """Of the Gram matrices of two pictures on a layer."""
    layer = "block2_conv2"
    first, second = (textbook.gram(np.float64(tiny(picture[None], [layer])[layer][0])) for picture in (image, painting))
    return float(np.sum((first - second) ** 2))


def test_a_mix_lies_between_its_paintings_and_a_weight_of_0_leaves_a_painting_out(tiny, pictures, paintings):
    def paint(mix: list[float]) -> np.ndarray:
        options = small_options(size=64, epochs=8, style_mix=mix, strength=100)
        *_, last = stylize(pictures[0], paintings, options, extractor=tiny)
        return last.image

    first, mixed, second = (paint(mix) for mix in ([1, 0], [1, 1], [0, 1]))
    to_second = [distance(tiny, image, paintings[1]) for image in (first, mixed, second)]
    to_first = [distance(tiny, image, paintings[0]) for image in (first, mixed, second)]
    assert to_second[0] > to_second[1] > to_second[2]
    assert to_first[0] < to_first[1] < to_first[2]
    *_, alone = stylize(pictures[0], paintings[0], small_options(size=64, epochs=8, strength=100), extractor=tiny)
    np.testing.assert_allclose(first, alone.image, atol=1e-3)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_weights_of_paintings_change_between_two_steps(tiny, pictures, paintings, optimizer):
    options = small_options(size=64, style_mix=[1, 0], optimizer=optimizer, strength=10, color_transfer=0)
    live = LiveWeights.of(options, "tiny", 2)
    painted = []
    for step in stylize(pictures[0], paintings, options, extractor=tiny, live=live):
        painted.append((step.losses, step.image))
        if step.step == 10:
            live.styles = (0.0, 1.0)
    plain = [(step.losses, step.image) for step in stylize(pictures[0], paintings, options, extractor=tiny)]
    for (losses, image), (expected, before) in itertools.islice(zip(painted, plain, strict=False), 11):
        assert losses == expected
        np.testing.assert_array_equal(image, before)
    assert painted[11][0].content == pytest.approx(plain[11][0].content)  # of the same picture
    assert painted[11][0].style > 1.5 * plain[11][0].style  # which is not in the second painting's style yet
    assert distance(tiny, painted[-1][1], paintings[1]) < distance(tiny, plain[-1][1], paintings[1])


def test_the_content_takes_on_the_colors_of_the_mix_as_it_changes(tiny, pictures, paintings):
    options = small_options(size=64, **MIX)
    inputs = OptimizationInput(content=pictures[0], styles=tuple(paintings), options=options, extractor=tiny, tile=None)
    changed, other = (ScaleObjective(inputs, schedule(40, 56, options), 0, True, s) for s in [(1.0, 0.0), (0.0, 1.0)])
    weights = LiveWeights.of(options, "tiny", 2)
    weights.styles = (0.0, 1.0)
    assert np.abs(changed.content - other.content).max() > 0.1
    losses, _ = changed.evaluate(other.content, weights)
    np.testing.assert_array_equal(changed.content, other.content)
    assert losses.content == 0


def test_a_run_of_several_paintings_goes_on_from_its_checkpoint_as_if_it_had_not_stopped(tiny, pictures, paintings):
    options = small_options(**MIX)
    whole = list(stylize(pictures[0], paintings, options, extractor=tiny))
    half = next(step for step in stylize(pictures[0], paintings, options, extractor=tiny) if step.step == 7)
    resume = Checkpoint.from_bytes(half.checkpoint().to_bytes())
    rest = list(stylize(pictures[0], paintings, options, extractor=tiny, resume=resume))
    assert [step.step for step in rest] == list(range(7, 21))
    for step, expected in zip(rest[1:], whole[8:], strict=True):
        np.testing.assert_array_equal(step.image, expected.image)


def test_a_mix_by_tiles_has_the_targets_of_the_whole(tiny, pictures, paintings):
    options = small_options(size=128, init="content", **MIX)
    evaluated = []
    for tile in (None, 16):
        inputs = OptimizationInput(
            content=pictures[0], styles=tuple(paintings), options=options, extractor=tiny, tile=tile
        )
        objective = ScaleObjective(inputs, schedule(40, 56, options), 0, True, options.style_shares(2))
        losses, _ = objective.evaluate(tf.zeros_like(objective.content) + 0.4, LiveWeights.of(options, "tiny", 2))
        evaluated.append(losses.style)
    assert evaluated[0] == pytest.approx(evaluated[1], rel=1e-4)


def test_a_wrong_number_of_paintings_or_of_weights_is_refused(tiny, pictures, paintings):
    content = pictures[0]
    for styles, words in (([], "one to 4 paintings, got 0"), (paintings * 3, "one to 4 paintings, got 6")):
        with pytest.raises(InputError, match=words):
            next(stylize(content, styles, small_options(), extractor=tiny))
    with pytest.raises(InputError, match="`style2` must be an array"):
        next(stylize(content, [paintings[0], None], small_options(), extractor=tiny))
    with pytest.raises(OptionError, match="`style_mix` must have a number for each of the 2 paintings, got 3"):
        next(stylize(content, paintings, small_options(style_mix=[1, 1, 1]), extractor=tiny))
    with pytest.raises(OptionError, match="`style_scales` must have one number for one painting, got 2"):
        next(stylize(content, paintings[:1], small_options(style_scales=[1, 1]), extractor=tiny))
