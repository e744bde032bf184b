"""Pictures in one pass in a worker process, from bytes to bytes, beside its run.

The queue names `execute` as text ("nst.worker.fast_runner:execute"), so that no other process imports TensorFlow.
"""

import functools
import time

from nst import __version__
from nst.engine.backend import tf
from nst.engine.feed_forward.fast_network import apply_mix, style_vector
from nst.engine.feed_forward.predicted_styles import with_paintings
from nst.errors import OutOfMemory
from nst.pictures import images
from nst.pictures.images import fit
from nst.pictures.provenance import FAST, FastProvenance
from nst.runs.job import VECTOR, FastJob, FastPicture, FastRequest
from nst.styles.style_file import StyleFile
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import StylePicture

FAST_QUALITY = 90  # JPEG
LEAST_SIDE = 8  # px, of a reduced result
MOST_STYLE_FILES = 4  # style files that stay in memory


def execute(job: FastJob) -> list[FastPicture]:
    """Paint a picture for each request of a job, in their order.

    Raises:
        InputError: a picture or an option that cannot be used.
        OutOfMemory: the picture is too large for the machine.
    """
    paintings = {sha256: StylePicture.read(data, "style") for sha256, data in job.paintings.items()}
    file = with_paintings(_file(job.file) if job.file else shipped_file(), paintings)
    if all(request.format == VECTOR for request in job.requests):
        return [_vector(file, request) for request in job.requests]
    sizes = [request.options.size for request in job.requests]
    largest = None if None in sizes else max(size for size in sizes if size)
    content = images.read(job.content, "content", largest)
    return [_painted(content, file, request) for request in job.requests]


def _vector(file: StyleFile, request: FastRequest) -> FastPicture:
    vector = style_vector(file, request.mix)
    return FastPicture(vector.astype("<f4").tobytes(), 0, 0, 0.0)


def _painted(content: images.Picture, file: StyleFile, request: FastRequest) -> FastPicture:
    began = time.monotonic()
    try:
        found = apply_mix(content.rgb, file, request.mix, request.options)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise OutOfMemory("there is not enough memory for a picture of this size; choose a smaller one") from None
    seconds = time.monotonic() - began
    height, width = found.shape[:2]
    if request.side is not None and request.side < max(height, width):
        height, width = (max(LEAST_SIDE, side) for side in fit(height, width, request.side))
        found = images.resize(found, height, width)
    settings = FastProvenance(__version__, file.network, request.mix, request.options).to_text()
    if request.format == "png":
        data = images.encode_png(found, content.alpha, {FAST: settings})
    else:
        data = images.encode_jpeg(found, FAST_QUALITY, f"{FAST}\0{settings}")
    return FastPicture(data, width, height, seconds)


@functools.lru_cache(MOST_STYLE_FILES)
def _file(data: bytes) -> StyleFile:
    return StyleFile.from_bytes(data)
