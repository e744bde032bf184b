"""Runs in a worker process: `execute` turns a job into events, `warm_up` prepares the process for it.

The queue names both as text ("nst.worker.runner:execute"), so that no other process imports TensorFlow.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from nst.engine import devices
from nst.engine.feed_forward import fast_network
from nst.engine.networks.choose_extractor import choose_extractor
from nst.engine.networks.extractors import Extractor
from nst.engine.optimization.optimize import stylize
from nst.errors import NstError, OptionError
from nst.options.layer_presets import SHIPPED_NETWORK
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.pictures import images
from nst.runs.control import Control
from nst.runs.estimates import PlannedRun, auto_network
from nst.runs.events import Event, Failed, Finished, Paused, Stopped
from nst.runs.job import StyleJob
from nst.runs.memory_budget import budget
from nst.worker.calibrations import calibration_of, measured
from nst.worker.style_run import StyleRun
from nst.worker.weights_fetcher import extractors

log = logging.getLogger(__name__)

Emit = Callable[[Event], None]
SHORT_HISTORY = 2**24  # bytes of the optimizer's history in the checkpoints of a run that goes on: each is sent
WARM_UP_PICTURE = np.full((64, 64, 3), 0.5, np.float32)


def execute(job: StyleJob, emit: Emit, control: Control) -> None:
    """Paint one run and emit its events: Started, an Epoch each, then one of Finished, Stopped, Paused and Failed.

    A checkpoint (Checkpointed) follows every few seconds, and the last one after the end, unless the run failed or the
    job asks for none.

    Args:
        job: the run.
        emit: called with each event, in order.
        control: read after every step.
    """
    run = None
    try:
        run = StyleRun(job)
        emit(run.started())
        for step in run.steps():
            if step.ends_epoch:
                emit(run.epoch(step))
            if changes := control.take_changes():
                with suppress(OptionError):  # the request was answered with the error; the run goes on unchanged
                    emit(run.steer(step, changes))
            if control.stop_requested:
                emit(Stopped(seconds=run.seconds, image=run.result()))
                if run.makes_checkpoints:
                    emit(run.checkpoint(None))
                return
            if control.pause_requested:
                emit(Paused(seconds=run.seconds, image=run.result()))
                if run.makes_checkpoints:
                    emit(run.checkpoint())
                return
            if run.checkpoint_is_due():
                emit(run.checkpoint(SHORT_HISTORY))
        emit(Finished(seconds=run.seconds, image=run.result(), converged=run.converged))
        if run.makes_checkpoints:
            emit(run.checkpoint(None))
    except NstError as error:
        emit(Failed(error=str(error), image=run.result() if run else b""))
    except Exception as error:
        log.exception("a painting failed")
        reason = f"the painting failed unexpectedly ({type(error).__name__}); the log of the worker says more"
        emit(Failed(error=reason, image=run.result() if run else b""))


def warm_up() -> dict[str, Any]:
    """Load, measure and trace what a run with default options and a fast style need.

    Returns:
        {"device", "extractors", "auto": the network that it means in a run with default options, "precision": what
        "auto" means, "calibrations": JSON forms, "memory": bytes that a run may take}.
    """
    device, known, memory = devices.set_up(), extractors(), budget(Settings.read().memory)
    compact, _ = choose_extractor(SHIPPED_NETWORK)
    calibration_of(compact)
    if known["vgg19"]["installed"]:  # or "auto" would have to guess its speed
        calibration_of(choose_extractor("vgg19")[0])

    def decide(best: Extractor) -> tuple[str, str]:
        height, width, _ = WARM_UP_PICTURE.shape
        planned = PlannedRun(height, width, StyleOptions(), best.architecture.name, best.dtype)
        return auto_network(planned, measured(), memory)

    network, _ = choose_extractor("auto", decide=decide)
    options = StyleOptions(epochs=1, steps_per_epoch=2, size=128)
    for step in stylize(WARM_UP_PICTURE, WARM_UP_PICTURE, options, extractor=network, tile=None):
        images.encode_jpeg(step.image)
    fast_network.warm_up()
    return {
        "device": device,
        "extractors": known,
        "auto": network.architecture.name,
        "precision": network.dtype,
        "calibrations": [calibration.to_json() for calibration in measured()],
        "memory": budget(Settings.read().memory),
    }
