import dataclasses
import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.random_weights import he_normal
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.optimization.adam import Adam
from nst.engine.optimization.canvas import edge_multiple, halo, spans
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.tiles import TiledObjective
from nst.options.style_options import StyleOptions
from nst.runs.estimates import NETWORK_COSTS

from .conftest import TINY, neighbors_of

CONTENT, STYLE = ("block3_conv3",), ("block1_conv1", "block2_conv1", "block2_conv2", "block5_conv1")
WEIGHTS = LiveWeights(2.0, 3.0, 0.7, (1.0,), (0.5, 0.3, 0.2, 0.4), 0.03)
SIDE = 48  # px, of a core
THIN = dataclasses.replace(ARCHITECTURES["vgg19"], name="thin", widths=(8, 12, 16, 16, 16))  # VGG19 but for its widths


def noise(height: int, width: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(0, 1, (1, height, width, 3)), tf.float32)


def distance(a: tf.Tensor, b: tf.Tensor) -> float:
    """Of two tensors, over the size of the first."""
    return float(tf.norm(a - b) / tf.norm(a))


def default_objective(network: str, normalization: str, margin: int = 0) -> tuple[Objective, LiveWeights]:
    """The default objective: of the trained compact network, or of a VGG19 with random weights."""
    extractor = load_extractor("compact") if network == "compact" else Extractor(THIN, he_normal(THIN, 0))
    options = StyleOptions(normalization=normalization, tv_weight=0.5)
    content, style = (tuple(name for name, _ in layers) for layers in options.layers(network))
    whole = Objective(extractor, content, style, normalization, margin, with_neighbors=True)
    return whole, dataclasses.replace(LiveWeights.of(options, network), neighbors=4.0)


@pytest.mark.parametrize(
    ("network", "normalization", "margin"),
    [("vgg19", "gatys", 8), *((network, "relative", margin) for network in ("compact", "vgg19") for margin in (8, 0))],
)
def test_losses_and_gradient_by_tiles_are_those_of_the_whole(network, normalization, margin):
    whole, weights = default_objective(network, normalization, margin)
    tiled = TiledObjective(whole, 96)
    side = 2 * NETWORK_COSTS[network].halo + 96 + 24  # three tiles wide and high: one of them has its whole halo
    image, content, style = noise(side + 5, side - 2), noise(side + 5, side - 2, 1), noise(side, side + 40, 2)
    assert len(tiled._tiles(image)) == 9
    expected, targets = (
        dataclasses.replace(each.targets(content, style), neighbors=neighbors_of(each, content, style))
        for each in (whole, tiled)
    )
    for layer, matrix in expected.style.items():
        assert distance(matrix, targets.style[layer]) < 1e-5
    for layer, activations in expected.content.items():
        assert distance(activations, targets.content[layer]) < 1e-5
    ours, theirs = (
        tf.gather(each.neighbors.vectors["block3_conv1"], each.neighbors.indices) for each in (expected, targets)
    )
    differ = tf.reduce_any(abs(ours - theirs) > 1e-3, axis=-1)  # rounding may find another neighbor that is as near
    assert float(tf.reduce_mean(tf.cast(differ, tf.float32))) < 0.01
    targets = dataclasses.replace(targets, neighbors=expected.neighbors)

    losses, gradient = whole.evaluate(image, expected, weights)
    by_tiles, gradient_by_tiles = tiled.evaluate(image, targets, weights)
    for part, value in dataclasses.asdict(losses).items():
        assert dataclasses.asdict(by_tiles)[part] == pytest.approx(value, rel=1e-4)
    assert distance(gradient, gradient_by_tiles) < 1e-4
    assert float(tf.reduce_max(abs(gradient - gradient_by_tiles))) < 1e-4 * float(tf.reduce_max(abs(gradient)))
    if not margin:
        tiled._halo //= 2
        assert distance(gradient, tiled.evaluate(image, targets, weights)[1]) > 1e-3


@pytest.fixture(scope="module")
def by_tiles(tiny) -> TiledObjective:
    return TiledObjective(Objective(tiny, CONTENT, STYLE, "relative", margin=8), SIDE)


@pytest.mark.parametrize(("height", "width", "side"), [(720, 33, 16), (64, 530, 48), (177, 163, 32), (250, 227, 80)])
def test_every_shape_can_be_cut(by_tiles, height, width, side):
    by_tiles._side = side
    whole = by_tiles._whole
    image, content, style = noise(height, width), noise(height, width, 1), noise(width, height, 2)
    targets = whole.targets(content, style)
    losses, gradient = whole.evaluate(image, targets, WEIGHTS)
    assert len(by_tiles._tiles(image)) > 4
    found, gradient_found = by_tiles.evaluate(image, by_tiles.targets(content, style), WEIGHTS)
    assert found.total == pytest.approx(losses.total, rel=1e-4)
    assert distance(gradient, gradient_found) < 1e-3


def test_a_small_picture_is_taken_whole(tiny, pictures):
    whole = Objective(tiny, CONTENT, STYLE, "relative")
    tiled = TiledObjective(whole, SIDE)
    content, style = (tf.constant(picture[None]) for picture in pictures)
    targets = tiled.targets(content, style)
    image = noise(*content.shape[1:3])
    (losses, gradient), (expected, expected_gradient) = (
        objective.evaluate(image, targets, WEIGHTS) for objective in (tiled, whole)
    )
    assert losses == expected
    assert np.array_equal(gradient, expected_gradient)


def test_one_trace_serves_every_tile_of_every_picture(tiny):
    tiled = TiledObjective(Objective(tiny, CONTENT, STYLE, "relative"), SIDE)
    for height, width in ((230, 250), (301, 222)):
        targets = tiled.targets(noise(height, width), noise(width, height))
        tiled.evaluate(noise(height, width, 1), targets, WEIGHTS)
    traced = (tiled._content_of, tiled._style_sums_of, tiled._sums_of, tiled._gradient_of)
    assert [function.experimental_get_tracing_count() for function in traced] == [1, 1, 1, 1]


def test_an_optimizer_takes_the_same_steps_by_tiles(tiny):
    whole = Objective(tiny, CONTENT, STYLE, "relative")
    content, style, start = noise(210, 250), noise(200, 200, 1), noise(210, 250, 2)
    painted = []
    for objective in (whole, TiledObjective(whole, SIDE)):
        targets, adam = objective.targets(content, style), Adam(start)
        for _ in range(3):
            adam.step(lambda image: objective.evaluate(image, targets, WEIGHTS), 0.03)  # noqa: B023
        painted.append(adam.image)
    assert float(tf.reduce_max(abs(painted[0] - painted[1]))) < 1e-3


def test_a_gradient_that_is_not_finite_shows_in_the_loss(tiny):
    tiled = TiledObjective(Objective(tiny, CONTENT, STYLE, "relative"), SIDE)
    targets = tiled.targets(noise(220, 220), noise(220, 220))
    broken = noise(220, 220).numpy()
    broken[0, 100, 100] = np.nan
    assert np.isnan(tiled.evaluate(tf.constant(broken), targets, WEIGHTS)[0].total)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(17, 5000), st.integers(1, 100), st.integers(0, 12), st.sampled_from([0, 8]))
def test_cores_cover_a_side_once_on_the_grid_and_halos_stay_inside(length, side, wide, margin):
    side, wide = 16 * side, 16 * wide
    found = spans(length, side, wide, 16, margin)
    assert [found[0].first, found[-1].last] == [margin, length - margin]
    assert all(a.last == b.first for a, b in itertools.pairwise(found))
    for span in found:
        assert 0 < span.last - span.first <= side
        assert span.start % 16 == 0
        assert span.first % 16 == 0 or span is found[0]
        assert span.start == max(0, span.first // 16 * 16 - wide)
        assert min(length, span.last + wide) <= span.stop <= length
        assert span.stop % 16 == 0 or span.stop == length


def test_the_halo_is_what_the_layers_see():
    # by hand: a 3x3 convolution sees one of its strides further: 2 of 1, 2 of 2, 4 of 4, 4 of 8, 1 of 16 px = 70
    assert halo(ARCHITECTURES["vgg19"], ["block1_conv1", "block5_conv1"]) == 80
    assert halo(TINY, ["block1_conv2"]) == 16
    assert (TINY.stride("block2_conv2"), TINY.stride("block5_conv1"), edge_multiple(TINY)) == (2, 16, 16)


@pytest.mark.parametrize("network", ARCHITECTURES)
def test_the_costs_in_the_estimates_are_those_of_the_networks(network):
    architecture, known = ARCHITECTURES[network], NETWORK_COSTS[network]
    content, style = StyleOptions().layers(network)
    assert known.halo == halo(architecture, [layer for layer, _ in (*content, *style)])
    shapes = {
        layer: [(math.prod(shape), shape[3]) for shape in shapes] for layer, shapes in architecture.shapes().items()
    }
    assert known.weights == 4 * sum(size for kernels in shapes.values() for size, _ in kernels)
    used = architecture.layers[: architecture.layers.index("block5_conv1") + 1]
    kernels = [(*each, architecture.stride(layer) ** -2) for layer in used for each in shapes[layer]]
    assert known.multiply_adds == pytest.approx(sum(size * share for size, _, share in kernels), abs=1)
    outputs = 4 * sum(channels * share for _, channels, share in kernels)
    assert outputs < known.step < 2.5 * outputs  # all of them are held, and some of their gradients
