"""The environment of the tests: what the lock file holds, and what is installed when."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import prepare
from tools.prepare import LOCK, ROOT

DEV, USERS = Path("requirements-dev.txt"), Path("requirements.txt")
PINS = [line.rstrip(" \\") for line in (ROOT / LOCK).read_text().splitlines() if line[:1].isalnum()]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_lock_file_holds_each_requirement_once_within_its_range(python: str, machine: str) -> None:
    here = {"python_version": python, "python_full_version": f"{python}.1", "platform_machine": machine}
    here |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    pins: dict[str, str] = {}
    for pin in map(Requirement, PINS):
        if not pin.marker or pin.marker.evaluate(here):
            assert pin.name not in pins
            pins[pin.name] = str(pin.specifier).removeprefix("==")
    for wanted in map(Requirement, prepare.lines_of(ROOT / DEV)):
        if not wanted.marker or wanted.marker.evaluate(here):
            assert wanted.specifier.contains(pins[wanted.name.lower().replace("_", "-")]), wanted


def test_the_lock_file_names_no_host_and_has_hashes_alone() -> None:
    lines = [line.strip(" \\") for line in (ROOT / LOCK).read_text().splitlines() if not line.startswith("#")]
    assert all(line in PINS or line.startswith("--hash=sha256:") for line in lines)
    assert not [line for line in lines if "://" in line or "/" in line]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that seems to be an environment; the requirements files beside it may be changed."""
    monkeypatch.chdir(tmp_path)
    for file in (LOCK, DEV, USERS):
        file.write_text((ROOT / file).read_text())
    (tmp_path / "env/bin").mkdir(parents=True)
    (tmp_path / "env/bin/python").symlink_to(sys.executable)
    return tmp_path / "env"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that `prepare` would have pip install."""
    found: list[str] = []
    monkeypatch.setattr(prepare, "install", lambda python, file, *options: found.append(f"{file}{' '.join(options)}"))
    monkeypatch.setattr(prepare, "run", lambda command, failure: None)
    monkeypatch.setattr(prepare, "has_tensorflow", lambda python: False)
    return found


def test_the_tests_get_the_lock_file_once_and_users_the_ranges(environment: Path, installed: list[str]) -> None:
    prepare.prepare(environment, dev=False)
    assert installed == ["requirements.txt"]
    prepare.prepare(environment, dev=True)
    prepare.prepare(environment, dev=True)
    prepare.prepare(environment, dev=False)
    assert installed[1:] == ["requirements-lock.txt--require-hashes"]
    LOCK.write_text(LOCK.read_text() + "new==1\n")
    prepare.prepare(environment, dev=True)
    assert installed[2:] == ["requirements-lock.txt--require-hashes"]


def test_another_build_of_tensorflow_stays_and_the_reason_is_given(
    environment: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare, "has_tensorflow", lambda python: True)
    monkeypatch.setattr(prepare.platform, "machine", lambda: "x86_64")
    prepare.prepare(environment, dev=True)
    assert installed == ["requirements.txt", "requirements-dev.txt"]
    assert "another build of TensorFlow is installed: the ranges" in capsys.readouterr().out
    prepare.prepare(environment, dev=True)
    assert len(installed) == 2
    assert capsys.readouterr().out == ""
