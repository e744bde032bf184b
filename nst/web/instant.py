"""Pictures in one pass for the page and the REST interface: what is asked for, as jobs that a worker paints at once.

A job carries every style of its network that is here, so that the worker keeps one network ready for all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nst import images
from nst.jobs.queue import Queue
from nst.library import Entry, Library, mix_of
from nst.options import FastOptions
from nst.scales import fit
from nst.stylefile import Style

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
    _packed: dict[str, tuple[dict[str, Style], bytes]] = field(default_factory=dict, compare=False)  # by network

    def paint(
        self, content: bytes, mix: str | Mapping[str, float], options: FastOptions, format: Format = "png"
    ) -> Painted:
        """`content`, a picture file, in a style or in a mix of them, weights by name.

        Raises NotFound for a style that is not here, other InputErrors for what cannot be used, and Busy.
        """
        weights = mix_of(mix)
        network = self.library.file_of(weights).network
        images.read(content, "content", 64)
        wish = {"mix": weights, "options": options.to_json(), "format": format}
        [found] = self._paint(content, network, [wish])
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
        for network, styles in _by_network(entries).items():
            wishes = [{"mix": {name: 1.0}, "options": options, "format": "jpeg", "side": side} for name in styles]
            pictures = self._paint(small, network, wishes)
            found |= {name: picture["data"] for name, picture in zip(styles, pictures, strict=True)}
        return {entry.name: found[entry.name] for entry in entries}

    def _paint(self, content: bytes, network: str, wishes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        job = {"content": content, "file": self._file(network), "wishes": wishes}
        pictures: list[dict[str, Any]] = self.queue.paint_at_once(job)["pictures"]
        return pictures

    def _file(self, network: str) -> bytes:
        """A style file of all that a network has learned; b"" stands for the shipped one, which every worker has."""
        entries = _by_network(self.library.entries())[network]
        if all(entry.shipped for entry in entries.values()):
            return b""
        styles = {name: entry.style for name, entry in entries.items()}
        if self._packed.get(network, (None,))[0] != styles:
            bare = {name: replace(style, picture=b"", provenance={}) for name, style in styles.items()}
            first = next(iter(entries.values()))
            self._packed[network] = styles, replace(first.file, styles=bare).to_bytes()
        return self._packed[network][1]


def _by_network(entries: Iterable[Entry]) -> dict[str, dict[str, Entry]]:
    """Styles by name, by what their networks are known by."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        found.setdefault(entry.file.network, {})[entry.name] = entry
    return found


def _reduced(content: bytes, side: int) -> bytes:
    """A picture file within `side` x `side` px, of no more than is to be painted. Raises ImageError."""
    picture = images.read(content, "content", side)
    height, width = picture.rgb.shape[:2]
    if max(height, width) > side:
        height, width = (max(images.MIN_SIDE, each) for each in fit(height, width, side))
    return images.encode_jpeg(images.resize(picture.rgb, height, width), QUALITY)
