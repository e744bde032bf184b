"""The styles that a picture is painted in: a named style, a mix by weights, a style file, or paintings."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from nst.errors import StyleError
from nst.options.fast_options import mix_of
from nst.pictures.images import Array
from nst.styles.style_file import SUFFIX, StyleFile, read_style_file
from nst.styles.style_library import shipped_file, user_library
from nst.styles.style_picture import StylePicture

# A name, the path of a style file or of a painting, a painting itself, or weights by names and paths of paintings.
StyleChoice = str | Path | Array | Image.Image | Mapping[str | Path, float]


@dataclass(frozen=True, eq=False)
class ChosenStyles:
    """Styles and paintings with their weights."""

    file: StyleFile  # of the named styles; the shipped one where there are none
    mix: Mapping[str, float]  # weights of sum 1, by name or by the SHA-256 of a painting
    paintings: Mapping[str, StylePicture] = field(default_factory=dict)  # by SHA-256


def choose_styles(style: StyleChoice) -> ChosenStyles:
    """The chosen styles; a text with a dot or a slash is a path. Raises NotFound, StyleError, ImageError."""
    if isinstance(style, np.ndarray | Image.Image):
        painting = StylePicture.of(style)
        return ChosenStyles(shipped_file(), {painting.sha256: 1.0}, {painting.sha256: painting})
    if isinstance(style, str | Path) and str(style).endswith(SUFFIX):
        return _styles_of_file(Path(style))
    weights = style if isinstance(style, Mapping) else {style: 1.0}
    paintings: dict[str, StylePicture] = {}
    mix: dict[str, float] = {}
    for key, weight in mix_of({_text(key): weight for key, weight in weights.items()}).items():
        name = key
        if re.search(r"[./\\]", key):
            painting = _painting(key)
            name = painting.sha256
            paintings[name] = painting
        mix[name] = mix.get(name, 0.0) + weight
    names = [name for name in mix if name not in paintings]
    file = user_library().file_of(names, bool(paintings)) if names else shipped_file()
    return ChosenStyles(file, mix, paintings)


def _styles_of_file(path: Path) -> ChosenStyles:
    file = StyleFile.from_bytes(read_style_file(path), path.name)
    if len(file.styles) > 1:
        names = ", ".join(file.styles)
        raise StyleError(f"{str(path)!r} holds several styles, {names}: import it and name the one that is meant")
    return ChosenStyles(file, mix_of(next(iter(file.styles))))


def _text(key: str | Path) -> str:
    """`key` as text, a path with a slash, so that it is not taken for a name."""
    return key if isinstance(key, str) else os.path.join(os.curdir, key)


def _painting(path: str) -> StylePicture:
    if path.endswith(SUFFIX):
        raise StyleError(f"{path!r} cannot be mixed as a file: import it with `nst styles import`, and name it")
    return StylePicture.read_file(path)
