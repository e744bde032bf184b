"""The sample pictures that ship with the package: names, titles and roles, and where their files are.

`python -m tools.samples` draws the files; nothing here does.
"""

from dataclasses import dataclass
from pathlib import Path

from nst.errors import OptionError
from nst.options.option_field import did_you_mean

FOLDER = Path(__file__).parent.parent / "builtin" / "samples"
SIDES = (128, 512)  # px of the thumbnails that the page shows


@dataclass(frozen=True)
class Sample:
    """A picture that ships; `kind` is the role that the page offers it for: "content" or "style"."""

    name: str  # of its files, and in addresses
    title: str
    kind: str

    @property
    def path(self) -> Path:
        """The picture, a JPEG."""
        return FOLDER / f"{self.name}.jpg"

    def thumbnail(self, side: int) -> Path:
        """The picture within `side` x `side` px, a JPEG; `side` is one of `SIDES`."""
        return FOLDER / f"{self.name}-{side}.jpg"


CONTENTS = (
    Sample("harbour", "Harbor at dusk", "content"),
    Sample("lake", "Mountain lake at sunrise", "content"),
    Sample("owl", "Owl", "content"),
    Sample("marble", "Marble head", "content"),
    Sample("still-life", "Still life by a window", "content"),
)
STYLES = (
    Sample("night-wind", "Night wind: oil in eddies", "style"),
    Sample("great-swell", "The great swell: woodcut", "style"),
    Sample("rose-window", "Rose window: stained glass", "style"),
    Sample("lily-pond", "Lily pond: broken color", "style"),
    Sample("red-evening", "Red evening: long bands", "style"),
    Sample("golden-tree", "Golden tree: gold leaf and enamel", "style"),
    Sample("river-points", "River in points", "style"),
    Sample("guitar-planes", "Guitar in planes", "style"),
    Sample("castle-etching", "Castle: etching", "style"),
    Sample("poppy-washes", "Poppies: watercolor", "style"),
)
SAMPLES = (*CONTENTS, *STYLES)


def sample_of(upload_name: str) -> Sample | None:
    """The sample that an upload called "samples/<name>" is a copy of; None for other names."""
    return next((sample for sample in SAMPLES if f"samples/{sample.name}" == upload_name), None)


def find(name: str) -> Sample:
    """The sample of that name. Raises OptionError, with "did you mean"."""
    known = {sample.name: sample for sample in SAMPLES}
    if name not in known:
        hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
        raise OptionError(f"there is no sample {name!r}{hint}")
    return known[name]
