"""Styles that are predicted from paintings, beside those of a style file; each painting is predicted once."""

import threading
from collections.abc import Mapping
from dataclasses import replace

from nst.engine.feed_forward.style_predictor import predict_vector
from nst.pictures.images import Array
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_picture import StylePicture

VECTORS_KEPT = 256  # in memory, for later pictures

_vectors: dict[str, Array] = {}  # by the SHA-256 of a painting, the last one used comes last
_vectors_lock = threading.Lock()


def with_paintings(file: StyleFile, paintings: Mapping[str, StylePicture]) -> StyleFile:
    """`file`, which has the shipped network, with the predicted style of each painting under its key, its SHA-256.

    Raises StyleError if the file of the predictor is damaged.
    """
    predicted = {sha256: Style(sha256, _vector_of(sha256, painting)) for sha256, painting in paintings.items()}
    return replace(file, styles={**file.styles, **predicted}) if predicted else file


def _vector_of(sha256: str, painting: StylePicture) -> Array:
    with _vectors_lock:
        vector = _vectors.pop(sha256, None)
    if vector is None:
        vector = predict_vector(painting.rgb)
    with _vectors_lock:
        _vectors[sha256] = vector
        while len(_vectors) > VECTORS_KEPT:
            del _vectors[next(iter(_vectors))]
    return vector
