import keras
import numpy as np
import pytest

from benchmarks.random_weights import he_normal
from nst.engine.backend import tf
from nst.engine.networks.extractors import ARCHITECTURES, IMAGENET_BGR_MEAN, Extractor
from nst.options.layer_presets import LAYERS

from . import textbook
from .conftest import TINY


def on_mean_colour(height: int, width: int) -> np.ndarray:
    """A random picture framed in the mean colour, which the networks see as 0: repeated or not, the edge is 0."""
    image = np.empty((1, height, width, 3), np.float32)
    image[:] = np.float32(IMAGENET_BGR_MEAN[::-1]) / 255
    image[:, 1:-1, 1:-1] = np.random.default_rng(0).uniform(0, 1, (1, height - 2, width - 2, 3))
    return image


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_vgg_is_that_of_keras_applications_to_the_layer(name):
    application = getattr(keras.applications, name.upper())(weights=None, include_top=False, input_shape=(32, 48, 3))
    layers = [layer for layer in application.layers if "conv" in layer.name]
    assert [layer.name for layer in layers] == list(ARCHITECTURES[name].layers)
    weights = {layer.name: tuple(layer.get_weights()) for layer in layers}
    assert {n: (kernel.shape,) for n, (kernel, _) in weights.items()} == ARCHITECTURES[name].shapes()

    image = on_mean_colour(32, 48)
    wanted = ["block1_conv2", "block3_conv3", "block5_conv3"]
    theirs = keras.Model(application.input, [application.get_layer(n).output for n in wanted])
    module = getattr(keras.applications, name)
    expected = theirs(module.preprocess_input(image * 255.0))
    found = Extractor(ARCHITECTURES[name], weights)(image, wanted)
    for layer, activation in zip(wanted, expected, strict=True):
        scale = np.abs(activation).max()
        np.testing.assert_allclose(found[layer] / scale, activation / scale, atol=2e-5)


def test_the_layers_that_options_know_are_those_of_the_networks():
    assert {name: ARCHITECTURES[name].layers for name in LAYERS} == LAYERS


def test_a_convolution_agrees_with_its_twin(tiny):
    image = np.random.default_rng(1).uniform(0, 1, (1, 9, 7, 3)).astype(np.float32)
    kernel, bias = he_normal(TINY, seed=3)["block1_conv1"]
    x = np.pad(image[0, ..., ::-1] * 255 - np.array(IMAGENET_BGR_MEAN), ((1, 1), (1, 1), (0, 0)), mode="symmetric")
    expected = np.maximum(textbook.convolve(x, kernel, bias), 0)
    np.testing.assert_allclose(tiny(image, ["block1_conv1"])["block1_conv1"][0], expected, rtol=1e-4, atol=1e-3)


def test_kernels_of_low_rank_are_applied_one_after_the_other(tiny):
    image = np.random.default_rng(2).uniform(0, 1, (1, 36, 28, 3)).astype(np.float32)
    found = tiny(image, ["block3_conv1", "block3_conv2"])
    first, middle, last, bias = he_normal(TINY, seed=3)["block3_conv2"]
    assert [kernel.shape for kernel in (first, middle, last)] == [(1, 1, 8, 5), (3, 3, 5, 6), (1, 1, 6, 8)]
    whole = np.einsum("ab,ijbc,cd->ijad", first[0, 0], middle, last[0, 0])  # the kernel that these are a product of
    x = np.pad(np.asarray(found["block3_conv1"][0]), ((1, 1), (1, 1), (0, 0)))
    expected = np.maximum(textbook.convolve(x, whole, bias), 0)
    np.testing.assert_allclose(found["block3_conv2"][0], expected, rtol=1e-3, atol=1e-3)


def test_every_layer_has_its_shape_and_nothing_else_is_returned(tiny):
    image = np.zeros((1, 48, 33, 3), np.float32)
    found = tiny(image, TINY.layers)
    assert set(found) == set(TINY.layers)
    for layer, activation in found.items():
        shrink = 2 ** (int(layer[5]) - 1)
        assert activation.shape == (1, -(-48 // shrink), -(-33 // shrink), TINY.channels(layer))
    assert set(tiny(image, ["block2_conv1"])) == {"block2_conv1"}


def test_what_is_read_has_the_values_and_the_gradient_of_a_call(tiny):
    image = tf.random.stateless_uniform([1, 24, 17, 3], (0, 0))
    layers = ["block1_conv1", "block2_conv2", "block3_conv1"]

    def read(layer, x):
        return {"sum": tf.reduce_sum(x), "squares": tf.reduce_mean(x**2)}

    def of_call(x):
        return {layer: read(layer, found) for layer, found in tiny(x, layers).items()}

    @tf.function
    def value_and_gradient(by_call):
        with tf.GradientTape() as tape:
            tape.watch(image)
            found = of_call(image) if by_call else tiny.read(image, layers, read)
            total = tf.add_n(tf.nest.flatten(found))
        return found, tape.gradient(total, image)

    (expected, gradient), (found, own) = value_and_gradient(True), value_and_gradient(False)
    assert found.keys() == set(layers)
    tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, expected)
    np.testing.assert_allclose(own, gradient, rtol=1e-3, atol=1e-5 * np.abs(gradient).max())


def test_a_flat_picture_gives_a_flat_first_layer_up_to_the_edge(tiny):
    """What would paint a coloured frame: activations that know where the picture ends."""
    activation = tiny(np.full((1, 64, 64, 3), 0.8, np.float32), ["block1_conv1"])["block1_conv1"]
    assert np.all(np.ptp(activation, axis=(0, 1, 2)) <= 1e-4 * np.abs(activation).max() + 1e-6)


def test_average_pooling_in_place_of_maximum_is_rescaled():
    architecture = ARCHITECTURES["vgg16"]
    small = type(architecture)("small", (8, 8, 8, 8, 8), architecture.depths)
    weights = he_normal(small, seed=0)
    image = np.random.default_rng(3).uniform(0, 1, (1, 64, 64, 3)).astype(np.float32)
    deep = ["block5_conv1"]
    largest, averaged = (
        float(np.mean(Extractor(small, weights, pooling)(image, deep)[deep[0]])) for pooling in ("max", "average")
    )
    assert 0.5 < averaged / largest < 2  # without the factor of two a pooling, a sixteenth of that


def test_bfloat16_stays_near_float32(tiny):
    image = np.random.default_rng(4).uniform(0, 1, (1, 32, 32, 3)).astype(np.float32)
    half = Extractor(TINY, he_normal(TINY, seed=3), dtype="bfloat16")(image, ["block3_conv3"])["block3_conv3"]
    full = tiny(image, ["block3_conv3"])["block3_conv3"]
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    error = np.linalg.norm(np.float32(half) - full) / np.linalg.norm(full)
    assert error < 0.05
