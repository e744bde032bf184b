from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def files(tmp_path, content, style) -> tuple[Path, Path]:
    paths = tmp_path / "content.png", tmp_path / "style.png"
    for path, array in zip(paths, (content, style), strict=True):
        Image.fromarray((array * 255).astype(np.uint8)).save(path)
    return paths
