"""`nst apply`: paint a picture, or every picture of a folder, with a fast style or a mix of them, in one pass each."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from nst.cli.console import print_plain
from nst.cli.flags import add_flag, flags_given
from nst.cli.paths import check_not_overwritten, input_output_pairs, paint_each
from nst.errors import OptionError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.option_field import options_of, shown
from nst.pictures.images import read_bytes
from nst.runs.job import FastJob, FastPicture, FastRequest, Format
from nst.styles.style_library import file_and_mix

SUFFIXES = (".png", ".jpg", ".jpeg")  # of output files

HELP = "paint with a fast style, in one pass"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
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
    parser.add_argument("--quiet", action="store_true", help="do not print the files written")
    for option in options_of(FastOptions):
        add_flag(parser, option)


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    options = FastOptions.from_json(flags_given(parsed, options_of(FastOptions)))
    weights = _weights(parsed.style)
    mix_of(weights)  # checks the weight of a single style, too
    file, mix = file_and_mix(weights if len(weights) > 1 else next(iter(weights)))
    pairs = list(input_output_pairs(parsed.content, parsed.output, SUFFIXES))
    check_not_overwritten([content for content, _ in pairs], [output for _, output in pairs])
    style = file.to_bytes()
    console = Console(stderr=True, quiet=parsed.quiet)

    def paint(content: Path, output: Path) -> None:
        format: Format = "png" if output.suffix.lower() == ".png" else "jpeg"
        made = _paint(FastJob(read_bytes(content), (FastRequest(mix, options, format),), style))
        output.write_bytes(made.data)
        print_plain(console, f"{output}  {made.seconds:.2f} s")

    return paint_each(pairs, parsed.content.is_dir(), paint)


def _weights(texts: Iterable[str]) -> dict[str, float]:
    """Weights by name, from "great-wave=2", or "great-wave" for a weight of 1. Raises OptionError."""
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
    from nst.worker.fast_runner import execute  # loads TensorFlow, so only once the arguments have been checked

    return execute(job)[0]
