"""The stair between jobs and engine: one run, from bytes to events. The only module that knows both sides.

The queue hands a run over by name ("nst.runner:execute"), so only a worker process ever imports this.
"""

import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from nst import __version__, images
from nst.engine import devices, weights
from nst.engine.backend import tf
from nst.engine.calibrate import calibrate
from nst.engine.extractors import ARCHITECTURES, Extractor
from nst.engine.optimize import Step, choose_extractor, stylize
from nst.errors import Diverged, NstError, OutOfMemory, WeightsError
from nst.estimates import Calibration, Estimate, budget, estimate
from nst.events import Epoch, Event, Failed, Fetching, Finished, Started, Stopped
from nst.options import StyleOptions
from nst.scales import fit, schedule, seconds_left
from nst.settings import Settings

log = logging.getLogger(__name__)

Emit = Callable[[Event], None]
FRAME_QUALITY = 88  # JPEG; the result itself is PNG

_calibrations: dict[Extractor, Calibration] = {}


def execute(job: Mapping[str, Any], emit: Emit, stop_requested: Callable[[], bool]) -> None:
    """Paint one run and tell its story: Started, an Epoch each, then Finished, Stopped or Failed.

    Args:
        job: {"content": bytes, "style": bytes, "init": bytes or None, "options": StyleOptions in JSON form}.
        emit: called with each event, in order.
        stop_requested: asked after every step.
    """
    painting = None
    try:
        painting = Painting(job)
        emit(painting.started())
        for step in painting.steps():
            if step.ends_epoch:
                emit(painting.epoch(step))
            if stop_requested():
                emit(Stopped(painting.seconds, painting.result()))
                return
        emit(Finished(painting.seconds, painting.result()))
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
        size = self.options.size
        content = images.read(job["content"], "content", size)
        self._alpha = content.alpha
        # From the picture's own sides: those of the reduced pixels are rounded, and the aspect ratio is to be exact.
        self._content = images.resize(content.rgb, *fit(content.height, content.width, size))
        self._style = images.read(job["style"], "style", math.ceil(size * self.options.style_scale)).rgb
        self._init = images.read(job["init"], "init", size).rgb if job.get("init") else None
        self._network, self.note = choose_extractor(
            self.options.extractor, self.options.pooling, self.options.precision
        )
        self.extractor = self._network.architecture.name
        self._rungs = schedule(self._content.shape[0], self._content.shape[1], self.options)
        self._budget = budget(Settings.read().memory)
        self._tiled = self._estimate(None).tiled
        self._last: Step | None = None
        self._counted = 0  # steps up to the last epoch
        self._began = self._epoch_began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the painting began."""
        return time.monotonic() - self._began

    def estimate(self) -> Estimate:
        """What it will take on this machine, which is measured first. Raises OutOfMemory."""
        return self._estimate(calibration_of(self._network))

    def _estimate(self, speed: Calibration | None) -> Estimate:
        (height, width, _), (style_height, style_width, _) = self._content.shape, self._style.shape
        network, style = (self.extractor, self._network.dtype), (style_height, style_width)
        return estimate(height, width, self.options, *network, speed, self._budget, style)

    def started(self) -> Started:
        """The event that says what will be painted."""
        final, options = self._rungs[-1], self.options
        how = self._network.dtype, self._tiled
        return Started(self.extractor, self.note, final.width, final.height, options.most_epochs, options.steps, *how)

    def steps(self) -> Iterator[Step]:
        """The engine's steps; the last good one is remembered for `result`. Raises Diverged, OutOfMemory."""
        self._began = self._epoch_began = time.monotonic()
        before = None
        try:
            for step in stylize(
                self._content, self._style, self.options, self._init, extractor=self._network, budget=self._budget
            ):
                before, self._last = self._last, step
                yield step
        except Diverged:
            self._last = before  # the loss that ended the run is that of the last picture
            raise
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise OutOfMemory(f"there is not enough memory at size {self.options.size}; choose a smaller one") from None

    def seconds_left(self, step: Step) -> float:
        """Estimated from the schedule and the time so far."""
        return seconds_left(step.rungs, step.step, self.seconds)

    def epoch(self, step: Step) -> Epoch:
        """The event of an epoch that `step` ends."""
        now = time.monotonic()
        rate = (step.step - self._counted) / (now - self._epoch_began) if step.step else 0.0
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
        )

    def result(self) -> bytes:
        """The last picture as PNG of the result's size, with the content's alpha and the settings; b"" if none."""
        if self._last is None:
            return b""
        final = self._rungs[-1]
        image = images.resize(self._last.image, final.height, final.width)
        return images.encode_png(image, self._alpha, {"nst": json.dumps(self.provenance())})

    def provenance(self) -> dict[str, Any]:
        """What is needed to make the picture again, except the two pictures."""
        return {
            "nst": __version__,
            "extractor": self.extractor,
            "precision": self._network.dtype,
            "options": self.options.to_json(),
        }


def warm_up() -> dict[str, Any]:
    """Load and trace what a default run needs, and say what there is.

    Returns:
        {"device", "extractors", "auto" and "precision": what "auto" means here, "calibrations": JSON forms, "memory":
        bytes that a painting may take}.
    """
    device = devices.set_up()
    network, _ = choose_extractor("auto")
    grey = np.full((64, 64, 3), 0.5, np.float32)
    for step in stylize(
        grey, grey, StyleOptions(epochs=1, steps_per_epoch=2, size=128), extractor=network, budget=sys.maxsize
    ):
        images.encode_jpeg(step.image)
    if not _calibrations:  # later ones, after a download, come beside a painting, which would mislead them
        calibration_of(network)
    return {
        "device": device,
        "extractors": extractors(),
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


def extractors() -> dict[str, dict[str, Any]]:
    """{name: {"installed": bool, "how": how to get it, "" if it is here}} of every network; a damaged file is none."""
    return {name: _state(name) for name in ARCHITECTURES}


def _state(name: str) -> dict[str, Any]:
    try:
        weights.load(name, ARCHITECTURES[name].shapes())
    except WeightsError as error:
        return {"installed": False, "how": weights.how_to_get(name) if weights.locate(name) is None else str(error)}
    return {"installed": True, "how": ""}


def fetch_weights(name: str, emit: Callable[[Fetching], None]) -> None:
    """Download the weights of `name`, telling how far it is about five times a second."""
    told = 0.0

    def progress(received: int, size: int) -> None:
        nonlocal told
        if time.monotonic() - told > 0.2 or received == size:
            told = time.monotonic()
            emit(Fetching(name, received, size))

    path = weights.fetch(name, progress)
    size = path.stat().st_size
    emit(Fetching(name, size, size, done=True))
