"""The files that a command reads and writes: pairs of input and output, checks before the work, and the writing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nst.atomic_write import atomic_write
from nst.cli.console import note
from nst.errors import InputError, NstError
from nst.pictures.images import SUFFIXES


def input_output_pairs(
    content: Path, output: Path, suffixes: tuple[str, ...] = (".png",)
) -> Iterator[tuple[Path, Path]]:
    """(file to read, file to write) for a picture, or for each picture of a folder, as PNGs in another folder.

    `suffixes` are those allowed for the output of a single picture. Raises InputError.
    """
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


def paint_each(pairs: Iterable[tuple[Path, Path]], folder: bool, paint: Callable[[Path, Path], None]) -> int:
    """Call `paint` with each pair of files; returns the exit status.

    In a `folder`, a picture that cannot be painted is noted and the others are still painted. Otherwise the error of
    the only one is raised.
    """
    status = 0
    for content, output in pairs:
        try:
            paint(content, output)
        except NstError as error:
            if not folder:
                raise
            note(f"{content.name}: {error}")
            status = max(status, 2 if isinstance(error, InputError) else 1)
    return status


def check_output(output: Path, suffixes: tuple[str, ...]) -> None:
    """Raise InputError unless `output` ends in one of the suffixes and its folder exists."""
    if output.suffix.lower() not in suffixes:
        raise InputError(f"the output must be a {' or '.join(suffixes)} file, got {output.name!r}")
    if not output.parent.is_dir():
        raise InputError(f"there is no folder {str(output.parent)!r} to write {output.name!r} into")


def check_not_overwritten(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """Raise InputError if a file to write is one of those that are read, or is written twice."""
    targets = [path for path in written if path]
    existing = [path for path in targets if path.exists()]
    for source in read:
        if source and source.exists() and any(target.samefile(source) for target in existing):
            raise InputError(f"the output would overwrite {str(source)!r}; choose another name")
    for path, times in Counter(path.resolve() for path in targets).items():
        if times > 1:
            raise InputError(f"two outputs would be the same file, {str(path)!r}; choose another name for one")


def write_whole(output: Path, data: bytes) -> None:
    """Write a file; what was there before stays unless all of it is written. Errors name the file, not its part."""
    try:
        with atomic_write(output) as part:
            part.write_bytes(data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from error
