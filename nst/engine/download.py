"""Download one file: resumed where it broke, checked by its hash. This module does not know what is in it."""

import errno
import hashlib
import http.client
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue

from nst.errors import Cancelled, Unfetched, WeightsError

Progress = Callable[[int, int], None]  # (bytes received, bytes in all or 0 where the server does not say)

CHUNK = 2**18  # bytes
GLANCE = 0.1  # seconds between two looks at whether to stop
CANCELLED = "the download was cancelled"
FINAL_ANSWERS = range(400, 500)  # HTTP statuses that another try will not change ...
BUSY_ANSWERS = (408, 416, 425, 429)  # ... but for these


def md5_of(path: Path) -> str:
    """The file's MD5 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class _Broken(Exception):
    """An attempt ended before the file did; another may go further. The message says why."""


class _Misfit(_Broken):
    """What is there already does not fit the server's file, so the next attempt must start over."""


@dataclass(frozen=True)
class _Answer:
    """What a server says before the first piece."""

    start: int  # byte of the file that it begins with
    length: int  # bytes to come, 0 where the server does not say


def download(
    url: str,
    part: Path,
    md5: str,
    progress: Progress,
    timeout: float,
    attempts: int,
    pause: float,
    stop: threading.Event,
) -> None:
    """Fill `part` until its hash is right. Raises Unfetched, Cancelled soon after `stop`, or OSError of the disk."""
    if not url.startswith(("http://", "https://")):
        raise WeightsError(f"the address of the weights must begin with http:// or https://, got {url!r}")
    reason = ""
    for attempt in range(attempts):
        if stop.wait(attempt * pause):
            raise Cancelled(CANCELLED)
        resumed = part.exists()
        try:
            _receive(url, part, progress, timeout, stop)
        except _Broken as broken:
            reason = str(broken)
            if isinstance(broken, _Misfit):
                part.unlink(missing_ok=True)
            continue
        found = md5_of(part)
        if found == md5:
            return
        part.unlink()
        reason = f"its md5 must be {md5}, got {found}"
        if not resumed:  # a whole file from this server is wrong, so it will be again
            raise Unfetched(f"nothing was installed from {url}: {reason}", "what came was not the file that was meant")
    message = f"could not download {url}: {reason}; gave up after {attempts} attempts"
    raise Unfetched(message, "there is no connection to its server, or it broke", passing=True)


def _receive(url: str, part: Path, progress: Progress, timeout: float, stop: threading.Event) -> None:
    """One attempt: append what `part` lacks. Raises _Broken, Unfetched, Cancelled, or OSError of the disk."""
    have = part.stat().st_size if part.exists() else 0
    with closing(_heard(url, have, timeout, stop)) as heard:
        answer = next(heard)
        assert isinstance(answer, _Answer)
        have = answer.start
        total = have + answer.length if answer.length else 0
        if shutil.disk_usage(part.parent).free < answer.length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with part.open("ab" if have else "wb") as file:
            for piece in heard:
                assert isinstance(piece, bytes)
                file.write(piece)
                have += len(piece)
                progress(have, total)
            file.flush()
            os.fsync(file.fileno())
    if have < total:
        raise _Broken(f"the connection broke after {have} of {total} bytes")


def _heard(url: str, have: int, timeout: float, stop: threading.Event) -> Generator[_Answer | bytes, None, None]:
    """The answer of a server that is asked for what comes after `have` bytes, then its pieces.

    A thread listens, which touches nothing but the network: a name that is not found or a server that stalls can keep
    it for long, but nobody has to wait for it. Raises what `_explained` does, and Cancelled.
    """
    inbox: Queue[_Answer | bytes | Exception] = Queue(maxsize=4)
    left = threading.Event()

    def hand_over(what: _Answer | bytes | Exception) -> None:
        taken = False
        while not (taken or left.is_set()):
            with suppress(Full):
                inbox.put(what, timeout=GLANCE)
                taken = True

    def listen() -> None:
        try:
            with _explained(url, timeout):
                request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
                with urllib.request.urlopen(request, timeout=timeout) as response:
                    hand_over(_Answer(have if have and _continues(response, have) else 0, response.length or 0))
                    while not left.is_set() and (piece := response.read1(CHUNK)):
                        hand_over(piece)
            hand_over(b"")
        except Exception as error:  # whoever waits is to hear of it, whatever it is
            hand_over(error)

    threading.Thread(target=listen, name="nst-listen", daemon=True).start()
    try:
        while not stop.is_set():
            with suppress(Empty):
                what = inbox.get(timeout=GLANCE)
                if isinstance(what, Exception):
                    raise what
                if what == b"":
                    return
                yield what
        raise Cancelled(CANCELLED)
    finally:
        left.set()


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    return response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


@contextmanager
def _explained(url: str, timeout: float) -> Iterator[None]:
    """Whatever the network raises, as _Broken or, where another try is in vain, as Unfetched."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"the server answered {error.code} {error.reason}"
        if error.code in FINAL_ANSWERS and error.code not in BUSY_ANSWERS:
            raise Unfetched(f"could not download {url}: {answer}", "its server refuses to give it") from None
        raise (_Misfit if error.code == 416 else _Broken)(answer) from None
    except TimeoutError:
        raise _Broken(f"no byte came for {timeout:g} s") from None
    except urllib.error.URLError as error:
        stalled = isinstance(error.reason, TimeoutError)
        raise _Broken(f"no answer came for {timeout:g} s" if stalled else str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(str(error) or type(error).__name__) from None
