"""Work in a process of its own: one keeps the most memory that it ever needed, and what it traced."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.outcome import NotMeasured


def fresh_process(module: str, *arguments: str) -> dict[str, Any]:
    """What `python -m module arguments` prints last, read as JSON. Raises NotMeasured unless it exits with 0."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise NotMeasured(f"`{module} {' '.join(arguments)}` exited with {done.returncode}: {said[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def peak_memory() -> int:
    """Bytes of resident memory that this process has used at most.

    Linux counts in `ru_maxrss` what the process that started this one used by then, but not in VmHWM.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
