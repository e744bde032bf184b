"""`nst apply`: a fast style, or a mix of them, on a picture or on every picture of a folder, in one pass each."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from nst.cli.flags import add_flag, check_kept, flags_given, tell, to_paint
from nst.engine.apply_style import chosen
from nst.errors import InputError, NstError, OptionError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.option_field import options_of, shown
from nst.pictures.images import read_bytes
from nst.runs.job import FastJob, FastPicture, FastWish, Format

SUFFIXES = (".png", ".jpg", ".jpeg")  # of what can be written

HELP = "paint with a fast style, in one pass"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="a picture, or a folder of pictures")
    parser.add_argument(
        "--style",
        action="append",
        required=True,
        metavar="NAME[=WEIGHT]",
        help="a style that `nst styles` lists, or a .style file; give several for a mix",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="PNG or JPEG to write; a folder if CONTENT is one"
    )
    parser.add_argument("--quiet", action="store_true", help="do not say what was written")
    for option in options_of(FastOptions):
        add_flag(parser, option)


def run(parsed: argparse.Namespace) -> int:
    """Paint what the arguments say; returns the exit status."""
    options = FastOptions.from_json(flags_given(parsed, options_of(FastOptions)))
    weights = _weights(parsed.style)
    mix_of(weights)  # a single style's weight is checked as well
    file, mix = chosen(weights if len(weights) > 1 else next(iter(weights)))
    jobs = list(to_paint(parsed.content, parsed.output, SUFFIXES))
    check_kept([content for content, _ in jobs], [output for _, output in jobs])
    styles = file.to_bytes()
    console, status = Console(stderr=True, quiet=parsed.quiet), 0
    for content, output in jobs:
        try:
            format: Format = "png" if output.suffix.lower() == ".png" else "jpeg"
            made = _paint(FastJob(read_bytes(content), (FastWish(mix, options, format),), styles))
        except NstError as error:
            if not parsed.content.is_dir():
                raise
            # the other pictures of the folder are still painted
            tell(f"{content.name}: {error}")
            status = max(status, 2 if isinstance(error, InputError) else 1)
        else:
            output.write_bytes(made.data)
            console.print(f"{output}  {made.seconds:.2f} s", highlight=False, markup=False)
    return status


def _weights(texts: Iterable[str]) -> dict[str, float]:
    """Weights by name, from "great-wave=2" or "great-wave", which is 1. Raises OptionError."""
    weights: dict[str, float] = {}
    for text in texts:
        name, sign, weight = text.partition("=")
        if name in weights:
            raise OptionError(f"--style names {shown(name)} twice")
        try:
            weights[name] = float(weight) if sign else 1.0
        except ValueError:
            raise OptionError(f"--style must be NAME or NAME=WEIGHT, got {shown(text)}") from None
    return weights


def _paint(job: FastJob) -> FastPicture:
    from nst.worker.fast_runner import execute  # TensorFlow loads here, after the arguments are known to be good

    return execute(job)[0]
