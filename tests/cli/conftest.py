from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.engine import devices


@pytest.fixture
def files(tmp_path, content, style) -> tuple[Path, Path]:
    paths = tmp_path / "content.png", tmp_path / "style.png"
    for path, array in zip(paths, (content, style), strict=True):
        Image.fromarray((array * 255).astype(np.uint8)).save(path)
    return paths


@pytest.fixture(autouse=True)
def float32(monkeypatch) -> None:
    """The precision "auto" means, which otherwise depends on the machine and on what else it does."""
    monkeypatch.setattr(devices, "bfloat16_speedup", lambda: 0.0)


@pytest.fixture
def fail_writes(monkeypatch) -> Callable[[BaseException], None]:
    """Call it with an error, which every later `Path.write_bytes` raises after half of its bytes."""
    written = Path.write_bytes

    def fail_with(error: BaseException) -> None:
        def fail(path: Path, data: bytes) -> None:
            written(path, data[: len(data) // 2])
            raise error

        monkeypatch.setattr(Path, "write_bytes", fail)

    return fail_with
