"""Pairs of a content and a style to paint and to judge: our own samples, shared pictures, or a folder's.

A folder is read by one rule. Each folder in it that holds one picture content.* and one picture style.* is a pair of
that folder's name. Among its own files, content<NAME>.* and style<NAME>.* are a pair <NAME>, leading "-", "_", "." and
spaces left out; without a NAME the pair is called "pair". A content without its style, or a style without its content,
is refused.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.shared import shared_folder
from nst.errors import InputError
from nst.options.option_field import did_you_mean
from nst.pictures.images import SUFFIXES
from nst.pictures.samples import find
from tools.pictures import PAIRS

ROLES = ("content", "style")
NAMES = (
    *PAIRS,
    ("still-life", "rose-window"),
    ("harbour", "castle-etching"),
    ("owl", "golden-tree"),
    ("lake", "poppy-washes"),
)
# Paths in the shared folder; `triples` beside them has a folder for each pair.
SHARED = (
    ("contents/chicago.jpg", "paintings/van_gogh_starry_night.jpg"),
    ("contents/taj_mahal.jpg", "paintings/munch_the_scream.jpg"),
    ("photos/test/14092.jpg", "paintings/gauguin_tahiti.jpg"),  # a face
    ("photos/test/118015.jpg", "paintings/hokusai_great_wave.jpg"),  # a boat
    ("photos/test/160067.jpg", "paintings/picabia_udnie.jpg"),  # an animal
    ("photos/test/201080.jpg", "paintings/van_gogh_wheat_field.jpg"),  # a building
    ("training/photos/cq100_kingfisher.jpg", "training/paintings/hiroshige_itsukushima-in-aki-province-1858.jpg"),
    (
        "training/photos/nprportrait2_17-wikimedia.jpg",
        "training/paintings/kazimir-malevich_portrait-of-m-v-matyushin-1913.jpg",
    ),
)
TRIPLES = "triples"


class Pair(Protocol):
    """Two picture files and the name of what is painted from them, which is a file's name."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> Path: ...

    @property
    def style(self) -> Path: ...


@dataclass(frozen=True)
class FilePair:
    """A pair of files that are there."""

    name: str
    content: Path
    style: Path


@dataclass(frozen=True)
class SamplePair:
    """A pair of samples."""

    content_name: str
    style_name: str

    @property
    def name(self) -> str:
        return f"{self.content_name}--{self.style_name}"

    @property
    def content(self) -> Path:
        return find(self.content_name).path

    @property
    def style(self) -> Path:
        return find(self.style_name).path


SAMPLES = tuple(SamplePair(content, style) for content, style in NAMES)


def shared_pairs() -> list[Pair]:
    """Pairs of the shared folder. Raises InputError where it lacks one of their files."""
    folder = shared_folder()
    if not folder.is_dir():
        raise InputError(f"`--shared`: there is no folder {str(folder)!r}; NST_SHARED names another one")
    pairs = [FilePair(f"{Path(c).stem}--{Path(s).stem}", folder / c, folder / s) for c, s in SHARED]
    for path in (path for pair in pairs for path in (pair.content, pair.style)):
        if not path.is_file():
            raise InputError(f"`--shared`: there is no file {str(path)!r}")
    return [*pairs, *pairs_in(folder / TRIPLES)]


def pairs_in(folder: Path) -> list[Pair]:
    """The pairs of a folder by the rule above, in order of their names. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r}")
    own: dict[str, dict[str, Path]] = {}
    for path in _pictures(folder):
        if found := re.fullmatch(r"(content|style)(.*)", path.stem):
            role, name = found[1], found[2].lstrip("-_. ") or "pair"
            _add(own.setdefault(name, {}), role, path)
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        roles: dict[str, Path] = {}
        for path in _pictures(inner):
            if path.stem in ROLES:
                _add(roles, path.stem, path)
        if roles and inner.name in own:
            raise InputError(f"{str(folder)!r} has two pairs called {inner.name!r}")
        if roles:
            own[inner.name] = roles
    if not own:
        raise InputError(f"{str(folder)!r} must have pictures content* and style*, or folders of them, got neither")
    return [FilePair(name, *_complete(name, roles, folder)) for name, roles in sorted(own.items())]


def chosen(pairs: Sequence[Pair], names: Sequence[str] | None) -> list[Pair]:
    """Those of the names; all without any. Raises InputError for a name that is none, or that two pairs have."""
    known = [pair.name for pair in pairs]
    twice = [name for name, times in Counter(known).items() if times > 1]
    if twice:
        raise InputError(f"pairs must have names of their own; two are called {twice[0]!r}")
    for name in names or ():
        if name not in known:
            hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
            raise InputError(f"`--only`: there is no pair {name!r}{hint}")
    return [pair for pair in pairs if not names or pair.name in names]


def picture_in(folder: Path, name: str) -> Path:
    """The picture file called `name` in the folder, whatever its format. Raises InputError where there is not one."""
    found = [path for path in _pictures(folder) if path.stem == name] if folder.is_dir() else None
    if found is None:
        raise InputError(f"there is no folder {str(folder)!r}")
    if len(found) != 1:
        rule = f"{str(folder)!r} must have one picture called {name!r}"
        raise InputError(f"{rule}, got {', '.join(path.name for path in found) or 'none'}")
    return found[0]


def _pictures(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in SUFFIXES)


def _add(roles: dict[str, Path], role: str, path: Path) -> None:
    if role in roles:
        raise InputError(f"a pair has one {role}; {str(path.parent)!r} has {roles[role].name} and {path.name}")
    roles[role] = path


def _complete(name: str, roles: dict[str, Path], folder: Path) -> tuple[Path, Path]:
    for here, there in (ROLES, ROLES[::-1]):
        if there not in roles:
            raise InputError(f"the pair {name!r} in {str(folder)!r} has a {here} but no {there}")
    return roles["content"], roles["style"]
