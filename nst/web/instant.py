"""Pictures in one pass for the page and the REST interface: what is asked for, as jobs that a worker paints at once."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nst import images
from nst.jobs.queue import Queue
from nst.library import Entry, Library, mix_of
from nst.options import FastOptions
from nst.scales import fit

Format = Literal["png", "jpeg"]

FORMATS: tuple[Format, ...] = ("png", "jpeg")
LARGER = 2  # thumbnails are painted at so many times their side, so that strokes look as in the full result
QUALITY = 95  # JPEG, of a picture that is sent to be painted


@dataclass(frozen=True)
class Painted:
    """A picture that was painted in one pass."""

    data: bytes
    width: int  # px
    height: int
    seconds: float  # of painting
    mix: Mapping[str, float]  # weights by style, of sum 1


@dataclass(frozen=True)
class Instant:
    """Paints with the styles of a library. Its methods wait for a worker: use a thread."""

    queue: Queue
    library: Library

    def paint(
        self, content: bytes, mix: str | Mapping[str, float], options: FastOptions, format: Format = "png"
    ) -> Painted:
        """`content`, a picture file, in a style or in a mix of them, weights by name.

        Raises NotFound for a style that is not here, other InputErrors for what cannot be used, and Busy.
        """
        weights = mix_of(mix)
        self.library.file_of(weights)  # which can be mixed
        entries = [self.library.find(name) for name in weights]
        images.read(content, "content", 64)
        wish = {"mix": weights, "options": options.to_json(), "format": format}
        [found] = self._paint(content, entries, [wish])
        return Painted(found["data"], found["width"], found["height"], found["seconds"], weights)

    def thumbnails(self, content: bytes, side: int, names: Iterable[str] | None = None) -> dict[str, bytes]:
        """`content` in each style, or in those of `names`, as JPEG within `side` x `side` px; in the library's order.

        Raises as `paint`.
        """
        entries = self.library.entries()
        if names is not None:
            wanted = {self.library.find(name).name for name in names}
            entries = [entry for entry in entries if entry.name in wanted]
        small = _reduced(content, LARGER * side)
        options = FastOptions().to_json()
        found: dict[str, bytes] = {}
        for group in _by_network(entries):
            mixes = [{entry.name: 1.0} for entry in group]
            wishes = [{"mix": mix, "options": options, "format": "jpeg", "side": side} for mix in mixes]
            pictures = self._paint(small, group, wishes)
            found |= {entry.name: picture["data"] for entry, picture in zip(group, pictures, strict=True)}
        return {entry.name: found[entry.name] for entry in entries}

    def _paint(self, content: bytes, entries: Sequence[Entry], wishes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        job = {"content": content, "file": _packed(entries), "wishes": wishes}
        pictures: list[dict[str, Any]] = self.queue.paint_at_once(job)["pictures"]
        return pictures


def _packed(entries: Sequence[Entry]) -> bytes:
    """A file of styles of one network, quick to make; b"" stands for the shipped one, which every worker has."""
    if all(entry.shipped for entry in entries):
        return b""
    bare = {entry.name: replace(entry.style, picture=b"", provenance={}) for entry in entries}
    return replace(entries[0].file, styles=bare).to_bytes(zipfile.ZIP_STORED)


def _by_network(entries: Iterable[Entry]) -> list[list[Entry]]:
    """In groups of one network."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.file.network, []).append(entry)
    return list(found.values())


def _reduced(content: bytes, side: int) -> bytes:
    """A picture file within `side` x `side` px, of no more than is to be painted. Raises ImageError."""
    picture = images.read(content, "content", side)
    height, width = picture.rgb.shape[:2]
    if max(height, width) > side:
        height, width = (max(images.MIN_SIDE, each) for each in fit(height, width, side))
    return images.encode_jpeg(images.resize(picture.rgb, height, width), QUALITY)
