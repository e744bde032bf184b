"""The environment, read once, as Settings: each an NST_ variable and a flag of `python app.py` and `nst serve`."""

import argparse
import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import platformdirs

from nst.errors import OptionError

SHORTEST_TOKEN = 16  # characters


def _setting(default: Any, help: str, shown: bool = True) -> Any:
    return field(default=default, metadata={"help": help}, repr=shown)


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("nst", appauthor=False))


@dataclass(frozen=True)
class Settings:
    """How a server runs."""

    host: str = _setting("127.0.0.1", "address to listen on; any but this machine's own needs a token")
    port: int = _setting(8050, "port to listen on; 0 takes a free one")
    data: Path = field(default_factory=_default_data, metadata={"help": "folder of runs, uploads and styles"})
    scheduler: str = _setting("", "address of a Dask scheduler, tcp://host:8786; empty starts a worker of our own")
    offline: bool = _setting(False, "never ask the network for weights, nor fetch VGG19 at the first start")
    memory: float = _setting(
        0.0,
        "gigabytes that a painting may take; 0 is seven tenths of what is free; a cluster's workers read their own",
    )
    token: str = _setting(
        "", f"secret that the studio asks for, at least {SHORTEST_TOKEN} characters; empty asks for none", shown=False
    )
    many: bool = _setting(False, "several people share the studio: each sees only runs of their own")
    waiting: int = _setting(100, "runs that may wait, 1 to 10000")
    waiting_each: int = _setting(20, "runs that one client may have waiting, 1 to 10000")
    workers: int = _setting(1, "worker processes of our own, 1 to 64")
    disk: float = _setting(20.0, "gigabytes that runs may take")
    frames: float = _setting(64.0, "megabytes of frames that are kept of one run, at least 1")

    def __post_init__(self) -> None:
        if not 0 <= self.memory < math.inf:
            raise OptionError(f"`memory` must be a number of gigabytes, at least 0, got {self.memory:g}", "memory")
        if not 0 < self.disk < math.inf:
            raise OptionError(f"`disk` must be a number of gigabytes, above 0, got {self.disk:g}", "disk")
        if not 1 <= self.frames < math.inf:
            raise OptionError(f"`frames` must be a number of megabytes, at least 1, got {self.frames:g}", "frames")
        for name, low, high in (
            ("port", 0, 65535),
            ("waiting", 1, 10000),
            ("waiting_each", 1, 10000),
            ("workers", 1, 64),
        ):
            if not low <= getattr(self, name) <= high:
                raise OptionError(f"`{name}` must be between {low} and {high}, got {getattr(self, name)}", name)
        # A secret is not echoed. A space around it would be lost in a header, any other control character in a form.
        if self.token and (len(self.token) < SHORTEST_TOKEN or " " in self.token or not self.token.isprintable()):
            rule = f"at least {SHORTEST_TOKEN} printable characters, none of them a space"
            raise OptionError(f"`token` must have {rule}, got {len(self.token)} characters", "token")

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ, arguments: argparse.Namespace | None = None) -> Self:
        """Settings from NST_* variables, overridden by flags that were given. Raises OptionError."""
        given: dict[str, Any] = {}
        for f in dataclasses.fields(cls):
            variable = f"NST_{f.name.upper()}"
            if environment.get(variable):
                given[f.name] = _parse(f, environment[variable], variable)
            flag = getattr(arguments, f.name, None)
            if flag is not None:
                given[f.name] = flag if isinstance(flag, bool) else _parse(f, flag, flag_of(f.name))
        return cls(**given)

    @classmethod
    def add_flags(cls, parser: argparse.ArgumentParser) -> None:
        """One flag a setting: --host, --port, ..."""
        for f in dataclasses.fields(cls):
            text = f"{f.metadata['help']} (NST_{f.name.upper()})"
            if f.type is bool:
                parser.add_argument(flag_of(f.name), action="store_true", default=None, help=text)
            else:
                parser.add_argument(flag_of(f.name), help=text)


def flag_of(name: str) -> str:
    """The flag of a setting: --waiting-each."""
    return f"--{name.replace('_', '-')}"


def _parse(f: dataclasses.Field, text: str, source: str) -> Any:
    if f.type in (int, float):
        try:
            return f.type(text)
        except ValueError:
            kind = "a whole number" if f.type is int else "a number"
            raise OptionError(f"{source} must be {kind}, got {text!r}", f.name) from None
    if f.type is bool:
        if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
            raise OptionError(f"{source} must be 1 or 0, got {text!r}", f.name)
        return text.lower() in ("1", "true", "yes")
    # os.path leaves the home of a stranger alone where Path.expanduser raises
    return Path(os.path.expanduser(text)) if f.type is Path else text
