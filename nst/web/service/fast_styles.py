"""Pictures in one pass for the page and the REST interface: what is asked for, as jobs that a worker paints at once."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from nst.jobs.queue import Queue
from nst.options.fast_options import FastOptions, mix_of
from nst.pictures import images
from nst.pictures.images import fit
from nst.runs.job import FastJob, FastPicture, FastWish, Format
from nst.styles.style_library import Entry, Library
from nst.web.middleware.clients import current_client

FORMATS: tuple[Format, ...] = get_args(Format)
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
class FastStyles:
    """Paints with the styles of a library. Its methods wait for a worker: use a thread."""

    queue: Queue
    library: Library

    def paint(
        self,
        content: bytes,
        mix: str | Mapping[str, float],
        options: FastOptions,
        format: Format = "png",
        asked_by: str = "",
    ) -> Painted:
        """`content`, a picture file, in a style or in a mix of them, weights by name.

        What `asked_by` asked for before is not painted any more, if it waits. Raises NotFound for a style that is not
        here, other InputErrors for what cannot be used, Busy and TooMany.
        """
        weights = mix_of(mix)
        entries = self.library.mixable(weights)
        images.read(content, "content", 64)
        [found] = self._paint(content, entries, [FastWish(weights, options, format)], asked_by)
        return Painted(found.data, found.width, found.height, found.seconds, weights)

    def thumbnails(self, content: bytes, side: int, asked_by: str = "") -> dict[str, bytes]:
        """`content` in each style, as JPEG within `side` x `side` px; in the library's order. Raises as `paint`."""
        entries = self.library.entries()
        small = reduced(content, LARGER * side)
        found: dict[str, bytes] = {}
        for group in _by_network(entries):
            wishes = [FastWish({entry.name: 1.0}, FastOptions(), "jpeg", side) for entry in group]
            pictures = self._paint(small, group, wishes, asked_by)
            found |= {entry.name: picture.data for entry, picture in zip(group, pictures, strict=True)}
        return {entry.name: found[entry.name] for entry in entries}

    def _paint(
        self, content: bytes, entries: Sequence[Entry], wishes: Sequence[FastWish], asked_by: str
    ) -> list[FastPicture]:
        job = FastJob(content, tuple(wishes), _packed(entries))
        return self.queue.apply_style(job, current_client(), asked_by)


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


def reduced(content: bytes, side: int, most_bytes: int = images.MAX_BYTES) -> bytes:
    """A picture file within `side` x `side` px, or as it is if it is smaller. Raises ImageError."""
    picture = images.read(content, "content", side, most_bytes=most_bytes)
    height, width = picture.rgb.shape[:2]
    height, width = (max(images.MIN_SIDE, each) for each in fit(height, width, min(side, max(height, width))))
    return images.encode_jpeg(images.resize(picture.rgb, height, width), QUALITY)
