"""The results of the Instant page: the few used last, in memory, each under a name that cannot be guessed.

Every move of a slider makes a result; they would pile up on the disk.
"""

import secrets

from nst.errors import NotFound
from nst.lru_cache import LruCache
from nst.web.service.fast_styles import FastResult

MAX_RESULTS = 64
MAX_RESULT_BYTES = 256 * 2**20  # of all results together; the newest one is kept at any size


class ResultCache:
    """The results that were used last."""

    def __init__(self, max_results: int = MAX_RESULTS, max_bytes: int = MAX_RESULT_BYTES) -> None:
        self._results = LruCache[str, FastResult](max_results, max_bytes, lambda result: len(result.data))

    def put(self, result: FastResult) -> str:
        """Keep a result; returns its name."""
        name = secrets.token_urlsafe(16)
        self._results.put(name, result)
        return name

    def get(self, name: str) -> FastResult:
        """Return a result by its name. Raises NotFound."""
        found = self._results.get(name)
        if found is None:
            raise NotFound("this picture is not kept any more: paint it again")
        return found
