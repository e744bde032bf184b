"""The command line: nst stylize | apply | train | styles | show | serve | scheduler | worker | weights.

Flags are built from declared options.

Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C. An error is one line.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import Progress

from nst import __version__
from nst.cli import apply, styles, stylize, train
from nst.errors import InputError, NotFound, NstError, OptionError
from nst.options.option_field import did_you_mean
from nst.options.settings import Settings
from nst.pictures.provenance import FastProvenance, Provenance, read_any_file

COMMANDS = {"stylize": stylize, "apply": apply, "train": train}


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
        if parsed.command is not train.run:
            os.environ["KERAS_BACKEND"] = "tensorflow"  # what paints; training alone runs on others, too
        return parsed.command(parsed)
    except (InputError, NotFound) as error:
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

    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, allow_abbrev=False)
        module.add_flags(command)
        command.set_defaults(command=module.run, flags=_flags_of(command))

    styles.add_actions(commands.add_parser("styles", help="list, share and rename fast styles", allow_abbrev=False))

    show = commands.add_parser("show", help="tell how a result was painted", allow_abbrev=False)
    show.add_argument("file", type=Path, metavar="FILE", help="a result of this program")
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(command=_show, flags=_flags_of(show))

    serve = commands.add_parser("serve", help="serve the studio on a local address", allow_abbrev=False)
    Settings.add_flags(serve)
    serve.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty() and not os.environ.get("CI"),
        help="open it in the browser (by default if run from a terminal)",
    )
    serve.set_defaults(command=_serve, flags=_flags_of(serve))

    scheduler = commands.add_parser("scheduler", help="bring workers of several machines together", allow_abbrev=False)
    scheduler.add_argument("address", type=_address, metavar="ADDRESS", help="where to listen: tcp://host:8786")
    scheduler.set_defaults(command=_schedule, flags=_flags_of(scheduler))

    worker = commands.add_parser("worker", help="paint for the studio of a scheduler", allow_abbrev=False)
    worker.add_argument("address", type=_address, metavar="ADDRESS", help="of the scheduler: tcp://host:8786")
    worker.add_argument("--name", help="what the scheduler calls this worker, and no other")
    worker.add_argument(
        "--gpu",
        action=argparse.BooleanOptionalAction,
        help="take runs that ask for a graphics card (by default if TensorFlow sees one)",
    )
    worker.set_defaults(command=_work, flags=_flags_of(worker))

    weights = commands.add_parser("weights", help="show or fetch networks' weights", allow_abbrev=False)
    actions = weights.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)
    actions.add_parser("list", help="which networks are here").set_defaults(command=_list_weights, flags=())
    fetch = actions.add_parser("fetch", help="download and verify a network's weights")
    fetch.add_argument("name", choices=("vgg19", "vgg16"))
    fetch.set_defaults(command=_fetch_weights, flags=())
    return parser


def _flags_of(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in parser._actions for flag in action.option_strings]


def _show(parsed: argparse.Namespace) -> int:
    found = read_any_file(parsed.file)
    if parsed.json:
        print(json.dumps(found.to_json(), indent=2))
        return 0
    for name, value in _told_of_fast(found) if isinstance(found, FastProvenance) else _told(found):
        print(f"{name:16} {value}".rstrip())
    return 0


def _told_of_fast(found: FastProvenance) -> Iterator[tuple[str, str]]:
    """What a picture that was painted in one pass says of itself, as lines of (name, value)."""
    yield "nst", found.version
    yield "painted", f"in one pass by the network {found.network}"
    yield "styles", _value(found.mix)
    yield "", ""
    for name, value in found.options.to_json().items():
        yield name, _value(value)


def _told(found: Provenance) -> Iterator[tuple[str, str]]:
    """What a picture says of itself, as lines of (name, value)."""
    yield "nst", ", ".join((found.version, *(f"{name} {version}" for name, version in found.versions.items())))
    yield "network", f"{found.extractor}, {found.precision}"
    yield "epochs painted", str(found.epochs)
    for name in ("content", "style", "init"):
        if sha256 := getattr(found, name):
            yield name, f"SHA-256 {sha256}"
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
    """An option's value as its flag takes it; a text of the file is escaped, for a terminal would obey it."""
    if isinstance(value, Mapping):
        return ",".join(f"{layer}={weight:g}" for layer, weight in value.items()).encode("unicode_escape").decode()
    return "automatic" if value is None else str(value)


def _serve(parsed: argparse.Namespace) -> int:
    from nst.web.serve import serve

    serve(Settings.read(arguments=parsed), open_browser=parsed.open)
    return 0


def _address(text: str) -> str:
    from nst.jobs.cluster_node import check_address

    check_address(text)
    return text


def _schedule(parsed: argparse.Namespace) -> int:
    from nst.jobs.cluster_node import serve_scheduler

    serve_scheduler(parsed.address)
    return 0


def _work(parsed: argparse.Namespace) -> int:
    from nst.jobs.cluster_node import join

    gpu = parsed.gpu
    if gpu is None:  # asked in a process of its own: TensorFlow would stay in the memory of this one
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            gpu = process.submit(_sees_gpu).result()
    join(parsed.address, parsed.name, gpu)
    return 0


def _sees_gpu() -> bool:
    from nst.engine.backend import tf

    return bool(tf.config.list_physical_devices("GPU"))


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
