"""The stair between jobs and the fast networks: pictures in one pass, from bytes to bytes, beside a worker's painting.

The queue hands a job over by name ("nst.worker.fast_runner:paint"), so only a worker process ever imports this.
"""

import functools
import sys
import time
from collections.abc import Mapping
from typing import Any

from nst import __version__
from nst.engine.backend import tf
from nst.engine.feed_forward import apply_mix
from nst.errors import OutOfMemory
from nst.options.fast_options import FastOptions
from nst.pictures import images
from nst.pictures.images import fit
from nst.pictures.provenance import FAST, FastProvenance
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED

QUALITY = 90  # JPEG
KEPT = 4  # style files that stay read


def paint(job: Mapping[str, Any]) -> dict[str, Any]:
    """Paint a picture as each wish says.

    Args:
        job: {"content": bytes; "file": bytes of a style file, b"" for the shipped one; "wishes": [{"mix": weights by
            style, of sum 1, "options": FastOptions.to_json(), "format": "png" or "jpeg", and of a thumbnail "side": px
            that it is reduced to}]}.

    Returns:
        {"pictures": [{"data": bytes, "width", "height": px, "seconds": of painting}]}, in the order of the wishes.

    Raises:
        InputError: a picture or an option that cannot be used.
        OutOfMemory: the picture is too large for the machine.
    """
    file = _file(job["file"] or SHIPPED.read_bytes())
    wishes = [(FastOptions.from_json(wish["options"]), wish) for wish in job["wishes"]]
    sizes = [options.size for options, _ in wishes]
    largest = None if None in sizes else max(size for size in sizes if size)
    content = images.read(job["content"], "content", largest)
    pictures = []
    for options, wish in wishes:
        began = time.monotonic()
        try:
            found = apply_mix(content.rgb, file, wish["mix"], options)
        except (MemoryError, tf.errors.ResourceExhaustedError):
            raise OutOfMemory("there is not enough memory for a picture of this size; choose a smaller one") from None
        seconds = time.monotonic() - began
        height, width = found.shape[:2]
        if wish.get("side", sys.maxsize) < max(height, width):
            height, width = fit(height, width, wish["side"])
            found = images.resize(found, height, width)
        told = FastProvenance(__version__, file.network, wish["mix"], options).to_text()
        if wish["format"] == "png":
            data = images.encode_png(found, content.alpha, {FAST: told})
        else:
            data = images.encode_jpeg(found, QUALITY, f"{FAST}\0{told}")
        pictures.append({"data": data, "width": width, "height": height, "seconds": seconds})
    return {"pictures": pictures}


@functools.lru_cache(KEPT)
def _file(data: bytes) -> StyleFile:
    return StyleFile.from_bytes(data)
