"""What is sent to a worker process: a run, or pictures in one pass. Each class has a plain form for the wire."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from nst.options.fast_options import FastOptions
from nst.options.picture_roles import by_role
from nst.options.style_options import StyleOptions
from nst.pictures.provenance import Steering

Format = Literal["png", "jpeg"]  # of a picture
VECTOR: Literal["vector"] = "vector"  # a style vector, float32, in place of a picture


@dataclass(frozen=True)
class StyleJob:
    """One run. Pictures are files of any format that Pillow reads."""

    content: bytes
    style: bytes
    options: StyleOptions  # as the run began
    init: bytes | None = None  # the picture to start from when `options.init` is "image"
    more_styles: tuple[bytes, ...] = ()  # further paintings
    mask: bytes | None = None  # what it means is `options.mask_use`
    extractor: str = ""  # the network of a run that goes on; "" takes that of `options`
    precision: str = ""  # of the network's arithmetic; "" takes that of `options`
    epochs: int | None = None  # of the whole run; None takes those of `options`
    steered: tuple[Steering, ...] = ()  # changes of live options so far, oldest first
    checkpoint: bytes | None = None  # of the run that goes on
    start: bytes | None = None  # the frame that a branch starts from, a JPEG file
    first: int = 0  # epoch of that frame
    seconds: float = 0.0  # of painting so far
    checkpoints: bool = True  # whether they are made; without any, a lost run is painted anew

    def to_wire(self) -> dict[str, Any]:
        """Plain values under the fields' names, bytes included."""
        return {**_fields(self), "options": self.options.to_json(), "steered": [list(each) for each in self.steered]}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The job that `to_wire` was called on. Raises OptionError for options of another version."""
        steered = tuple((step, changes) for step, changes in wire["steered"])
        more_styles = tuple(wire.get("more_styles", ()))  # jobs of before paintings could be mixed have none
        options = StyleOptions.from_json(wire["options"])
        return cls(**{**wire, "options": options, "steered": steered, "more_styles": more_styles})

    @property
    def pictures(self) -> dict[str, bytes]:
        """The files by role, those of `ROLES` that the run has."""
        return by_role(self.content, (self.style, *self.more_styles), self.init, self.mask)


@dataclass(frozen=True)
class DiagnosisJob:
    """A picture whose losses are to be diagnosed, and the run that it is of. Pictures are files."""

    picture: bytes
    content: bytes
    styles: tuple[bytes, ...]
    options: StyleOptions  # in force
    extractor: str
    mask: bytes | None = None

    def to_wire(self) -> dict[str, Any]:
        """Plain values under the fields' names, bytes included."""
        return {**_fields(self), "options": self.options.to_json()}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The job that `to_wire` was called on. Raises OptionError for options of another version."""
        return cls(**{**wire, "styles": tuple(wire["styles"]), "options": StyleOptions.from_json(wire["options"])})


@dataclass(frozen=True)
class FastRequest:
    """One picture that a `FastJob` is to make of its content."""

    mix: Mapping[str, float]  # weights of sum 1, by style or by the SHA-256 of a painting
    options: FastOptions
    format: Format | Literal["vector"] = "png"
    side: int | None = None  # px that the long side is reduced to, the short one to 8 px or more; None keeps both

    def to_wire(self) -> dict[str, Any]:
        """Plain values under the fields' names."""
        return {**_fields(self), "mix": dict(self.mix), "options": self.options.to_json()}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The request that `to_wire` was called on. Raises OptionError."""
        return cls(**{**wire, "options": FastOptions.from_json(wire["options"])})


@dataclass(frozen=True)
class FastJob:
    """Pictures of one content in styles of one file, each in a single pass."""

    content: bytes  # a picture file
    requests: tuple[FastRequest, ...]
    file: bytes = b""  # a style file; b"" is the shipped one, which every worker has
    paintings: Mapping[str, bytes] = field(default_factory=dict)  # picture files whose styles are predicted, by SHA-256

    def to_wire(self) -> dict[str, Any]:
        """Plain values under the fields' names, bytes included."""
        requests = [request.to_wire() for request in self.requests]
        return {**_fields(self), "requests": requests, "paintings": dict(self.paintings)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Self:
        """The job that `to_wire` was called on. Raises OptionError."""
        return cls(**{**wire, "requests": tuple(FastRequest.from_wire(request) for request in wire["requests"])})


@dataclass(frozen=True)
class FastPicture:
    """What a request of a `FastJob` became."""

    data: bytes  # a file of the request's format, or a vector
    width: int  # px; 0 of a vector
    height: int
    seconds: float  # of painting, without reading and encoding

    def to_wire(self) -> dict[str, Any]:
        """Plain values under the fields' names; the constructor takes them back."""
        return _fields(self)


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
