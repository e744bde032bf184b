"""The front door: `python app.py` is `nst serve`; `uvicorn app:server` finds the application here."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`server`, the ASGI application, made on first use: importing this module starts nothing."""
    if name != "server":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import os
    import sys

    from nst.options.settings import UMASK, Settings
    from nst.web.serve import build

    os.umask(UMASK)  # as `nst serve` does
    warning = "this server has no limits of connections and no lock on its data folder, which `nst serve` has"
    print(f"nst: {warning}", file=sys.stderr)
    server = globals()["server"] = build(Settings.read())
    return server


if __name__ == "__main__":  # the processes that it starts import this file too, and nothing with it
    import sys

    from nst.cli.main import main

    sys.exit(main(["serve", *sys.argv[1:]]))
