"""The command line: nst stylize | serve | weights. Flags are built from options.py and settings.py.

Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C. An error is one line.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from nst import __version__
from nst.errors import InputError, NstError, OptionError
from nst.estimates import Estimate
from nst.images import read_bytes
from nst.options import Option, StyleOptions, did_you_mean, number, options_of
from nst.settings import Settings
from nst.words import gigabytes, roughly

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise OptionError instead of printing the usage."""
        raise OptionError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    try:
        parsed, unknown = build_parser().parse_known_args(arguments)
        if unknown:
            raise OptionError(f"there is no argument {unknown[0]!r}{did_you_mean(unknown[0], parsed.flags)}")
        return parsed.command(parsed)
    except InputError as error:
        return _say(error, 2)
    except NstError as error:
        return _say(error, 1)
    except OSError as error:  # a full disk, a folder without permission
        return _say(f"{error.filename or 'the files'}: {error.strerror or error}", 1)
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """All commands with their flags."""
    parser = Parser(prog="nst", description="A neural style transfer studio.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"nst {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    stylize = commands.add_parser("stylize", help="paint a picture, or every picture in a folder", allow_abbrev=False)
    stylize.add_argument("content", type=Path, metavar="CONTENT", help="a picture, or a folder of pictures")
    stylize.add_argument("style", type=Path, metavar="STYLE", help="the picture whose manner to take")
    stylize.add_argument("-o", "--output", type=Path, required=True, help="PNG to write; a folder if CONTENT is one")
    stylize.add_argument("--quiet", action="store_true", help="no progress bar")
    for option in options_of(StyleOptions):
        _add_flag(stylize, option)
    stylize.set_defaults(command=_stylize, flags=_flags_of(stylize))

    serve = commands.add_parser("serve", help="serve the studio on a local address", allow_abbrev=False)
    Settings.add_flags(serve)
    serve.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty() and not os.environ.get("CI"),
        help="open it in the browser (by default if run from a terminal)",
    )
    serve.set_defaults(command=_serve, flags=_flags_of(serve))

    weights = commands.add_parser("weights", help="show or fetch networks' weights", allow_abbrev=False)
    actions = weights.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)
    actions.add_parser("list", help="which networks are here").set_defaults(command=_list_weights, flags=())
    fetch = actions.add_parser("fetch", help="download and verify a network's weights")
    fetch.add_argument("name", choices=("vgg19", "vgg16"))
    fetch.set_defaults(command=_fetch_weights, flags=())
    return parser


def _flags_of(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in parser._actions for flag in action.option_strings]


def _add_flag(parser: argparse.ArgumentParser, option: Option) -> None:
    flag = f"--{option.name.replace('_', '-')}"
    text = option.help.replace("%", "%%")
    if option.type is bool:
        parser.add_argument(flag, action="store_true", default=None, dest=option.name, help=text)
        return
    shown = "automatic" if option.default is None else option.default
    choices = (*option.choices, "FILE") if option.name == "init" else option.choices
    metavar = "|".join(choices or (option.name.upper(), *option.words))
    parser.add_argument(flag, dest=option.name, metavar=metavar, help=f"{text} (default: {shown})")


def _options(parsed: argparse.Namespace) -> tuple[StyleOptions, Path | None]:
    """(options, picture to start from) out of the flags; `--init` takes a choice or a file."""
    given: dict[str, Any] = {}
    for option in options_of(StyleOptions):
        text = getattr(parsed, option.name)
        if text is not None:
            given[option.name] = number(text) if option.type in (int, float) else text
    init = None
    start = given.get("init", "noise")
    if start == "image":
        raise OptionError("`init`: name the picture to start from, as --init FILE", "init")
    if start not in StyleOptions.choices("init"):
        init, given["init"] = Path(start), "image"
        if not os.path.isfile(start):  # Path.is_file raises where a name is too long to be one
            raise OptionError(f"`init` must be noise, content, style or a picture's file, got {start!r}", "init")
    return StyleOptions.from_json(given), init


def _stylize(parsed: argparse.Namespace) -> int:
    options, init = _options(parsed)
    jobs = list(_jobs(parsed.content, parsed.output))
    same = {"style": read_bytes(parsed.style), "init": read_bytes(init) if init else None, "options": options.to_json()}
    status = 0
    for content, output in jobs:
        try:
            _paint({**same, "content": read_bytes(content)}, output, content.name, parsed.quiet)
        except NstError as error:
            if not parsed.content.is_dir():
                raise
            # the other pictures of the folder are still painted
            status = _say(f"{content.name}: {error}", max(status, 2 if isinstance(error, InputError) else 1))
    return status


def _jobs(content: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """(picture, file to write) of one picture or of a folder of them. Never writes over what it reads."""
    if not content.is_dir():
        if output.is_dir():
            output = output / f"{content.stem}.png"
        if output.suffix.lower() != ".png":
            raise InputError(f"the output must be a .png file, got {output.name!r}")
        if not output.parent.is_dir():
            raise InputError(f"there is no folder {str(output.parent)!r} to write {output.name!r} into")
        if output.exists() and content.exists() and output.samefile(content):
            raise InputError(f"the output would overwrite the content {str(content)!r}; choose another name")
        yield content, output
        return
    pictures = sorted(path for path in content.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not pictures:
        raise InputError(f"there is no picture in the folder {str(content)!r}")
    if output.is_file():
        raise InputError(f"the content is a folder, so the output must be one too; {str(output)!r} is a file")
    output.mkdir(parents=True, exist_ok=True)
    if output.samefile(content):
        raise InputError(f"the output would overwrite the pictures in {str(content)!r}; choose another folder")
    stems = Counter(path.stem for path in pictures)
    for path in pictures:
        yield path, output / f"{path.stem if stems[path.stem] == 1 else path.name}.png"


def _paint(job: Mapping[str, Any], output: Path, name: str, quiet: bool) -> None:
    """Paint with a progress bar; Ctrl-C and a diverging loss keep the picture so far."""
    from nst.runner import Painting  # TensorFlow loads here, after the arguments are known to be good

    painting = Painting(job)
    console = Console(stderr=True, quiet=quiet)
    console.print(f"{painting.extractor} paints {name}. {painting.note}".strip(), highlight=False, markup=False)
    if not quiet:  # to measure the machine takes a second
        console.print(_expectation(painting.estimate()), highlight=False, markup=False)
    columns = SpinnerColumn(), BarColumn(), TextColumn("{task.description}")
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("starting", total=painting.options.most_epochs)
            for step in painting.steps():
                if step.ends_epoch:
                    line = (
                        f"epoch {step.epoch}/{step.epochs}  {max(step.scale.height, step.scale.width)} px"
                        f"  loss {step.losses.total:.3g}  {painting.seconds_left(step):.0f} s left"
                    )
                    progress.update(task, completed=step.epoch, total=step.epochs, description=line)
    finally:
        result = painting.result()
        if result:
            output.write_bytes(result)
            console.print(f"{output}  {painting.seconds:.0f} s", highlight=False, markup=False)


def _expectation(estimate: Estimate) -> str:
    """What a painting will take, in words."""
    assert estimate.seconds is not None
    sooner = "at most" if estimate.at_most else "about"
    tiles = ", by tiles" if estimate.tiled else ""
    return f"{sooner} {roughly(estimate.seconds)} and {gigabytes(estimate.bytes)}{tiles}"


def _serve(parsed: argparse.Namespace) -> int:
    from nst.web.serve import serve

    serve(Settings.read(arguments=parsed), open_browser=parsed.open)
    return 0


def _list_weights(parsed: argparse.Namespace) -> int:
    from nst.engine import weights

    for name in ("vgg19", "vgg16", "compact"):
        place = weights.locate(name)
        print(f"{name:8} {place or weights.how_to_get(name)}")
    return 0


def _fetch_weights(parsed: argparse.Namespace) -> int:
    from nst.engine import weights

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"fetching {parsed.name}", total=None)
        path = weights.fetch(parsed.name, lambda received, size: progress.update(task, completed=received, total=size))
    print(path)
    return 0


def _say(error: object, status: int) -> int:
    print(f"nst: {error}", file=sys.stderr)
    return status
