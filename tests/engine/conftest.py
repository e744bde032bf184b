import numpy as np
import pytest

from nst.engine.extractors import Architecture, Extractor, he_normal

TINY = Architecture("tiny", (4, 6, 8, 8, 8), (2, 2, 3, 2, 2), "average", "reflect", {"head": ("block2_conv2", 5)})


@pytest.fixture(scope="session")
def tiny() -> Extractor:
    """A real extractor with random weights, small enough for every test."""
    return Extractor(TINY, he_normal(TINY, seed=3))


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A content 40x56 and a style 36x36, float32 in 0..1, with structure and noise."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[0:40, 0:56] / 40
    content = np.stack([x / 1.4, y, 0.5 + 0.5 * np.sin(9 * x * y)], -1) * 0.9 + random.uniform(0, 0.1, (40, 56, 3))
    y, x = np.mgrid[0:36, 0:36] / 36
    style = np.stack([np.sin(30 * x) ** 2, np.cos(30 * y) ** 2, x * y], -1) * 0.9 + random.uniform(0, 0.1, (36, 36, 3))
    return content.astype(np.float32), style.astype(np.float32)
