"""Decode a picture in a process of its own, which ends after a limit of time, whatever the file does to its decoder.

For untrusted files in formats whose decoders are slow or consist of large libraries. The process is this module; it
gets the settings as arguments and the file on its input, and writes a line of JSON, then the arrays' bytes.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import numpy as np

from nst import errors
from nst.errors import ImageError, NotAnImage, TooLarge
from nst.pictures.decoding import Picture, decode

SECONDS = 20  # of CPU time for one picture
TIMEOUT = 120.0  # s on the clock, where the machine is busy or limits no CPU time
MAX_MEMORY = 6 * 2**30  # bytes of address space


def decode_apart(
    data: bytes, name: str, long_side: int | None, least: int, most_pixels: int, formats: tuple[str, ...]
) -> Picture:
    """Decode as `nst.pictures.decoding.decode` does. Raises TooLarge also if that takes over `SECONDS`."""
    settings = json.dumps([SECONDS, MAX_MEMORY, name, long_side, least, most_pixels, formats])
    command = [sys.executable, "-P", "-m", "nst.pictures.decoder_process", settings]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NST_")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT, env=environment, check=False)
    except subprocess.TimeoutExpired:
        raise _too_slow(name) from None
    if ended.returncode == -getattr(signal, "SIGXCPU", 0):
        raise _too_slow(name)
    if ended.returncode:
        raise NotAnImage(f"{name!r} cannot be decoded: the decoder ended without a picture")
    header, _, pixels = ended.stdout.partition(b"\n")
    found = json.loads(header)
    if "error" in found:
        raise getattr(errors, found["error"])(found["message"])
    return _picture(found, pixels)


def _too_slow(name: str) -> TooLarge:
    return TooLarge(f"{name!r} must take at most {SECONDS} s to decode: save it as an ordinary JPEG or PNG")


def _picture(header: dict[str, Any], pixels: bytes) -> Picture:
    """The picture of which `main` wrote the header and the arrays."""
    values = np.frombuffer(pixels, np.float32).copy()  # which may be written to
    height, width = header.pop("shape")
    rgb, alpha = np.split(values, [3 * height * width])
    return Picture(rgb.reshape(height, width, 3), alpha.reshape(height, width) if alpha.size else None, **header)


def main(settings: str) -> None:
    """Decode the picture on the standard input to the standard output."""
    seconds, memory, *arguments = json.loads(settings)
    _limit_resources(seconds, memory)
    try:
        picture = decode(sys.stdin.buffer.read(), *arguments)
    except ImageError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        return
    header = {"width": picture.width, "height": picture.height, "format": picture.format}
    output = sys.stdout.buffer
    output.write(json.dumps({**header, "shape": picture.rgb.shape[:2]}).encode() + b"\n")
    for array in (picture.rgb, picture.alpha):
        if array is not None:
            output.write(np.ascontiguousarray(array, np.float32).data)


def _limit_resources(seconds: int, memory: int) -> None:
    """Have the system end this process after `seconds`, and give it no more than `memory`, in bytes. Not on Windows."""
    if sys.platform == "win32":
        return
    import resource

    for limit, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # the system, or the account, has another limit
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


if __name__ == "__main__":
    main(sys.argv[1])
