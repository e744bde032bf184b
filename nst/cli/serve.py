"""`nst serve`: serve the studio on a local address."""

import argparse
import os
import sys
from pathlib import Path

from nst.options.settings import Settings

HELP = "serve the studio on a local address"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    Settings.add_flags(parser)
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty() and not os.environ.get("CI"),
        help="open it in the browser (by default if run from a terminal)",
    )
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="file that holds the token, in place of --token and NST_TOKEN"
    )


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    from nst.web.serve import serve
    from nst.web.server_token import read_token

    if parsed.token:  # the processes that Python starts get a copy of sys.argv
        sys.argv[:] = [argument.replace(parsed.token, "...") for argument in sys.argv]
    if parsed.token_file:
        parsed.token = read_token(parsed.token_file)
    serve(Settings.read(arguments=parsed), open_browser=parsed.open)
    return 0
