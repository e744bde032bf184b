"""What a result says of itself: the settings inside its file, from which the picture can be made again.

Reading never trusts the file: it is a stranger's, and what is in it is checked like any other input.
"""

import dataclasses
import io
import json
import re
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from nst.errors import ImageError, OptionError, StyleError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.option_field import ECHO, did_you_mean, shown
from nst.options.style_options import StyleOptions

KEYWORD = "nst"  # of the PNG's text
FAST = "nst-fast"  # of that of a picture painted in one pass; begins the comment of a JPEG
MAX_BYTES = 64 * 2**10  # of that text
MOST_STEPS = 10**8  # far more than anyone paints
SIGNATURE = b"\x89PNG\r\n\x1a\n"
START, COMMENT, SCAN = b"\xff\xd8", 0xFFFE, 0xFFDA  # of a JPEG
SHA256 = re.compile("[0-9a-f]{64}|")  # or unknown

Steering = tuple[int, Mapping[str, Any]]  # (step, options in their JSON form)


@dataclass(frozen=True)
class Provenance:
    """How a picture was painted."""

    version: str  # of this program
    versions: Mapping[str, str]  # {"python": "3.11.9", ...}
    extractor: str
    precision: str  # of its arithmetic
    options: StyleOptions  # as the run began
    steered: tuple[Steering, ...]  # options changed while it was painted, each before that optimiser step
    epochs: int  # painted in all; above the options' own if the run was continued
    content: str  # SHA-256 of the file, hexadecimal; "" if unknown
    style: str
    init: str | None = None  # None without a picture to start from
    branched: bool = False  # it began from a kept frame of another run, so the settings alone do not make it again

    @property
    def resolved(self) -> StyleOptions:
        """The options, with the network and the precision that "auto" stood for."""
        return StyleOptions.from_json(
            {**self.options.to_json(), "extractor": self.extractor, "precision": self.precision}
        )

    @property
    def options_at_the_end(self) -> StyleOptions:
        """The options with all that was changed on the way, the number of epochs too."""
        changes = {name: value for _, changed in self.steered for name, value in changed.items()}
        if not isinstance(self.options.epochs, str) and self.epochs > self.options.epochs:
            changes["epochs"] = self.epochs
        return StyleOptions.from_json({**self.options.to_json(), **changes})

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads it back."""
        return {
            "nst": self.version,
            "versions": dict(self.versions),
            "extractor": self.extractor,
            "precision": self.precision,
            "options": self.options.to_json(),
            "steered": [{"step": step, "changes": dict(changes)} for step, changes in self.steered],
            "epochs": self.epochs,
            "content": self.content,
            "style": self.style,
            "init": self.init,
            "branched": self.branched,
        }

    def to_text(self) -> str:
        """JSON for the PNG's text, in ASCII."""
        return json.dumps(self.to_json())

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """From plain values; what older versions did not write is empty, or the default. Raises OptionError."""
        known = {"nst", *(field.name for field in dataclasses.fields(cls))} - {"version"}
        given = _object("settings", given, known)
        network = StyleOptions.from_json({name: given.get(name, "auto") for name in ("extractor", "precision")})
        options = StyleOptions.from_json(given.get("options", {}))
        versions = _object("versions", given.get("versions", {})).items()
        steered = given.get("steered", [])
        if not isinstance(steered, list):
            raise OptionError(f"`steered` must be a list, got {shown(steered)}", "steered")
        init, branched = given.get("init"), given.get("branched", False)
        if not isinstance(branched, bool):
            raise OptionError(f"`branched` must be true or false, got {shown(branched)}", "branched")
        return cls(
            version=_name("nst", given.get("nst", "")),
            versions={_name("versions", name): _name("versions", version) for name, version in versions},
            extractor=network.extractor,
            precision=network.precision,
            options=options,
            steered=_steered(steered, options, network.extractor),
            epochs=_whole("epochs", given.get("epochs", options.most_epochs), MOST_STEPS),
            content=_hash("content", given.get("content", "")),
            style=_hash("style", given.get("style", "")),
            init=None if init is None else _hash("init", init),
            branched=branched,
        )


@dataclass(frozen=True)
class FastProvenance:
    """How a picture was painted in one pass."""

    version: str  # of this program
    network: str  # what it is known by
    mix: Mapping[str, float]  # weights by style, of sum 1
    options: FastOptions

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads it back."""
        return {
            "nst": self.version,
            "network": self.network,
            "mix": dict(self.mix),
            "options": self.options.to_json(),
        }

    def to_text(self) -> str:
        """JSON for the file's text, in ASCII."""
        return json.dumps(self.to_json())

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """From plain values. Raises OptionError, and StyleError for a mix that is none."""
        given = _object("settings", given, ("nst", "network", "mix", "options"))
        mix = mix_of(_object("mix", given.get("mix")))
        return cls(
            version=_name("nst", given.get("nst", "")),
            network=_name("network", given.get("network", "")),
            mix={_name("mix", name): weight for name, weight in mix.items()},
            options=FastOptions.from_json(given.get("options", {})),
        )


KINDS: Mapping[str, type[Provenance] | type[FastProvenance]] = {KEYWORD: Provenance, FAST: FastProvenance}


def read(data: bytes, name: str) -> Provenance:
    """What the result in `data`, called `name`, says of itself.

    Raises:
        ImageError: no PNG or JPEG, or one without settings of this program, or with text that is none.
        OptionError: a setting is unknown, or its value wrong.
    """
    return _of_a_run(_read(io.BytesIO(data), name), name)


def read_file(path: Path) -> Provenance:
    """As `read`, of a file of any size. Raises ImageError also where there is no readable file."""
    return _of_a_run(read_any_file(path), path.name)


def read_any_file(path: Path) -> Provenance | FastProvenance:
    """As `read_file`, of a picture that was painted in either way."""
    try:
        with path.open("rb") as file:
            return _read(file, path.name)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _of_a_run(found: Provenance | FastProvenance, name: str) -> Provenance:
    if isinstance(found, FastProvenance):
        raise ImageError(f"{name!r} was painted in one pass: `nst show` tells how, but it has no settings of a run")
    return found


def _read(file: BinaryIO, name: str) -> Provenance | FastProvenance:
    keyword, text = _text(file, name)
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):  # ValueError: no JSON, no UTF-8, or a number of thousands of digits
        raise ImageError(f"the settings in {name!r} are damaged: they must be JSON, got {shown(text)}") from None
    try:
        return KINDS[keyword].from_json(given)
    except OptionError as error:
        raise OptionError(f"the settings in {name!r}: {error}", error.option) from None
    except StyleError as error:
        raise ImageError(f"the settings in {name!r}: {error}") from None


def _text(file: BinaryIO, name: str) -> tuple[str, bytes]:
    """(one of the keywords, the text under it). It stands before the pixels, none of which is read."""
    head = file.read(len(SIGNATURE))
    if head != SIGNATURE and not head.startswith(START):
        raise ImageError(f"{name!r} must be a PNG or a JPEG that this program painted")
    for size, found in _png_texts(file) if head == SIGNATURE else _jpeg_comments(file):
        keyword, _, text = found.partition(b"\0")
        if keyword in (known.encode() for known in KINDS):
            if size > MAX_BYTES:
                raise ImageError(f"the settings in {name!r} must take at most {MAX_BYTES} bytes, got {size}")
            return keyword.decode(), text
    raise ImageError(f"{name!r} carries no settings of this program")


def _png_texts(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(size, beginning) of each text of a PNG that was read up to its first chunk."""
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        after = file.tell() + size + 4  # 4: its checksum
        if kind == b"tEXt":
            yield size, file.read(min(size, MAX_BYTES))
        file.seek(after)


def _jpeg_comments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """As `_png_texts`, of the comments of a JPEG."""
    file.seek(len(START))
    while len(head := file.read(4)) == 4:
        marker, size = struct.unpack(">HH", head)
        if marker >> 8 != 0xFF or marker == SCAN or size < 2:
            return
        after = file.tell() + size - 2
        if marker == COMMENT:
            yield size - 2, file.read(size - 2)
        file.seek(after)


def _object(name: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"`{name}` must be an object of names and values, got {shown(value)}", name)
    for key in value:
        if known is not None and key not in known:
            raise OptionError(f"`{name}` has no {shown(key)}{did_you_mean(key, known)}", name)
    return value


def _name(name: str, value: Any) -> str:
    """A short text without control characters, which a terminal would obey."""
    if not (isinstance(value, str) and len(value) <= ECHO and value.isprintable()):
        raise OptionError(f"`{name}` must be at most {ECHO} printable characters, got {shown(value)}", name)
    return value


def _hash(name: str, value: Any) -> str:
    if not (isinstance(value, str) and SHA256.fullmatch(value)):
        raise OptionError(f"`{name}` must be the SHA-256 of a file in hexadecimal, got {shown(value)}", name)
    return value


def _whole(name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise OptionError(f"`{name}` must be a whole number between 0 and {most}, got {shown(value)}", name)
    return value


def _steered(given: list[Any], options: StyleOptions, extractor: str) -> tuple[Steering, ...]:
    """The changes in the order of their steps, each possible after those before it."""
    steered = []
    for one in given:
        one = _object("steered", one, ("step", "changes"))
        changes = _object("changes", one.get("changes"))
        plain = StyleOptions.from_json(changes).to_json()
        steered.append((_whole("step", one.get("step"), MOST_STEPS), {name: plain[name] for name in changes}))
    steered.sort(key=lambda steering: steering[0])
    for _, changes in steered:
        options = options.steered(changes, extractor)
    return tuple(steered)
