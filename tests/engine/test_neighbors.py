from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from nst.engine.networks.extractors import ARCHITECTURES
from nst.engine.optimization.neighbors import search as neighbor_search
from nst.engine.optimization.neighbors.hypercolumns import (
    cell_sides,
    hypercolumn_count,
    neighbor_layers,
    to_cells,
    to_hypercolumns,
)
from nst.engine.optimization.neighbors.loss import NeighborTargets, mix_neighbors, neighbor_error
from nst.engine.optimization.neighbors.search import Neighbors, find_neighbors, quarter_turns

VGG = ARCHITECTURES["vgg19"]
LAYERS = ("block1_conv1", "block3_conv1")
SIDES = dict.fromkeys(LAYERS, 1)  # each cell is a hypercolumn


def columns(seed: int, height: int = 6, width: int = 5, channels: tuple[int, ...] = (3, 7)) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    return {
        layer: tf.constant(random.normal(1.0, 1.0, (1, height, width, count)), tf.float32)
        for layer, count in zip(LAYERS, channels, strict=True)
    }


def parts(hypercolumns: dict[str, tf.Tensor]) -> list:
    """A picture in one part."""
    return [[lambda: hypercolumns]]


def search(content: dict, *turns: dict, pixels: float = 1.0) -> Neighbors:
    return find_neighbors(parts(content), [parts(turn) for turn in turns], pixels, "float32")


def targets_of(content: dict, *turns: dict) -> NeighborTargets:
    return mix_neighbors([search(content, *turns)], (1.0,), tf.constant([1.0]), SIDES)


def flat(hypercolumns: dict) -> dict[str, np.ndarray]:
    return {layer: np.reshape(each, (-1, each.shape[-1])) for layer, each in hypercolumns.items()}


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def joined(hypercolumns: dict, centers: dict, scales: dict) -> np.ndarray:
    return unit(np.concatenate([scales[n] * (each - centers[n]) for n, each in flat(hypercolumns).items()], axis=1))


def twin(content: dict, *turns: dict) -> np.ndarray:
    """The neighbors by the definition, in NumPy: [hypercolumns, C] of length 1."""
    every = {n: np.concatenate([flat(turn)[n] for turn in turns]) for n in LAYERS}
    scales = {n: 1 / np.sqrt(np.square(each).sum(1).mean()) for n, each in every.items()}
    vectors, query = (joined(each, {n: x.mean(0) for n, x in flat(each).items()}, scales) for each in (every, content))
    return vectors[np.argmax(query @ vectors.T, axis=1)]


def goals(targets: NeighborTargets) -> np.ndarray:
    """The goal of each hypercolumn, [hypercolumns, C], where each cell is a hypercolumn."""
    return np.concatenate([flat(targets.goals.scaled)[n] / targets.scales[n] for n in LAYERS], axis=1)


def test_neighbors_are_the_vectors_of_the_painting_with_the_highest_cosines():
    content, turns = columns(0), (columns(1, 4, 9), columns(2, 9, 4))
    assert np.allclose(goals(targets_of(content, *turns)), twin(content, *turns), atol=1e-5)


def test_neighbors_are_the_same_when_a_picture_comes_in_parts():
    content, turn = columns(0, 8, 6), columns(1)
    heights, widths = (slice(0, 5), slice(5, 8)), (slice(0, 4), slice(4, 6))
    by_parts = [[lambda r=r, c=c: {n: x[:, r, c] for n, x in content.items()} for c in widths] for r in heights]
    found = find_neighbors(by_parts, [parts(turn)], 1.0, "float32")
    assert np.array_equal(found.indices, search(content, turn).indices)


def test_long_vectors_are_searched_by_a_projection_that_finds_nearly_the_same(monkeypatch):
    content, turn = columns(0, 16, 16, (40, 60)), columns(1, 16, 16, (40, 60))
    exact = twin(content, turn)
    monkeypatch.setattr(neighbor_search, "PROJECTED", 64)
    monkeypatch.setattr(neighbor_search, "MOST_SCORES", 1000)  # in several parts
    found = goals(targets_of(content, turn))
    assert not np.allclose(found, exact)  # it was used
    query = unit(np.concatenate([each - each.mean(0) for each in flat(content).values()], axis=1))
    random = np.roll(exact, 1, axis=0)
    lost, possible = (((exact - each) * query).sum(1).mean() for each in (found, random))
    assert lost < 0.4 * possible


def test_of_many_vectors_always_the_same_ones_are_taken():
    content, turn = columns(0), columns(1, 20, 20)
    pixels = 4 * neighbor_search.MOST_CANDIDATES * neighbor_search.NEIGHBOR_STRIDE**2  # four times as many as are taken
    few, again = (search(content, turn, pixels=pixels) for _ in range(2))
    assert len(few.vectors[LAYERS[0]]) == 100
    assert np.array_equal(few.vectors[LAYERS[1]], again.vectors[LAYERS[1]])
    assert np.array_equal(few.indices, again.indices)


def test_the_loss_is_one_less_the_cosine_at_each_hypercolumn_and_zero_at_its_target():
    content, turn, now = columns(0), columns(1), columns(3)
    targets = targets_of(content, turn)
    cosines = (joined(now, targets.centers, targets.scales) * goals(targets)).sum(1)
    assert float(neighbor_error(now, targets.goals)) == pytest.approx((1 - cosines).sum(), rel=1e-4)
    assert float(hypercolumn_count(now)) == 30
    nearest = {n: np.asarray(targets.vectors[n])[targets.indices[..., 0]] for n in LAYERS}
    reached = {n: 5 * nearest[n] / targets.scales[n] + targets.centers[n] for n in LAYERS}
    assert float(neighbor_error(reached, targets.goals)) == pytest.approx(0, abs=1e-4)


def test_a_mix_weighs_paintings_and_a_hypercolumn_without_weight_counts_nothing():
    content, one, other, now = columns(0), columns(1), columns(2), columns(3)
    found = [search(content, each) for each in (one, other)]
    alone = targets_of(content, one)
    left_out = mix_neighbors(found, (1.0, 0.0), tf.constant([1.0, 0.0]), SIDES)
    assert np.allclose(goals(left_out), goals(alone), atol=1e-6)
    mixed = mix_neighbors(found, (0.25, 0.75), tf.constant([0.25, 0.75]), SIDES)
    whole = [np.concatenate([each.vectors[n] for n in LAYERS], axis=1) for each in found]
    nearest = [vectors[np.ravel(each.indices)] for vectors, each in zip(whole, found, strict=True)]
    centers, scales = (
        np.concatenate([np.broadcast_to(each[n], (1, count)) for n, count in zip(LAYERS, (3, 7), strict=True)], axis=1)
        for each in (mixed.centers, mixed.scales)
    )
    expected = sum(share * unit(scales * (each - centers)) for share, each in zip((0.25, 0.75), nearest, strict=True))
    assert np.allclose(goals(mixed), expected, atol=1e-5)

    left = np.zeros((1, 6, 5, 1), np.float32)
    left[:, :, :2] = 1
    half = mix_neighbors(found[:1], (1.0,), tf.constant(left), SIDES)
    moved = {n: tf.concat([now[n][:, :, :2], now[n][:, :, 2:] + 1.0], axis=2) for n in LAYERS}
    assert float(neighbor_error(moved, half.goals)) == pytest.approx(float(neighbor_error(now, half.goals)), rel=1e-5)
    assert float(neighbor_error(now, half.goals)) > 0


STRIDES = {"block1_conv1": 1, "block2_conv1": 2, "block3_conv1": 4, "block4_conv1": 8}


def activations(height: int, width: int, seed: int = 0) -> dict[str, tf.Tensor]:
    """Of a picture of that size, on layers of four strides, 2 to 5 channels."""
    random = np.random.default_rng(seed)
    return {
        layer: tf.constant(random.normal(0.5, 1.0, (1, -(-height // stride), -(-width // stride), count)), tf.float32)
        for count, (layer, stride) in enumerate(STRIDES.items(), start=2)
    }


def hypercolumns_of(found: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return to_hypercolumns(to_cells(found, tuple(found), VGG), cell_sides(VGG, found))


def test_hypercolumns_are_means_of_finer_positions_and_repeat_coarser_ones():
    found = activations(16, 24)
    at = hypercolumns_of(found)
    assert {each.shape[:3] for each in at.values()} == {(1, 4, 6)}
    means = (found["block1_conv1"][0, 4:8, 8:12], found["block2_conv1"][0, 6:8, 10:12])
    assert np.allclose(at["block1_conv1"][0, 1, 2], np.mean(means[0], (0, 1)), atol=1e-6)
    assert np.allclose(at["block2_conv1"][0, 3, 5], np.mean(means[1], (0, 1)), atol=1e-6)
    assert np.allclose(at["block3_conv1"], found["block3_conv1"])
    assert np.allclose(at["block4_conv1"][0, 2, 3], found["block4_conv1"][0, 1, 1])


@pytest.mark.parametrize(("height", "width"), [(17, 23), (18, 33), (31, 40), (3, 3)])
def test_all_layers_have_the_same_hypercolumns_whatever_the_size(height, width):
    found = activations(height, width)
    sides = (-(-height // 4), -(-width // 4))
    assert {tuple(each.shape[1:3]) for each in hypercolumns_of(found).values()} == {sides}
    assert float(hypercolumn_count(to_cells(found, tuple(found), VGG))) == sides[0] * sides[1]


@pytest.mark.parametrize("paintings", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(32, 40), (17, 23), (3, 3)])
def test_loss_and_gradient_on_cells_are_those_of_the_definition_at_hypercolumns(height, width, paintings):
    content, now, *styles = (activations(height, width, seed) for seed in range(2 + paintings))
    own, *others = (parts(hypercolumns_of(each)) for each in (content, *styles))
    found = [find_neighbors(own, [other], 1.0, "float32") for other in others]
    weights = np.random.default_rng(0).uniform(size=(*found[0].indices.shape[:3], paintings)).astype(np.float32)
    shares = (1.0,) if paintings == 1 else (0.25, 0.75)
    targets = mix_neighbors(found, shares, tf.constant(weights), cell_sides(VGG, content))
    vectors = np.concatenate([targets.vectors[n] for n in now], axis=-1)
    goals = (weights[..., None] * vectors[targets.indices]).sum(axis=3)

    def definition(found: dict[str, tf.Tensor]) -> tf.Tensor:
        at = hypercolumns_of(found)
        x = tf.concat([targets.scales[n] * (at[n] - targets.centers[n]) for n in found], axis=-1)
        return tf.reduce_sum(tf.norm(goals, axis=-1)) - tf.reduce_sum(goals * tf.math.l2_normalize(x, axis=-1))

    def loss(found: dict[str, tf.Tensor]) -> tf.Tensor:
        return 3.0 * neighbor_error(to_cells(found, tuple(found), VGG), targets.goals)

    values, gradients = zip(*(value_and_gradient(of, now) for of in (lambda x: 3.0 * definition(x), loss)), strict=True)
    assert values[1] == pytest.approx(values[0], rel=1e-5)
    for layer in now:
        assert np.allclose(gradients[1][layer], gradients[0][layer], rtol=1e-4, atol=1e-5), layer


def value_and_gradient(of: Callable, found: dict[str, tf.Tensor]) -> tuple[float, dict[str, tf.Tensor]]:
    with tf.GradientTape() as tape:
        tape.watch(found)
        value = of(found)
    return float(value), tape.gradient(value, found)


def test_layers_of_block_5_are_left_out():
    assert neighbor_layers(VGG, ("block1_conv2", "block5_conv1", "block4_conv4")) == ("block1_conv2", "block4_conv4")
    assert neighbor_layers(VGG, ("block4_conv1", "block5_conv1")) == ()  # none is as fine as the hypercolumns


def test_a_painting_is_searched_in_four_directions():
    painting = tf.constant(np.random.default_rng(0).uniform(size=(1, 5, 7, 3)), tf.float32)
    turns = quarter_turns(painting)
    assert [tuple(turn.shape) for turn in turns] == [(1, 5, 7, 3), (1, 7, 5, 3)] * 2
    assert np.array_equal(turns[1][0], np.rot90(painting[0]))
