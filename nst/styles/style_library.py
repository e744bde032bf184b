"""The library of fast styles: those that ship with the program, and those in a folder, trained or imported by users.

A file in the folder holds one or more styles of one network. Names are unique: where two files have the same one, the
shipped style comes first, then files in alphabetical order.
"""

import functools
import itertools
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.atomic_write import atomic_write
from nst.errors import DiskFull, ImageError, NotFound, NstError, StyleError
from nst.options.option_field import did_you_mean
from nst.options.settings import Settings
from nst.pictures import images
from nst.styles.style_file import SUFFIX, Style, StyleFile, check_name, check_title

SHIPPED = Path(__file__).parent.parent / "builtin" / f"fast{SUFFIX}"
MOST_THUMBNAIL_PIXELS = 10**6  # of a style's thumbnail


@dataclass(frozen=True, eq=False)
class Entry:
    """A style of the library."""

    name: str
    file: StyleFile
    path: Path

    @property
    def style(self) -> Style:
        """The style's part of the file."""
        return self.file.styles[self.name]

    @property
    def shipped(self) -> bool:
        """Whether it ships with the program; such a style cannot be renamed or removed."""
        return self.path == SHIPPED

    def to_json(self) -> dict[str, Any]:
        """JSON values for lists; `network` is equal for styles that can be mixed."""
        return {
            "name": self.name,
            "title": self.style.title,
            "shipped": self.shipped,
            "network": self.file.network,
            "provenance": dict(self.style.provenance),
        }


class Library:
    """The shipped styles and those in `folder`, which need not exist yet; its damaged files are ignored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Files that were read: (modification time in ns, size), and the content, None if it is damaged.
        self._cache: dict[Path, tuple[tuple[int, int], StyleFile | None]] = {}
        self._lock = threading.RLock()

    def entries(self) -> list[Entry]:
        """Every style: the shipped ones in their order, then the others by name."""
        found: dict[str, Entry] = {}
        paths = (SHIPPED, *sorted(self.folder.glob(f"*{SUFFIX}")))
        with self._lock:
            self._cache = {path: cached for path, cached in self._cache.items() if path in paths}
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

    def mixable(self, names: Iterable[str], with_paintings: bool = False) -> list[Entry]:
        """These styles, in their order. Raises NotFound, and StyleError if they cannot be mixed.

        `with_paintings`: with predicted styles too, which are of the shipped network.
        """
        found = [self.find(name) for name in names]
        strangers = [entry.name for entry in found if entry.file.network != shipped_file().network]
        if with_paintings and strangers:
            rule = "a painting can be mixed with styles of the network that ships"
            raise StyleError(f"{rule}, and {strangers[0]!r} is of another")
        others = [entry.name for entry in found if entry.file.network != found[0].file.network]
        if others:
            raise StyleError(
                f"only styles of one network can be mixed, but {found[0].name!r} and {others[0]!r} are of two"
            )
        return found

    def file_of(self, names: Iterable[str], with_paintings: bool = False) -> StyleFile:
        """One file with these styles, in their order. Arguments and errors as of `mixable`."""
        found = self.mixable(names, with_paintings)
        return replace(found[0].file, styles={entry.name: entry.style for entry in found})

    def add(self, data: bytes, name: str = "the file", replace_existing: bool = False) -> list[str]:
        """Add the style file in `data`, which errors call `name`; returns the names of its styles.

        Raises StyleError if it is no style file or, unless `replace_existing`, a name is taken. The names of shipped
        styles are always taken.
        """
        file = StyleFile.from_bytes(data, name)
        for style in file.styles.values():
            try:
                _check_picture(style.picture)
            except ImageError as error:
                raise StyleError(f"{name!r} is no style file of ours: {error}") from None
        with self._lock:
            existing = [self.check_free(key, replace_existing) for key in file.styles]
            path = self._path_for(file.styles)
            _write(path, file)
            for old in existing:
                if old and old.path != path:
                    self._delete(replace(old, file=self._file(old.path) or old.file))
        return list(file.styles)

    def check_free(self, name: str, replace_existing: bool = False) -> Entry | None:
        """The existing style of that name, None without one. Raises StyleError if it must not be replaced."""
        taken = next((entry for entry in self.entries() if entry.name == name), None)
        if taken and (taken.shipped or not replace_existing):
            raise StyleError(f"there is a style {name!r} already; rename one of them")
        return taken

    def rename(self, name: str, new: str, title: str | None = None) -> Entry:
        """Give a style of the folder the name `new`, and the title `title` if there is one.

        Raises NotFound, StyleError.
        """
        with self._lock:
            entry = self._changeable(name)
            check_name(new)
            if new != name:
                self.check_free(new)
            style, path = replace(entry.style, title=check_title(title or entry.style.title)), self._path_for([new])
            _write(path, replace(entry.file, styles={new: style}))
            if path != entry.path:
                self._delete(entry)
        return self.find(new)

    def remove(self, name: str) -> None:
        """Remove a style of the folder. Raises NotFound, StyleError."""
        with self._lock:
            self._delete(self._changeable(name))

    def export(self, name: str) -> bytes:
        """A style and its network as the bytes of a style file. Raises NotFound."""
        return self.find(name).file.only(name).to_bytes()

    def _changeable(self, name: str) -> Entry:
        entry = self.find(name)
        if entry.shipped:
            raise StyleError(f"the style {name!r} came with the program and cannot be changed")
        return entry

    def _path_for(self, names: Collection[str]) -> Path:
        """The file for styles: it has the name of the first, with a number if that is a file with other styles."""
        first = next(iter(names))
        paths = (self.folder / f"{first}{f'-{n}' if n else ''}{SUFFIX}" for n in itertools.count())
        return next(path for path in paths if not os.path.lexists(path) or self._has_only(path, names))

    def _has_only(self, path: Path, names: Collection[str]) -> bool:
        file = self._file(path)
        return file is not None and set(file.styles) <= set(names)

    def _delete(self, entry: Entry) -> None:
        rest = [name for name in entry.file.styles if name != entry.name]
        if rest:
            _write(entry.path, entry.file.only(*rest))
            return
        with _plain_errors(entry.path):
            entry.path.unlink(missing_ok=True)

    def _file(self, path: Path) -> StyleFile | None:
        """The content of a file, read again when it changed; None if it is damaged or does not exist."""
        try:
            stat = path.stat()
            state = stat.st_mtime_ns, stat.st_size
            with self._lock:
                if self._cache.get(path, (None,))[0] != state:
                    try:
                        file = self._shared(StyleFile.from_bytes(path.read_bytes(), path.name))
                    except StyleError:
                        file = None
                    self._cache[path] = state, file
                return self._cache[path][1]
        except OSError:
            self._cache.pop(path, None)
            return None

    def _shared(self, file: StyleFile) -> StyleFile:
        """`file` with the arrays of a cached file of the same network, so that they are in memory once."""
        others = (other for _, other in self._cache.values() if other)
        same = next((other for other in others if other.network == file.network), file)
        return replace(file, kernels=same.kernels, identity_vector=same.identity_vector)


def user_library() -> Library:
    """The styles that ship, and those in the folder of the settings."""
    return Library(Settings.read().data / "styles")


@functools.cache
def shipped_file() -> StyleFile:
    """The style file that ships with the program, read once. Raises StyleError if it is damaged."""
    return StyleFile.from_bytes(SHIPPED.read_bytes(), SHIPPED.name)


def _check_picture(jpeg: bytes) -> None:
    """Raise ImageError unless it is a small JPEG, the only kind of picture that the page should receive."""
    found = images.read(jpeg, "the picture", least=1, most_pixels=MOST_THUMBNAIL_PIXELS)
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
        kind = DiskFull if error.errno in DiskFull.ERRNOS else NstError
        raise kind(f"the style file {str(path)!r} cannot be changed: {error.strerror or error}") from None
