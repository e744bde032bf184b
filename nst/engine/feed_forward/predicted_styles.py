"""Styles that are predicted from paintings, beside those of a style file; each painting is predicted once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from nst.engine.feed_forward.style_predictor import predict_vector
from nst.lru_cache import LruCache
from nst.pictures.images import Array
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_picture import StylePicture

VECTORS_KEPT = 256  # in memory, for later pictures

_vectors = LruCache[str, Array](VECTORS_KEPT)  # by the SHA-256 of a painting


def with_paintings(file: StyleFile, paintings: Mapping[str, StylePicture]) -> StyleFile:
    """`file`, which has the shipped network, with the predicted style of each painting under its key, its SHA-256.

    Raises StyleError if the file of the predictor is damaged.
    """
    predicted = {
        sha256: Style(sha256, _vectors.get_or_make(sha256, partial(predict_vector, painting.rgb)))
        for sha256, painting in paintings.items()
    }
    return replace(file, styles={**file.styles, **predicted}) if predicted else file
