"""The command line of a benchmark: its flags, and one line instead of figures where it could not measure.

Exit status: 0; 1 when something could not be measured, or the studio did not hold what is demanded; 2 when a flag was
wrong; 130 after Ctrl-C.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.outcome import NotHeld, NotMeasured
from benchmarks.report import RESULTS
from nst.cli.main import Parser
from nst.errors import InputError, NstError


def flags(name: str, words: str | None) -> Parser:
    """A parser for `python -m benchmarks.<name>`, described by the first line of `words`, that knows `--folder`."""
    parser = Parser(
        prog=f"python -m benchmarks.{name}",
        description=(words or "").partition("\n")[0],
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results go")
    return parser


def studio_flags(name: str, words: str | None) -> Parser:
    """As `flags`, for a benchmark of a studio: it also knows `--studio`."""
    parser = flags(name, words)
    parser.add_argument("--studio", default="", metavar="ADDRESS", help="of one that runs; else one is started")
    return parser


def command(parser: Parser, measure: Callable[[argparse.Namespace], None], arguments: Sequence[str] | None) -> int:
    """Measure as the command line says; returns the exit status. What goes wrong is one line on standard error."""
    name = parser.prog.rpartition(".")[2]
    try:
        measure(parser.parse_args(arguments))
    except KeyboardInterrupt:
        print(f"{name}: interrupted; no figures", file=sys.stderr)
        return 130
    except Exception as error:
        print(f"{name}: {in_words(error)}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def in_words(error: Exception) -> str:
    """One line: an error meant to be read as it is, another one with its kind and where it was raised."""
    said = " ".join(str(error).split())
    if isinstance(error, NotMeasured | NotHeld | NstError):
        return said
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror or said}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said[:300]}{where}"


def whole_number(low: int, high: int, multiple: int = 1) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read_number(text: str) -> int:
        rule = f"a whole number between {low} and {high}" + (f", a multiple of {multiple}" if multiple > 1 else "")
        if not text.isdecimal() or not low <= int(text) <= high or int(text) % multiple:
            raise argparse.ArgumentTypeError(f"must be {rule}, got {text!r}")
        return int(text)

    return read_number


COUNT = whole_number(1, 1_000_000)  # of rounds, runs, steps
PIXELS = whole_number(64, 4096)  # px
SIZES = "px, long side"


def listed(read: Callable[[str], object]) -> Callable[[str], tuple]:
    """Reads what stands between commas."""
    return lambda text: tuple(read(part.strip()) for part in text.split(","))
