"""Painters for the page's tests, handed over by name as the real one is. A step takes 5 ms."""

import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from nst.errors import Diverged
from nst.estimates import Calibration
from nst.events import Epoch, Event, Fetching, Finished, Losses, Started, Stopped
from nst.options import MOST_EPOCHS
from nst.scales import fit

Emit = Callable[[Event], None]
CALIBRATION = Calibration("compact", "float32", step_seconds=0.005, pixel_seconds=1e-7)
MEMORY = 2_500_000_000  # bytes
ENOUGH = 31  # epochs that change the picture, of a run that ends by itself
DIVERGES = 13  # this seed's loss runs away after three epochs
VGG19 = {"installed": False, "how": "Fetch it here, or with `nst weights fetch vgg19`."}
VGG16 = {"installed": False, "how": "Fetch it here, or with `nst weights fetch vgg16`."}


def execute(job: dict[str, Any], emit: Emit, stop_requested: Callable[[], bool]) -> None:
    """A picture that turns from the content into the style, epoch by epoch."""
    options, began = job["options"], time.monotonic()
    content = Image.open(io.BytesIO(job["content"])).convert("RGB")
    height, width = fit(content.height, content.width, options["size"])
    pictures = [content.resize((width, height)), _open(job["style"]).resize((width, height))]
    steps = options["steps_per_epoch"]
    epochs = MOST_EPOCHS if options["epochs"] == "auto" else options["epochs"]
    emit(Started("compact", "VGG19 is not installed.", width, height, epochs, epochs * steps, "bfloat16"))
    for n in range((ENOUGH if options["epochs"] == "auto" else epochs) + 1):
        for _ in range(steps if n else 0):
            time.sleep(0.005)
            if stop_requested():
                emit(Stopped(time.monotonic() - began, _encoded(pictures, n / epochs, "PNG")))
                return
        if options["seed"] == DIVERGES and n == 3:
            raise Diverged("the loss ran away at epoch 3; lower the learning rate")
        content_loss, style_loss = 2.0 + n / epochs, 400.0 / (1 + n) ** 1.2
        losses = Losses(content_loss + style_loss + 0.1, content_loss, style_loss, 0.1)
        frame = _encoded(pictures, n / epochs, "JPEG")
        seconds = time.monotonic() - began
        emit(Epoch(n, n * steps, losses, width, height, seconds, 200.0, (epochs - n) * steps * 0.005, frame))
    emit(Finished(time.monotonic() - began, _encoded(pictures, 1.0, "PNG")))


def warm_up() -> dict[str, Any]:
    return {
        "extractors": {"compact": {"installed": True, "how": ""}, "vgg19": VGG19, "vgg16": VGG16},
        "auto": "compact",
        "precision": "float32",
        "memory": MEMORY,
        "calibrations": [CALIBRATION.to_json()],
    }


def fetch(name: str, emit: Emit) -> None:
    for received in range(0, 80, 8):
        emit(Fetching(name, received * 2**20, 80 * 2**20))
        time.sleep(0.1)
    VGG19["installed"] = True
    emit(Fetching(name, 80 * 2**20, 80 * 2**20, done=True))


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _encoded(pictures: list[Image.Image], share: float, format: str) -> bytes:
    content, style = (np.asarray(picture, np.float32) for picture in pictures)
    blend = Image.fromarray(((1 - share) * content + share * style).astype(np.uint8))
    file = io.BytesIO()
    blend.save(file, format, quality=80)
    return file.getvalue()
