from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.pairs import FilePair, Pair
from nst.pictures.images import encode_png

Write = Callable[[str, NDArray[np.float32]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a picture under a path in this test's folder."""

    def write(name: str, picture: NDArray[np.float32]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(picture))
        return path

    return write


@pytest.fixture
def pair(write: Write, content: NDArray[np.float32], style: NDArray[np.float32]) -> Pair:
    """The hill and the stripes, as files in the folder "pairs"."""
    return FilePair("hill", write("pairs/hill/content.png", content), write("pairs/hill/style.png", style))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither VGG19's weights nor the shared folder, and a data folder of the test's own."""
    monkeypatch.setenv("NST_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(tmp_path / "none.npz"))
    monkeypatch.setenv("NST_SHARED", str(tmp_path / "nowhere"))
