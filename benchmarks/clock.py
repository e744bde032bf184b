"""How long something takes."""

from collections.abc import Callable
from time import perf_counter


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call of `work` takes."""
    began = perf_counter()
    work()
    return perf_counter() - began
