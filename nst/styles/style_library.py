"""The fast styles that are there: those that ship, and those of a folder, which people train, import, rename and share.

A folder's file holds one or more styles of one network; a name is taken once, by what ships first. This module knows
neither TensorFlow nor pages: it lists what is there and hands out style files.
"""

import itertools
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.atomic_write import atomic_write
from nst.errors import ImageError, NotFound, NstError, StyleError
from nst.options.fast_options import mix_of
from nst.options.option_field import did_you_mean
from nst.options.settings import Settings
from nst.pictures import images
from nst.styles.style_file import SUFFIX, Style, StyleFile, check_name, check_title, read_style_file

SHIPPED = Path(__file__).parent.parent / "builtin" / f"fast{SUFFIX}"
MOST_PIXELS = 10**6  # of a style's little picture

StyleChoice = str | Path | Mapping[str, float]  # a name, the path of a style file, or weights by name


@dataclass(frozen=True, eq=False)
class Entry:
    """A style that can be painted with."""

    name: str
    file: StyleFile
    path: Path

    @property
    def style(self) -> Style:
        """What the file says of it."""
        return self.file.styles[self.name]

    @property
    def shipped(self) -> bool:
        """It came with the program, and cannot be renamed or removed."""
        return self.path == SHIPPED

    def to_json(self) -> dict[str, Any]:
        """What a list shows of it; `network` is equal for styles that can be mixed."""
        return {
            "name": self.name,
            "title": self.style.title,
            "shipped": self.shipped,
            "network": self.file.network,
            "provenance": dict(self.style.provenance),
        }


class Library:
    """The shipped styles and those in `folder`, which need not exist yet. Damaged files in it are left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[tuple[int, int], StyleFile | None]] = {}  # what a file was when it was read
        self._lock = threading.RLock()

    def entries(self) -> list[Entry]:
        """Every style: what ships in its order, then the others by name."""
        found: dict[str, Entry] = {}
        paths = (SHIPPED, *sorted(self.folder.glob(f"*{SUFFIX}")))
        with self._lock:
            self._read = {path: read for path, read in self._read.items() if path in paths}  # the others are gone
        for path in paths:
            file = self._file(path)
            if file is None:
                continue
            for name in file.styles:
                found.setdefault(name, Entry(name, file, path))
        return sorted(found.values(), key=lambda entry: "" if entry.shipped else entry.name)

    def find(self, name: str) -> Entry:
        """The style of that name. Raises NotFound, with "did you mean"."""
        known = {entry.name: entry for entry in self.entries()}
        if name not in known:
            hint = did_you_mean(str(name), known) or f"; there are {', '.join(known) or 'none'}"
            raise NotFound(f"there is no fast style {str(name)[:80]!r}{hint}")
        return known[name]

    def mixable(self, names: Iterable[str]) -> list[Entry]:
        """These styles, in their order. Raises NotFound, and StyleError if they cannot be mixed."""
        found = [self.find(name) for name in names]
        others = [entry.name for entry in found if entry.file.network != found[0].file.network]
        if others:
            raise StyleError(
                f"only styles of one network can be mixed, but {found[0].name!r} and {others[0]!r} are of two"
            )
        return found

    def file_of(self, names: Iterable[str]) -> StyleFile:
        """One file with these styles, in their order. Raises as `mixable`."""
        found = self.mixable(names)
        return replace(found[0].file, styles={entry.name: entry.style for entry in found})

    def add(self, data: bytes, name: str = "the file", instead: bool = False) -> list[str]:
        """Keep a style file; returns the names of its styles.

        Raises StyleError if it is none of ours or, unless it may stand `instead` of it, a style of that name is there.
        """
        file = StyleFile.from_bytes(data, name)
        for style in file.styles.values():
            try:
                _check_picture(style.picture)
            except ImageError as error:
                raise StyleError(f"{name!r} is no style file of ours: {error}") from None
        with self._lock:
            before = [self._check_free(key, instead) for key in file.styles]
            place = self._place(file.styles)
            _write(place, file)
            for old in before:
                if old and old.path != place:
                    self._take_out(replace(old, file=self._file(old.path) or old.file))
        return list(file.styles)

    def rename(self, name: str, new: str, title: str | None = None) -> Entry:
        """Give a style of the folder another name, another title, or both. Raises NotFound, StyleError."""
        with self._lock:
            entry = self._own(name)
            check_name(new)
            if new != name:
                self._check_free(new, instead=False)
            style, place = replace(entry.style, title=check_title(title or entry.style.title)), self._place([new])
            _write(place, replace(entry.file, styles={new: style}))
            if place != entry.path:
                self._take_out(entry)
        return self.find(new)

    def remove(self, name: str) -> None:
        """Forget a style of the folder. Raises NotFound, StyleError."""
        with self._lock:
            self._take_out(self._own(name))

    def export(self, name: str) -> bytes:
        """A style and its network as one file, for `add`. Raises NotFound."""
        return self.find(name).file.only(name).to_bytes()

    def _own(self, name: str) -> Entry:
        entry = self.find(name)
        if entry.shipped:
            raise StyleError(f"the style {name!r} came with the program: it stays as it is")
        return entry

    def _check_free(self, name: str, instead: bool) -> Entry | None:
        """The style of that name that may be replaced, if any. Raises StyleError if it may not."""
        taken = next((entry for entry in self.entries() if entry.name == name), None)
        if taken and (taken.shipped or not instead):
            raise StyleError(f"there is a style {name!r} already; rename one of them")
        return taken

    def _place(self, names: Collection[str]) -> Path:
        """Where styles are written: a file called after the first. If there is one of others, a number follows."""
        first = next(iter(names))
        places = (self.folder / f"{first}{f'-{n}' if n else ''}{SUFFIX}" for n in itertools.count())
        return next(place for place in places if not os.path.lexists(place) or self._has_only(place, names))

    def _has_only(self, path: Path, names: Collection[str]) -> bool:
        file = self._file(path)
        return file is not None and set(file.styles) <= set(names)

    def _take_out(self, entry: Entry) -> None:
        rest = [name for name in entry.file.styles if name != entry.name]
        if rest:
            _write(entry.path, entry.file.only(*rest))
            return
        with _plain_errors(entry.path):
            entry.path.unlink(missing_ok=True)

    def _file(self, path: Path) -> StyleFile | None:
        """What is in a file, read again when it changed; None if it is damaged or gone."""
        try:
            told = path.stat()
            state = told.st_mtime_ns, told.st_size
            with self._lock:
                if self._read.get(path, (None,))[0] != state:
                    try:
                        file = self._shared(StyleFile.from_bytes(path.read_bytes(), path.name))
                    except StyleError:
                        file = None
                    self._read[path] = state, file
                return self._read[path][1]
        except OSError:
            self._read.pop(path, None)
            return None

    def _shared(self, file: StyleFile) -> StyleFile:
        """`file`, with the kernels of another one that has the same: the styles of one network hold them once."""
        others = (other for _, other in self._read.values() if other)
        twin = next((other for other in others if other.network == file.network), file)
        return replace(file, kernels=twin.kernels, own=twin.own)


def user_library() -> Library:
    """The styles that ship, and those in the folder of the settings."""
    return Library(Settings.read().data / "styles")


def file_and_mix(style: StyleChoice) -> tuple[StyleFile, dict[str, float]]:
    """(a file with the chosen styles, their weights of sum 1). Raises NotFound, StyleError."""
    if isinstance(style, Path) or (isinstance(style, str) and style.endswith(SUFFIX)):
        file = StyleFile.from_bytes(read_style_file(Path(style)), Path(style).name)
        if len(file.styles) > 1:
            names = ", ".join(file.styles)
            raise StyleError(f"{str(style)!r} holds several styles, {names}: import it and name the one that is meant")
        return file, mix_of(next(iter(file.styles)))
    mix = mix_of(style)
    return user_library().file_of(mix), mix


def _check_picture(jpeg: bytes) -> None:
    """Raise ImageError unless it is a little JPEG, which is all that the wall should show."""
    found = images.read(jpeg, "the picture", least=1, most_pixels=MOST_PIXELS)
    if found.format != "JPEG":
        raise ImageError(f"'the picture' must be a JPEG, got {found.format}")


def _write(path: Path, file: StyleFile) -> None:
    with _plain_errors(path), atomic_write(path) as part:
        part.write_bytes(file.to_bytes())


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NstError(f"the style file {str(path)!r} cannot be changed: {error.strerror or error}") from None
