"""Where a painting stands, in a form that survives its process: the canvas, the schedule, the optimiser's state.

A file of ours, but one that crosses a network and lies on a disk: it is read as plain arrays, never as code.
"""

import dataclasses
import io
import json
import math
import zipfile
from dataclasses import dataclass, field

import numpy as np

from nst.errors import InputError
from nst.runs.schedule import Scale, margins

MOST_BYTES = 2**26  # of an optimiser's history, about: ten pairs of L-BFGS at 512 px; the older ones are left behind


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A painting after `step`: `canvas` [1, H, W, 3] float32, margins included, is of the scale of that step."""

    step: int
    rungs: tuple[Scale, ...]  # the schedule in force
    canvas: np.ndarray
    state: dict[str, np.ndarray] = field(default_factory=dict)  # of the optimiser; without it, it starts anew
    seen: np.ndarray | None = None  # the canvas that `epochs="auto"` compares with
    since: int = 0  # the step it was seen at
    lowest: float = math.inf  # loss of this scale
    in_float32: bool = False  # the steps that follow on this scale are
    converged: bool = False  # the run ends with the epoch of this step, for more would change nothing

    @property
    def rung(self) -> int:
        """Number of the rung that `step` belongs to; the end of one is still its own."""
        done = 0
        for number, scale in enumerate(self.rungs):
            done += scale.steps
            if self.step <= done and scale.steps:
                return number
        return len(self.rungs) - 1

    @property
    def done(self) -> int:
        """Steps of the rungs before."""
        return sum(scale.steps for scale in self.rungs[: self.rung])

    def to_bytes(self) -> bytes:
        """The checkpoint as an .npz file; `from_bytes` reads it back."""
        plain = {
            "step": self.step,
            "rungs": [dataclasses.astuple(scale) for scale in self.rungs],
            "since": self.since,
            "lowest": None if math.isinf(self.lowest) else self.lowest,
            "in_float32": self.in_float32,
            "converged": self.converged,
        }
        arrays = {f"state.{name}": array for name, array in self.state.items()}
        if self.seen is not None:
            arrays["seen"] = self.seen
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, plain=np.array(json.dumps(plain)), canvas=self.canvas, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """Raises InputError on what `to_bytes` has not made."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                plain = json.loads(str(arrays["plain"]))
                rungs = tuple(Scale(*map(int, rung)) for rung in plain["rungs"])
                state = {name[6:]: arrays[name] for name in arrays.files if name.startswith("state.")}
                seen = arrays["seen"] if "seen" in arrays.files else None
                lowest = math.inf if plain["lowest"] is None else float(plain["lowest"])
                turns = {name: bool(plain.get(name)) for name in ("in_float32", "converged")}  # not in version 0.1's
                found = cls(
                    int(plain["step"]), rungs, arrays["canvas"], state, seen, int(plain["since"]), lowest, **turns
                )
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError("the checkpoint is damaged: it cannot be read") from error
        scale = found.rungs[found.rung] if found.rungs else Scale(0, 0, 0)
        rows, columns = margins(scale.height, scale.width)
        shape = (1, scale.height + 2 * rows, scale.width + 2 * columns, 3)
        if found.canvas.shape != shape or found.canvas.dtype != np.float32:
            raise InputError(f"the checkpoint is damaged: its canvas is {found.canvas.shape}, not {shape}")
        return found
