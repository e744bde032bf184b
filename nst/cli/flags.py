"""Command-line flags built from declared options."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nst.options.option_field import Numbers, Option, number
from nst.options.picture_roles import MOST_STYLES


def add_flag(parser: argparse.ArgumentParser, option: Option, prefix: str = "", words: tuple[str, ...] = ()) -> None:
    """Add the flag of an option, as --PREFIX-NAME; help lists `words` beside the option's choices."""
    flag = f"--{prefix}{option.name}".replace("_", "-")
    text = option.help.replace("%", "%%")
    if option.type is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    if option.type is Numbers:
        name = option.name.upper()
        parser.add_argument(flag, nargs="+", metavar=name, help=f"{text} (default: automatic)")
        return
    shown = "automatic" if option.default is None else option.default
    metavar = "|".join((*option.choices, *words) or (option.name.upper(), *option.words))
    parser.add_argument(flag, metavar=metavar, help=f"{text} (default: {shown})")


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
