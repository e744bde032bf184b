"""`nst show`: print how a result was painted, from the settings inside its file."""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nst.pictures.provenance import FastProvenance, Provenance, read_any_file

HELP = "print how a result was painted"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a result of this program")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    found = read_any_file(parsed.file)
    if parsed.json:
        print(json.dumps(found.to_json(), indent=2))
        return 0
    for name, value in _fast_lines(found) if isinstance(found, FastProvenance) else _run_lines(found):
        print(f"{name:16} {value}".rstrip())
    return 0


def _fast_lines(found: FastProvenance) -> Iterator[tuple[str, str]]:
    """Lines (name, value) about a picture painted in one pass."""
    yield "nst", found.version
    yield "painted", f"in one pass by the network {found.network}"
    yield "styles", _value(found.mix)
    yield "", ""
    for name, value in found.options.to_json().items():
        yield name, _value(value)


def _run_lines(found: Provenance) -> Iterator[tuple[str, str]]:
    """Lines (name, value) about the result of a run."""
    yield "nst", ", ".join((found.version, *(f"{name} {version}" for name, version in found.versions.items())))
    yield "network", f"{found.extractor}, {found.precision}"
    yield "epochs painted", str(found.epochs)
    for role, sha256 in found.pictures.items():
        yield role, f"SHA-256 {sha256}"
    if found.branched:
        yield "begins from", "a kept frame of another run"
    yield "", ""
    for name, value in found.options.to_json().items():
        yield name, _value(value)
    for step, changes in found.steered:
        yield "", ""
        yield "from step", str(step)
        for name, value in changes.items():
            yield name, _value(value)


def _value(value: Any) -> str:
    """An option's value as its flag takes it. Names from the file are escaped: a terminal obeys control characters."""
    if isinstance(value, Mapping):
        return ",".join(f"{layer}={weight:g}" for layer, weight in value.items()).encode("unicode_escape").decode()
    if isinstance(value, list):
        return ",".join(f"{each:g}" for each in value)
    return "automatic" if value is None else str(value)
