"""Functions that a worker calls in the tests of the web, in place of those that need TensorFlow. A step takes 5 ms."""

import hashlib
import io
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from nst.errors import Cancelled, Diverged, Unfetched
from nst.options import fast_options
from nst.options.style_options import MOST_AUTO_EPOCHS
from nst.pictures.images import encode_png, fit
from nst.pictures.provenance import Provenance
from nst.runs.control import Control
from nst.runs.estimates import Calibration
from nst.runs.events import Checkpointed, Epoch, Event, Fetching, Finished, Losses, Paused, Started, Steered, Stopped
from nst.runs.job import FastJob, FastPicture, StyleJob

Emit = Callable[[Event], None]
CALIBRATION = Calibration("compact", "float32", step_seconds=0.005, pixel_seconds=1e-7)
MEMORY = 3_000_000_000  # bytes: 2048 px fit, which a result can be upscaled to, 4096 px do not
ENOUGH = 31  # epochs after which a run with `epochs` "auto" ends
DIVERGES = 13  # seed of a run that diverges after three epochs
VGG19 = {"installed": False, "how": "Fetch it here, or with `nst weights fetch vgg19`.", "fetchable": True}
VGG16 = {"installed": False, "how": "Fetch it here, or with `nst weights fetch vgg16`.", "fetchable": True}


def execute(job: StyleJob, emit: Emit, control: Control) -> None:
    """Fade from the content to the style, epoch by epoch; a checkpoint is the number of its epoch."""
    options, began = job.options.to_json(), time.monotonic()
    content = Image.open(io.BytesIO(job.content)).convert("RGB")
    height, width = fit(content.height, content.width, options["size"])
    pictures = [content.resize((width, height)), _open(job.style).resize((width, height))]
    steps = options["steps_per_epoch"]
    epochs = job.epochs or (MOST_AUTO_EPOCHS if options["epochs"] == "auto" else options["epochs"])
    begun = int(job.checkpoint or job.first)
    where = {"epoch": begun, "resumed": bool(job.checkpoint)}
    emit(
        Started(
            extractor="compact",
            note="VGG19 is not installed.",
            width=width,
            height=height,
            epochs=epochs,
            steps=epochs * steps,
            precision="bfloat16",
            **where,
        )
    )

    def seconds() -> float:
        return job.seconds + time.monotonic() - began

    def rest(event: type[Event], n: int) -> None:
        emit(event(seconds=seconds(), image=_result(pictures, n / epochs, job)))  # type: ignore[call-arg]
        emit(Checkpointed(step=n * steps, seconds=seconds(), checkpoint=b"%d" % n))

    last = ENOUGH if options["epochs"] == "auto" and not job.epochs else epochs
    for n in range(begun + where["resumed"], last + 1):
        for step in range(steps if n > begun else 0):
            time.sleep(0.005)
            if control.stop_requested:
                return rest(Stopped, max(begun, n - 1))
            if control.pause_requested:
                return rest(Paused, max(begun, n - 1))
            if changes := control.take_changes():
                emit(Steered(step=(n - 1) * steps + step + 1, epoch=n - 1, changes=changes))
        if options["seed"] == DIVERGES and n == 3:
            raise Diverged("the loss ran away at epoch 3; lower the learning rate")
        content_loss, style_loss = 2.0 + n / epochs, 400.0 / (1 + n) ** 1.2
        losses = Losses(content_loss + style_loss + 0.1, content_loss, style_loss, 0.1)
        frame = _encoded(pictures, n / epochs, "JPEG")
        emit(
            Epoch(
                epoch=n,
                step=n * steps,
                losses=losses,
                width=width,
                height=height,
                seconds=seconds(),
                steps_per_second=200.0,
                seconds_left=(epochs - n) * steps * 0.005,
                image=frame,
            )
        )
    return rest(Finished, last)


def warm_up() -> dict[str, Any]:
    return {
        "extractors": {"compact": {"installed": True, "how": "", "fetchable": False}, "vgg19": VGG19, "vgg16": VGG16},
        "auto": "compact",
        "precision": "float32",
        "memory": MEMORY,
        "calibrations": [CALIBRATION.to_json()],
    }


def apply_style(job: FastJob) -> list[FastPicture]:
    """The real pictures of a network that paints at 96 px instead of 512."""
    from nst.worker import fast_runner

    fast_options.WORKING_SIDE = 96
    return fast_runner.execute(job)


def fetch(name: str, emit: Emit, stop: threading.Event) -> dict[str, Any]:
    for received in range(0, 80, 8):
        emit(Fetching(name=name, received=received * 10**6, size=80 * 10**6))
        if stop.wait(0.1):
            raise Cancelled("the download was cancelled")
    VGG19.update(installed=True, how="", fetchable=False)
    return {"extractors": warm_up()["extractors"]}


def fetch_for_ever(name: str, emit: Emit, stop: threading.Event) -> dict[str, Any]:
    emit(Fetching(name=name, received=31 * 10**6, size=80 * 10**6))
    stop.wait()
    raise Cancelled("the download was cancelled")


def fetch_in_vain(name: str, emit: Emit, stop: threading.Event) -> dict[str, Any]:
    emit(Fetching(name=name, received=31 * 10**6, size=80 * 10**6))
    message = "could not download http://192.0.2.1/w.h5: [Errno 111] Connection refused; gave up after 5 attempts"
    raise Unfetched(message, "there is no connection to its server, or it broke", passing=True)


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _result(pictures: list[Image.Image], share: float, job: StyleJob) -> bytes:
    """A PNG with its settings, as the real runner writes them."""
    content, style, *more = (hashlib.sha256(data).hexdigest() for data in (job.content, job.style, *job.more_styles))
    further = {"more_styles": tuple(more), "mask": job.mask and hashlib.sha256(job.mask).hexdigest()}
    options, network = job.options, ("compact", "float32")
    said = Provenance("0", {}, *network, options, (), options.most_epochs, content, style, **further)
    png = Image.open(io.BytesIO(_encoded(pictures, share, "PNG")))
    return encode_png(np.asarray(png, np.float32) / 255, text={"nst": said.to_text()})


def _encoded(pictures: list[Image.Image], share: float, format: str) -> bytes:
    content, style = (np.asarray(picture, np.float32) for picture in pictures)
    blend = Image.fromarray(((1 - share) * content + share * style).astype(np.uint8))
    file = io.BytesIO()
    blend.save(file, format, quality=80)
    return file.getvalue()
