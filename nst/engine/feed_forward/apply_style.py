"""Painting in one pass from Python: in a fast style by name, the style of a painting, a mix, or the style of a file."""

from typing import Any

import numpy as np

from nst.options.fast_options import FastOptions
from nst.pictures.images import Array, check_array
from nst.styles.style_choice import StyleChoice, choose_styles


def apply_style(picture: Array, style: StyleChoice, **options: Any) -> Array:
    """Paint a picture in one pass.

    Args:
        picture: [H, W, 3], floating-point numbers in 0..1.
        style: the name of a fast style; the path of a .style file; a painting, as the path of a picture, a PIL image or
            an array like `picture`; or weights by name, or by path of a painting, for a mix. A text with a dot or a
            slash is a path.
        options: those of FastOptions: `strength`, `stroke_size`, `keep_colors`, `size`.

    Returns:
        [h, w, 3] float32 in 0..1, of the picture's size, or with the long side `size`.

    Raises:
        NotFound: there is no style of that name. StyleError: a file, weights or a mix that cannot be used.
        OptionError: an option's name or value. ImageError: the file of a painting, or one of a single color.
        InputError: the picture is not such an array.
    """
    settings = FastOptions.from_json(options)
    check_array(picture, "picture")
    chosen = choose_styles(style)
    # TensorFlow loads here, after the arguments have been checked.
    from nst.engine.feed_forward import fast_network, predicted_styles

    file = predicted_styles.with_paintings(chosen.file, chosen.paintings)
    return fast_network.apply_mix(np.asarray(picture, np.float32), file, chosen.mix, settings)
