"""What the commands share: flags of declared options, pictures to read and files to write, a remark."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.options.option_field import Option, number
from nst.pictures.images import SUFFIXES


def add_flag(parser: argparse.ArgumentParser, option: Option, prefix: str = "", words: tuple[str, ...] = ()) -> None:
    """The flag of an option; `words` may stand beside its choices."""
    flag = f"--{prefix}{option.name}".replace("_", "-")
    text = option.help.replace("%", "%%")
    if option.type is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        return
    shown = "automatic" if option.default is None else option.default
    metavar = "|".join((*option.choices, *words) or (option.name.upper(), *option.words))
    parser.add_argument(flag, metavar=metavar, help=f"{text} (default: {shown})")


def flags_given(parsed: argparse.Namespace, options: Iterable[Option], prefix: str = "") -> dict[str, Any]:
    """What flags say of the options."""
    texts = {option: getattr(parsed, f"{prefix}{option.name}") for option in options}
    return {
        option.name: number(text) if option.type in (int, float) else text
        for option, text in texts.items()
        if text is not None
    }


def to_paint(content: Path, output: Path, suffixes: tuple[str, ...] = (".png",)) -> Iterator[tuple[Path, Path]]:
    """(picture, file to write) of one picture, or of a folder of them as PNGs in another. Raises InputError."""
    if not content.is_dir():
        if output.is_dir():
            output = output / f"{content.stem}.png"
        check_output(output, suffixes)
        yield content, output
        return
    pictures = sorted(path for path in content.iterdir() if path.suffix.lower() in SUFFIXES)
    if not pictures:
        raise InputError(f"there is no picture in the folder {str(content)!r}")
    if output.is_file():
        raise InputError(f"the content is a folder, so the output must be one too; {str(output)!r} is a file")
    output.mkdir(parents=True, exist_ok=True)
    if output.samefile(content):
        raise InputError(f"the output would overwrite the pictures in {str(content)!r}; choose another folder")
    stems = Counter(path.stem for path in pictures)
    for path in pictures:
        yield path, output / f"{path.stem if stems[path.stem] == 1 else path.name}.png"


def check_output(output: Path, suffixes: tuple[str, ...]) -> None:
    """Raise InputError unless `output` ends in one of the suffixes and its folder is there."""
    if output.suffix.lower() not in suffixes:
        raise InputError(f"the output must be a {' or '.join(suffixes)} file, got {output.name!r}")
    if not output.parent.is_dir():
        raise InputError(f"there is no folder {str(output.parent)!r} to write {output.name!r} into")


def check_kept(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """Raise InputError if a file to write is one of those that are read."""
    sources, targets = ([path for path in paths if path and path.exists()] for paths in (read, written))
    for source in sources:
        if any(target.samefile(source) for target in targets):
            raise InputError(f"the output would overwrite {str(source)!r}; choose another name")


def tell(remark: str) -> None:
    """A line beside what a command puts out."""
    print(f"nst: {remark}", file=sys.stderr)
