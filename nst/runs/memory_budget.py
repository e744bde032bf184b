"""How much memory the calling process may take, on a machine and in a container."""

import contextlib
from pathlib import Path

import psutil

from nst.runs.humanize import GIGABYTE

SHARE = 0.7  # of the free memory, which a run may take unless the settings say otherwise

CONTAINERS = (  # files with (limit, use) of a container's memory, bytes: the machine has more than it may take
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def budget(gigabytes: float = 0.0) -> int:
    """Bytes that the calling process may take in all: `gigabytes`, or, for 0, a share of what is free for it now."""
    if gigabytes:
        return round(gigabytes * GIGABYTE)
    free = psutil.virtual_memory().available
    for limit, used in CONTAINERS:
        with contextlib.suppress(OSError, ValueError):  # not there, or "max"
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()) + _reclaimable(used))
    return round(SHARE * (max(0, free) + psutil.Process().memory_info().rss))


def spare(gigabytes: float = 0.0) -> int:
    """Bytes that the calling process may take beside those it has; `gigabytes` is as in `budget`."""
    return budget(gigabytes) - psutil.Process().memory_info().rss


def _reclaimable(used: str) -> int:
    """Bytes of a container's use that are pages of files, given back on demand."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(used).with_name("memory.stat").read_text().splitlines()
        values = {name: int(value) for name, value in (line.split() for line in lines)}
        return values.get("total_inactive_file", values.get("inactive_file", 0))
    return 0
