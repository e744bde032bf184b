"""The loop: `stylize` is a generator of steps. To stop is to stop asking.

The picture is painted coarse to fine over the rungs of `scales.schedule`; the objective, its targets and the
optimiser's state follow. Weights are read before each step, so they may change while the picture forms.
"""

import copy
import dataclasses
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nst.engine.backend import tf
from nst.engine.checkpoint import MOST_BYTES, Checkpoint
from nst.engine.extractors import Extractor
from nst.engine.networks import choose_extractor
from nst.engine.objective import LiveWeights, Objective
from nst.engine.optimizers import OPTIMIZERS, Optimizer
from nst.engine.tiles import TiledObjective
from nst.errors import Diverged, InputError
from nst.options.style_options import StyleOptions
from nst.pictures.colors import match_colors
from nst.pictures.images import check_array, fit, resize
from nst.runs.estimates import NETWORKS, estimate
from nst.runs.events import Losses
from nst.runs.memory_budget import budget as free_memory
from nst.runs.schedule import MARGIN, Scale, margins, rejoin, schedule

NOISE = 0.1  # deviation of the noise a picture starts from; near grey, because what is far from it stays as grain
STILL = 6e-4  # mean change of the picture in a step, of 0..1, below which `epochs="auto"` takes the next scale, or ends
WINDOW = 10  # steps at least over which that is measured: a single one says little
RUNAWAY = 1000.0  # a loss this many times the lowest of its scale is not coming back


class _Memory(NamedTuple):
    """What the loop remembers within a scale, as a checkpoint has it."""

    seen: np.ndarray | None
    since: int
    lowest: float
    in_float32: bool
    converged: bool


@dataclass(frozen=True)
class Step:
    """One optimiser step, or, as step 0, the start before any.

    `losses` are those of the image the step started from (of the start itself for step 0).
    """

    step: int
    rungs: tuple[Scale, ...]  # the schedule in force: a rung that ended early has the steps that it really took
    epoch: int  # epochs completed with this step
    epochs: int
    ends_epoch: bool
    scale: Scale
    losses: Losses
    _canvas: tf.Tensor
    _optimizer: Optimizer
    _memory: _Memory

    @property
    def steps(self) -> int:
        """Steps of the schedule in force."""
        return sum(rung.steps for rung in self.rungs)

    @property
    def in_float32(self) -> bool:
        """The steps that follow on this scale are in float32: the network's own, or because bfloat16 got no further."""
        return self._memory.in_float32

    @property
    def converged(self) -> bool:
        """The run ends with this epoch, before all are done: more of them would change nothing visible."""
        return self._memory.converged

    @property
    def image(self) -> np.ndarray:
        """The picture so far, [scale.height, scale.width, 3] float32 in 0..1; fetched when asked for."""
        return np.clip(_inside(self._canvas, self.scale)[0].numpy(), 0.0, 1.0)

    def checkpoint(self, history: int | None = MOST_BYTES) -> Checkpoint:
        """What `stylize` can resume from; ask before the next step is asked for.

        With all of the optimiser's state the steps that follow are the same. Of a long history only about `history`
        bytes, the newest, are kept; None leaves the state out, and the optimiser starts anew.
        """
        image = self._optimizer.image.numpy()
        if history is None:
            return Checkpoint(self.step, self.rungs, image, {}, *self._memory._replace(seen=None))
        return Checkpoint(self.step, self.rungs, image, self._optimizer.state(history), *self._memory)


def stylize(
    content: np.ndarray,
    style: np.ndarray,
    options: StyleOptions | None = None,
    init: np.ndarray | None = None,
    live: LiveWeights | None = None,
    extractor: Extractor | None = None,
    budget: int | None = None,
    resume: Checkpoint | None = None,
    rungs: tuple[Scale, ...] | None = None,
) -> Iterator[Step]:
    """Paint `content` in the manner of `style` (Gatys, Ecker and Bethge 2016), a step at a time.

    Args:
        content: [H, W, 3] float32 in 0..1; the result has its aspect ratio, with the long side of `options.size`.
        style: [h, w, 3] float32 in 0..1, any size.
        options: settings; None means the defaults.
        init: the picture to start from when `options.init` is "image", [h, w, 3] float32 in 0..1.
        live: weights that the caller may change between steps; None means those of `options`.
        extractor: a network already at hand; None loads the one that `options` name; "auto" is VGG19 wherever it is
            installed: no machine is measured here.
        budget: bytes of memory that this process may take in all; None is most of what is free. What needs more is
            painted by tiles.
        resume: where an earlier run of the same pictures and options stood; it goes on from there.
        rungs: a schedule instead of that of `options` or `resume`, to be painted to its end even if `epochs` is "auto".

    Yields:
        Steps, the first of them the start: step 0, or that of `resume`. After an exception the last one yielded holds
        the last good picture.

    Raises:
        InputError: `init` is missing, or a picture or `resume` is not what it should be.
        OptionError: a layer that the extractor does not have. WeightsError: its weights are not there.
        OutOfMemory: it does not fit `budget`, not even by tiles.
        Diverged: the loss became NaN or ran away.
    """
    options = options or StyleOptions()
    for name, picture in (("content", content), ("style", style), ("init", init)):
        if picture is not None:
            check_array(picture, name)
    extractor = extractor or choose_extractor(options.extractor, options.pooling, options.precision)[0]
    live = live or LiveWeights.of(options, extractor.architecture.name)
    tile = _tile(content, style, options, extractor, budget)
    if options.keep_colors:
        style = match_colors(style, content)
    at, ends_itself = resume or _start(content, style, init, options), options.epochs == "auto" and rungs is None
    rungs = rungs or at.rungs

    optimizer = _optimizer(options.optimizer, at)
    in_force = dataclasses.replace(live)
    first, done, begun = at.rung, at.done, at.step
    painted = _canvas(content, rungs[first].height, rungs[first].width)
    for number in range(first, len(rungs)):
        scale = rungs[number]
        coarser, painted = painted, _canvas(content, scale.height, scale.width)
        side = max(scale.height, scale.width)
        where = options.size / side, (len(rungs) - 1 - number) / max(1, len(rungs) - 1)
        brush = round(options.style_scale * side)
        pictures = painted, _canvas(style, *fit(style.shape[0], style.shape[1], brush))
        in_float32 = extractor.dtype == "float32" or (number == first and at.in_float32)
        objective = _seen_by(_in_float32(extractor) if in_float32 else extractor, options, tile)
        targets = objective.targets(*pictures)
        if number > first:
            carry = functools.partial(_carry, rungs[number - 1], scale)
            optimizer.grow(carry, painted - carry(coarser, "bicubic"))
        else:
            weights = live.on_scale(*where, options.normalisation)
            losses, _ = objective.evaluate(optimizer.image, targets, weights)
            ended = at.converged and at.step == sum(rung.steps for rung in rungs)
            memory = _Memory(at.seen, at.since, at.lowest, in_float32, ended)
            yield _step(at.step, options, rungs, scale, losses, optimizer, memory)
        lowest, seen, since, converged = math.inf, optimizer.shown, begun, False
        if number == first and at.state:
            lowest, since, seen = at.lowest, at.since, seen if at.seen is None else at.seen
        for step in range(begun + 1, done + scale.steps + 1):
            if live != in_force:
                in_force, lowest = dataclasses.replace(live), math.inf
                optimizer.reweighted()
            weights = in_force.on_scale(*where, options.normalisation)
            evaluate = functools.partial(objective.evaluate, targets=targets, weights=weights)
            losses = optimizer.step(evaluate, live.learning_rate)
            lowest = min(lowest, losses.total)
            _check(losses, lowest, step)
            if optimizer.stalled and step < done + rungs[number].steps:
                if in_float32:
                    converged = number == len(rungs) - 1
                    most = done + rungs[number].steps
                    # The last epoch is a whole one, so that the run can be continued; its steps cost nothing any more.
                    end = min(most, _up(step, options.steps_per_epoch)) if converged else step
                    rungs = _cut_short(rungs, number, end - done, pass_on=not ends_itself)
                else:
                    in_float32, objective = True, _seen_by(_in_float32(extractor), options, tile)
                    targets = objective.targets(*pictures)
                    optimizer.reweighted()
            if ends_itself and step - since == max(WINDOW, options.steps_per_epoch):
                if _change(seen, optimizer.shown) < STILL * (step - since):
                    rungs = _cut_short(rungs, number, step - done)
                seen, since = optimizer.shown, step
            memory = _Memory(np.asarray(seen) if ends_itself else None, since, lowest, in_float32, converged)
            yield _step(step, options, rungs, rungs[number], losses, optimizer, memory)
            if step == done + rungs[number].steps:
                break
        done = begun = done + rungs[number].steps


def _start(content: np.ndarray, style: np.ndarray, init: np.ndarray | None, options: StyleOptions) -> Checkpoint:
    """Step 0 of a whole run."""
    rungs = schedule(content.shape[0], content.shape[1], options)
    height, width = rungs[0].height, rungs[0].width
    if options.init == "noise":
        noise = np.random.default_rng(options.seed).normal(0.5, NOISE, (height, width, 3))
        return Checkpoint(0, rungs, _canvas(np.clip(noise, 0, 1).astype(np.float32), height, width).numpy())
    start = {"content": content, "style": style, "image": init}[options.init]
    if start is None:
        raise InputError("`init` is image, but no picture to start from was given")
    return Checkpoint(0, rungs, _canvas(_cover(start, height, width), height, width).numpy())


def start_from(frame: np.ndarray, step: int, rungs: tuple[Scale, ...]) -> Checkpoint:
    """A checkpoint of what was seen of a run after `step`: `frame`, [h, w, 3] float32 in 0..1, of one of its scales.

    Raises InputError if the run has no such scale.
    """
    height, width = frame.shape[:2]
    return Checkpoint(step, rejoin(rungs, step, height, width), _mirrored(frame, height, width).numpy())


def _optimizer(name: str, at: Checkpoint) -> Optimizer:
    """The optimiser as it stood. Raises InputError."""
    optimizer = OPTIMIZERS[name](at.canvas)
    try:
        if at.state:
            optimizer.take_up(at.state)
    except (KeyError, ValueError) as error:
        raise InputError(f"the checkpoint is not one of {name}: {error}") from error
    return optimizer


def _cover(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of `image`, cut to the aspect ratio of `height` x `width`."""
    rows, columns = image.shape[:2]
    factor = min(rows / height, columns / width)
    rows_kept, columns_kept = max(1, round(height * factor)), max(1, round(width * factor))
    top, left = (rows - rows_kept) // 2, (columns - columns_kept) // 2
    return image[top : top + rows_kept, left : left + columns_kept]


def _canvas(image: np.ndarray, height: int, width: int) -> tf.Tensor:
    """`image` at `height` x `width`, mirrored outwards by its margins, as [1, H, W, 3] float32."""
    return _mirrored(resize(image, height, width), height, width)


def _carry(old: Scale, new: Scale, canvas: tf.Tensor, method: str) -> tf.Tensor:
    """A canvas of scale `old` at scale `new`; without its margins in between, for they do not grow in proportion."""
    inside = tf.image.resize(_inside(canvas, old), (new.height, new.width), method=method, antialias=True)
    return _mirrored(inside[0].numpy(), new.height, new.width)


def _mirrored(image: np.ndarray, height: int, width: int) -> tf.Tensor:
    """[height, width, 3], mirrored outwards by its margins, as [1, H, W, 3] float32."""
    rows, columns = margins(height, width)
    padded = np.pad(image, [(rows, rows), (columns, columns), (0, 0)], mode="symmetric")
    return tf.convert_to_tensor(padded[None], tf.float32)


def _inside(canvas: tf.Tensor, scale: Scale) -> tf.Tensor:
    """The canvas without its margins, [1, scale.height, scale.width, 3]."""
    top, left = margins(scale.height, scale.width)
    return canvas[:, top : top + scale.height, left : left + scale.width]


def _step(
    step: int,
    options: StyleOptions,
    rungs: tuple[Scale, ...],
    scale: Scale,
    losses: Losses,
    optimizer: Optimizer,
    memory: _Memory,
) -> Step:
    epoch, rest = divmod(step, options.steps_per_epoch)
    steps = sum(rung.steps for rung in rungs)
    epochs = math.ceil(steps / options.steps_per_epoch)
    ends = rest == 0 or step == steps  # rungs that end early may leave a last epoch of fewer steps
    shown = optimizer.shown
    return Step(step, rungs, epochs if step == steps else epoch, epochs, ends, scale, losses, shown, optimizer, memory)


def _change(before: tf.Tensor, now: tf.Tensor) -> float:
    """Mean absolute difference of two canvases, in 0..1."""
    return float(tf.reduce_mean(tf.abs(now - before)))


def _up(step: int, steps_per_epoch: int) -> int:
    """The last step of the epoch that `step` belongs to."""
    return math.ceil(step / steps_per_epoch) * steps_per_epoch


def _cut_short(rungs: tuple[Scale, ...], number: int, steps: int, pass_on: bool = False) -> tuple[Scale, ...]:
    """The schedule where the rung of that number ended after `steps`; what it had left may be passed on to the next."""
    left = rungs[number].steps - steps if pass_on else 0
    finer = [dataclasses.replace(rung, steps=rung.steps + left * (not n)) for n, rung in enumerate(rungs[number + 1 :])]
    return (*rungs[:number], dataclasses.replace(rungs[number], steps=steps), *finer)


def _check(losses: Losses, lowest: float, step: int) -> None:
    advice = "lower the learning rate or the weights"
    if not math.isfinite(losses.total):
        raise Diverged(f"the loss was no longer a finite number at step {step}; {advice}")
    if losses.total > RUNAWAY * lowest:
        raise Diverged(f"the loss ran away at step {step}, from {lowest:.4g} to {losses.total:.4g}; {advice}")


@functools.lru_cache(maxsize=6)
def _objective(
    extractor: Extractor, content_layers: tuple[str, ...], style_layers: tuple[str, ...], normalisation: str
) -> Objective:
    """Kept with its traces for the next run on the same layers."""
    return Objective(extractor, content_layers, style_layers, normalisation, MARGIN)


@functools.lru_cache(maxsize=3)
def _tiled(whole: Objective, side: int) -> TiledObjective:
    """Kept with its traces, too."""
    return TiledObjective(whole, side)


def _seen_by(extractor: Extractor, options: StyleOptions, tile: int | None) -> Objective | TiledObjective:
    """The objective of `options` as `extractor` sees it, by tiles if a side of them is given. Raises OptionError."""
    content_layers, style_layers = (
        tuple(name for name, _ in layers) for layers in options.layers(extractor.architecture.name)
    )
    whole = _objective(extractor, content_layers, style_layers, options.normalisation)
    return _tiled(whole, tile) if tile else whole


@functools.lru_cache(maxsize=3)
def _in_float32(extractor: Extractor) -> Extractor:
    """`extractor` in float32, with the very weights of its own precision: each is cast where it is used."""
    if extractor.dtype == "float32":
        return extractor
    twin = copy.copy(extractor)
    twin.dtype = "float32"
    return twin


def _tile(
    content: np.ndarray, style: np.ndarray, options: StyleOptions, extractor: Extractor, budget: int | None
) -> int | None:
    """Side of the tiles, px, to paint by; None if the whole fits. Raises OutOfMemory."""
    network, (height, width, _), brush = extractor.architecture.name, content.shape, style.shape[:2]
    if network not in NETWORKS:  # a network of one's own, of which nothing is known
        return None
    may_take = free_memory() if budget is None else budget
    return estimate(height, width, options, network, extractor.dtype, budget=may_take, style=brush).tile
