"""Pictures stylized in one pass, for the pages and the REST interface: requests as jobs for a worker."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from nst.jobs.queue import Queue
from nst.options.fast_options import FastOptions, mix_of, working_side
from nst.pictures import images
from nst.pictures.images import fit_within
from nst.runs.job import VECTOR, FastJob, FastPicture, FastRequest, Format
from nst.styles.style_file import MOST_TITLE, check_name, check_title, title_of
from nst.styles.style_library import Entry, Library, shipped_file
from nst.styles.style_picture import StylePicture
from nst.web.current_client import current_client
from nst.web.service.pictures import PROBED_SIDE, is_ref
from nst.web.service.style_pictures import StylePictures

RESULT_FORMATS: tuple[Format, ...] = get_args(Format)
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
class Mix:
    """Styles and paintings that can be mixed, with their weights."""

    weights: Mapping[str, float]  # of sum 1, by name of a style or by key of `paintings`
    entries: Sequence[Entry]
    paintings: Mapping[str, StylePicture]  # by reference


@dataclass(frozen=True)
class FastStyles:
    """Stylizes with the styles of a library and with paintings. The methods may wait for a worker: call in a thread."""

    queue: Queue
    library: Library
    paintings: StylePictures

    def choose(self, style: str | Mapping[str, float] | StylePicture) -> Mix:
        """The mix of a style, a painting, or several by weights; a stored painting is named by its reference.

        Raises NotFound for an unknown style or picture, StyleError, ImageError.
        """
        if isinstance(style, StylePicture):
            return Mix({style.sha256: 1.0}, (), {style.sha256: style})
        weights = mix_of(style)
        paintings = {key: self.paintings.get(key) for key in weights if is_ref(key)}
        entries = self.library.mixable((key for key in weights if key not in paintings), bool(paintings))
        return Mix(weights, entries, paintings)

    def stylize(
        self,
        content: bytes,
        mix: str | Mapping[str, float] | Mix,
        options: FastOptions,
        format: Format = "png",
        requester: str = "",
    ) -> FastResult:
        """Stylize `content`, a picture file, in a style or in a mix, as `choose` takes it.

        An earlier request of the same `requester` that still waits is dropped. Raises as `choose`, other InputErrors
        for input that cannot be used, Busy and TooMany.
        """
        chosen = mix if isinstance(mix, Mix) else self.choose(mix)
        images.read(content, "content", PROBED_SIDE)
        [found] = self._run(content, chosen, [FastRequest(chosen.weights, options, format)], requester)
        return FastResult(found.data, found.width, found.height, found.seconds, chosen.weights)

    def thumbnails(
        self,
        content: bytes,
        side: int,
        requester: str = "",
        styles: Iterable[str] | None = None,
        options: FastOptions | None = None,
    ) -> dict[str, bytes]:
        """Stylize `content` in each of `styles`, by default all of the library: JPEG files by style, in their order.

        They are at most `side` x `side` px: what the network paints for `stylize`, reduced. Raises as `stylize`.
        """
        wanted = [entry.name for entry in self.library.entries()] if styles is None else list(styles)
        options = options or FastOptions()
        small = shrink(content, working_side(1, options.stroke_size))
        found: dict[str, bytes] = {}
        for group in self._by_network(wanted):
            requests = [FastRequest({style: 1.0}, options, "jpeg", side) for style in group.weights]
            pictures = self._run(small, group, requests, requester)
            found |= {style: picture.data for style, picture in zip(group.weights, pictures, strict=True)}
        return {style: found[style] for style in wanted}

    def add(self, painting: StylePicture, name: str, title: str = "") -> str:
        """Add the predicted style of a painting to the library, under `name`; returns the name.

        Raises StyleError for a name that is taken or wrong, Busy and TooMany.
        """
        title = check_title(title or title_of(check_name(name)))
        self.library.check_free(name)
        [added] = self.library.add(self._predicted(painting, name, title))
        return added

    def export(self, ref: str) -> tuple[str, bytes]:
        """The name of the predicted style of a stored painting, and that style as the bytes of a style file.

        Raises NotFound, ImageError, StyleError, Busy and TooMany.
        """
        painting, title = self.paintings.get(ref), self.paintings.title(ref)[:MOST_TITLE]
        name = painting.name_for(title)
        return name, self._predicted(painting, name, title if title.strip() else title_of(name))

    def _predicted(self, painting: StylePicture, name: str, title: str) -> bytes:
        """The bytes of a style file with the predicted style of a painting."""
        mix = self.choose(painting)
        [found] = self._run(b"", mix, [FastRequest(mix.weights, FastOptions(), VECTOR)], "")
        style = painting.style(title, np.frombuffer(found.data, "<f4"))
        return replace(shipped_file(), styles={name: style}).to_bytes()

    def _by_network(self, styles: Iterable[str]) -> list[Mix]:
        """Group styles and paintings by their network."""
        groups: dict[str, Mix] = {}
        for style in styles:
            one = self.choose(style)
            network = one.entries[0].file.network if one.entries else shipped_file().network
            group = groups.get(network, Mix({}, (), {}))
            groups[network] = Mix(
                {**group.weights, **one.weights},
                (*group.entries, *one.entries),
                {**group.paintings, **one.paintings},
            )
        return list(groups.values())

    def _run(self, content: bytes, mix: Mix, requests: Iterable[FastRequest], requester: str) -> list[FastPicture]:
        """The pictures of requests whose weights have keys of `mix`."""
        hashes = {key: painting.sha256 for key, painting in mix.paintings.items()}
        wanted = (
            replace(request, mix={hashes.get(key, key): weight for key, weight in request.mix.items()})
            for request in requests
        )
        paintings = {painting.sha256: painting.png for painting in mix.paintings.values()}
        job = FastJob(content, tuple(wanted), _pack(mix.entries), paintings)
        return self.queue.apply_style(job, current_client(), requester)


def _pack(entries: Sequence[Entry]) -> bytes:
    """Write styles of one network to a style file, uncompressed; b"" for shipped ones, which every worker has."""
    if all(entry.shipped for entry in entries):
        return b""
    bare = {entry.name: replace(entry.style, picture=b"", provenance={}) for entry in entries}
    return replace(entries[0].file, styles=bare).to_bytes(zipfile.ZIP_STORED)


def shrink(content: bytes, side: int, most_bytes: int = images.MAX_BYTES) -> bytes:
    """Fit a picture file into `side` x `side` px, as JPEG; a smaller picture keeps its size. Raises ImageError."""
    picture = images.read(content, "content", side, most_bytes=most_bytes)
    height, width = picture.rgb.shape[:2]
    height, width = (max(images.MIN_SIDE, each) for each in fit_within(height, width, side))
    return images.encode_jpeg(images.resize(picture.rgb, height, width), JPEG_QUALITY)
