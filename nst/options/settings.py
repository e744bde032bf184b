"""Settings of a server: each has an NST_ variable and a flag of `python app.py` and `nst serve`."""

import argparse
import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import platformdirs

from nst.errors import OptionError
from nst.options.option_field import Option

SHORTEST_TOKEN = 16  # characters
UMASK = 0o077  # of what keeps runs: pictures are private, and ids of clients are keys


def _setting(default: Any, help: str, low: float | None = None, high: float | None = None, in_repr: bool = True) -> Any:
    """A field with its help, to which the bounds of a number are added."""
    bounds = f" ({low:g} to {high})" if high else f" (at least {low:g})" if low else ""
    return field(default=default, metadata={"help": f"{help}{bounds}", "low": low, "high": high}, repr=in_repr)


def _default_data() -> Path:
    return Path(platformdirs.user_data_dir("nst", appauthor=False))


@dataclass(frozen=True)
class Settings:
    """How a server runs."""

    host: str = _setting("127.0.0.1", "address to listen on; any but this machine's own asks for a token")
    port: int = _setting(8050, "port to listen on; 0 for a free one", 0, 65535)
    data: Path = field(default_factory=_default_data, metadata={"help": "folder of runs, uploads and styles"})
    scheduler: str = _setting("", "address of a Dask scheduler, tcp://host:8786; empty starts workers of its own")
    offline: bool = _setting(False, "never ask the network for weights, nor fetch VGG19 at the first start")
    memory: float = _setting(
        0.0,
        "gigabytes that a painting may take; 0 is seven tenths of what is free; a cluster's workers read their own",
        0.0,
    )
    token: str = _setting(
        "",
        f"secret that the studio asks for, at least {SHORTEST_TOKEN} characters; empty asks for none",
        in_repr=False,
    )
    many: bool = _setting(False, "several people share the studio: each sees only their own runs")
    waiting: int = _setting(100, "runs that may wait", 1, 10000)
    waiting_each: int = _setting(20, "runs that one client may have waiting", 1, 10000)
    workers: int = _setting(1, "worker processes to start", 1, 64)
    disk: float = _setting(20.0, "gigabytes that runs may take", 0.001)
    frames: float = _setting(64.0, "megabytes of frames that are kept of one run", 1.0)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            low, high = f.metadata.get("low"), f.metadata.get("high")
            if low is not None:
                Option(f.name, type(f.default), f.default, "", "", low, high).check(getattr(self, f.name))
        # The token is secret, so the error does not echo it. Headers drop a space at either end, forms drop control
        # characters.
        if self.token and (len(self.token) < SHORTEST_TOKEN or " " in self.token or not self.token.isprintable()):
            rule = f"at least {SHORTEST_TOKEN} printable characters, none of them a space"
            raise OptionError(f"`token` must have {rule}, got {len(self.token)} characters", "token")

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ, arguments: argparse.Namespace | None = None) -> Self:
        """Settings from NST_* variables, overridden by the flags given. Raises OptionError."""
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
        """Add a flag for each setting: --host, --port, ..."""
        for f in dataclasses.fields(cls):
            text = f"{f.metadata['help']} (NST_{f.name.upper()})"
            if f.type is bool:
                parser.add_argument(flag_of(f.name), action="store_true", default=None, help=text)
            else:
                parser.add_argument(flag_of(f.name), help=text)


def flag_of(name: str) -> str:
    """The flag of a setting: "waiting_each" -> "--waiting-each"."""
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
    # os.path leaves "~nobody" as it is where Path.expanduser raises
    return Path(os.path.expanduser(text)) if f.type is Path else text
