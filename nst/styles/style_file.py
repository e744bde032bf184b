"""Style files: an image transformation network and the styles it has learned, as one file that holds no code.

A NumPy archive of plain arrays beside a JSON header. Whatever it claims is checked before any of it is used: the sizes
of its members before they are unpacked, names and shapes against the plan, every number for being finite. Errors are
one line of StyleError. This module knows no TensorFlow: the page lists styles with it.
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
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nst.errors import StyleError

FORMAT = 1
SUFFIX = ".style"
MOST_BYTES = 64 * 2**20  # of a file, packed or not
MOST_STYLES = 256
MOST_HEADER = 2**22  # bytes; as Python's objects it may take thirty times that
MOST_TOLD, DEEPEST = 2**14, 8  # bytes of a style's provenance as JSON, and how far it may be nested
MOST_PICTURE = 2**19  # bytes; the page carries those of all styles
MOST_WIDTH, MOST_BLOCKS, MOST_SIDE = 512, 32, 15  # of a plan that is believed
MOST_LEVELS = 4  # of the lowest, pictures of 16 px still have two rows, which reflection needs
MOST_MEMBERS = 2048  # of an archive; zipfile reads the list of them before anything can be refused
MOST_NAME, MOST_TITLE = 40, 80  # characters
NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
HEADER = "header.json"


@dataclass(frozen=True)
class Unit:
    """A convolution of the network; all but the last one are followed by conditional instance normalisation."""

    name: str
    side: int  # of its kernel
    inputs: int
    outputs: int
    stride: int = 1
    enlarges: bool = False  # nearest-neighbour, twice, before it
    relu: bool = True

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of its kernel."""
        return self.side, self.side, self.inputs, self.outputs


@dataclass(frozen=True)
class Plan:
    """The shape of a network: down by halves, residual blocks, up again.

    `widths` are the channels from full resolution down. What a level of `skips` had on the way down is added to it on
    the way up, so that the narrow middle need not carry the picture's fine detail. With `grain` the network also sees
    noise, or it would have nothing to make strokes of where a sky is plain.
    """

    widths: tuple[int, ...]
    blocks: int
    first: int  # side of the first kernel
    last: int  # and of the last
    skips: tuple[int, ...] = ()
    grain: bool = False

    @property
    def down(self) -> tuple[Unit, ...]:
        """From the picture to the lowest level."""
        first = Unit("down0", self.first, 3 + self.grain, self.widths[0])
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return first, *(Unit(f"down{n}", 3, wide, deep, stride=2) for n, (wide, deep) in enumerate(pairs, 1))

    @property
    def middle(self) -> tuple[tuple[Unit, Unit], ...]:
        """The residual blocks."""
        width = self.widths[-1]
        return tuple(
            (Unit(f"block{n}a", 3, width, width), Unit(f"block{n}b", 3, width, width, relu=False))
            for n in range(self.blocks)
        )

    @property
    def up(self) -> tuple[Unit, ...]:
        """From the lowest level to full resolution; "up0" is at the latter."""
        levels = range(len(self.widths) - 2, -1, -1)
        return tuple(Unit(f"up{n}", 3, self.widths[n + 1], self.widths[n], enlarges=True) for n in levels)

    @property
    def end(self) -> Unit:
        """To colours; an affine map of each style's own stands in the place of its normalisation."""
        return Unit("end", self.last, self.widths[0], 3, relu=False)

    @property
    def units(self) -> tuple[Unit, ...]:
        """All of them, in order."""
        return *self.down, *(unit for block in self.middle for unit in block), *self.up, self.end

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where in a style's vector its parameters are: "NAME/scale", "NAME/offset", and "skipN/scale"."""
        sizes = [(f"{unit.name}/{kind}", unit.outputs) for unit in self.units for kind in ("scale", "offset")]
        sizes += [(f"skip{level}/scale", self.widths[level]) for level in self.skips]
        ends = np.cumsum([size for _, size in sizes]).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes, ends, strict=True)}

    @property
    def length(self) -> int:
        """Numbers in a style's vector."""
        return max(place.stop for place in self.places.values())

    def neutral(self) -> NDArray[np.float32]:
        """A style's vector before it learned: scales 1, offsets 0."""
        vector = np.zeros(self.length, np.float32)
        for name, place in self.places.items():
            vector[place] = name.endswith("/scale")
        return vector


PLANS = {
    "studio": Plan((8, 24, 48, 96), 4, 3, 3, (0, 2), grain=True),
    "johnson": Plan((32, 64, 128), 5, 9, 9),  # Johnson et al. 2016, supplementary material; to race against
}


@dataclass(frozen=True, eq=False)
class Style:
    """One style of a network."""

    title: str
    vector: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))  # [plan.length], once learned
    provenance: Mapping[str, Any] = field(default_factory=dict)
    picture: bytes = b""  # JPEG of what it learned from, small


@dataclass(frozen=True, eq=False)
class StyleFile:
    """A network and its styles by name."""

    plan: Plan
    kernels: Mapping[str, NDArray[np.float16]]  # by unit
    own: NDArray[np.float32]  # the vector at strength 0, which leaves a picture as it is
    styles: Mapping[str, Style]

    @cached_property
    def network(self) -> str:
        """What the network is known by: equal for files whose styles can be mixed."""
        digest = hashlib.sha256(json.dumps(asdict(self.plan), sort_keys=True).encode())
        for unit in self.plan.units:
            digest.update(self.kernels[unit.name].tobytes())
        digest.update(self.own.tobytes())
        return digest.hexdigest()[:16]

    def only(self, *names: str) -> Self:
        """The network with these of its styles."""
        return replace(self, styles={name: self.styles[name] for name in names})

    def to_bytes(self, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        """The file; `compression` is one of zipfile's."""
        styles = {name: {"title": style.title, "provenance": style.provenance} for name, style in self.styles.items()}
        header = {"format": FORMAT, "plan": asdict(self.plan), "styles": styles}
        arrays = {f"kernel/{name}": kernel for name, kernel in self.kernels.items()} | {"own": self.own}
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
        """What `to_bytes` wrote; `name` is what errors call it. Raises StyleError."""
        if len(data) > MOST_BYTES:
            raise StyleError(f"{name!r} must be at most {MOST_BYTES >> 20} MB, got {len(data) / 2**20:.0f} MB")
        if data.count(b"PK\1\2") > MOST_MEMBERS:
            raise StyleError(f"{name!r} is no style file of ours: it has more than {MOST_MEMBERS} members")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return cls._from_archive(archive)
        except StyleError as error:
            raise StyleError(f"{name!r} is no style file of ours: {error}") from None
        except Exception:  # zipfile, json and NumPy raise whatever a damaged file makes them stumble on
            raise StyleError(f"{name!r} is no style file of ours, or a damaged one") from None

    @classmethod
    def _from_archive(cls, archive: zipfile.ZipFile) -> Self:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise StyleError(f"unpacked it must be at most {MOST_BYTES >> 20} MB")
        if archive.getinfo(HEADER).file_size > MOST_HEADER:
            raise StyleError(f"its header must be at most {MOST_HEADER >> 20} MB")
        header = json.loads(_member(archive, HEADER))
        if header["format"] != FORMAT:
            raise StyleError(f"its format must be {FORMAT}, got {header['format']!r}")
        plan, styles = _plan(header["plan"]), header["styles"]
        if not 1 <= len(styles) <= MOST_STYLES:
            raise StyleError(f"it must hold 1 to {MOST_STYLES} styles, got {len(styles)}")
        for name in styles:
            check_name(name)
        return cls(
            plan,
            {unit.name: _array(archive, f"kernel/{unit.name}", unit.shape, np.float16) for unit in plan.units},
            _array(archive, "own", (plan.length,), np.float32),
            {
                name: Style(
                    check_title(told["title"]),
                    _array(archive, f"style/{name}", (plan.length,), np.float32),
                    check_provenance(told["provenance"]),
                    _member(archive, f"picture/{name}.jpg", MOST_PICTURE),
                )
                for name, told in styles.items()
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
    """`name`, if it is fit for commands, addresses and files. Raises StyleError."""
    if not isinstance(name, str) or len(name) > MOST_NAME or not NAME.fullmatch(name):
        rule = f"lower-case letters, digits and single hyphens, at most {MOST_NAME} in all, as starry-night"
        raise StyleError(f"a style's name must be {rule}; got {str(name)[:MOST_TITLE]!r}")
    return name


def name_of(title: str) -> str:
    """The name that goes with a title, "Été, 1905" -> "ete-1905"; "" of one without Latin letters and digits."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain)[:MOST_NAME].strip("-")


def check_title(title: str) -> str:
    """`title`, if it can be shown in a line. Raises StyleError."""
    if not isinstance(title, str) or not title.strip() or len(title) > MOST_TITLE or not title.isprintable():
        shown = repr(str(title)[:MOST_TITLE])
        raise StyleError(f"a style's title must be a line of 1 to {MOST_TITLE} characters, got {shown}")
    return title


def check_provenance(told: Any) -> dict[str, Any]:
    """`told`, if it is a small object that can be written down as JSON again. Raises StyleError."""
    rule = f"a style's provenance must be an object, at most {MOST_TOLD >> 10} kB of JSON and {DEEPEST} deep"
    try:
        size = len(json.dumps(told, allow_nan=False, ensure_ascii=False).encode())
        if isinstance(told, dict) and size <= MOST_TOLD and _depth(told) <= DEEPEST:
            return told
    except (TypeError, ValueError, RecursionError):  # ValueError: NaN, or half of a surrogate pair
        pass
    raise StyleError(rule)


def _depth(told: Any) -> int:
    """How far JSON is nested: 0 of a number or a text."""
    inner = told.values() if isinstance(told, dict) else told if isinstance(told, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _plan(told: Mapping[str, Any]) -> Plan:
    """A plan that is no larger than any of ours could be. Raises StyleError."""
    plan = Plan(tuple(told["widths"]), told["blocks"], told["first"], told["last"], tuple(told["skips"]), told["grain"])
    numbers = (*plan.widths, plan.blocks, plan.first, plan.last, *plan.skips)
    sides = (plan.first, plan.last)
    if (
        not all(type(number) is int for number in numbers)
        or type(plan.grain) is not bool
        or not 2 <= len(plan.widths) <= MOST_LEVELS
        or not all(1 <= width <= MOST_WIDTH for width in plan.widths)
        or not 0 <= plan.blocks <= MOST_BLOCKS
        or not all(side % 2 and 1 <= side <= MOST_SIDE for side in sides)
        or sorted(set(plan.skips)) != list(plan.skips)
        or not all(0 <= level < len(plan.widths) - 1 for level in plan.skips)
    ):
        raise StyleError("its network has a shape that none of ours has")
    return plan


def _member(archive: zipfile.ZipFile, name: str, most: int = MOST_BYTES) -> bytes:
    """A member, which must be as large as it says: asked for all of it, zipfile unpacks first and counts later.

    Of other methods than these two, it unpacks all at once. Raises StyleError.
    """
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.file_size > most:
        raise StyleError(f"{name} is packed otherwise, or larger, than any of ours")
    with archive.open(info) as member:
        return member.read(info.file_size)


def _array(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kind: type) -> NDArray[Any]:
    """A member as numbers of `kind`, once its shape is what it must be. Raises StyleError."""
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
