"""Runs of `nst stylize` that take little time."""

import json
from pathlib import Path

import numpy as np

from nst.cli.main import main
from nst.pictures.images import encode_png
from nst.pictures.provenance import Provenance, read_file

QUICK = ["--epochs", "1", "--steps-per-epoch", "2", "--size", "96", "--extractor", "compact", "--quiet"]
STEERED = [{"step": 1, "changes": {"strength": 50.0}}]


def painted(files, output, *flags: str) -> Provenance:
    """The provenance in the result of `nst stylize` with `flags`."""
    assert main(["stylize", *map(str, files), "-o", str(output), *flags]) == 0
    return read_file(output)


def with_settings(path: Path, **values: object) -> Path:
    """A picture beside `path` with the same settings except `values`."""
    settings = {**read_file(path).to_json(), **values}
    other = path.with_name("other.png")
    other.write_bytes(encode_png(np.zeros((16, 16, 3), np.float32), text={"nst": json.dumps(settings)}))
    return other
