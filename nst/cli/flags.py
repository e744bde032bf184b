"""Command-line flags built from declared options."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nst.options.option_field import Numbers, Option, number
from nst.options.picture_roles import MOST_STYLES
from nst.options.settings import flag_of


def add_flag(parser: argparse.ArgumentParser, option: Option, prefix: str = "", words: tuple[str, ...] = ()) -> None:
    """Add the flag of an option, as --PREFIX-NAME; help lists `words` beside the option's choices."""
    text = option.help.replace("%", "%%")
    described: dict[str, Any] = {"dest": f"{prefix}{option.name}"}
    if option.type is bool:
        described |= {"action": argparse.BooleanOptionalAction, "help": text}
    elif option.type is Numbers:
        described |= {"nargs": "+", "metavar": option.name.upper(), "help": f"{text} (default: automatic)"}
    else:
        shown = "automatic" if option.default is None else option.default
        metavar = "|".join((*option.choices, *words) or (option.name.upper(), *option.words))
        described |= {"metavar": metavar, "help": f"{text} (default: {shown})"}
    parser.add_argument(flag_of(f"{prefix}{option.name}"), **described)
    if option.old_name:
        hidden = {"help": argparse.SUPPRESS, "default": argparse.SUPPRESS}
        parser.add_argument(flag_of(f"{prefix}{option.old_name}"), **described | hidden)


def add_pictures(parser: argparse.ArgumentParser, content: str) -> None:
    """Add the pictures that are painted from: CONTENT, with the help `content`, and one STYLE or more."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help=content)
    parser.add_argument(
        "styles",
        type=Path,
        nargs="+",
        metavar="STYLE",
        help=f"the picture whose style to take; up to {MOST_STYLES} are mixed, see --style-mix",
    )


def flags_given(parsed: argparse.Namespace, options: Iterable[Option], prefix: str = "") -> dict[str, Any]:
    """The values of those options whose flags were given, unchecked."""
    texts = {option: getattr(parsed, f"{prefix}{option.name}") for option in options}
    return {
        option.name: number(text) if option.type in (int, float) else ",".join(text) if isinstance(text, list) else text
        for option, text in texts.items()
        if text is not None
    }
