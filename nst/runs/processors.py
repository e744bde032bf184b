"""How many processors the calling process may use."""

import os


def usable_cores() -> int:
    """Cores that this process may use: of a container or a process that is bound to some, those."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
