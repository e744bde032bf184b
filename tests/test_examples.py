"""The examples, as a person runs them, against a real server."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import Site

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = {"curl.sh": ("sh", "curl"), "stylize.py": (sys.executable,), "follow.js": ("node",)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.stop()


def test_every_example_is_tested() -> None:
    assert {path.name for path in (ROOT / "examples").iterdir() if path.is_file()} == set(EXAMPLES)


def ran(example: str, site: Site, painting: Path) -> subprocess.CompletedProcess[str]:
    programs = EXAMPLES[example]
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{example} needs {program}, which is not here")
    command = [programs[0], str(ROOT / "examples" / example), str(painting)]
    return subprocess.run(command, env={**os.environ, "NST_URL": site.url}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_paints_a_picture(example: str, site: Site, tmp_path: Path) -> None:
    done = ran(example, site, tmp_path / "painting.png")
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(tmp_path / "painting.png") as painting:
        assert max(painting.size) == 256
    if example != "follow.js":
        with Image.open(tmp_path / "painting-fast.png") as painting:
            assert "nst-fast" in painting.text
    if example != "stylize.py":
        assert "finished" in done.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_without_a_studio_fails(example: str, tmp_path: Path) -> None:
    done = ran(example, Site(tmp_path), tmp_path / "painting.png")  # which was never started
    assert done.returncode != 0
    assert done.stderr
    assert not (tmp_path / "painting.png").exists()
