"""Paintings whose styles are taken without training: stored pictures, each read once and kept reduced."""

import threading

from nst.styles.style_picture import StylePicture
from nst.web.service.pictures import Pictures

MOST_KEPT = 64  # in memory, of about a megabyte each


class StylePictures:
    """The pictures of a store as styles. The methods read files: call them in a thread."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept: dict[str, StylePicture] = {}  # by reference, the last one used comes last
        self._lock = threading.Lock()

    def get(self, ref: str) -> StylePicture:
        """The painting with that reference, "samples/NAME" or "uploads/ID". Raises NotFound, ImageError."""
        with self._lock:
            found = self._kept.pop(ref, None)
        found = found or StylePicture.read(self._pictures.read(ref), self.title(ref))
        with self._lock:
            self._kept[ref] = found
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    def title(self, ref: str) -> str:
        """What people call the painting. Raises NotFound."""
        return self._pictures.choice_of(ref)["title"]
