"""The predictor of style vectors: its statistics, its file, and what it predicts."""

import io

import numpy as np
import pytest

from nst.engine.feed_forward import style_predictor
from nst.engine.feed_forward.style_predictor import StylePredictor, load_predictor, predict_vector
from nst.errors import StyleError
from nst.options.layer_presets import GATYS_STYLE
from nst.pictures.images import read_file
from nst.pictures.samples import find
from nst.styles.style_library import shipped_file

WIDTHS = (3, 4, 5, 6, 7)


def small_arrays(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Arrays of a predictor for layers of `WIDTHS` channels, 2 directions and vectors of 8 numbers."""
    count = sum(2 * width + 3 for width in WIDTHS)
    shapes = {"components": (count, 4), "hidden/kernel": (4, 6), "hidden/bias": (6,), "out/kernel": (6, 8)}
    arrays = {name: random.normal(size=shape) for name, shape in (shapes | {"out/bias": (8,)}).items()}
    arrays |= {"mean": random.normal(size=count), "deviation": np.ones(count), "center": np.zeros(count)}
    for layer, width in zip(GATYS_STYLE, WIDTHS, strict=True):
        arrays[f"{layer}/mean"], arrays[f"{layer}/deviation"] = random.normal(size=width), np.float32(2.0)
        arrays[f"{layer}/directions"] = random.normal(size=(width, 2))
    return {name: np.float32(array) for name, array in arrays.items()}


def small_activations(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        layer: np.maximum(random.normal(1, 1, (2, 5, 3, width)), 0).astype(np.float32)
        for layer, width in zip(GATYS_STYLE, WIDTHS, strict=True)
    }


def test_the_statistics_agree_with_their_twin():
    random = np.random.default_rng(1)
    arrays, activations = small_arrays(random), small_activations(random)
    expected = []
    for picture in range(2):
        parts = []
        for layer in GATYS_STYLE:
            x = activations[layer][picture].reshape(15, -1)
            deviation = np.sqrt(x.var(axis=0) + 1e-6)
            parts += [np.log(x.mean(axis=0) + 0.02), np.log(deviation + 0.02)]
            z = (x - arrays[f"{layer}/mean"]) @ arrays[f"{layer}/directions"]
            moments = z.T @ z / 15
            parts.append([moments[0, 0], moments[0, 1], moments[1, 1]])
        expected.append(np.concatenate(parts))
    np.testing.assert_allclose(StylePredictor(arrays).statistics(activations), expected, rtol=1e-4, atol=1e-4)


def test_statistics_and_components_far_from_the_mean_are_bounded():
    random = np.random.default_rng(2)
    predictor = StylePredictor(small_arrays(random))
    activations = {layer: 1e4 * array for layer, array in small_activations(random).items()}
    assert np.abs(predictor.standardized(activations)).max() <= style_predictor.MOST_STATISTIC
    assert np.abs(predictor.components(activations)).max() <= style_predictor.MOST_COMPONENT


def test_vectors_are_those_of_one_hidden_layer():
    random = np.random.default_rng(3)
    arrays = small_arrays(random)
    components = random.normal(size=(3, 4)).astype(np.float32)
    hidden = np.maximum(components @ arrays["hidden/kernel"] + arrays["hidden/bias"], 0)
    expected = hidden @ arrays["out/kernel"] + arrays["out/bias"]
    np.testing.assert_allclose(StylePredictor(arrays).vectors(components), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(64, 64), (64, 700), (31, 47)])
def test_a_painting_of_any_shape_has_a_vector(shape):
    painting = np.random.default_rng(4).uniform(size=(*shape, 3)).astype(np.float32)
    vector = predict_vector(painting)
    assert (vector.shape, vector.dtype) == ((shipped_file().plan.length,), np.float32)
    assert np.isfinite(vector).all()


def test_paintings_have_vectors_of_their_own_and_one_painting_the_same_at_two_sizes():
    night, poppies = (read_file(find(name).path).rgb for name in ("night-wind", "poppy-washes"))
    of_night, of_poppies = predict_vector(night), predict_vector(poppies)
    of_reduced = predict_vector(night[::2, ::2])
    assert np.linalg.norm(of_night - of_reduced) < 0.5 * np.linalg.norm(of_night - of_poppies)


@pytest.mark.parametrize("damage", ["cut", "nan", "other", "missing", "incomplete", "wide", "flat", "few", "wider"])
def test_a_damaged_file_is_refused_by_name(tmp_path, monkeypatch, damage):
    with np.load(style_predictor.PREDICTOR_FILE) as file:
        arrays = {name: file[name] for name in file.files}
    if damage == "nan":
        arrays["hidden/bias"] = np.full_like(arrays["hidden/bias"], np.nan)
    if damage == "other":
        arrays["out/bias"] = arrays["out/bias"][:-1]
    if damage == "incomplete":
        del arrays["hidden/bias"]
    if damage == "wide":
        arrays["hidden/kernel"] = np.zeros((97, 192), np.float16)
    if damage == "flat":
        arrays["hidden/kernel"] = arrays["hidden/kernel"].ravel()
    if damage == "few":
        arrays["block1_conv1/directions"] = arrays["block1_conv1/directions"][:, :-1]
    if damage == "wider":
        arrays["block1_conv1/mean"] = np.zeros(65, np.float32)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path = tmp_path / "style_predictor.npz"
    if damage != "missing":
        path.write_bytes(buffer.getvalue()[:-100] if damage == "cut" else buffer.getvalue())
    monkeypatch.setattr(style_predictor, "PREDICTOR_FILE", path)
    load_predictor.cache_clear()
    try:
        with pytest.raises(StyleError, match=r"style predictor, style_predictor\.npz"):
            predict_vector(np.full((64, 64, 3), 0.5, np.float32))
    finally:
        load_predictor.cache_clear()


def test_a_file_of_fewer_components_and_hidden_units_is_read(tmp_path, monkeypatch):
    with np.load(style_predictor.PREDICTOR_FILE) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["components"] = arrays["components"][:, :40]
    arrays["hidden/kernel"], arrays["hidden/bias"] = arrays["hidden/kernel"][:40, :50], arrays["hidden/bias"][:50]
    arrays["out/kernel"] = arrays["out/kernel"][:50]
    path = tmp_path / "style_predictor.npz"
    np.savez(path, **arrays)
    monkeypatch.setattr(style_predictor, "PREDICTOR_FILE", path)
    load_predictor.cache_clear()
    try:
        vectors = load_predictor().vectors(np.zeros((1, 40), np.float32))
        assert vectors.shape == (1, shipped_file().plan.length)
    finally:
        load_predictor.cache_clear()
