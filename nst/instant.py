"""The stair between jobs and the fast networks: pictures in one pass, from bytes to bytes, beside a worker's painting.

The queue hands a job over by name ("nst.instant:paint"), so only a worker process ever imports this.
"""

import time
from collections.abc import Mapping
from typing import Any

from nst import images
from nst.engine.fast import apply_style
from nst.errors import OutOfMemory
from nst.library import SHIPPED
from nst.options import FastOptions
from nst.stylefile import StyleFile

QUALITY = 90  # JPEG


def paint(job: Mapping[str, Any]) -> dict[str, Any]:
    """Paint a picture as each wish says.

    Args:
        job: {"content": bytes; "file": bytes of a style file, b"" for the shipped one; "wishes": [{"mix": weights by
            style, of sum 1, "options": FastOptions.to_json(), "format": "png" or "jpeg"}]}.

    Returns:
        {"pictures": [{"data": bytes, "width", "height": px, "seconds": of painting}]}, in the order of the wishes.

    Raises:
        InputError: a picture or an option that cannot be used.
        OutOfMemory: the picture is too large for the machine.
    """
    file = StyleFile.from_bytes(job["file"] or SHIPPED.read_bytes())
    wishes = [(wish["mix"], FastOptions.from_json(wish["options"]), wish["format"]) for wish in job["wishes"]]
    sizes = [options.size for _, options, _ in wishes]
    largest = None if None in sizes else max(size for size in sizes if size)
    content = images.read(job["content"], "content", largest)
    pictures = []
    for mix, options, format in wishes:
        began = time.monotonic()
        try:
            found = apply_style(content.rgb, file, mix, options)
        except MemoryError:
            raise OutOfMemory("there is not enough memory for a picture of this size; choose a smaller one") from None
        seconds = time.monotonic() - began
        data = images.encode_png(found, content.alpha) if format == "png" else images.encode_jpeg(found, QUALITY)
        pictures.append({"data": data, "width": found.shape[1], "height": found.shape[0], "seconds": seconds})
    return {"pictures": pictures}
