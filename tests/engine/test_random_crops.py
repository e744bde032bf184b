import numpy as np
import pytest

from nst.engine.training.random_crops import log_uniform, mirrored_at_random


def test_log_uniform_numbers_have_as_many_below_their_geometric_mean_as_above():
    random = np.random.default_rng(0)
    numbers = [log_uniform(random, 1, 100) for _ in range(4000)]
    assert 1 <= min(numbers) < 1.1
    assert 90 < max(numbers) <= 100
    assert np.median(numbers) == pytest.approx(10, rel=0.1)


def test_about_half_of_the_pictures_are_mirrored():
    random = np.random.default_rng(0)
    picture = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    mirrored = [np.array_equal(mirrored_at_random(picture, random), picture[:, ::-1]) for _ in range(1000)]
    assert np.mean(mirrored) == pytest.approx(0.5, abs=0.05)
