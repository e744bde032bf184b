"""Decode pictures in another process, which is ended after a limit of time, whatever a file does to its decoder.

For untrusted files. The process is this module: for each picture it gets a line of JSON, its settings, and the file on
its input, and writes a line of JSON, then the arrays' bytes. A fault in a decoder ends it, and not what uses it.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO

import numpy as np

from nst import errors
from nst.errors import ImageError, NotAnImage, TooLarge
from nst.pictures.decoding import Picture, decode

CPU_SECONDS = 20  # for one picture
CLOCK_SECONDS = 40  # the same where the machine is busy or limits no CPU time; other pictures wait meanwhile
MAX_MEMORY = 6 * 2**30  # bytes of address space


class Decoder:
    """A process that decodes one picture after another; a context ends it. For one thread at a time.

    Once it has ended, because of a picture, the next one starts another.
    """

    def __init__(self) -> None:
        self._process = _start()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def decode(
        self, data: bytes, name: str, long_side: int | None, least: int, most_pixels: int, formats: tuple[str, ...]
    ) -> Picture:
        """Decode as `nst.pictures.decoding.decode` does. Raises TooLarge also over a limit of time."""
        if self._process.poll() is not None:
            self._end()
            self._process = _start()
        settings = json.dumps([len(data), CPU_SECONDS, MAX_MEMORY, name, long_side, least, most_pixels, formats])
        timer, end = threading.Timer(CLOCK_SECONDS, self._process.kill), time.monotonic() + CLOCK_SECONDS
        timer.start()
        try:
            found, pixels = _exchange(self._process, settings.encode() + b"\n", data)
        except (OSError, EOFError):
            if self._end() == -getattr(signal, "SIGXCPU", 0):
                raise _too_slow(name, CPU_SECONDS) from None
            raise _too_slow(name, CLOCK_SECONDS) if time.monotonic() >= end else _no_picture(name) from None
        except BaseException:  # between two parts of an answer
            self._end()
            raise
        finally:
            timer.cancel()
        if "error" in found:
            raise getattr(errors, found["error"])(found["message"])
        return _picture(found, pixels)

    def _end(self) -> int:
        """End the process; returns its status, that of a signal below zero."""
        with suppress(OSError), self._process:  # what it has not read cannot be written
            self._process.kill()
        return self._process.returncode


def _start() -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NST_")}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    command, pipe = [sys.executable, "-P", "-m", "nst.pictures.decoder_process"], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment)


def _exchange(process: subprocess.Popen[bytes], settings: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
    """(the header, the bytes of the arrays) of an answer. Raises OSError, EOFError if the process ends before."""
    assert process.stdin
    assert process.stdout
    process.stdin.writelines((settings, data))
    process.stdin.flush()
    header = process.stdout.readline()
    if not header.endswith(b"\n"):
        raise EOFError
    found = json.loads(header)
    size = found.pop("bytes")
    pixels = process.stdout.read(size)
    if len(pixels) < size:
        raise EOFError
    return found, pixels


def _no_picture(name: str) -> NotAnImage:
    return NotAnImage(f"{name!r} cannot be decoded: the decoder ended without a picture")


def _too_slow(name: str, seconds: float) -> TooLarge:
    return TooLarge(f"{name!r} must take at most {seconds:g} s to decode: save it as an ordinary JPEG or PNG")


def _picture(header: dict[str, Any], pixels: bytes) -> Picture:
    """The picture of which `main` wrote the header and the arrays."""
    values = np.frombuffer(pixels, np.float32).copy()  # which may be written to
    height, width = header.pop("shape")
    rgb, alpha = np.split(values, [3 * height * width])
    return Picture(rgb.reshape(height, width, 3), alpha.reshape(height, width) if alpha.size else None, **header)


def main() -> None:
    """Decode the pictures on the standard input to the standard output, until its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the server ends this one
    while settings := sys.stdin.buffer.readline():
        size, seconds, memory, *arguments = json.loads(settings)
        _limit_resources(seconds, memory)
        _answer(sys.stdin.buffer.read(size), arguments, sys.stdout.buffer)


def _answer(data: bytes, arguments: list[Any], output: BinaryIO) -> None:
    """Decode a picture, and write the header and the arrays."""
    arrays: list[np.ndarray] = []
    try:
        picture = decode(data, *arguments)
    except ImageError as error:
        header: dict[str, Any] = {"error": type(error).__name__, "message": str(error)}
    else:
        header = {"width": picture.width, "height": picture.height, "format": picture.format}
        header["shape"] = picture.rgb.shape[:2]
        found = (picture.rgb, picture.alpha)
        arrays = [np.ascontiguousarray(array, np.float32) for array in found if array is not None]
    header["bytes"] = sum(array.nbytes for array in arrays)
    output.writelines([json.dumps(header).encode() + b"\n", *(array.data for array in arrays)])
    output.flush()


def _limit_resources(seconds: int, memory: int) -> None:
    """Have the system end this process `seconds` from now, and give it at most `memory`, in bytes. Not on Windows."""
    if sys.platform == "win32":
        return
    import resource

    for limit, most in (
        (resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # the system, or the account, has another limit
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


if __name__ == "__main__":
    main()
