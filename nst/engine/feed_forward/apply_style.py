"""Painting in one pass from Python, in a fast style by name, a mix of styles, or the style of a file."""

from typing import Any

import numpy as np

from nst.options.fast_options import FastOptions
from nst.pictures.images import Array, check_array
from nst.styles.style_library import StyleChoice, file_and_mix


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
    file, mix = file_and_mix(style)
    from nst.engine.feed_forward import fast_network  # TensorFlow loads here, after the arguments have been checked

    return fast_network.apply_mix(np.asarray(picture, np.float32), file, mix, settings)
