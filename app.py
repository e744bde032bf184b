"""The front door: `python app.py` serves the studio; `uvicorn app:server` finds the application here."""

import argparse
import os
import sys
from typing import Any

from nst.errors import InputError, NstError
from nst.settings import Settings


def __getattr__(name: str) -> Any:
    """`server`, the ASGI application, made on first use: importing this module starts nothing."""
    if name != "server":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nst.web.serve import build

    server = globals()["server"] = build(Settings.read())
    return server


def main() -> int:
    """Read flags and environment, and serve. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Serve the studio on a local address.")
    Settings.add_flags(parser)
    parser.add_argument(
        "--open",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty() and not os.environ.get("CI"),
        help="open the page in the browser (by default if run from a terminal)",
    )
    arguments = parser.parse_args()
    try:
        settings = Settings.read(arguments=arguments)
        from nst.web.serve import serve  # after the arguments are known to be good

        serve(settings, open_browser=arguments.open)
    except NstError as error:
        print(f"nst: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
