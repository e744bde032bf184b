"""Pictures stylized in one pass, for the pages and the REST interface: requests as jobs for a worker."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from nst.jobs.queue import Queue
from nst.options.fast_options import FastOptions, mix_of
from nst.pictures import images
from nst.pictures.images import fit
from nst.runs.job import FastJob, FastPicture, FastRequest, Format
from nst.styles.style_library import Entry, Library
from nst.web.middleware.clients import current_client
from nst.web.service.pictures import DECODED_SIDE

FORMATS: tuple[Format, ...] = get_args(Format)
THUMBNAIL_SCALE = 2  # thumbnails are stylized at this multiple of their side: strokes then look as in the full result
JPEG_QUALITY = 95  # of a reduced picture, 0 to 100


@dataclass(frozen=True)
class FastResult:
    """A picture that was stylized in one pass."""

    data: bytes  # a PNG or JPEG file
    width: int  # px
    height: int
    seconds: float  # that the worker took
    mix: Mapping[str, float]  # weights by style, of sum 1


@dataclass(frozen=True)
class FastStyles:
    """Stylizes with the styles of a library. The methods wait for a worker: call them in a thread."""

    queue: Queue
    library: Library

    def stylize(
        self,
        content: bytes,
        mix: str | Mapping[str, float],
        options: FastOptions,
        format: Format = "png",
        requester: str = "",
    ) -> FastResult:
        """Stylize `content`, a picture file, in a style or in a mix of styles, weights by name.

        An earlier request of the same `requester` that still waits is dropped. Raises NotFound for an unknown style,
        other InputErrors for input that cannot be used, Busy and TooMany.
        """
        weights = mix_of(mix)
        entries = self.library.mixable(weights)
        images.read(content, "content", DECODED_SIDE)
        [found] = self._run(content, entries, [FastRequest(weights, options, format)], requester)
        return FastResult(found.data, found.width, found.height, found.seconds, weights)

    def thumbnails(self, content: bytes, side: int, requester: str = "") -> dict[str, bytes]:
        """Stylize `content` in every style: JPEG files within `side` x `side` px, in the library's order.

        Raises as `stylize`.
        """
        entries = self.library.entries()
        small = shrink(content, THUMBNAIL_SCALE * side)
        found: dict[str, bytes] = {}
        for group in _by_network(entries):
            requests = [FastRequest({entry.name: 1.0}, FastOptions(), "jpeg", side) for entry in group]
            pictures = self._run(small, group, requests, requester)
            found |= {entry.name: picture.data for entry, picture in zip(group, pictures, strict=True)}
        return {entry.name: found[entry.name] for entry in entries}

    def _run(
        self, content: bytes, entries: Sequence[Entry], requests: Sequence[FastRequest], requester: str
    ) -> list[FastPicture]:
        job = FastJob(content, tuple(requests), _pack(entries))
        return self.queue.apply_style(job, current_client(), requester)


def _pack(entries: Sequence[Entry]) -> bytes:
    """Write styles of one network to a style file, uncompressed; b"" for shipped ones, which every worker has."""
    if all(entry.shipped for entry in entries):
        return b""
    bare = {entry.name: replace(entry.style, picture=b"", provenance={}) for entry in entries}
    return replace(entries[0].file, styles=bare).to_bytes(zipfile.ZIP_STORED)


def _by_network(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Group styles by their network."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.file.network, []).append(entry)
    return list(groups.values())


def shrink(content: bytes, side: int, most_bytes: int = images.MAX_BYTES) -> bytes:
    """Fit a picture file into `side` x `side` px, as JPEG; a smaller picture keeps its size. Raises ImageError."""
    picture = images.read(content, "content", side, most_bytes=most_bytes)
    height, width = picture.rgb.shape[:2]
    height, width = (max(images.MIN_SIDE, each) for each in fit(height, width, min(side, max(height, width))))
    return images.encode_jpeg(images.resize(picture.rgb, height, width), JPEG_QUALITY)
