import numpy as np
import pytest
import tensorflow as tf

from nst.engine.networks.extractors import ARCHITECTURES
from nst.engine.optimization import neighbors
from nst.engine.optimization.neighbors import (
    NeighborTargets,
    find_neighbors,
    mix_neighbors,
    neighbor_error,
    neighbor_layers,
    place_count,
    quarter_turns,
    to_places,
)

VGG = ARCHITECTURES["vgg19"]
LAYERS = ("block1_conv1", "block3_conv1")


def places(seed: int, height: int = 6, width: int = 5, channels: tuple[int, ...] = (3, 7)) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    return {
        layer: tf.constant(random.normal(1.0, 1.0, (1, height, width, count)), tf.float32)
        for layer, count in zip(LAYERS, channels, strict=True)
    }


def twin(content: dict, painting: list[dict]) -> np.ndarray:
    """The neighbors by the definition, in NumPy: [places, C] of length 1."""
    flat = {
        layer: np.concatenate([np.reshape(each[layer], (-1, each[layer].shape[-1])) for each in painting])
        for layer in LAYERS
    }
    scales = {layer: 1 / np.sqrt(np.square(each).sum(1).mean()) for layer, each in flat.items()}
    own = {layer: np.reshape(content[layer], (-1, content[layer].shape[-1])) for layer in LAYERS}
    vectors, query = (
        np.concatenate([scales[layer] * (each[layer] - each[layer].mean(0)) for layer in LAYERS], axis=1)
        for each in (flat, own)
    )
    vectors, query = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (vectors, query))
    return vectors[np.argmax(query @ vectors.T, axis=1)]


def joined(targets: NeighborTargets) -> np.ndarray:
    return np.concatenate([np.reshape(each, (-1, each.shape[-1])) for each in targets.directions.values()], axis=1)


def test_neighbors_are_the_vectors_of_the_painting_with_the_highest_cosines():
    content, painting = places(0), [places(1, 4, 9), places(2, 9, 4)]
    found = find_neighbors(content, [painting], (1.0,), "float32")
    assert len(found) == 1
    assert np.allclose(joined(found[0]), twin(content, painting), atol=1e-5)


def test_long_vectors_are_searched_by_a_projection_that_finds_nearly_the_same(monkeypatch):
    content, painting = places(0, 16, 16, (40, 60)), [places(1, 16, 16, (40, 60))]
    exact = twin(content, painting)
    monkeypatch.setattr(neighbors, "PROJECTED", 64)
    monkeypatch.setattr(neighbors, "MOST_SCORES", 1000)  # in several parts
    found = joined(find_neighbors(content, [painting], (1.0,), "float32")[0])
    assert not np.allclose(found, exact)  # it was used
    vectors = {layer: content[layer] - tf.reduce_mean(content[layer], (0, 1, 2)) for layer in LAYERS}
    query = np.concatenate([np.reshape(vectors[layer], (256, -1)) for layer in LAYERS], axis=1)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    random = np.roll(exact, 1, axis=0)
    lost, possible = (((exact - each) * query).sum(1).mean() for each in (found, random))
    assert lost < 0.4 * possible


def test_of_many_vectors_always_the_same_ones_are_taken(monkeypatch):
    content, painting = places(0), [places(1, 20, 20)]
    every = joined(find_neighbors(content, [painting], (1.0,), "float32")[0])
    monkeypatch.setattr(neighbors, "MOST_CANDIDATES", 50)
    few, again = (joined(find_neighbors(content, [painting], (1.0,), "float32")[0]) for _ in range(2))
    assert np.array_equal(few, again)
    assert not np.allclose(few, every)


def test_the_loss_is_one_less_the_cosine_at_each_place_and_zero_at_its_target():
    content, painting = places(0), [places(1)]
    targets = find_neighbors(content, [painting], (1.0,), "float32")[0]
    now = places(3)
    x = np.concatenate(
        [np.reshape(targets.scales[n] * (now[n] - targets.centers[n]), (30, -1)) for n in LAYERS], axis=1
    )
    cosines = (x * joined(targets)).sum(1) / np.linalg.norm(x, axis=1)
    assert float(neighbor_error(now, targets)) == pytest.approx((1 - cosines).sum(), rel=1e-4)
    assert float(place_count(now)) == 30
    reached = {n: 5 * targets.directions[n] / targets.scales[n] + targets.centers[n] for n in LAYERS}
    assert float(neighbor_error(reached, targets)) == pytest.approx(0, abs=1e-4)


def test_a_mix_weighs_paintings_and_a_place_without_weight_counts_nothing():
    content, one, other = places(0), places(1), places(2)
    found = find_neighbors(content, [[one], [other]], (0.25, 0.75), "float32")
    mixed = mix_neighbors(found, (0.25, 0.75))
    assert np.allclose(joined(mixed), 0.25 * joined(found[0]) + 0.75 * joined(found[1]), atol=1e-6)
    left = np.zeros((1, 6, 5, 1), np.float32)
    left[:, :, :2] = 1
    half = mix_neighbors(found[:1], [tf.constant(left)])
    now = places(3)
    moved = {n: tf.concat([now[n][:, :, :2], now[n][:, :, 2:] + 1.0], axis=2) for n in LAYERS}
    assert float(neighbor_error(moved, half)) == pytest.approx(float(neighbor_error(now, half)), rel=1e-5)
    assert float(neighbor_error(now, half)) > 0


def test_places_are_means_of_finer_positions_and_repeat_coarser_ones():
    random = np.random.default_rng(0)
    found = {
        "block1_conv1": random.normal(size=(1, 16, 24, 2)),
        "block2_conv1": random.normal(size=(1, 8, 12, 2)),
        "block3_conv1": random.normal(size=(1, 4, 6, 2)),
        "block4_conv1": random.normal(size=(1, 2, 3, 2)),
    }
    at = to_places({n: tf.constant(x, tf.float32) for n, x in found.items()}, tuple(found), VGG)
    assert {each.shape for each in at.values()} == {(1, 4, 6, 2)}
    assert np.allclose(at["block1_conv1"][0, 1, 2], found["block1_conv1"][0, 4:8, 8:12].mean((0, 1)), atol=1e-6)
    assert np.allclose(at["block2_conv1"][0, 3, 5], found["block2_conv1"][0, 6:8, 10:12].mean((0, 1)), atol=1e-6)
    assert np.allclose(at["block3_conv1"], found["block3_conv1"])
    assert np.allclose(at["block4_conv1"][0, 2, 3], found["block4_conv1"][0, 1, 1])


@pytest.mark.parametrize(("height", "width"), [(17, 23), (18, 33), (31, 40)])
def test_all_layers_have_the_same_places_whatever_the_size(height, width):
    strides = {"block1_conv1": 1, "block2_conv1": 2, "block3_conv1": 4, "block4_conv1": 8}
    found = {n: tf.zeros([1, -(-height // stride), -(-width // stride), 2]) for n, stride in strides.items()}
    shapes = {tuple(each.shape) for each in to_places(found, tuple(strides), VGG).values()}
    assert shapes == {(1, -(-height // 4), -(-width // 4), 2)}


def test_layers_of_block_5_are_left_out():
    assert neighbor_layers(VGG, ("block1_conv2", "block5_conv1", "block4_conv4")) == ("block1_conv2", "block4_conv4")


def test_a_painting_is_searched_in_four_directions():
    painting = tf.constant(np.random.default_rng(0).uniform(size=(1, 5, 7, 3)), tf.float32)
    turns = quarter_turns(painting)
    assert [tuple(turn.shape) for turn in turns] == [(1, 5, 7, 3), (1, 7, 5, 3)] * 2
    assert np.array_equal(turns[1][0], np.rot90(painting[0]))
