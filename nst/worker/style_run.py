"""One run between a job and the engine: picture files in, steps through, events and encoded pictures out."""

import dataclasses
import functools
import hashlib
import math
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

from nst import __version__
from nst.engine.backend import tf
from nst.engine.networks.choose_extractor import choose_extractor
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.checkpoint import MOST_HISTORY_BYTES, Checkpoint
from nst.engine.optimization.objective import LiveWeights
from nst.engine.optimization.optimize import stylize
from nst.engine.optimization.start import start_from_frame
from nst.engine.optimization.step import Step
from nst.errors import Diverged, InputError, OutOfMemory
from nst.options.picture_roles import STYLE_ROLES
from nst.options.settings import Settings
from nst.pictures import images
from nst.pictures.images import fit
from nst.pictures.masks import describe_uniform, read_mask
from nst.pictures.provenance import Provenance, Steering
from nst.runs.estimates import Estimate, PlannedRun, auto_network
from nst.runs.events import Checkpointed, Epoch, Started, Steered
from nst.runs.job import StyleJob
from nst.runs.memory_budget import budget
from nst.runs.schedule import of_length, schedule, seconds_left
from nst.worker.calibrations import calibration_of, measured

SHORTEST_INTERVAL, LONGEST_INTERVAL = 4.0, 8.0  # seconds between two checkpoints: under ten until they are on the disk
CHECKPOINT_SHARE = 20  # the interval is at least so many times what a checkpoint takes to make


class StyleRun:
    """A run in progress.

    Raises InputError (OptionError, ImageError) for a job that cannot be painted, WeightsError where the weights of the
    network are missing or damaged, and OutOfMemory.
    """

    def __init__(self, job: StyleJob) -> None:
        self.options, self._job = job.options, job
        self.makes_checkpoints = job.checkpoints
        size = self.options.size
        content = images.read(job.content, "content", size)
        self._alpha = content.alpha
        # From the picture's own sides: those of the reduced pixels are rounded, and the aspect ratio is to be exact.
        self._content = images.resize(content.rgb, *fit(content.height, content.width, size))
        files = (job.style, *job.more_styles)
        scales = self.options.scale_of_each(len(files))
        self._styles = [
            images.read(data, role, math.ceil(size * scale)).rgb
            for role, data, scale in zip(STYLE_ROLES, files, scales, strict=False)
        ]
        self._init = images.read(job.init, "init", size).rgb if job.init else None
        self._mask = read_mask(job.mask, size, (content.height, content.width)) if job.mask else None
        self._budget = budget(Settings.read().memory)
        self._network, self.note = choose_extractor(
            job.extractor or self.options.extractor,
            self.options.pooling,
            job.precision or self.options.precision,
            decide=self._decide,
        )
        self.extractor = self._network.architecture.name
        for layer, nearest in self.options.replaced_layers(self.extractor).items():
            self._add_note(f"{self.extractor} has no layer {layer}: {nearest}, the nearest, takes its place.")
        self.options.check_pictures(len(self._styles), masked=self._mask is not None)
        if self._mask is not None:
            self._add_note(describe_uniform(self._mask, self.options.mask_use))
        self._load_state()
        self._estimate = self._planned(self._network).estimate(budget=self._budget)
        self._last: Step | None = None
        self._began = self._epoch_began = self._checkpoint_at = time.monotonic()
        self._checkpoint_takes = 0.0  # seconds

    def _decide(self, best: Extractor) -> tuple[str, str]:
        """The network that "auto" stands for, and why; `best` is measured if no network was."""
        return auto_network(self._planned(best), measured() or [calibration_of(best)], self._budget)

    def _planned(self, network: Extractor) -> PlannedRun:
        """This run, painted with that network."""
        height, width, _ = self._content.shape
        styles, masked = [style.shape[:2] for style in self._styles], self._mask is not None
        return PlannedRun(height, width, self.options, network.architecture.name, network.dtype, styles, masked)

    def _add_note(self, sentence: str) -> None:
        self.note = f"{self.note} {sentence}".strip()

    def _load_state(self) -> None:
        """Set where this run starts, its schedule, and the changes made until then. Raises InputError."""
        job, options = self._job, self.options
        scales = schedule(self._content.shape[0], self._content.shape[1], options)
        self._resume = self._read_checkpoint()
        self.resumed = self._resume is not None
        if self._resume is None and job.start:
            frame = images.read(job.start, "the frame to branch from", least=1).rgb
            self._resume = start_from_frame(frame, job.first * options.steps_per_epoch, scales)
        in_force = self._resume.scales if self._resume else scales
        # `job.epochs` is the length, but not of an "auto" run from its beginning: that one ends by its own rule again.
        self._fixed = job.epochs is not None and (options.epochs != "auto" or self._resume is not None)
        self._scales = in_force
        if job.epochs and self._fixed:
            self._scales = of_length(in_force, job.epochs * options.steps_per_epoch)
        self._first_step = self._counted_step = self._resume.step if self._resume else 0
        self.steered: list[Steering] = _in_order(job.steered)
        self._applied = 0  # how many of these changes are in force
        self._options_now, self._live = options, LiveWeights.of(options, self.extractor, len(self._styles))
        self._apply_until(self._first_step)

    def _read_checkpoint(self) -> Checkpoint | None:
        """The checkpoint of the job; None, with a note, for a damaged one: the run starts from its beginning."""
        try:
            return Checkpoint.from_bytes(self._job.checkpoint) if self._job.checkpoint else None
        except InputError:
            self._add_note("Its checkpoint was damaged, so it is painted anew.")
            return None

    def _apply_until(self, step: int) -> None:
        """Apply the recorded changes that hold for the step after `step`."""
        while self._applied < len(self.steered) and self.steered[self._applied][0] <= step + 1:
            self._apply(self.steered[self._applied][1])
            self._applied += 1

    def _apply(self, changes: Mapping[str, Any]) -> None:
        changed = self._options_now.steered(changes, self.extractor)
        now = LiveWeights.of(changed, self.extractor, len(self._styles))
        self._options_now = changed
        for field in dataclasses.fields(now):
            setattr(self._live, field.name, getattr(now, field.name))

    @property
    def seconds(self) -> float:
        """Seconds of painting, including those before the run was interrupted."""
        return self._job.seconds + time.monotonic() - self._began

    @property
    def converged(self) -> bool:
        """The run has ended before all its epochs, because more of them would change nothing visible."""
        return self._last is not None and self._last.converged

    def estimate(self) -> Estimate:
        """What the run will take on this machine, which is measured if it was not before."""
        seconds = self._planned(self._network).seconds(calibration_of(self._network), self._estimate.tile)
        return dataclasses.replace(self._estimate, seconds=seconds)

    def started(self) -> Started:
        """The event that describes what will be painted."""
        final, steps = self._scales[-1], sum(scale.steps for scale in self._scales)
        return Started(
            extractor=self.extractor,
            note=self.note,
            width=final.width,
            height=final.height,
            epochs=math.ceil(steps / self.options.steps_per_epoch),
            steps=steps,
            precision=self._network.dtype,
            tiled=self._estimate.tiled,
            epoch=self._first_step // self.options.steps_per_epoch,
            resumed=self.resumed,
        )

    def steps(self) -> Iterator[Step]:
        """The engine's steps; `result` is made of the last good one. Raises Diverged, OutOfMemory."""
        self._began = self._epoch_began = self._checkpoint_at = time.monotonic()
        before = None
        try:
            for step in stylize(
                self._content,
                self._styles,
                self.options,
                init=self._init,
                mask=self._mask,
                live=self._live,
                extractor=self._network,
                tile=self._estimate.tile,
                resume=self._resume,
                scales=self._scales if self._fixed else None,
            ):
                before, self._last = self._last, step
                if step.step > self._first_step or not self.resumed:  # the frame of a resumed run's first step exists
                    yield step
                self._apply_until(step.step)
        except Diverged:
            self._last = before  # the loss that ended the run is that of the last picture
            raise
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise OutOfMemory(f"there is not enough memory at size {self.options.size}; choose a smaller one") from None

    def steer(self, step: Step, changes: Mapping[str, Any]) -> Steered:
        """Change live options from the step after `step` on; returns the event. Raises OptionError."""
        following = step.step + 1
        # `pending` are recorded changes for later steps, made in an attempt that was lost with its worker. The new
        # change is newer, so they are in force now, and it is applied after them.
        pending = self.steered[self._applied :]
        self.steered[self._applied :] = [(following, earlier) for _, earlier in pending]
        self._apply_until(step.step)
        self._apply(changes)
        made = self._options_now.values_of(changes)
        self.steered.append((following, made))
        self._applied += 1
        return Steered(step=following, epoch=step.epoch, changes=made)

    def checkpoint_is_due(self) -> bool:
        """Whether the last checkpoint is old enough for another one; the longer one takes, the rarer they are."""
        if not self.makes_checkpoints:
            return False
        now = time.monotonic()
        early = 1.0 + (now - self._began) / 2  # the first checkpoints follow sooner
        interval = max(min(SHORTEST_INTERVAL, early), self._checkpoint_takes * CHECKPOINT_SHARE)
        return now - self._checkpoint_at > min(LONGEST_INTERVAL, interval)

    def checkpoint(self, history: int | None = MOST_HISTORY_BYTES) -> Checkpointed:
        """The event that carries a checkpoint of the last step; `history` is as in `Step.checkpoint`."""
        assert self._last is not None
        began, seconds = time.monotonic(), self.seconds
        data = self._last.checkpoint(history).to_bytes()
        self._checkpoint_at = time.monotonic()
        self._checkpoint_takes = self._checkpoint_at - began
        return Checkpointed(step=self._last.step, seconds=seconds, checkpoint=data)

    def seconds_left(self, step: Step) -> float:
        """Seconds until the run ends, estimated from its schedule and the time so far."""
        return seconds_left(step.scales, step.step, time.monotonic() - self._began, self._first_step)

    def epoch(self, step: Step) -> Epoch:
        """The event of the epoch that `step` ends."""
        now = time.monotonic()
        rate = (step.step - self._counted_step) / (now - self._epoch_began)
        self._epoch_began, self._counted_step = now, step.step
        image = step.image
        return Epoch(
            epoch=step.epoch,
            step=step.step,
            losses=step.losses,
            width=image.shape[1],
            height=image.shape[0],
            seconds=self.seconds,
            steps_per_second=rate,
            seconds_left=self.seconds_left(step),
            image=images.encode_jpeg(image, images.FRAME_QUALITY),
            in_float32=step.in_float32,
        )

    def result(self) -> bytes:
        """The last picture as PNG of the result's size, with the content's alpha and the settings; b"" if none."""
        if self._last is None:
            return b""
        final = self._scales[-1]
        image = images.resize(self._last.image, final.height, final.width)
        return images.encode_png(image, self._alpha, {"nst": self.provenance().to_text()})

    def provenance(self) -> Provenance:
        """What is needed to make the picture again, except the pictures themselves."""
        pictures = {role: hashlib.sha256(data).hexdigest() for role, data in self._job.pictures.items()}
        return Provenance(
            version=__version__,
            versions=versions(),
            extractor=self.extractor,
            precision=self._network.dtype,
            options=self.options,
            steered=tuple(self.steered),
            epochs=self._last.epoch if self._last else 0,
            branched=bool(self._job.start),
            content=pictures["content"],
            style=pictures["style"],
            init=pictures.get("init"),
            more_styles=tuple(pictures[role] for role in STYLE_ROLES[1:] if role in pictures),
            mask=pictures.get("mask"),
        )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what a picture depends on besides this program."""
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return found | {name: metadata.version(name) for name in ("keras", "numpy")}


def _in_order(steered: Sequence[Steering]) -> list[Steering]:
    """Recorded changes, oldest first, each at the step of a later change where that step is lower.

    After the loss of a worker, steps are painted again: a change made then may have a lower step than one before it.
    """
    steps = [step for step, _ in steered]
    return [(min(steps[n:]), changes) for n, (_, changes) in enumerate(steered)]
