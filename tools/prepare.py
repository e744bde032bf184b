"""Make the project's virtual environment, once: `python3 tools/prepare.py [FOLDER] [--dev]`.

The second time it only reads a stamp, unless the requirements changed. `--dev` adds what the tests need, a browser too.
Standard library only, and it starts on an old Python too, to say that it is too old.
"""

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)  # what TensorFlow 2.21 has wheels for
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Parse the command line and prepare."""
    parser = argparse.ArgumentParser(description="Make the project's virtual environment.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(".venv"), help="where it goes (default .venv)")
    parser.add_argument("--dev", action="store_true", help="what the tests need, too")
    arguments = parser.parse_args()
    os.chdir(str(ROOT))
    prepare(arguments.folder, dev=arguments.dev)


def prepare(folder: Path, *, dev: bool) -> None:
    """An environment in `folder` that holds the requirements; ends the program with one line where that cannot be."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        create(folder)
    for requirements in map(Path, ["requirements.txt", "requirements-dev.txt"][: 1 + dev]):
        stamp = folder / f".{requirements.stem}.stamp"
        wanted = digest(requirements, python)
        if not stamp.exists() or stamp.read_text() != wanted:
            install(python, requirements)
            stamp.write_text(wanted)
    if dev:
        run([str(python), "-m", "tools.browser"], "there is no browser for the tests")


def create(folder: Path) -> None:
    """A new virtual environment of the Python that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        allowed = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"
        fail(f"TensorFlow needs Python {allowed}, this is {version}; `make PYTHON=python3.12 run` names another")
    if importlib.util.find_spec("ensurepip") is None:  # Debian packages it apart from Python
        fail(f"this Python {version} cannot make environments; on Debian and Ubuntu `apt install python3-venv` helps")
    say(f"making {folder} with Python {version}")
    if subprocess.run([sys.executable, "-m", "venv", str(folder)]).returncode:
        shutil.rmtree(str(folder), ignore_errors=True)
        fail(f"could not make {folder} (the reason stands above)")


def install(python: Path, requirements: Path) -> None:
    """Install a requirements file. A TensorFlow that somebody chose (for a graphics card, say) stays."""
    say(f"installing {requirements}, once; it takes a few minutes")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    ask = [str(python), "-c", "from importlib.metadata import version; version('tensorflow')"]
    chosen = subprocess.run(ask, stderr=subprocess.DEVNULL).returncode == 0
    lines = [line for line in lines_of(requirements) if not (chosen and line.startswith("tensorflow-cpu"))]
    run([*pip, *lines], f"pip could not install {requirements}; is there a network that reaches PyPI, and disk?")


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
    """What the environment's content depends on, in short."""
    return hashlib.sha256("\n".join([*lines_of(requirements), str(python.resolve())]).encode()).hexdigest()


def run(command: "list[str]", failure: str) -> None:
    """Run a command, its output in sight; end the program with `failure` if it fails."""
    if subprocess.run(command).returncode:
        fail(f"{failure} (the reason stands above)")


def say(text: str) -> None:
    """One line about what goes on."""
    print(f"prepare: {text}", flush=True)


def fail(text: str) -> None:
    """End the program with one line."""
    sys.exit(f"prepare: {text}")


if __name__ == "__main__":
    main()
