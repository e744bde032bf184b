"""A step of a run, as `stylize` yields it."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from nst.engine.backend import Tensor
from nst.engine.optimization.canvas import cut_margins
from nst.engine.optimization.checkpoint import MOST_HISTORY_BYTES, Checkpoint, ScaleState
from nst.engine.optimization.optimizer import Optimizer
from nst.runs.events import Losses
from nst.runs.schedule import Scale


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """One step of the optimizer; the first of a run is its start: step 0, or the step of a checkpoint.

    `losses` are those of the image before the step; of the start they are its own.
    """

    step: int
    scales: tuple[Scale, ...]  # the schedule in force: a scale that ended early has the number of steps it took
    scale: Scale  # that of this step
    steps_per_epoch: int
    losses: Losses
    _canvas: Tensor
    _optimizer: Optimizer
    _state: ScaleState

    @property
    def steps(self) -> int:
        """Steps of the schedule in force."""
        return sum(scale.steps for scale in self.scales)

    @property
    def epochs(self) -> int:
        """Epochs of the schedule in force; the last one has fewer steps if scales ended early."""
        return math.ceil(self.steps / self.steps_per_epoch)

    @property
    def epoch(self) -> int:
        """Epochs that are complete after this step."""
        return self.epochs if self.step == self.steps else self.step // self.steps_per_epoch

    @property
    def ends_epoch(self) -> bool:
        """Whether this step is the last of an epoch."""
        return self.step % self.steps_per_epoch == 0 or self.step == self.steps

    @property
    def in_float32(self) -> bool:
        """Whether the next steps on this scale are in float32: the network is, or bfloat16 could gain no more."""
        return self._state.in_float32

    @property
    def converged(self) -> bool:
        """Whether the run ends with this epoch, before all are done, because more would change nothing visible."""
        return self._state.converged

    @property
    def image(self) -> np.ndarray:
        """The picture after this step, [scale.height, scale.width, 3] float32 in 0..1; converted at each access."""
        return np.clip(cut_margins(self._canvas, self.scale)[0].numpy(), 0.0, 1.0)

    def checkpoint(self, history: int | None = MOST_HISTORY_BYTES) -> Checkpoint:
        """A checkpoint that `stylize` can resume from. Make it before the next step: the optimizer moves on.

        Args:
            history: about how many bytes of the optimizer's state to keep; of a long one the newest part is kept. With
                all of it, the steps that follow are the same. None keeps nothing: the optimizer starts anew.
        """
        reference = None if history is None or self._state.reference is None else np.asarray(self._state.reference)
        return Checkpoint(
            step=self.step,
            scales=self.scales,
            canvas=self._optimizer.image.numpy(),
            optimizer_state={} if history is None else self._optimizer.state(history),
            scale_state=dataclasses.replace(self._state, reference=reference),
        )
