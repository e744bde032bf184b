"""The command line: nst stylize | vary | apply | train | show | styles | store | serve | scheduler | worker | weights.

Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C. An error is one line on standard
error.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NoReturn

from rich.console import Console
from rich.progress import Progress

from nst import __version__
from nst.cli import apply, show, store, styles, stylize, train, vary
from nst.cli.console import note
from nst.errors import InputError, NotFound, NstError, OptionError
from nst.options.option_field import did_you_mean
from nst.options.settings import Settings

COMMANDS = {"stylize": stylize, "vary": vary, "apply": apply, "train": train, "show": show}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise OptionError in place of printing the usage."""
        raise OptionError(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    _open_closed_streams()
    try:
        if not (sys.argv[1:] if arguments is None else arguments):
            build_parser().print_help()
            return 0
        parsed, unknown = build_parser().parse_known_args(arguments)
        if unknown:
            raise OptionError(f"there is no argument {unknown[0]!r}{did_you_mean(unknown[0], parsed.flags)}")
        if parsed.command is not train.run:
            os.environ["KERAS_BACKEND"] = "tensorflow"  # only training runs on other backends, too
        return parsed.command(parsed)
    except (InputError, NotFound) as error:
        return _fail(error, 2)
    except NstError as error:
        return _fail(error, 1)
    except OSError as error:  # a full disk, a folder without permission
        return _fail(f"{error.filename or 'the files'}: {error.strerror or error}", 1)
    except KeyboardInterrupt:
        return 130


def _open_closed_streams() -> None:
    """Direct each standard stream that the caller has closed (`>&-`), which Python has as None, to the null device.

    That takes the stream's file number, which a database or a socket would get otherwise.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115 for as long as the process lives
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands with their flags."""
    parser = Parser(prog="nst", description="A neural style transfer studio.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"nst {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, allow_abbrev=False)
        module.add_flags(command)
        command.set_defaults(command=module.run, flags=_flags_of(command))

    styles.add_actions(commands.add_parser("styles", help="list, share and rename fast styles", allow_abbrev=False))

    store.add_actions(commands.add_parser("store", help="back up, check and repair kept runs", allow_abbrev=False))

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
        help="take runs that ask for a graphics card (by default if TensorFlow finds one)",
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


def _serve(parsed: argparse.Namespace) -> int:
    from nst.web.serve import serve

    serve(Settings.read(arguments=parsed), open_browser=parsed.open)
    return 0


def _address(text: str) -> str:
    from nst.jobs.worker_pool.cluster_node import check_address

    check_address(text)
    return text


def _schedule(parsed: argparse.Namespace) -> int:
    from nst.jobs.worker_pool.cluster_node import serve_scheduler

    serve_scheduler(parsed.address)
    return 0


def _work(parsed: argparse.Namespace) -> int:
    from nst.jobs.worker_pool.cluster_node import join

    gpu = parsed.gpu
    if gpu is None:  # found out in a process of its own, because TensorFlow would stay in the memory of this one
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            gpu = process.submit(_has_gpu).result()
    join(parsed.address, parsed.name, gpu)
    return 0


def _has_gpu() -> bool:
    from nst.engine.backend import tf

    return bool(tf.config.list_physical_devices("GPU"))


def _list_weights(parsed: argparse.Namespace) -> int:
    from nst.engine.networks import weights

    for name in ("vgg19", "vgg16", "compact"):
        path = weights.locate(name)
        print(f"{name:8} {path or weights.how_to_get(name)}")
    return 0


def _fetch_weights(parsed: argparse.Namespace) -> int:
    from nst.engine.networks import weights

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"fetching {parsed.name}", total=None)
        path = weights.fetch(parsed.name, lambda received, size: progress.update(task, completed=received, total=size))
    print(path)
    return 0


def _fail(error: object, status: int) -> int:
    note(str(error))
    return status
