"""Paintings whose styles are taken without training: stored pictures, each read once and kept reduced."""

from nst.lru_cache import LruCache
from nst.styles.style_picture import StylePicture
from nst.web.service.pictures import Pictures, without_suffix

MOST_KEPT = 64  # in memory, of about a megabyte each


class StylePictures:
    """The pictures of a store as styles. The methods read files: call them in a thread."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept = LruCache[str, StylePicture](MOST_KEPT)  # by reference

    def get(self, ref: str) -> StylePicture:
        """The painting with that reference, "samples/NAME" or "uploads/ID". Raises NotFound, ImageError."""
        self._pictures.check_use(ref)
        return self._kept.get_or_make(ref, lambda: StylePicture.read(self._pictures.read(ref), self._file_name(ref)))

    def title(self, ref: str) -> str:
        """What people call the painting: the name of its file without the suffix, or its title. Raises NotFound."""
        return without_suffix(self._file_name(ref)).replace("_", " ")

    def _file_name(self, ref: str) -> str:
        return self._pictures.choice_of(ref)["title"]
