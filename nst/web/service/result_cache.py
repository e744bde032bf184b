"""The results of the Instant page: the newest few, in memory, each under a name that cannot be guessed.

Every move of a slider makes a result; they would pile up on the disk.
"""

import secrets
import threading

from nst.errors import NotFound
from nst.web.service.fast_styles import FastResult

MAX_RESULTS = 64
MAX_RESULT_BYTES = 256 * 2**20  # of all results together; the newest one is kept at any size


class ResultCache:
    """The newest results; the oldest are dropped first."""

    def __init__(self, max_results: int = MAX_RESULTS, max_bytes: int = MAX_RESULT_BYTES) -> None:
        self._max_results, self._max_bytes = max_results, max_bytes
        self._results: dict[str, FastResult] = {}  # oldest first
        self._lock = threading.Lock()

    def put(self, result: FastResult) -> str:
        """Keep a result; returns its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._results[name] = result
            while len(self._results) > 1 and self._is_over_limit():
                del self._results[next(iter(self._results))]
        return name

    def get(self, name: str) -> FastResult:
        """Return a result by its name. Raises NotFound."""
        with self._lock:
            if name not in self._results:
                raise NotFound("this picture is not kept any more: paint it again")
            return self._results[name]

    def _is_over_limit(self) -> bool:
        total = sum(len(result.data) for result in self._results.values())
        return len(self._results) > self._max_results or total > self._max_bytes
