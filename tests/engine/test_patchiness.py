"""The cost of patches, against NumPy."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nst.engine.training.patchiness import SAME_COLOR, patchiness


def test_patches_cost_where_the_photo_has_none():
    random = np.random.default_rng(3)
    photos, painted = (random.uniform(0, 1, (2, 48, 32, 3)).astype(np.float32) for _ in range(2))
    windows = [sliding_window_view(x, (16, 16), axis=(1, 2))[:, ::4, ::4] for x in (painted, photos)]
    blocks = [each.mean(axis=(-2, -1)) for each in windows]
    pairs = [[np.square(x[:, 4:] - x[:, :-4]).sum(-1), np.square(x[:, :, 4:] - x[:, :, :-4]).sum(-1)] for x in blocks]
    found, given = (np.concatenate([each.ravel() for each in of_picture]) for of_picture in pairs)
    expected = np.average(found, weights=np.exp(-given / SAME_COLOR**2))
    np.testing.assert_allclose(patchiness(painted, photos), expected, rtol=1e-4)
    edge = np.zeros((1, 32, 32, 3), np.float32)
    edge[:, :, 16:] = 1
    assert patchiness(edge, edge) < 1e-6 < 0.1 < patchiness(edge, np.zeros_like(edge))
    shifted = [patchiness(np.roll(edge, shift, axis=2), np.zeros_like(edge)) for shift in (-4, 4)]
    np.testing.assert_allclose(shifted, shifted[0], rtol=1e-4)  # nowhere is an edge free of cost
