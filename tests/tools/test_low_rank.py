"""The fit of the built-in network: kernels of low rank that give VGG19's responses."""

import json

import numpy as np
import pytest

from nst.engine.networks import weights as weight_files
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from tools import low_rank
from tools.low_rank import convolved, errors_of, fit_layer, patches, pool, projection

LAYER = "block2_conv2"


def layer(seed: int, rank: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(kernel [3, 3, 6, 8], of that rank in its outputs; inputs [3, 12, 14, 6]; responses with a bias)."""
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(3, 3, 6, rank)) @ random.normal(size=(rank, 8)) / 8
    inputs = np.maximum(random.normal(size=(3, 12, 14, 6)), 0)
    kernel, inputs = kernel.astype(np.float32), inputs.astype(np.float32)
    return kernel, inputs, convolved(inputs, [kernel], LAYER) + np.linspace(-1, 1, 8, dtype=np.float32)


def fitted(kernel: np.ndarray, ranks: tuple[int, int], inputs: np.ndarray, responses: np.ndarray) -> np.ndarray:
    *kernels, bias = fit_layer(kernel, ranks, inputs, responses, "constant", np.random.default_rng(0))
    return convolved(inputs, kernels, LAYER) + bias


def relu_error(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean(np.square(np.maximum(found, 0) - np.maximum(true, 0))) / np.var(np.maximum(true, 0)))


def test_without_ranks_the_fit_is_the_layer_itself():
    kernel, inputs, responses = layer(1)
    found, bias = fit_layer(kernel, (0, 0), inputs, responses, "constant", np.random.default_rng(0))
    np.testing.assert_allclose(found, kernel, atol=1e-3)
    np.testing.assert_allclose(bias, np.linspace(-1, 1, 8), atol=1e-3)


@pytest.mark.parametrize("ranks", [(0, 3), (6, 3)])
def test_a_layer_of_that_rank_is_found(ranks):
    kernel, inputs, responses = layer(2, rank=3)
    assert relu_error(fitted(kernel, ranks, inputs, responses), responses) < 1e-5


def test_kernels_have_the_ranks_as_numbers_of_channels():
    kernel, inputs, responses = layer(3)
    arrays = fit_layer(kernel, (4, 5), inputs, responses, "constant", np.random.default_rng(0))
    assert [array.shape for array in arrays] == [(1, 1, 6, 4), (3, 3, 4, 5), (1, 1, 5, 8), (8,)]


def test_more_ranks_are_better_and_fewer_are_better_than_cutting_the_kernel_off():
    kernel, inputs, responses = layer(4)
    errors = [relu_error(fitted(kernel, (0, rank), inputs, responses), responses) for rank in (2, 4, 6)]
    assert errors == sorted(errors, reverse=True)
    left, values, right = np.linalg.svd(kernel.reshape(-1, 8), full_matrices=False)
    cut = ((left[:, :4] * values[:4]) @ right[:4]).reshape(kernel.shape).astype(np.float32)
    assert errors[1] < relu_error(convolved(inputs, [cut], LAYER) + np.linspace(-1, 1, 8), responses)


def test_a_layer_corrects_the_errors_of_those_before_it():
    kernel, inputs, responses = layer(5)
    mixed = (inputs @ (np.eye(6) + 0.2 * np.random.default_rng(0).normal(size=(6, 6)))).astype(np.float32)
    uncorrected = convolved(mixed, [kernel], LAYER) + np.linspace(-1, 1, 8)
    assert relu_error(fitted(kernel, (0, 0), mixed, responses), responses) < 1e-3 * relu_error(uncorrected, responses)


def test_the_first_kernel_keeps_the_directions_that_the_layer_responds_to():
    kernel, inputs, _ = layer(6)
    kernel[:, :, 3:] = 0  # it responds to the first three channels only
    kept = projection(kernel, 3, inputs)[0, 0]
    assert np.abs(kept[3:]).max() < 1e-2 * np.abs(kept[:3]).max()


def test_patches_and_pooling_are_those_of_the_network():
    _, inputs, _ = layer(7)
    kernel = np.random.default_rng(1).normal(size=(3, 3, 6, 2)).astype(np.float32)
    position = np.unravel_index(np.arange(inputs[..., 0].size), inputs.shape[:3])
    found = (patches(inputs, position, "constant") @ kernel.reshape(-1, 2)).reshape(3, 12, 14, 2)
    np.testing.assert_allclose(found, convolved(inputs, [kernel], LAYER), atol=1e-4)
    assert pool(inputs)[1, 2, 3, 4] == inputs[1, 4:6, 6:8, 4].max()


def test_errors_are_zero_at_the_truth_and_one_at_the_mean():
    _, inputs, _ = layer(8)
    assert errors_of(inputs, inputs) == (0.0, 0.0)
    mean = np.broadcast_to(inputs.mean(axis=(0, 1, 2)), inputs.shape)
    assert errors_of(mean, inputs)[0] == pytest.approx(1.0, rel=1e-4)


def test_a_small_network_is_fitted_whole_written_and_read_again(tmp_path, monkeypatch):
    random = np.random.default_rng(9)
    small = type(low_rank.ARCHITECTURE)(
        "compact", (6, 8), (2, 1), ranks={"block1_conv2": (4, 6), "block2_conv1": (0, 7)}
    )
    teacher = type(small)("vgg19", small.widths, small.depths)
    vgg19 = {
        name: (random.normal(size=shape).astype(np.float32) / 9, np.zeros(shape[3], np.float32))
        for name, (shape,) in teacher.shapes().items()
    }
    monkeypatch.setattr(low_rank, "ARCHITECTURE", small)
    pictures = random.uniform(size=(4, 16, 16, 3)).astype(np.float32)
    weights = low_rank.fit(vgg19, pictures, random)
    low_rank.save(tmp_path / "compact.npz", weights)
    monkeypatch.setattr(weight_files, "BUILTIN", tmp_path / "compact.npz")
    read = weight_files.load("compact", small.shapes())
    found, true = (
        Extractor(architecture, values)(pictures, ["block2_conv1"])["block2_conv1"]
        for architecture, values in ((small, read), (teacher, vgg19))
    )
    assert errors_of(np.asarray(found), np.asarray(true))[0] < 0.3


def test_what_ships_was_fitted_with_the_ranks_of_the_architecture():
    provenance = json.loads(weight_files.BUILTIN.with_suffix(".json").read_text())
    assert provenance["ranks"] == {name: list(ranks) for name, ranks in ARCHITECTURES["compact"].ranks.items()}
    errors = provenance["held_out_errors"]
    assert [name for name in errors if name != "columns"] == list(ARCHITECTURES["compact"].layers)
