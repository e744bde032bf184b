"""Checkpoints: what `stylize` needs to resume a run in another process, and their file format.

A checkpoint file crosses a network and lies on a disk, so it is read as plain arrays and JSON, never as code.
"""

import dataclasses
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nst.errors import InputError
from nst.runs.schedule import Scale

MOST_HISTORY_BYTES = 2**26  # of an optimizer's history, about: ten pairs of L-BFGS at 512 px; older ones are left out


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaleState:
    """What the loop keeps from step to step within a scale, beside the optimizer's state."""

    reference: Any = None  # canvas that `epochs="auto"` measures the change of the picture from; None if it does not
    reference_step: int = 0  # the step whose canvas it is
    lowest_loss: float = math.inf  # of the steps on this scale with the weights in force
    in_float32: bool = False  # whether the following steps on this scale evaluate the objective in float32
    converged: bool = False  # whether the run ends with the epoch of this step, because more would change nothing


@dataclass(frozen=True, eq=False, kw_only=True)
class Checkpoint:
    """A run after `step`; `canvas` [1, H, W, 3] float32, margins included, is of the scale of that step."""

    step: int
    scales: tuple[Scale, ...]  # the schedule in force
    canvas: np.ndarray
    optimizer_state: Mapping[str, np.ndarray] = field(default_factory=dict)  # empty: the optimizer starts anew
    scale_state: ScaleState = field(default_factory=ScaleState)

    @property
    def scale_index(self) -> int:
        """Index of the scale of `step`; the last step of a scale belongs to that scale."""
        done = 0
        for index, scale in enumerate(self.scales):
            done += scale.steps
            if self.step <= done and scale.steps:
                return index
        return len(self.scales) - 1

    @property
    def steps_before(self) -> int:
        """Steps of the scales before that of `step`."""
        return sum(scale.steps for scale in self.scales[: self.scale_index])

    def to_bytes(self) -> bytes:
        """The checkpoint as an .npz file; `from_bytes` reads it."""
        state = self.scale_state
        # The keys are part of the file format: rungs are scales, since, lowest and seen are fields of ScaleState.
        plain = {
            "step": self.step,
            "rungs": [dataclasses.astuple(scale) for scale in self.scales],
            "since": state.reference_step,
            "lowest": None if math.isinf(state.lowest_loss) else state.lowest_loss,
            "in_float32": state.in_float32,
            "converged": state.converged,
        }
        arrays = {f"state.{name}": array for name, array in self.optimizer_state.items()}
        if state.reference is not None:
            arrays["seen"] = np.asarray(state.reference)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, plain=np.array(json.dumps(plain)), canvas=self.canvas, **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """The checkpoint in an .npz file that `to_bytes` wrote. Raises InputError if it cannot be read."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                plain = json.loads(str(arrays["plain"]))
                found = cls(
                    step=int(plain["step"]),
                    scales=tuple(Scale(*map(int, scale)) for scale in plain["rungs"]),
                    canvas=arrays["canvas"],
                    optimizer_state={name[6:]: arrays[name] for name in arrays.files if name.startswith("state.")},
                    scale_state=ScaleState(
                        reference=arrays["seen"] if "seen" in arrays.files else None,
                        reference_step=int(plain["since"]),
                        lowest_loss=math.inf if plain["lowest"] is None else float(plain["lowest"]),
                        in_float32=bool(plain.get("in_float32")),  # early checkpoints have neither this ...
                        converged=bool(plain.get("converged")),  # ... nor this
                    ),
                )
        except Exception as error:  # NumPy, zipfile and zlib raise errors of many kinds on a damaged file
            raise InputError("the checkpoint is damaged: it cannot be read") from error
        found._check_canvas()
        return found

    def _check_canvas(self) -> None:
        """Raise InputError unless the canvas has the shape of its scale."""
        scale = self.scales[self.scale_index] if self.scales else Scale(0, 0, 0)
        shape = (1, *scale.canvas, 3)
        if self.canvas.shape != shape or self.canvas.dtype != np.float32:
            raise InputError(f"the checkpoint is damaged: its canvas is {self.canvas.shape}, not {shape}")
