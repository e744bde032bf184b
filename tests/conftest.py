"""What every test may use. Nothing here starts anything before a test asks for it."""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # TensorFlow reads it when it loads
os.environ["NST_OFFLINE"] = "1"  # no server that a test starts, in whatever process, fetches weights by itself
if "PYTEST_XDIST_WORKER" in os.environ:  # then the cores have another process of tests to work for
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
# Files whose tests take longest: two processes share the files in their order, and the last should be short ones.
LONGEST = (
    "test_fuzz", "test_own_studio", "test_in_process", "test_shared_studio", "test_workers", "test_tiles", "test_train",
    "test_optimize", "test_rebuilds", "test_train_fast_styles", "test_serve", "test_cluster", "test_weights_fetches",
    "test_project_rules", "test_fast_styles", "test_viewer", "test_instant", "test_actions",
)  # fmt: skip
SHOWN = ("numpy", "pillow", "tensorflow", "tensorflow-cpu", "keras", "distributed", "dash", "fastapi", "playwright")


def pytest_report_header() -> str:
    """The versions that matter."""
    return "with " + ", ".join(f"{name} {found}" for name in SHOWN if (found := _version(name)))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@pytest.fixture(scope="session")
def shared() -> Path:
    """A folder of photographs and paintings that is no part of the project."""
    folder = Path(os.environ.get("NST_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no pictures: NST_SHARED names no folder and {folder} is missing")
    return folder


@pytest.fixture(scope="session")
def content() -> NDArray[np.float32]:
    """A small landscape: sky above a hill, a sun. float32 [48, 64, 3] in 0..1."""
    y, x = np.mgrid[0:48, 0:64] / 48
    sky = np.stack([0.4 + 0.3 * y, 0.6 + 0.2 * y, 0.95 - 0.2 * y], axis=-1)
    hill = y > 0.65 - 0.2 * np.sin(3 * x)
    sun = (x - 1.0) ** 2 + (y - 0.2) ** 2 < 0.01
    picture = np.where(hill[..., None], (0.2, 0.45, 0.15), sky)
    return np.where(sun[..., None], (1.0, 0.9, 0.5), picture).astype(np.float32)


@pytest.fixture(scope="session")
def style() -> NDArray[np.float32]:
    """Slanted stripes in three colours. float32 [40, 40, 3] in 0..1."""
    y, x = np.mgrid[0:40, 0:40]
    palette = np.array([(0.9, 0.2, 0.1), (0.1, 0.2, 0.6), (0.95, 0.85, 0.3)], np.float32)
    return palette[(x + 2 * y) // 6 % 3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 12 MB, where this user may mount one."""
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no small disk: this user may not mount one")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: while Playwright's synchronous interface is open, no test in this thread may run a loop.

    Of either kind the longest files first.
    """
    ranks = {name: rank for rank, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> tuple[bool, int]:
        return "browser" in item.path.relative_to(ROOT).parts, ranks.get(item.path.stem, len(ranks))

    items.sort(key=place)
