"""`apply_style`, the public function of the fast styles, and where a style is found by its name or file.

The command line imports this module without TensorFlow: `apply_style` imports the network's pass when it is called.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nst.errors import StyleError
from nst.options.fast_options import FastOptions, mix_of
from nst.options.settings import Settings
from nst.pictures.images import Array, check_array
from nst.styles.style_file import MOST_BYTES, SUFFIX, StyleFile
from nst.styles.style_library import Library

StyleChoice = str | Path | Mapping[str, float]  # a name, a style file, or weights by name


def apply_style(picture: Array, style: StyleChoice, **options: Any) -> Array:
    """Paint a picture in one pass.

    Args:
        picture: [H, W, 3], floating-point numbers in 0..1.
        style: the name of a fast style, weights by name for a mix of styles, or the path of a .style file.
        options: those of FastOptions: `strength`, `stroke_size`, `keep_colors`, `size`.

    Returns:
        [h, w, 3] float32 in 0..1, of the picture's size, or with the long side `size`.

    Raises:
        NotFound: there is no style of that name. StyleError: a file, weights or a mix that cannot be used.
        OptionError: an option's name or value. InputError: the picture is not such an array.
    """
    settings = FastOptions.from_json(options)
    check_array(picture, "picture")
    file, mix = resolve_style(style)
    from nst.engine import feed_forward  # TensorFlow loads here, after the arguments have been checked

    return feed_forward.apply_mix(np.asarray(picture, np.float32), file, mix, settings)


def resolve_style(style: StyleChoice) -> tuple[StyleFile, dict[str, float]]:
    """(a file with the styles, their weights of sum 1).

    Raises:
        NotFound: there is no style of that name.
        StyleError: the file cannot be read or has several styles, or the weights are no mix.
    """
    if isinstance(style, Path) or (isinstance(style, str) and style.endswith(SUFFIX)):
        file = StyleFile.from_bytes(read_style(Path(style)), Path(style).name)
        if len(file.styles) > 1:
            names = ", ".join(file.styles)
            raise StyleError(f"{str(style)!r} holds several styles, {names}: import it and name the one that is meant")
        return file, mix_of(next(iter(file.styles)))
    mix = mix_of(style)
    return library().file_of(mix), mix


def library() -> Library:
    """The styles that ship, and those that were trained or imported on this machine."""
    return Library(Settings.read().data / "styles")


def read_style(path: Path) -> bytes:
    """The bytes of a style file, at most one more than a file may have. Raises StyleError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise StyleError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
