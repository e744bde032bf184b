"""A picture whose style is to be learned by a training of fast styles."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nst.errors import ImageError
from nst.pictures.images import Array, fit, read, read_bytes, resize, thumbnail
from nst.runs.schedule import SHORTEST
from nst.styles.style_file import check_name, check_title, title_of
from nst.styles.style_picture import LEAST, SIDE


@dataclass(frozen=True, eq=False)
class StyleToLearn:
    """A style to learn, with the picture that it is learned from."""

    name: str
    title: str
    picture: Array  # [h, w, 3], 0..1, at the size that is trained with
    thumbnail: bytes  # JPEG
    sha256: str  # of the picture's file

    @classmethod
    def read(cls, name: str, path: Path, side: int, title: str | None = None) -> "StyleToLearn":
        """The style in the picture `path`, reduced or enlarged to a long side of `side` px.

        Without a `title` it is made from the name. Raises StyleError for the name or the title, and ImageError.
        """
        data = read_bytes(path)
        rgb = read(data, path.name, side, least=LEAST).rgb
        height, width = fit(rgb.shape[0], rgb.shape[1], side)
        if min(height, width) < SHORTEST:
            rule = f"must have sides of at least {SHORTEST} px at `style_size` {side}"
            raise ImageError(f"{path.name!r} {rule}, got {width} x {height} px")
        return cls(
            check_name(name),
            check_title(title or title_of(name)),
            resize(rgb, height, width),
            thumbnail(data, SIDE),
            hashlib.sha256(data).hexdigest(),
        )
