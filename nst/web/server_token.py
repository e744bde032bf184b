"""The token of a server that other machines can reach and for which no token was set."""

import dataclasses
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from nst.errors import NstError, OptionError
from nst.options.settings import SHORTEST_TOKEN, Settings
from nst.web.middleware.origin_check import is_loopback

FILE = "token"  # in the data folder, readable by its owner alone


def with_token(settings: Settings) -> Settings:
    """Return `settings` with the token that they need: their own, or one that is made once and kept in a file.

    A server that only this machine reaches needs none. Raises NstError if the file cannot be read or written, and
    OptionError if it holds no token.
    """
    if settings.token or is_loopback(settings.host):
        return settings
    try:
        return dataclasses.replace(settings, token=_kept(settings.data / FILE))
    except OSError as error:
        reason = error.strerror or error
        raise NstError(f"the token cannot be kept in {settings.data}: {reason}; set NST_TOKEN") from None


def read_token(file: Path) -> str:
    """Read the token in `file`. Raises OptionError if it has none, OSError."""
    token = file.read_text(errors="replace").strip()
    if len(token) < SHORTEST_TOKEN:
        rule = f"{str(file)!r} must hold a token of at least {SHORTEST_TOKEN} characters"
        raise OptionError(f"{rule}, got {len(token)}: delete it, or write one", "token")
    return token


def _kept(file: Path) -> str:
    """Read the token in `file`, or make one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        _write_new(file, secrets.token_urlsafe(32))
    return read_token(file)


def _write_new(file: Path, token: str) -> None:
    """Write a token as a file that its owner alone can read, whole or not at all; one that is there stays."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")  # of mode 0600
    try:
        with os.fdopen(handle, "w") as part:
            part.write(f"{token}\n")
            part.flush()
            os.fsync(handle)
        with suppress(FileExistsError):  # another studio was faster: its token holds
            try:
                os.link(name, file)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                os.rename(name, file)
    finally:
        Path(name).unlink(missing_ok=True)
