"""How long something takes."""

from collections.abc import Callable
from time import perf_counter


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    began = perf_counter()
    work()
    return perf_counter() - began
