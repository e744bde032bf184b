"""`nst apply`: paint a picture, or every picture of a folder, in one pass: in a fast style, a painting's, or a mix."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from nst.cli.console import print_plain
from nst.cli.flags import add_flag, flags_given
from nst.cli.paths import check_not_overwritten, input_output_pairs, paint_each, write_whole
from nst.errors import OptionError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.option_field import options_of, shown
from nst.pictures.images import read_bytes
from nst.runs.job import FastJob, FastPicture, FastRequest, Format
from nst.styles.style_choice import ChosenStyles, choose_styles

PASS_SUFFIXES = (".png", ".jpg", ".jpeg")  # of output files

HELP = "paint with a fast style, in one pass"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="a picture, or a folder of pictures")
    parser.add_argument(
        "--style",
        action="append",
        default=[],
        metavar="NAME[=WEIGHT]",
        help="a style that `nst styles` lists, or a .style file; give several for a mix",
    )
    parser.add_argument(
        "--style-image",
        action="append",
        default=[],
        metavar="FILE[=WEIGHT]",
        help="a painting whose style is taken, without training; may be mixed like --style",
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
    paintings = _weights(parsed.style_image, "--style-image")
    weights: dict[str | Path, float] = dict(_weights(parsed.style, "--style").items())
    weights |= {Path(path): weight for path, weight in paintings.items()}
    if not weights:
        raise OptionError("give a --style, a --style-image, or several of them")
    mix_of({str(key): weight for key, weight in weights.items()})  # checks the weight of a single style, too
    chosen = choose_styles(weights if len(weights) > 1 else next(iter(weights)))
    pairs = list(input_output_pairs(parsed.content, parsed.output, PASS_SUFFIXES))
    check_not_overwritten([*(content for content, _ in pairs), *map(Path, weights)], [output for _, output in pairs])
    job = FastJob(b"", (), _packed(chosen), {sha256: each.png for sha256, each in chosen.paintings.items()})
    console = Console(stderr=True, quiet=parsed.quiet)

    def paint(content: Path, output: Path) -> None:
        format: Format = "png" if output.suffix.lower() == ".png" else "jpeg"
        made = _paint(replace(job, content=read_bytes(content), requests=(FastRequest(chosen.mix, options, format),)))
        write_whole(output, made.data)
        print_plain(console, f"{output}  {made.seconds:.2f} s")

    return paint_each(pairs, parsed.content.is_dir(), paint)


def _weights(texts: Iterable[str], flag: str) -> dict[str, float]:
    """Weights by name or file, from "great-wave=2", or "great-wave" for a weight of 1. Raises OptionError."""
    weights: dict[str, float] = {}
    for text in texts:
        name, sign, weight = (text, "", "") if os.path.exists(text) else text.rpartition("=")
        name = name if sign else text
        if name in weights:
            raise OptionError(f"{flag} names {shown(name)} twice")
        try:
            weights[name] = float(weight) if sign else 1.0
        except ValueError:
            raise OptionError(f"{flag} must be NAME or NAME=WEIGHT, got {shown(text)}") from None
    return weights


def _packed(chosen: ChosenStyles) -> bytes:
    """The chosen named styles as a style file; b"", the shipped one, where there are none."""
    names = [name for name in chosen.mix if name not in chosen.paintings]
    return chosen.file.only(*names).to_bytes() if names else b""


def _paint(job: FastJob) -> FastPicture:
    from nst.worker.fast_runner import execute  # loads TensorFlow, so only once the arguments have been checked

    return execute(job)[0]
