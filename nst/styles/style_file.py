"""Style files: an image transformation network and the styles that it has learned, in one file that holds no code.

A zip archive of NumPy arrays and JPEGs with a JSON header. A file may come from anybody, so it is checked before it is
used: sizes of members before they are decompressed; names, shapes and dtypes against the plan; numbers for being
finite. Every failure is one line of StyleError.
"""

import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nst.errors import StyleError
from nst.styles.network_plan import Plan

FORMAT = 1
SUFFIX = ".style"
MOST_BYTES = 64 * 2**20  # of a file, compressed or not
MOST_STYLES_OF_A_FILE = 256
MOST_HEADER = 2**22  # bytes; parsed, it may take thirty times that
MOST_PROVENANCE, DEEPEST = 2**14, 8  # bytes of a style's provenance as JSON, and how deep it may be nested
MOST_PICTURE = 2**19  # bytes; the page has those of all styles
MOST_MEMBERS = 2048  # of an archive, counted before zipfile reads the list of them
MOST_NAME, MOST_TITLE = 40, 80  # characters
NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
HEADER = "header.json"
PICTURE_KIND = "picture_kind"  # key of a style's provenance; its value is "texture", see `Style.picture_kind`

PictureKind = Literal["painting", "texture", "example"]


@dataclass(frozen=True, eq=False)
class Style:
    """One style of a network."""

    title: str
    vector: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))  # [plan.length] once trained
    provenance: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes = b""  # small JPEG; `picture_kind` is what it shows

    @property
    def picture_kind(self) -> PictureKind:
        """What `picture` shows.

        "painting": the picture that the style was learned or predicted from, of which the provenance has the SHA-256.
        "texture": a texture synthesized from the statistics of that picture, as the provenance says.
        "example": another picture, painted in the style.
        """
        if self.provenance.get(PICTURE_KIND) == "texture":
            return "texture"
        return "painting" if self.provenance.get("picture") else "example"


@dataclass(frozen=True, eq=False)
class StyleFile:
    """A network and its styles by name."""

    plan: Plan
    kernels: Mapping[str, NDArray[np.float16]]  # by unit
    identity_vector: NDArray[np.float32]  # [plan.length], used at strength 0: it leaves a picture as it is
    styles: Mapping[str, Style]

    @cached_property
    def network(self) -> str:
        """A hash of the network, equal for files whose styles can be mixed."""
        digest = hashlib.sha256(json.dumps(asdict(self.plan), sort_keys=True).encode())
        for unit in self.plan.units:
            digest.update(self.kernels[unit.name].tobytes())
        digest.update(self.identity_vector.tobytes())
        return digest.hexdigest()[:16]

    def only(self, *names: str) -> Self:
        """The network with only the styles `names`."""
        return replace(self, styles={name: self.styles[name] for name in names})

    def to_bytes(self, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """The bytes of the file; `compression` is a method of zipfile."""
        styles = {name: {"title": style.title, "provenance": style.provenance} for name, style in self.styles.items()}
        header = {"format": FORMAT, "plan": asdict(self.plan), "styles": styles}
        arrays = {f"kernel/{name}": kernel for name, kernel in self.kernels.items()} | {"own": self.identity_vector}
        arrays |= {f"style/{name}": style.vector for name, style in self.styles.items()}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            archive.writestr(HEADER, json.dumps(header, indent=1))
            for name, array in arrays.items():
                archive.writestr(f"{name}.npy", _npy(array))
            for name, style in self.styles.items():
                archive.writestr(f"picture/{name}.jpg", style.picture)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "the file") -> Self:
        """The style file in `data`, which errors call `name`. Raises StyleError."""
        if len(data) > MOST_BYTES:
            raise StyleError(f"{name!r} must be at most {MOST_BYTES >> 20} MB, got {len(data) / 2**20:.0f} MB")
        if data.count(b"PK\1\2") > MOST_MEMBERS:
            raise StyleError(f"{name!r} is no style file of ours: it has more than {MOST_MEMBERS} members")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return cls._from_archive(archive)
        except StyleError as error:
            raise StyleError(f"{name!r} is no style file of ours: {error}") from None
        except Exception:  # zipfile, json and NumPy raise errors of many kinds on a damaged file
            raise StyleError(f"{name!r} is no style file of ours, or a damaged one") from None

    @classmethod
    def _from_archive(cls, archive: zipfile.ZipFile) -> Self:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise StyleError(f"uncompressed it must be at most {MOST_BYTES >> 20} MB")
        if archive.getinfo(HEADER).file_size > MOST_HEADER:
            raise StyleError(f"its header must be at most {MOST_HEADER >> 20} MB")
        header = json.loads(_member(archive, HEADER))
        if header["format"] != FORMAT:
            raise StyleError(f"its format must be {FORMAT}, got {header['format']!r}")
        plan, styles = Plan.from_json(header["plan"]), header["styles"]
        if not 1 <= len(styles) <= MOST_STYLES_OF_A_FILE:
            raise StyleError(f"it must hold 1 to {MOST_STYLES_OF_A_FILE} styles, got {len(styles)}")
        for name in styles:
            check_name(name)
        return cls(
            plan,
            {unit.name: _array(archive, f"kernel/{unit.name}", unit.shape, np.float16) for unit in plan.units},
            _array(archive, "own", (plan.length,), np.float32),
            {
                name: Style(
                    check_title(style["title"]),
                    _array(archive, f"style/{name}", (plan.length,), np.float32),
                    check_provenance(style["provenance"]),
                    _member(archive, f"picture/{name}.jpg", MOST_PICTURE),
                )
                for name, style in styles.items()
            },
        )


def read_style_file(path: Path) -> bytes:
    """The bytes of a style file: at most one more than `MOST_BYTES`, which `from_bytes` refuses. Raises StyleError."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise StyleError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def check_name(name: str) -> str:
    """`name`, if it can be used in commands, URLs and file names. Raises StyleError."""
    if not isinstance(name, str) or len(name) > MOST_NAME or not NAME.fullmatch(name):
        rule = f"lower-case letters, digits and single hyphens, at most {MOST_NAME} in all, as starry-night"
        raise StyleError(f"a style's name must be {rule}; got {str(name)[:MOST_TITLE]!r}")
    return name


def name_of(title: str) -> str:
    """The name for a title, "Été, 1905" -> "ete-1905"; "" if it has neither Latin letters nor digits."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:MOST_NAME].strip("-")


def title_of(name: str) -> str:
    """A title made from a name, "starry-night" -> "Starry Night"."""
    return name.replace("-", " ").title()


def check_title(title: str) -> str:
    """`title`, if it is one printable line. Raises StyleError."""
    if not isinstance(title, str) or not title.strip() or len(title) > MOST_TITLE or not title.isprintable():
        shown = repr(str(title)[:MOST_TITLE])
        raise StyleError(f"a style's title must be a line of 1 to {MOST_TITLE} characters, got {shown}")
    return title


def check_provenance(given: Any) -> dict[str, Any]:
    """`given`, if it is a small JSON object. Raises StyleError."""
    rule = f"a style's provenance must be an object, at most {MOST_PROVENANCE >> 10} kB of JSON and {DEEPEST} deep"
    try:
        size = len(json.dumps(given, allow_nan=False, ensure_ascii=False).encode())
        if isinstance(given, dict) and size <= MOST_PROVENANCE and _depth(given) <= DEEPEST:
            return given
    except (TypeError, ValueError, RecursionError):  # ValueError: NaN, or half of a surrogate pair
        pass
    raise StyleError(rule)


def _depth(value: Any) -> int:
    """How deep a JSON value is nested: 0 for a number or a string."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _member(archive: zipfile.ZipFile, name: str, most: int = MOST_BYTES) -> bytes:
    """A member's bytes, no more than its header says. Raises StyleError.

    Read without a size, zipfile decompresses all before it compares the length; with methods other than stored and
    deflated it does so even with a size.
    """
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.file_size > most:
        raise StyleError(f"{name} is too large, or compressed by an unknown method")
    with archive.open(info) as member:
        return member.read(info.file_size)


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kind: type) -> NDArray[Any]:
    """A member as an array of dtype `kind`; its shape must be `shape`. Raises StyleError."""
    array: NDArray[Any] = np.load(io.BytesIO(_member(archive, f"{name}.npy")), allow_pickle=False)
    if array.shape != shape or array.dtype not in (np.float16, np.float32):
        raise StyleError(f"{name} must be {shape}, got {array.shape} of {array.dtype}")
    with np.errstate(over="ignore"):
        array = array.astype(kind)
    if not np.isfinite(array).all():
        raise StyleError(f"{name} must be finite numbers")
    return array


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
