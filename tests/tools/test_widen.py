"""A network in a larger shape paints as before, and its new parts can learn."""

from dataclasses import replace

import numpy as np

from nst.engine.backend import tf
from nst.engine.feed_forward.style_predictor import StylePredictor
from nst.engine.feed_forward.transformer import Transformer
from tests.engine.fast import TINY, picture, style_file
from tools.widen import widened, widened_maps

LARGER = replace(TINY, widths=(5, 9, 12), blocks=3)
FILE = style_file()
MIX = np.array([[0.3, 0.7]], np.float32)


def test_a_widened_network_paints_the_same_at_every_strength():
    before, after, x = Transformer.of(FILE), Transformer.of(widened(FILE, LARGER)), picture(40, 48)[None]
    for strength in (None, np.full(1, 0.5, np.float32), np.zeros(1, np.float32)):
        np.testing.assert_allclose(after(x, MIX, strength), before(x, MIX, strength), atol=1e-3)  # kernels are float16


def test_the_new_channels_and_blocks_learn_at_once():
    network, x = Transformer.of(widened(FILE, LARGER)), picture(40, 48)[None]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network(x, MIX)))
    variables = [network.kernels["up0"].value, network.kernels["block0a"].value, network.styles.value]
    up, block, styles = (tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, variables))
    assert np.abs(up[:, :, 6:, :4]).max() > 0
    assert np.abs(block[:, :, 8:, :8]).max() > 0
    assert np.abs(styles[:, LARGER.slices["block2b/scale"]]).max() > 0


def test_the_maps_of_a_predictor_are_widened_with_it():
    random = np.random.default_rng(3)
    maps = {
        "hidden/kernel": random.normal(size=(4, 5)).astype(np.float32),
        "hidden/bias": random.normal(size=5).astype(np.float32),
        "out/kernel": random.normal(size=(5, TINY.length)).astype(np.float32),
        "out/bias": TINY.neutral(),
    }
    components, x = random.normal(size=(1, 4)).astype(np.float32), picture(40, 48)[None]
    of_before, of_after = (
        np.asarray(StylePredictor(arrays).vectors(components)) for arrays in (maps, widened_maps(maps, TINY, LARGER))
    )
    before, after = Transformer.of(FILE), Transformer.of(widened(FILE, LARGER))
    np.testing.assert_allclose(after.paint(x, of_after), before.paint(x, of_before), atol=1e-3)
