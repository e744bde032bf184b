"""The sample pictures: contents and styles that this program draws itself, once, into a folder the caller names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from nst.atomic_write import atomic_write
from nst.errors import OptionError
from nst.options.option_field import did_you_mean
from nst.samples.gold import golden_tree
from nst.samples.harbour import harbour
from nst.samples.landscape import alpine_lake
from nst.samples.marble import marble_head
from nst.samples.oils import lily_pond, night_wind, red_evening
from nst.samples.owl import owl
from nst.samples.papers import castle_etching, poppy_washes
from nst.samples.pieces import guitar_planes, rose_window
from nst.samples.points import river_points
from nst.samples.still_life import still_life
from nst.samples.woodcut import great_swell

VERSION = 2  # raised when a drawing changes, so that folders drawn earlier are drawn anew


@dataclass(frozen=True)
class Sample:
    """A picture that can be drawn: `draw` returns it as RGB, the same bytes every time, in a few seconds."""

    name: str  # as in a file name or an address
    title: str
    kind: str  # "content" or "style"
    draw: Callable[[], Image.Image]


CONTENTS = (
    Sample("harbour", "Harbour at dusk", "content", harbour),
    Sample("lake", "Mountain lake at sunrise", "content", alpine_lake),
    Sample("owl", "Owl", "content", owl),
    Sample("marble", "Marble head", "content", marble_head),
    Sample("still-life", "Still life by a window", "content", still_life),
)
STYLES = (
    Sample("night-wind", "Night wind: oil in eddies", "style", night_wind),
    Sample("great-swell", "The great swell: woodcut", "style", great_swell),
    Sample("rose-window", "Rose window: stained glass", "style", rose_window),
    Sample("lily-pond", "Lily pond: broken colour", "style", lily_pond),
    Sample("red-evening", "Red evening: long bands", "style", red_evening),
    Sample("golden-tree", "Golden tree: gold leaf and enamel", "style", golden_tree),
    Sample("river-points", "River in points", "style", river_points),
    Sample("guitar-planes", "Guitar in planes", "style", guitar_planes),
    Sample("castle-etching", "Castle: etching", "style", castle_etching),
    Sample("poppy-washes", "Poppies: watercolour", "style", poppy_washes),
)


def find(name: str) -> Sample:
    """The sample of that name. Raises OptionError, with "did you mean"."""
    known = {sample.name: sample for sample in (*CONTENTS, *STYLES)}
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise OptionError(f"there is no sample {name!r}{hint}")
    return known[name]


def path_of(sample: Sample, folder: Path) -> Path:
    """The PNG of `sample` in `folder`, drawn on first use."""
    return _kept(folder / f"{sample.name}-v{VERSION}.png", lambda part: sample.draw().save(part, "PNG"))


def thumbnail_of(sample: Sample, folder: Path, side: int = 256) -> Path:
    """A JPEG of `sample` within `side` x `side` pixels in `folder`, made on first use."""

    def save(part: Path) -> None:
        with Image.open(path_of(sample, folder)) as picture:
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            picture.save(part, "JPEG", quality=88)

    return _kept(folder / f"{sample.name}-v{VERSION}-{side}.jpg", save)


def _kept(path: Path, save: Callable[[Path], None]) -> Path:
    """`path`, once `save` has written it."""
    if not path.exists():
        with atomic_write(path) as part:
            save(part)
    return path
