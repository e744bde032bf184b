"""The stair between jobs and engine: one run, from bytes to events. The only module that knows both sides.

The queue hands a run over by name ("nst.worker.runner:execute"), so only a worker process ever imports this.
"""

import dataclasses
import functools
import hashlib
import logging
import math
import platform
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

import numpy as np

from nst import __version__
from nst.engine import devices, feed_forward
from nst.engine.backend import tf
from nst.engine.calibrate import calibrate
from nst.engine.checkpoint import MOST_HISTORY_BYTES, Checkpoint
from nst.engine.extractors import Extractor
from nst.engine.networks import choose_extractor
from nst.engine.objective import LiveWeights
from nst.engine.optimize import stylize
from nst.engine.start import start_from_frame
from nst.engine.step import Step
from nst.errors import Diverged, InputError, NstError, OptionError, OutOfMemory
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.pictures.images import fit
from nst.pictures.provenance import Provenance
from nst.runs.control import Control
from nst.runs.estimates import Calibration, Estimate, auto_network, budget, estimate
from nst.runs.events import Epoch, Event, Failed, Finished, Kept, Paused, Started, Steered, Stopped
from nst.runs.schedule import of_length, schedule, seconds_left
from nst.worker.weights_fetcher import extractors

log = logging.getLogger(__name__)

Emit = Callable[[Event], None]
FRAME_QUALITY = 88  # JPEG; the result itself is PNG
LEAST_PAUSE, MOST_PAUSE = 4.0, 8.0  # seconds between two checkpoints: with their way to the disk under ten
SOME_HISTORY = 2**24  # bytes of the optimiser's history in those: they travel, and a few steps make it anew
GREY = np.full((64, 64, 3), 0.5, np.float32)  # what a worker warms up with

_calibrations: dict[Extractor, Calibration] = {}


def execute(job: Mapping[str, Any], emit: Emit, control: Control) -> None:
    """Paint one run and tell its story: Started, an Epoch each, then Finished, Stopped, Paused or Failed.

    Args:
        job: what nst/jobs/worker_tasks.py says.
        emit: called with each event, in order.
        control: looked at after every step.
    """
    painting = None
    try:
        painting = Painting(job)
        emit(painting.started())
        for step in painting.steps():
            if step.ends_epoch:
                emit(painting.epoch(step))
            if changes := control.take_changes():
                with suppress(OptionError):  # who asked was told; no run is lost over it
                    emit(painting.steer(step, changes))
            if control.stop_requested:
                emit(Stopped(painting.seconds, painting.result()))
                emit(painting.kept(None))
                return
            if control.pause_requested:
                emit(Paused(painting.seconds, painting.result()))
                emit(painting.kept())
                return
            if painting.keep_is_due():
                emit(painting.kept(SOME_HISTORY))
        emit(Finished(painting.seconds, painting.result(), painting.converged))
        emit(painting.kept(None))
    except NstError as error:
        emit(Failed(str(error), painting.result() if painting else b""))
    except Exception as error:
        log.exception("a painting failed")
        reason = f"the painting failed unexpectedly ({type(error).__name__}); the log of the worker says more"
        emit(Failed(reason, painting.result() if painting else b""))


class Painting:
    """One run while it is painted: decoded pictures in, steps through, encoded pictures out."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.options = StyleOptions.from_json(job["options"])
        self._job = job
        size = self.options.size
        content = images.read(job["content"], "content", size)
        self._alpha = content.alpha
        # From the picture's own sides: those of the reduced pixels are rounded, and the aspect ratio is to be exact.
        self._content = images.resize(content.rgb, *fit(content.height, content.width, size))
        self._style = images.read(job["style"], "style", math.ceil(size * self.options.style_scale)).rgb
        self._init = images.read(job["init"], "init", size).rgb if job.get("init") else None
        self._budget = budget(Settings.read().memory)
        self._network, self.note = choose_extractor(
            job.get("extractor") or self.options.extractor,
            self.options.pooling,
            job.get("precision") or self.options.precision,
            judge=self._judge,
        )
        self.extractor = self._network.architecture.name
        for layer, nearest in self.options.replaced_layers(self.extractor).items():
            self.note = (
                f"{self.note} {self.extractor} has no layer {layer}: {nearest}, the nearest, takes its place.".strip()
            )
        self._begin()
        self._tiled = self._estimate(None).tiled
        self._last: Step | None = None
        self._began = self._epoch_began = self._kept_at = time.monotonic()
        self._keep_takes = 0.0  # seconds

    def _judge(self, best: Extractor) -> tuple[str, str]:
        """The network that "auto" stands for, and why; a machine of which nothing is known is measured."""
        known = list(_calibrations.values()) or [calibration_of(best)]
        (height, width, _), style = self._content.shape, self._style.shape[:2]
        return auto_network(height, width, self.options, best.dtype, known, self._budget, style)

    def _begin(self) -> None:
        """Find where this painting starts, by which schedule, and what was changed on the way there. InputError."""
        job, options = self._job, self.options
        rungs = schedule(self._content.shape[0], self._content.shape[1], options)
        self._resume = self._checkpoint()
        self.resumed = self._resume is not None
        if self._resume is None and job.get("start"):
            frame = images.read(job["start"], "the frame to branch from", least=1).rgb
            self._resume = start_from_frame(frame, job["first"] * options.steps_per_epoch, rungs)
        here, epochs = self._resume.scales if self._resume else rungs, job.get("epochs")
        # A run that ended by itself is repeated by ending by itself; its schedule says nothing of when.
        self._fixed = epochs is not None and (options.epochs != "auto" or self._resume is not None)
        self._rungs = of_length(here, epochs * options.steps_per_epoch) if epochs and self._fixed else here
        self._begun = self._counted = self._resume.step if self._resume else 0  # step; and that of the last epoch
        self.steered = [dict(change) for change in job.get("steered", ())]
        self._options_now, self._live = options, LiveWeights.of(options, self.extractor)
        self._ahead = deque(self.steered)
        self._replay(self._begun)

    def _checkpoint(self) -> Checkpoint | None:
        """Where the run stood; one that is damaged is as good as none, and is painted again."""
        try:
            return Checkpoint.from_bytes(self._job["checkpoint"]) if self._job.get("checkpoint") else None
        except InputError:
            self.note = f"{self.note} Its checkpoint was damaged, so it is painted anew.".strip()
            return None

    def _replay(self, step: int) -> None:
        """Make the changes that were made before the step after `step`."""
        while self._ahead and self._ahead[0]["step"] <= step + 1:
            self._apply(self._ahead.popleft()["changes"])

    def _apply(self, changes: Mapping[str, Any]) -> None:
        self._options_now = self._options_now.steered(changes, self.extractor)
        now = LiveWeights.of(self._options_now, self.extractor)
        for field in dataclasses.fields(now):
            setattr(self._live, field.name, getattr(now, field.name))

    @property
    def seconds(self) -> float:
        """Of painting, those before it was interrupted included."""
        return float(self._job.get("seconds", 0.0)) + time.monotonic() - self._began

    @property
    def converged(self) -> bool:
        """It has ended before its epochs were done, because more of them would change nothing visible."""
        return self._last is not None and self._last.converged

    def estimate(self) -> Estimate:
        """What it will take on this machine, which is measured first. Raises OutOfMemory."""
        return self._estimate(calibration_of(self._network))

    def _estimate(self, speed: Calibration | None) -> Estimate:
        (height, width, _), (style_height, style_width, _) = self._content.shape, self._style.shape
        network, style = (self.extractor, self._network.dtype), (style_height, style_width)
        return estimate(height, width, self.options, *network, speed, self._budget, style)

    def started(self) -> Started:
        """The event that says what will be painted."""
        final, steps = self._rungs[-1], sum(rung.steps for rung in self._rungs)
        epochs = math.ceil(steps / self.options.steps_per_epoch)
        how = self._network.dtype, self._tiled
        where = self._begun // self.options.steps_per_epoch, self.resumed
        return Started(self.extractor, self.note, final.width, final.height, epochs, steps, *how, *where)

    def steps(self) -> Iterator[Step]:
        """The engine's steps; the last good one is remembered for `result`. Raises Diverged, OutOfMemory."""
        self._began = self._epoch_began = self._kept_at = time.monotonic()
        before = None
        try:
            for step in stylize(
                self._content,
                self._style,
                self.options,
                init=self._init,
                live=self._live,
                extractor=self._network,
                budget=self._budget,
                resume=self._resume,
                scales=self._rungs if self._fixed else None,
            ):
                before, self._last = self._last, step
                if step.step > self._begun or not self.resumed:  # the frame of where it is taken up is there
                    yield step
                self._replay(step.step)
        except Diverged:
            self._last = before  # the loss that ended the run is that of the last picture
            raise
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise OutOfMemory(f"there is not enough memory at size {self.options.size}; choose a smaller one") from None

    def steer(self, step: Step, changes: Mapping[str, Any]) -> Steered:
        """Change live options from the step after `step` on; the event that says so. Raises OptionError."""
        for earlier in self._ahead:  # made after a checkpoint that this run was taken up from: newer ones overrule them
            earlier["step"] = step.step + 1
        self._replay(step.step)
        self._apply(changes)
        self.steered.append({"step": step.step + 1, "changes": dict(changes)})
        return Steered(step.step + 1, step.epoch, dict(changes))

    def keep_is_due(self) -> bool:
        """Whether the last checkpoint is so old that another should be made; the dearer they are, the fewer."""
        now = time.monotonic()
        soon = 1.0 + (now - self._began) / 2  # the first ones come sooner
        pause = min(MOST_PAUSE, max(min(LEAST_PAUSE, soon), self._keep_takes * 20))
        return now - self._kept_at > pause

    def kept(self, history: int | None = MOST_HISTORY_BYTES) -> Kept:
        """A checkpoint of the last step, as `Step.checkpoint` makes it."""
        assert self._last is not None
        began, seconds = time.monotonic(), self.seconds
        data = self._last.checkpoint(history).to_bytes()
        self._kept_at = time.monotonic()
        self._keep_takes = self._kept_at - began
        return Kept(self._last.step, seconds, data)

    def seconds_left(self, step: Step) -> float:
        """Estimated from the schedule and the time so far."""
        return seconds_left(step.scales, step.step, time.monotonic() - self._began, self._begun)

    def epoch(self, step: Step) -> Epoch:
        """The event of an epoch that `step` ends."""
        now = time.monotonic()
        rate = (step.step - self._counted) / (now - self._epoch_began)
        self._epoch_began, self._counted = now, step.step
        image = step.image
        return Epoch(
            step.epoch,
            step.step,
            step.losses,
            image.shape[1],
            image.shape[0],
            self.seconds,
            rate,
            self.seconds_left(step),
            images.encode_jpeg(image, FRAME_QUALITY),
            step.in_float32,
        )

    def result(self) -> bytes:
        """The last picture as PNG of the result's size, with the content's alpha and the settings; b"" if none."""
        if self._last is None:
            return b""
        final = self._rungs[-1]
        image = images.resize(self._last.image, final.height, final.width)
        return images.encode_png(image, self._alpha, {"nst": self.provenance().to_text()})

    def provenance(self) -> Provenance:
        """What is needed to make the picture again, except the pictures themselves."""
        pictures = {
            role: hashlib.sha256(self._job[role]).hexdigest()
            for role in ("content", "style", "init")
            if self._job.get(role)
        }
        return Provenance(
            version=__version__,
            versions=versions(),
            extractor=self.extractor,
            precision=self._network.dtype,
            options=self.options,
            steered=tuple((change["step"], change["changes"]) for change in self.steered),
            epochs=self._last.epoch if self._last else 0,
            branched=bool(self._job.get("start")),
            **pictures,
        )


@functools.cache
def versions() -> dict[str, str]:
    """What a picture depends on beside this program."""
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return found | {name: metadata.version(name) for name in ("keras", "numpy")}


def warm_up() -> dict[str, Any]:
    """Load, measure and trace what a default run and a fast style need, and say what there is.

    Returns:
        {"device", "extractors", "auto": what it means here in a run with the default options, "precision": what "auto"
        means, "calibrations": JSON forms, "memory": bytes that a painting may take}.
    """
    device, known, memory = devices.set_up(), extractors(), budget(Settings.read().memory)
    compact, _ = choose_extractor("compact")
    calibration_of(compact)
    if known["vgg19"]["installed"]:  # or "auto" would have to guess its speed
        calibration_of(choose_extractor("vgg19")[0])

    def judge(best: Extractor) -> tuple[str, str]:
        return auto_network(*GREY.shape[:2], StyleOptions(), best.dtype, _calibrations.values(), memory)

    network, _ = choose_extractor("auto", judge=judge)
    for step in stylize(
        GREY, GREY, StyleOptions(epochs=1, steps_per_epoch=2, size=128), extractor=network, budget=sys.maxsize
    ):
        images.encode_jpeg(step.image)
    feed_forward.warm_up()
    return {
        "device": device,
        "extractors": known,
        "auto": network.architecture.name,
        "precision": network.dtype,
        "calibrations": [calibration.to_json() for calibration in _calibrations.values()],
        "memory": budget(Settings.read().memory),
    }


def calibration_of(network: Extractor) -> Calibration:
    """The speed of a network on this machine, measured once in a process."""
    if network not in _calibrations:
        _calibrations[network] = calibrate(network)
    return _calibrations[network]
