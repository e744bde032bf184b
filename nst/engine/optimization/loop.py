"""The loop: steps of an optimizer over the scales of a schedule, and the rules that end a scale early."""

import functools
import math
from collections.abc import Iterator
from dataclasses import replace

from nst.engine.backend import tf
from nst.engine.optimization.adam import Adam
from nst.engine.optimization.canvas import resize_canvas
from nst.engine.optimization.checkpoint import Checkpoint, ScaleState
from nst.engine.optimization.lbfgs import LBFGS
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.optimizer import Optimizer
from nst.engine.optimization.scale_objective import OptimizationInput, ScaleObjective
from nst.engine.optimization.step import Step
from nst.errors import Diverged, InputError
from nst.runs.events import Losses
from nst.runs.schedule import Scale

OPTIMIZERS: dict[str, type[Adam] | type[LBFGS]] = {"adam": Adam, "lbfgs": LBFGS}
STILL_CHANGE = 6e-4  # mean change of the picture in a step, in 0..1, below which `epochs="auto"` ends a scale
LEAST_CHANGE_STEPS = 10  # over which that mean is taken: a single step says little
DIVERGED_FACTOR = 1000.0  # a loss this many times the lowest of its scale ends the run


class Loop:
    """A run from its start to its end.

    Args:
        inputs: what is optimized.
        live: weights, read before each step.
        start: a checkpoint; the run continues after its step.
        scales: a schedule in place of that of `start`, which is run to its end even if `epochs` is "auto"; or None.

    Raises InputError if `start` has the state of another optimizer.
    """

    def __init__(
        self, inputs: OptimizationInput, live: LiveWeights, start: Checkpoint, scales: tuple[Scale, ...] | None
    ) -> None:
        self._inputs = inputs
        self._live = live
        self._weights = replace(live)  # the weights in force: those of `live` at the last step
        self._start = start
        self._scales = scales or start.scales  # the schedule in force
        self._ends_when_still = inputs.options.epochs == "auto" and scales is None
        self._step = start.step
        self._index = start.scale_index  # of the current scale
        self._steps_before = start.steps_before  # of the scales before the current one
        self._optimizer = _resumed_optimizer(inputs.options.optimizer, start)

    def steps(self) -> Iterator[Step]:
        """The start, then each step. Raises Diverged; OptionError if the network lacks a layer."""
        yield self._first_step()
        yield from self._steps_on_scale()
        while any(scale.steps for scale in self._scales[self._index + 1 :]):  # a cut schedule ends with empty scales
            self._enter_next_scale()
            yield from self._steps_on_scale()

    @property
    def _is_on_last_scale(self) -> bool:
        return self._index == len(self._scales) - 1

    @property
    def _scale_end(self) -> int:
        """The last step of the current scale."""
        return self._steps_before + self._scales[self._index].steps

    def _first_step(self) -> Step:
        """The start with its losses; what a checkpoint has of the optimizer and of its scale is used again."""
        saved = self._start.scale_state
        in_float32 = self._inputs.is_float32 or saved.in_float32
        self._objective = ScaleObjective(self._inputs, self._scales, self._index, in_float32, self._weights.styles)
        self._state = self._new_scale_state(in_float32)
        if self._start.optimizer_state:
            self._state = replace(self._state, reference_step=saved.reference_step, lowest_loss=saved.lowest_loss)
            if self._ends_when_still and saved.reference is not None:
                self._state = replace(self._state, reference=saved.reference)
        losses, _ = self._objective.evaluate(self._optimizer.image, self._weights)
        first = self._as_step(losses)
        ended = saved.converged and first.step == first.steps
        return replace(first, _state=replace(self._state, converged=ended))

    def _enter_next_scale(self) -> None:
        """Resize the image and the optimizer's state to the next scale, and add the content's finer detail."""
        coarse, coarse_content = self._scales[self._index], self._objective.content
        self._step = self._steps_before = self._scale_end
        self._index += 1
        self._objective = ScaleObjective(
            self._inputs, self._scales, self._index, self._inputs.is_float32, self._weights.styles
        )
        resize = functools.partial(resize_canvas, old=coarse, new=self._scales[self._index])
        self._optimizer.resize(resize, self._objective.content - resize(coarse_content, "bicubic"))
        self._state = self._new_scale_state(self._inputs.is_float32)

    def _new_scale_state(self, in_float32: bool) -> ScaleState:
        reference = self._optimizer.shown if self._ends_when_still else None
        return ScaleState(reference=reference, reference_step=self._step, in_float32=in_float32)

    def _steps_on_scale(self) -> Iterator[Step]:
        while self._step < self._scale_end:
            self._step += 1
            losses = self._take_step()
            if self._optimizer.stalled and self._step < self._scale_end:
                self._handle_stall()
            if self._ends_when_still:
                self._end_scale_if_still()
            yield self._as_step(losses)

    def _take_step(self) -> Losses:
        """One step of the optimizer with the weights as the caller has set them. Raises Diverged."""
        if self._live != self._weights:
            self._weights = replace(self._live)
            self._state = replace(self._state, lowest_loss=math.inf)
            self._optimizer.on_objective_changed()
        evaluate = functools.partial(self._objective.evaluate, weights=self._weights)
        losses = self._optimizer.step(evaluate, self._weights.learning_rate)
        lowest = min(self._state.lowest_loss, losses.total)
        _check_divergence(losses.total, lowest, self._step)
        self._state = replace(self._state, lowest_loss=lowest)
        return losses

    def _handle_stall(self) -> None:
        """Continue in float32 where the steps were in bfloat16; otherwise the scale has converged, and ends.

        Steps that it had left go to the next scale, unless `epochs` is "auto". On the last scale the epoch is
        completed, so that the run can be continued; steps of a stalled optimizer cost nothing.
        """
        if not self._state.in_float32:
            self._state = replace(self._state, in_float32=True)
            self._objective.set_precision(in_float32=True)
            self._optimizer.on_objective_changed()
        elif self._is_on_last_scale:
            self._state = replace(self._state, converged=True)
            per_epoch = self._inputs.options.steps_per_epoch
            self._end_scale(min(self._scale_end, math.ceil(self._step / per_epoch) * per_epoch))
        else:
            steps_left = 0 if self._ends_when_still else self._scale_end - self._step
            self._end_scale(self._step, pass_on=steps_left)

    def _end_scale_if_still(self) -> None:
        """End the scale if the picture changed little since the reference, else take a new reference at times."""
        steps = self._step - self._state.reference_step
        if steps != max(LEAST_CHANGE_STEPS, self._inputs.options.steps_per_epoch):
            return
        shown = self._optimizer.shown
        change = float(tf.reduce_mean(tf.abs(shown - self._state.reference)))
        if change < STILL_CHANGE * steps:
            self._end_scale(self._step)
        self._state = replace(self._state, reference=shown, reference_step=self._step)

    def _end_scale(self, step: int, pass_on: int = 0) -> None:
        """End the current scale with `step`; the next one gets `pass_on` steps more."""
        scales = list(self._scales)
        scales[self._index] = replace(scales[self._index], steps=step - self._steps_before)
        if pass_on:
            finer = scales[self._index + 1]
            scales[self._index + 1] = replace(finer, steps=finer.steps + pass_on)
        self._scales = tuple(scales)

    def _as_step(self, losses: Losses) -> Step:
        return Step(
            step=self._step,
            scales=self._scales,
            scale=self._scales[self._index],
            steps_per_epoch=self._inputs.options.steps_per_epoch,
            losses=losses,
            _canvas=self._objective.with_protected_content(self._optimizer.shown),
            _optimizer=self._optimizer,
            _state=self._state,
        )


def _resumed_optimizer(name: str, start: Checkpoint) -> Optimizer:
    """The optimizer of that name with the image and state of `start`. Raises InputError."""
    optimizer = OPTIMIZERS[name](start.canvas)
    try:
        if start.optimizer_state:
            optimizer.load_state(start.optimizer_state)
    except (KeyError, ValueError) as error:
        raise InputError(f"the checkpoint is not one of {name}: {error}") from error
    return optimizer


def _check_divergence(loss: float, lowest: float, step: int) -> None:
    """Raise Diverged if `loss` is not finite, or far above the `lowest` one of its scale."""
    advice = "lower the learning rate or the weights"
    if not math.isfinite(loss):
        raise Diverged(f"the loss was no longer a finite number at step {step}; {advice}")
    if loss > DIVERGED_FACTOR * lowest:
        raise Diverged(f"the loss ran away at step {step}, from {lowest:.4g} to {loss:.4g}; {advice}")
