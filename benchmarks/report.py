"""How a number is told: on the screen beside its aim, and in `results/<machine>.json` under the benchmark's name."""

import json
import math
import os
import platform
import re
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.outcome import NotMeasured

RESULTS = Path(__file__).parent / "results"
CPUINFO = Path("/proc/cpuinfo")  # only Linux has one

# What convolutions are made of, best first: processors of one name differ in these, and speeds by factors.
INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "bf16", "asimd")


@dataclass(frozen=True)
class Number:
    """One result: the median of `samples` in `unit`, and how it was aimed at ("" if it was not)."""

    name: str
    unit: str
    samples: tuple[float, ...]
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        """Raise NotMeasured unless there are samples, and each is a number."""
        if not self.samples or not all(map(math.isfinite, self.samples)):
            raise NotMeasured(f"{self.name}: {self.samples or 'nothing'} was measured")

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        if self.at_most is not None:
            return f"aim: at most {self.at_most:g} {self.unit}, {'met' if self.median <= self.at_most else 'MISSED'}"
        if self.at_least is not None:
            return f"aim: at least {self.at_least:g} {self.unit}, {'met' if self.median >= self.at_least else 'MISSED'}"
        return ""

    def line(self) -> str:
        spread = f"({min(self.samples):.4g} .. {max(self.samples):.4g}, n={len(self.samples)})"
        return f"  {self.name:44} {self.median:9.4g} {self.unit:10} {spread:28} {self.verdict}".rstrip()


def machine() -> dict[str, Any]:
    """What the numbers depend on beside the code."""
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instructions": instructions(_cpuinfo("flags") or _cpuinfo("Features")),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("keras", "dash", "distributed")},
    }


def report(benchmark: str, numbers: Sequence[Number], folder: Path, **conditions: Any) -> None:
    """Print the numbers and keep them in `folder`; `conditions` say what was measured and how busy the machine was."""
    here = machine()
    processor = f"{here['cores']} cores of {here['processor']} ({here['instructions']})"
    print(f"\n{benchmark}, on {processor}, {here['system']}, Python {here['python']}")
    for name, value in conditions.items():
        print(f"  {name.replace('_', ' ')}: {value}")
    for number in numbers:
        print(number.line())
    path = folder / f"{slug(here)}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept["machine"] = here
    kept[benchmark] = {
        "conditions": conditions,
        "numbers": [{"median": number.median, **asdict(number)} for number in numbers],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rounded(kept), indent=2) + "\n")
    print(f"  kept in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def ratios(ones: Sequence[float], others: Sequence[float]) -> tuple[float, ...]:
    """Each of the one over that of the other."""
    return tuple(one / other for one, other in zip(ones, others, strict=True))


def others_load() -> str:
    """How busy the machine is before a benchmark adds to it, in words."""
    return f"{os.getloadavg()[0]:.1f} processes wanted a core in the last minute before"


def instructions(flags: str) -> str:
    """The best of `INSTRUCTIONS` among a processor's flags, or "unknown"."""
    return next((known for known in INSTRUCTIONS if known in flags.split()), "unknown")


def _cpuinfo(field: str) -> str:
    """What the system says of its first processor under `field`, or ""."""
    found = re.search(rf"^{field}\s*: (.+)$", CPUINFO.read_text(), re.MULTILINE) if CPUINFO.exists() else None
    return found[1].strip() if found else ""


def slug(here: dict[str, Any]) -> str:
    """ "2-cores-amd-epyc-avx512-bf16": machines whose numbers may not be compared have results of their own."""
    name = f"{here['cores']}-cores-{here['processor']}-{here['instructions']}"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def rounded(value: Any) -> Any:
    """The same, floats to five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
