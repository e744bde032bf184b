"""Weights between those that ship and those of a training that began with them."""

from dataclasses import replace

import numpy as np

from nst.engine.feed_forward.style_predictor import StylePredictor
from tests.engine.fast import style_file
from tools.interpolate_styles import interpolated, interpolated_maps


def test_a_style_file_is_interpolated_from_one_end_to_the_other() -> None:
    first = style_file()
    second = replace(
        first,
        kernels={name: kernel + np.float16(1) for name, kernel in first.kernels.items()},
        identity_vector=first.identity_vector + 2,
        styles={name: replace(style, vector=style.vector - 4) for name, style in first.styles.items()},
    )
    between = interpolated(first, second, 0.25)
    for name, kernel in first.kernels.items():
        np.testing.assert_allclose(between.kernels[name], kernel.astype(np.float32) + 0.25, atol=2e-3)
    np.testing.assert_allclose(between.identity_vector, first.identity_vector + 0.5, atol=1e-6)
    for name, style in first.styles.items():
        np.testing.assert_allclose(between.styles[name].vector, style.vector - 1, atol=1e-5)


def test_a_predictor_with_fewer_hidden_units_predicts_the_same_until_it_is_mixed() -> None:
    random = np.random.default_rng(5)

    def maps(hidden: int) -> dict[str, np.ndarray]:
        shapes = {"hidden/kernel": (4, hidden), "hidden/bias": (hidden,), "out/kernel": (hidden, 6), "out/bias": (6,)}
        return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}

    first, second = maps(3), {**maps(5), "mean": np.ones(2, np.float32)}
    components = random.normal(size=(7, 4)).astype(np.float32)
    for share, end in ((0.0, first), (1.0, second)):
        found = interpolated_maps(first, second, share)
        np.testing.assert_allclose(
            StylePredictor(found).vectors(components), StylePredictor(end).vectors(components), atol=1e-5
        )
        assert found["hidden/kernel"].shape == (4, 5)
        np.testing.assert_array_equal(found["mean"], 1)
