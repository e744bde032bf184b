"""The token of a server that other machines can reach and for which no token was set."""

import dataclasses
import os
import secrets
from pathlib import Path

from nst.errors import NstError
from nst.options.settings import Settings
from nst.web.middleware.origin_check import is_loopback

FILE = "token"  # in the data folder, readable by its owner alone


def with_token(settings: Settings) -> Settings:
    """Return `settings` with the token that they need: their own, or one that is made once and kept in a file.

    A server that only this machine reaches needs none. Raises NstError if the file cannot be read or written.
    """
    if settings.token or is_loopback(settings.host):
        return settings
    try:
        return dataclasses.replace(settings, token=_kept(settings.data / FILE))
    except OSError as error:
        reason = error.strerror or error
        raise NstError(f"the token cannot be kept in {settings.data}: {reason}; set NST_TOKEN") from None


def _kept(file: Path) -> str:
    """Read the token in `file`, or make one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    token = secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as opened:
        opened.write(f"{token}\n")
    return token
