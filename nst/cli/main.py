"""The command line: nst stylize | vary | apply | train | show | styles | store | serve | scheduler | worker | weights.

Exit status: 0; 1 when the work failed; 2 when the input was bad; 130 after Ctrl-C. An error is one line on standard
error.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from nst import __version__
from nst.cli import apply, scheduler, serve, show, store, styles, stylize, train, vary, weights, worker
from nst.cli.console import note
from nst.errors import InputError, NotFound, NstError, OptionError
from nst.options.option_field import did_you_mean

COMMANDS = {  # those without actions
    "stylize": stylize,
    "vary": vary,
    "apply": apply,
    "train": train,
    "show": show,
    "serve": serve,
    "scheduler": scheduler,
    "worker": worker,
}


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
    weights.add_actions(commands.add_parser("weights", help="show or fetch networks' weights", allow_abbrev=False))
    return parser


def _flags_of(parser: argparse.ArgumentParser) -> list[str]:
    shown = (action for action in parser._actions if action.help != argparse.SUPPRESS)
    return [flag for action in shown for flag in action.option_strings]


def _fail(error: object, status: int) -> int:
    note(str(error))
    return status
