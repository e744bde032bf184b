"""What was painted in one pass for the page: the last few pictures, in memory, each under a name nobody guesses.

A slider that is moved paints a picture; on disk they would pile up.
"""

import secrets
import threading

from nst.errors import NotFound
from nst.web.service.fast_styles import Painted

MOST = 64  # pictures
MOST_BYTES = 256 * 2**20


class ResultCache:
    """The newest pictures; the oldest make room."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: dict[str, Painted] = {}
        self._lock = threading.Lock()

    def put(self, picture: Painted) -> str:
        """Keep a picture; returns its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = picture
            while len(self._kept) > self._most or (len(self._kept) > 1 and self._bytes() > self._most_bytes):
                del self._kept[next(iter(self._kept))]
        return name

    def get(self, name: str) -> Painted:
        """A picture by its name. Raises NotFound."""
        with self._lock:
            if name not in self._kept:
                raise NotFound("this picture is not kept any more: paint it again")
            return self._kept[name]

    def _bytes(self) -> int:
        return sum(len(picture.data) for picture in self._kept.values())
