from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.random_weights import he_normal
from nst.engine.backend import Tensor, tf
from nst.engine.networks.extractors import Architecture, Extractor
from nst.engine.optimization.lbfgs import LBFGS
from nst.engine.optimization.neighbors.hypercolumns import cell_sides
from nst.engine.optimization.neighbors.loss import NeighborTargets, mix_neighbors
from nst.engine.optimization.neighbors.search import find_neighbors
from nst.engine.optimization.objective import Objective
from nst.engine.optimization.tiles import TiledObjective
from nst.options.style_options import StyleOptions

from .files import FILE, SHAPES, Layers, Server, write_notop

RANKS = {"block2_conv2": (0, 4), "block3_conv2": (5, 6)}
TINY = Architecture("tiny", (4, 6, 8, 8, 8), (2, 2, 3, 2, 2), "average", RANKS)


@pytest.fixture(scope="session")
def tiny() -> Extractor:
    """A real extractor with random weights, small enough for every test."""
    return Extractor(TINY, he_normal(TINY, seed=3))


@pytest.fixture(scope="session")
def tiny_half() -> Extractor:
    """The same network in bfloat16."""
    return Extractor(TINY, he_normal(TINY, seed=3), dtype="bfloat16")


def small_options(**given) -> StyleOptions:
    """Options of a run on `tiny` that takes a second: by default 20 steps, on scales of 64 and 128 px."""
    layers = {"content_layers": "block3_conv3", "style_layers": "block1_conv1,block2_conv2,block4_conv1"}
    return StyleOptions(**{"epochs": 4, "steps_per_epoch": 5, "size": 128, **layers, **given})


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A content 40x56 and a style 36x36, float32 in 0..1, with structure and noise."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[0:40, 0:56] / 40
    content = np.stack([x / 1.4, y, 0.5 + 0.5 * np.sin(9 * x * y)], -1) * 0.9 + random.uniform(0, 0.1, (40, 56, 3))
    y, x = np.mgrid[0:36, 0:36] / 36
    style = np.stack([np.sin(30 * x) ** 2, np.cos(30 * y) ** 2, x * y], -1) * 0.9 + random.uniform(0, 0.1, (36, 36, 3))
    return content.astype(np.float32), style.astype(np.float32)


@pytest.fixture
def evaluations(monkeypatch) -> list[str]:
    """The precision of each evaluation of an objective from now on."""
    done, evaluate = [], Objective.evaluate

    def counted(self, *given, **named):
        done.append(self.extractor.dtype)
        return evaluate(self, *given, **named)

    monkeypatch.setattr(Objective, "evaluate", counted)
    return done


@pytest.fixture
def stalls_after_4_steps(monkeypatch) -> None:
    """L-BFGS stalls whatever it gains, as soon as it has taken four steps and looks at what they gained."""
    monkeypatch.setattr(LBFGS, "stall_gain", 1e9)
    monkeypatch.setattr(LBFGS, "stall_window", 4)


@pytest.fixture
def empty_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty caches of weights, and no variable that names a file or forbids the network."""
    for variable in ("NST_VGG19_WEIGHTS", "NST_VGG16_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "*")  # the loopback is no business of a proxy


@pytest.fixture(scope="session")
def layers() -> Layers:
    random = np.random.default_rng(1)
    return {
        layer: (random.normal(size=shape).astype(np.float32), random.normal(size=shape[-1]).astype(np.float32))
        for layer, (shape,) in SHAPES.items()
    }


@pytest.fixture(scope="session")
def notop(layers: Layers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_notop(tmp_path_factory.mktemp("notop") / FILE, layers)


@pytest.fixture
def server(notop: Path) -> Iterator[Server]:
    with Server(notop.read_bytes()) as running:
        yield running


def neighbors_of(objective: Objective | TiledObjective, content: Tensor, style: Tensor) -> NeighborTargets:
    """The neighbors of `content` in `style`, as it is and upright only; both [1, H, W, 3]."""
    found = find_neighbors(objective.hypercolumns(content), [objective.hypercolumns(style)], 1.0, "float32")
    return mix_neighbors([found], (1.0,), tf.constant([1.0]), cell_sides(TINY, found.vectors))
