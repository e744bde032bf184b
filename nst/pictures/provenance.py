"""Provenance: the settings inside a result's file, with which the picture can be painted again.

They are the text under a keyword in a PNG, or the comment of a JPEG. A file may come from anybody, so they are checked
like any other input.
"""

import dataclasses
import io
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from nst.errors import ImageError, OptionError, StyleError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.option_field import ECHO, did_you_mean, options_of, shown, with_new_names
from nst.options.picture_roles import MOST_STYLES, by_role
from nst.options.style_options import StyleOptions
from nst.pictures.embedded_text import read_text

KEYWORD = "nst"  # of the result of a run
FAST = "nst-fast"  # of a picture painted in one pass; in a JPEG's comment, a zero byte follows it
MOST_STEPS = 10**8  # of a run, as a bound for numbers in a file
SHA256 = re.compile("[0-9a-f]{64}|")  # empty if unknown

Steering = tuple[int, Mapping[str, Any]]  # (step, changed options as JSON values)


@dataclass(frozen=True)
class Provenance:
    """How the result of a run was painted."""

    version: str  # of this program
    versions: Mapping[str, str]  # {"python": "3.11.9", ...}
    extractor: str
    precision: str  # of its arithmetic
    options: StyleOptions  # at the start of the run
    steered: tuple[Steering, ...]  # options changed during the run, each before that optimizer step
    epochs: int  # painted in all; more than those of the options if the run was continued
    content: str  # SHA-256 of the file, hexadecimal; "" if unknown
    style: str
    init: str | None = None  # None without a picture to start from
    more_styles: tuple[str, ...] = ()  # further paintings
    mask: str | None = None  # None without one
    branched: bool = False  # it began from a kept frame of another run, so the settings do not suffice to repeat it

    @property
    def pictures(self) -> dict[str, str]:
        """The SHA-256 of the pictures by role, those of `ROLES` that are known."""
        return by_role(self.content, (self.style, *self.more_styles), self.init, self.mask)

    @property
    def resolved(self) -> StyleOptions:
        """The options, with the network and the precision that were used in place of "auto"."""
        return self.options.with_changes({"extractor": self.extractor, "precision": self.precision})

    @property
    def options_at_the_end(self) -> StyleOptions:
        """The options after all changes during the run, with the number of epochs that it was continued to."""
        continued = not isinstance(self.options.epochs, str) and self.epochs > self.options.epochs
        epochs = {"epochs": self.epochs} if continued else {}
        return self.options.with_changes(*(changes for _, changes in self.steered), epochs)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `from_json` is the inverse."""
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
            "more_styles": list(self.more_styles),
            "mask": self.mask,
            "branched": self.branched,
        }

    def to_text(self) -> str:
        """JSON in ASCII, for the file's text."""
        return json.dumps(self.to_json())

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """From JSON values; those that older versions did not write are empty, or the defaults. Raises OptionError."""
        known = {"nst", *(field.name for field in dataclasses.fields(cls))} - {"version"}
        given = _object("settings", given, known)
        network = StyleOptions.from_json({name: given.get(name, "auto") for name in ("extractor", "precision")})
        options = StyleOptions.from_record(given["options"]) if "options" in given else StyleOptions()
        versions = _object("versions", given.get("versions", {})).items()
        steered = given.get("steered", [])
        if not isinstance(steered, list):
            raise OptionError(f"`steered` must be a list, got {shown(steered)}", "steered")
        init, mask, branched = given.get("init"), given.get("mask"), given.get("branched", False)
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
            more_styles=_hashes("more_styles", given.get("more_styles", [])),
            mask=None if mask is None else _hash("mask", mask),
            branched=branched,
        )


@dataclass(frozen=True)
class FastProvenance:
    """How a picture was painted in one pass."""

    version: str  # of this program
    network: str  # StyleFile.network
    mix: Mapping[str, float]  # weights by style, of sum 1
    options: FastOptions

    def to_json(self) -> dict[str, Any]:
        """JSON values; `from_json` is the inverse."""
        return {
            "nst": self.version,
            "network": self.network,
            "mix": dict(self.mix),
            "options": self.options.to_json(),
        }

    def to_text(self) -> str:
        """JSON in ASCII, for the file's text."""
        return json.dumps(self.to_json())

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """From JSON values. Raises OptionError, and StyleError for a wrong mix."""
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
    """The provenance in the bytes of a run's result, which errors call `name`.

    Raises:
        ImageError: no PNG or JPEG, or one without settings of this program, or with damaged ones.
        OptionError: a setting is unknown, or its value wrong.
    """
    return _of_a_run(_read(io.BytesIO(data), name), name)


def read_fast(data: bytes, name: str) -> FastProvenance:
    """The provenance in the bytes of a picture painted in one pass. Raises ImageError, OptionError, StyleError."""
    found = _read(io.BytesIO(data), name)
    if isinstance(found, Provenance):
        raise ImageError(f"{name!r} was painted by a run, not in one pass")
    return found


def read_file(path: Path) -> Provenance:
    """Like `read`, from a file. Raises ImageError also if the file cannot be read."""
    return _of_a_run(read_any_file(path), path.name)


def read_any_file(path: Path) -> Provenance | FastProvenance:
    """Like `read_file`, also of a picture painted in one pass."""
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
    keyword, text = read_text(file, name, KINDS)
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):  # ValueError: no JSON, or a number of thousands of digits
        raise ImageError(f"the settings in {name!r} are damaged: they must be JSON, got {shown(text)}") from None
    try:
        return KINDS[keyword].from_json(given)
    except OptionError as error:
        raise OptionError(f"the settings in {name!r}: {error}", error.option) from None
    except StyleError as error:
        raise ImageError(f"the settings in {name!r}: {error}") from None


def _object(name: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise OptionError(f"`{name}` must be an object of names and values, got {shown(value)}", name)
    for key in value:
        if known is not None and key not in known:
            raise OptionError(f"`{name}` has no {shown(key)}{did_you_mean(key, known)}", name)
    return value


def _name(name: str, value: Any) -> str:
    """A short text without control characters, which a terminal would obey. Raises OptionError."""
    if not (isinstance(value, str) and len(value) <= ECHO and value.isprintable()):
        raise OptionError(f"`{name}` must be at most {ECHO} printable characters, got {shown(value)}", name)
    return value


def _hash(name: str, value: Any) -> str:
    if not (isinstance(value, str) and SHA256.fullmatch(value)):
        raise OptionError(f"`{name}` must be the SHA-256 of a file in hexadecimal, got {shown(value)}", name)
    return value


def _hashes(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) >= MOST_STYLES:
        raise OptionError(f"`{name}` must be a list of at most {MOST_STYLES - 1}, got {shown(value)}", name)
    return tuple(_hash(name, each) for each in value)


def _whole(name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise OptionError(f"`{name}` must be a whole number between 0 and {most}, got {shown(value)}", name)
    return value


def _steered(given: list[Any], options: StyleOptions, extractor: str) -> tuple[Steering, ...]:
    """The changes in the order of their steps, each valid after those before it. Raises OptionError."""
    steered = []
    for change in given:
        change = _object("steered", change, ("step", "changes"))
        changes = with_new_names(_object("changes", change.get("changes")), options_of(StyleOptions))
        checked = StyleOptions.from_json(changes).to_json()
        steered.append((_whole("step", change.get("step"), MOST_STEPS), {name: checked[name] for name in changes}))
    steered.sort(key=lambda steering: steering[0])
    for _, changes in steered:
        options = options.steered(changes, extractor)
    return tuple(steered)
