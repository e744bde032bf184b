import numpy as np
import pytest

from benchmarks.random_weights import he_normal
from nst.engine.backend import tf
from nst.engine.networks import choose_extractor
from nst.engine.networks import weights as weight_files
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.optimization.losses import content_loss, gram
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.step import Step
from nst.errors import WeightsError
from nst.options.style_options import StyleOptions


def network(name: str, dtype: str) -> Extractor:
    """The built-in network as it ships; VGG with random weights."""
    architecture = ARCHITECTURES[name]
    ships = name == "compact"
    weights = weight_files.load(name, architecture.shapes()) if ships else he_normal(architecture, seed=0)
    return Extractor(architecture, weights, dtype=dtype)


def evaluated(extractor: Extractor, content: np.ndarray, style: np.ndarray, image: np.ndarray):
    """(losses, gradient as a flat array) of `image` with the defaults."""
    name = extractor.architecture.name
    content_layers, style_layers = ([layer for layer, _ in layers] for layers in StyleOptions().layers(name))
    objective = Objective(extractor, content_layers, style_layers, "relative")
    targets = objective.targets(tf.constant(content[None]), tf.constant(style[None]))
    losses, gradient = objective.evaluate(tf.constant(image[None]), targets, LiveWeights.of(StyleOptions(), name))
    assert gradient.dtype == tf.float32
    return losses, gradient.numpy().astype(float).ravel()


@pytest.mark.parametrize(
    ("name", "cosine"),
    [("compact", 0.98), ("vgg19", 0.97)],  # measured at 96 px: 0.989 to 0.996, and 0.986 to 0.990
)
def test_the_gradient_points_where_that_of_float32_does(name, cosine, pictures):
    content, style = pictures
    image = np.clip(np.random.default_rng(0).normal(0.5, 0.1, content.shape), 0, 1).astype(np.float32)
    (full, g), (half, h) = (evaluated(network(name, dtype), content, style, image) for dtype in ("float32", "bfloat16"))
    assert half.total == pytest.approx(full.total, rel=0.01)
    assert g @ h / (np.linalg.norm(g) * np.linalg.norm(h)) > cosine
    assert np.linalg.norm(h) == pytest.approx(np.linalg.norm(g), rel=0.05)


def test_sums_of_bfloat16_activations_are_float32():
    """A sum of as many ones as bfloat16 cannot count; that of a Gram matrix is rounded once, when it is complete."""
    ones = tf.ones([1, 100, 100, 1], tf.bfloat16)
    found = gram(ones)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, [[1.0]], rtol=2**-9)
    loss = content_loss(ones, 0 * ones, "gatys")
    assert loss.dtype == tf.float32
    assert float(loss) == 5000


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_precision_of_the_options_is_that_of_the_network(pictures, monkeypatch, precision):
    def load(name: str, pooling: str, dtype: str) -> Extractor:
        raise WeightsError(f"{name}, {pooling}, {dtype}")

    monkeypatch.setattr(choose_extractor, "load_extractor", load)
    with pytest.raises(WeightsError, match=f"^compact, max, {precision}$"):
        next(stylize(*pictures, StyleOptions(extractor="compact", pooling="max", precision=precision)))


def test_a_run_in_bfloat16_comes_as_far_as_one_in_float32(pictures):
    def last(precision: str) -> Step:
        options = StyleOptions(epochs=8, size=64, extractor="compact", precision=precision)
        *_, step = stylize(*pictures, options)
        return step

    full, half = last("float32"), last("bfloat16")
    assert half.losses.total == pytest.approx(full.losses.total, rel=0.1)
    assert half.image.dtype == np.float32
    assert not np.array_equal(half.image, full.image)
