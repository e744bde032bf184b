import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nst.engine.optimization.neighbors.hypercolumns import hypercolumn_count
from nst.engine.optimization.neighbors.loss import neighbor_error
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.errors import OptionError
from nst.options.style_options import StyleOptions

from . import textbook
from .conftest import neighbors_of

CONTENT, STYLE = ("block3_conv3",), ("block1_conv1", "block2_conv1", "block2_conv2")
WEIGHTS = LiveWeights(2.0, 3.0, 0.7, (1.0,), (0.5, 0.3, 0.2), 0.03)


def batch(image: np.ndarray) -> tf.Tensor:
    return tf.constant(image[None])


@pytest.mark.parametrize("normalization", ["relative", "gatys"])
def test_the_total_is_the_weighted_sum_of_its_twins(tiny, pictures, normalization):
    content, style = pictures[0][:36, :36], pictures[1]
    image = np.random.default_rng(0).uniform(0, 1, content.shape).astype(np.float32)
    objective = Objective(tiny, CONTENT, STYLE, normalization)
    losses, _ = objective.evaluate(batch(image), objective.targets(batch(content), batch(style)), WEIGHTS)

    seen = {name: tiny(picture[None], {*CONTENT, *STYLE}) for name, picture in
            (("image", image), ("content", content), ("style", style))}  # fmt: skip
    of = {name: {layer: np.float64(x[0]) for layer, x in found.items()} for name, found in seen.items()}
    expected_content = 2.0 * textbook.content_loss(of["image"][CONTENT[0]], of["content"][CONTENT[0]], normalization)
    expected_style = 3.0 * sum(
        share * textbook.style_loss(of["image"][layer], of["style"][layer], normalization)
        for layer, share in zip(STYLE, WEIGHTS.style_layers, strict=True)
    )
    assert losses.content == pytest.approx(expected_content, rel=1e-3)
    assert losses.style == pytest.approx(expected_style, rel=1e-3)
    assert losses.tv == pytest.approx(0.7 * textbook.tv_loss(image), rel=1e-3)
    assert losses.total == pytest.approx(losses.content + losses.style + losses.tv, rel=1e-5)


@pytest.mark.parametrize(("normalization", "positions"), [("relative", 1), ("gatys", 9)])
def test_on_a_coarser_scale_content_and_smoothness_count_for_more(normalization, positions):
    first = WEIGHTS.on_scale(3.0, 1.0, normalization)  # a third as wide: sums are over a ninth of the positions
    assert (first.content, first.tv) == pytest.approx((24 * positions * WEIGHTS.content, 5 * WEIGHTS.tv))
    assert dataclasses.replace(first, content=WEIGHTS.content, tv=WEIGHTS.tv) == WEIGHTS
    middle = WEIGHTS.on_scale(1.0, 0.5, normalization)
    assert (middle.content**2, middle.tv**2) == pytest.approx((24 * WEIGHTS.content**2, 5 * WEIGHTS.tv**2))
    assert WEIGHTS.on_scale(1.0, 0.0, normalization) == WEIGHTS


def test_what_lies_in_the_margin_does_not_count(tiny, pictures):
    """Only where it is seen from within: block1_conv2 sees two pixels further."""
    content, style = (np.pad(picture, [(8, 8), (8, 8), (0, 0)], mode="symmetric") for picture in pictures)
    objective = Objective(tiny, ("block1_conv2",), ("block1_conv1", "block2_conv2"), "relative", margin=8)
    targets = objective.targets(batch(content), batch(style))
    inside = tiny(batch(style), ["block2_conv2"])["block2_conv2"][0, 4:-4, 4:-4].numpy()
    assert np.allclose(targets.style["block2_conv2"], textbook.gram(inside), rtol=1e-4)
    assert targets.content["block1_conv2"].shape[1:3] == pictures[0].shape[:2]

    image = np.random.default_rng(1).uniform(0.2, 0.8, content.shape).astype(np.float32)
    weights = LiveWeights(1.0, 0.0, 0.0, (1.0,), (1.0, 1.0), 0.03)
    gradient = objective.evaluate(batch(image), targets, weights)[1][0].numpy()
    assert np.all(gradient[7:-7, 7:-7].any(axis=2))
    for cut in (gradient[:6], gradient[-6:], gradient[:, :6], gradient[:, -6:]):
        assert not cut.any()


def test_the_gradient_is_that_of_finite_differences(tiny, pictures):
    content, style = pictures
    objective = Objective(tiny, CONTENT, STYLE, "relative")
    targets = objective.targets(batch(content), batch(style))
    image = np.random.default_rng(1).uniform(0.2, 0.8, content.shape).astype(np.float32)
    _, gradient = objective.evaluate(batch(image), targets, WEIGHTS)
    direction = gradient / tf.norm(gradient)
    step = 1e-2
    ahead, behind = (
        objective.evaluate(batch(image) + sign * step * direction, targets, WEIGHTS)[0].total for sign in (1, -1)
    )
    assert (ahead - behind) / (2 * step) == pytest.approx(float(tf.norm(gradient)), rel=0.05)


def test_the_loss_of_neighbors_is_part_of_the_total_and_of_the_gradient(tiny, pictures):
    content, style = (batch(picture) for picture in pictures)
    objective = Objective(tiny, CONTENT, STYLE, "relative", with_neighbors=True)
    neighbors = neighbors_of(objective, content, style)
    targets = dataclasses.replace(objective.targets(content, style), neighbors=neighbors)
    image = tf.constant(np.random.default_rng(1).uniform(0.2, 0.8, content.shape), tf.float32)
    with_it, without = dataclasses.replace(WEIGHTS, neighbors=5.0), WEIGHTS
    (losses, gradient), (fewer, _) = (objective.evaluate(image, targets, each) for each in (with_it, without))
    cells = objective.cells(tiny(image, objective.neighbor_layers))
    assert losses.neighbors == pytest.approx(
        5 * float(neighbor_error(cells, neighbors.goals) / hypercolumn_count(cells)), rel=1e-3
    )
    assert (fewer.neighbors, losses.total) == (0, pytest.approx(fewer.total + losses.neighbors, rel=1e-4))
    direction = gradient / tf.norm(gradient)
    ahead, behind = (objective.evaluate(image + sign * 1e-2 * direction, targets, with_it)[0].total for sign in (1, -1))
    assert (ahead - behind) / 2e-2 == pytest.approx(float(tf.norm(gradient)), rel=0.05)


def test_an_objective_without_layers_for_neighbors_has_no_such_loss(tiny, pictures):
    content, style = (batch(picture) for picture in pictures)
    objective = Objective(tiny, CONTENT, ("block5_conv1",), "relative", with_neighbors=True)
    assert objective.neighbor_layers == ()
    weights = dataclasses.replace(WEIGHTS, neighbors=5.0, style_layers=(1.0,))
    assert objective.evaluate(content, objective.targets(content, style), weights)[0].neighbors == 0


def test_content_is_zero_at_the_content_and_style_at_the_style(tiny, pictures):
    content, style = pictures
    objective = Objective(tiny, CONTENT, STYLE, "relative")
    targets = objective.targets(batch(content), batch(style))
    assert objective.evaluate(batch(content), targets, WEIGHTS)[0].content == pytest.approx(0, abs=1e-9)
    same = objective.targets(batch(style), batch(style))
    assert objective.evaluate(batch(style), same, WEIGHTS)[0].style == pytest.approx(0, abs=1e-9)


def test_one_trace_serves_every_size_and_every_weight(tiny, pictures):
    content, style = pictures
    objective = Objective(tiny, CONTENT, STYLE, "relative")
    for rows in (20, 31, 40):
        targets = objective.targets(batch(content[:rows]), batch(style[:rows]))
        for weight in (0.0, 1.0, 50.0):
            objective.evaluate(batch(content[:rows]), targets, dataclasses.replace(WEIGHTS, style=weight))
    counts = [objective._value_and_gradient[large].experimental_get_tracing_count() for large in (False, True)]
    assert counts == [1, 0]  # no picture was large
    assert objective._style_matrices.experimental_get_tracing_count() == 1


def test_a_large_picture_has_the_losses_and_the_gradient_of_a_small_one(tiny, pictures, monkeypatch):
    content, style = (batch(picture) for picture in pictures)
    objective = Objective(tiny, CONTENT, STYLE, "relative", with_neighbors=True)
    neighbors = neighbors_of(objective, content, style)
    targets = dataclasses.replace(objective.targets(content, style), neighbors=neighbors)
    image = tf.constant(np.random.default_rng(2).uniform(0.2, 0.8, content.shape), tf.float32)
    weights = dataclasses.replace(WEIGHTS, neighbors=5.0)
    small, gradient = objective.evaluate(image, targets, weights)
    monkeypatch.setattr("nst.engine.optimization.objective.MOST_EARLY_PIXELS", 0)
    large, other = objective.evaluate(image, targets, weights)
    assert objective._value_and_gradient[True].experimental_get_tracing_count() == 1
    np.testing.assert_allclose(dataclasses.astuple(large), dataclasses.astuple(small), rtol=1e-5)
    np.testing.assert_allclose(other, gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient).max())


def test_the_same_relative_weights_mean_about_the_same_at_twice_the_size(tiny, pictures):
    content, style = pictures
    objective = Objective(tiny, CONTENT, STYLE, "relative")
    grey = np.full_like(content, 0.5)
    totals = []
    for double in (1, 2):
        large, large_style, large_grey = (
            np.kron(p, np.ones((double, double, 1), np.float32)) for p in (content, style, grey)
        )
        targets = objective.targets(batch(large), batch(large_style))
        totals.append(objective.evaluate(batch(large_grey), targets, WEIGHTS)[0].total)
    assert totals[1] == pytest.approx(totals[0], rel=0.3)


def test_an_unknown_layer_is_named_with_a_suggestion(tiny):
    with pytest.raises(OptionError, match=r"`style_layers`: the tiny network has no layer 'block1_con1'; did you mean"):
        Objective(tiny, CONTENT, ("block1_con1",), "relative")
    with pytest.raises(OptionError, match=r"`content_layers`.*it has block1_conv1, block1_conv2, "):
        Objective(tiny, ("zzz",), STYLE, "relative")


def test_live_weights_start_as_the_options_say():
    live = LiveWeights.of(
        StyleOptions(strength=2, style_weight=7, tv_weight=0, content_layers="block3_conv1=0.5"), "compact"
    )
    assert (live.content, live.style, live.tv) == (1.0, 14.0, 0.0)
    assert live.content_layers == (0.5,)
    assert sum(live.style_layers) == pytest.approx(1)
