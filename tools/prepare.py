"""Make the project's virtual environment, once: `python3 tools/prepare.py [FOLDER] [--dev]`.

If the requirements have not changed since the last time, as stamp files record, nothing is done. `--dev` adds what the
tests need, a browser too, and installs exactly the files of requirements-lock.txt where that is possible. Standard
library only; it starts on an old Python, too, to report that it is too old.
"""

import argparse
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)  # Python versions that TensorFlow 2.21 has wheels for
ROOT = Path(__file__).resolve().parent.parent
LOCK = Path("requirements-lock.txt")


def main() -> None:
    """Parse the command line and prepare."""
    parser = argparse.ArgumentParser(description="Make the project's virtual environment.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".venv"), help="where it goes (default .venv)")
    parser.add_argument("--dev", action="store_true", help="what the tests need, too")
    arguments = parser.parse_args()
    os.chdir(str(ROOT))
    prepare(arguments.folder, dev=arguments.dev)


def prepare(folder: Path, *, dev: bool) -> None:
    """Make the environment in `folder` and install the requirements; after a failure, exit with one line."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        create(folder)
    files = [Path("requirements.txt"), Path("requirements-dev.txt")][: 1 + dev]
    if dev and is_stale(folder, python, LOCK):
        reason = why_not_locked(python)
        if not reason:
            install(python, LOCK, "--require-hashes")
            stamp(folder, python, [LOCK, *files])
        elif any(is_stale(folder, python, each) for each in files):
            print_line(f"{reason}: the ranges of {files[-1]} are installed in place of {LOCK}")
    for each in files:
        if is_stale(folder, python, each):
            install(python, each)
            stamp(folder, python, [each])
    if dev:
        run([str(python), "-m", "tools.browser"], "there is no browser for the tests")


def create(folder: Path) -> None:
    """Make a virtual environment of the Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        allowed = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
        fail(f"TensorFlow needs Python {allowed}, this is {version}; `make PYTHON=python3.12 run` names another")
    if importlib.util.find_spec("ensurepip") is None:  # Debian has it in a package of its own
        fail(f"this Python {version} cannot make environments; on Debian and Ubuntu `apt install python3-venv` helps")
    print_line(f"making {folder} with Python {version}")
    if subprocess.run([sys.executable, "-m", "venv", str(folder)]).returncode:
        shutil.rmtree(str(folder), ignore_errors=True)
        fail(f"could not make {folder} (the reason is above)")


def stamp_of(folder: Path, requirements: Path) -> Path:
    """The file that records which state of a requirements file was installed in `folder`."""
    return folder / f".{requirements.stem}.stamp"


def is_stale(folder: Path, python: Path, requirements: Path) -> bool:
    """Whether a requirements file was not installed in `folder`, or has changed since."""
    stamp = stamp_of(folder, requirements)
    return not stamp.exists() or stamp.read_text() != digest(requirements, python)


def stamp(folder: Path, python: Path, files: "list[Path]") -> None:
    """Record that these requirements files are installed in `folder`."""
    for each in files:
        stamp_of(folder, each).write_text(digest(each, python))


def why_not_locked(python: Path) -> str:
    """Why exactly what is in the lock file cannot be installed here, "" if it can."""
    if not sys.platform.startswith("linux"):
        return "the lock file was tested on Linux alone"
    usual = platform.machine() != "x86_64"  # where `tensorflow` is the build that the requirements name
    return "another build of TensorFlow is installed" if not usual and has_tensorflow(python) else ""


def has_tensorflow(python: Path) -> bool:
    """Whether the package `tensorflow` is installed, which may be for a graphics card, and not `tensorflow-cpu`."""
    query = [str(python), "-c", "from importlib.metadata import version; version('tensorflow')"]
    return subprocess.run(query, stderr=subprocess.DEVNULL).returncode == 0


def install(python: Path, requirements: Path, *options: str) -> None:
    """Install a requirements file with pip's `options`, but no TensorFlow over one that is installed."""
    print_line(f"installing {requirements}, once; it takes a few minutes")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", *options]
    if options:
        wanted = ["-r", str(requirements)]
    else:
        installed = has_tensorflow(python)
        wanted = [line for line in lines_of(requirements) if not (installed and line.startswith("tensorflow-cpu"))]
    run([*pip, *wanted], f"pip could not install {requirements}; is there a network that reaches PyPI, and disk?")


def lines_of(requirements: Path) -> "list[str]":
    """The requirements of a file and of those it includes, without comments."""
    found: list[str] = []
    for line in map(str.strip, requirements.read_text(encoding="utf-8").splitlines()):
        if line.startswith("-r "):
            found += lines_of(requirements.parent / line[3:].strip())
        elif line and not line.startswith("#"):
            found.append(line)
    return found


def digest(requirements: Path, python: Path) -> str:
    """A hash of what the environment is made from: the requirements and the Python."""
    return hashlib.sha256("\n".join([*lines_of(requirements), str(python.resolve())]).encode()).hexdigest()


def run(command: "list[str]", failure: str) -> None:
    """Run a command with its output on the terminal; exit with the line `failure` if it fails."""
    if subprocess.run(command).returncode:
        fail(f"{failure} (the reason is above)")


def print_line(text: str) -> None:
    """Print a line about what is done."""
    print(f"prepare: {text}", flush=True)


def fail(text: str) -> None:
    """Exit with one line."""
    sys.exit(f"prepare: {text}")


if __name__ == "__main__":
    main()
