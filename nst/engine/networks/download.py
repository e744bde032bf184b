"""The download of one file, with resumption after a broken connection and a check of its hash."""

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
CANCEL_POLL_SECONDS = 0.1  # between two checks whether to stop
CANCELLED = "the download was cancelled"
FINAL_STATUSES = range(400, 500)  # HTTP statuses after which another attempt is useless ...
TEMPORARY_STATUSES = (408, 416, 425, 429)  # ... except these


def md5_of(path: Path) -> str:
    """The file's MD5 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class _Broken(Exception):
    """An attempt ended before the file was complete, and another may complete it. The message is the reason."""


class _RangeRefused(_Broken):
    """The received part is at least as long as the server's file, so the next attempt must start anew."""


@dataclass(frozen=True)
class _Header:
    """The header of a server's answer."""

    start: int  # first byte of the file that it sends
    length: int  # bytes that it sends, 0 if it does not say


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
    """Download `url` into the file `part`, continuing what is in it.

    Args:
        url: http or https.
        part: the file; it stays after an error, unless its content is wrong.
        md5: of the whole file, in hexadecimal.
        progress: called after each piece.
        timeout: seconds without a byte after which an attempt has failed.
        attempts: how many to make.
        pause: seconds before the second attempt; before each later one it is that much longer.
        stop: ends the download soon after it is set.

    Raises:
        Unfetched: no attempt succeeded, or the server's file has another hash. Cancelled: `stop` was set.
        OSError: of the disk. WeightsError: `url` is no web address.
    """
    if not url.startswith(("http://", "https://")):
        raise WeightsError(f"the address of the weights must begin with http:// or https://, got {url!r}")
    if part.is_file() and md5_of(part) == md5:  # complete, but the program ended before it was installed
        return
    reason = ""
    for attempt in range(attempts):
        if stop.wait(attempt * pause):
            raise Cancelled(CANCELLED)
        resumed = part.exists()
        try:
            _receive(url, part, progress, timeout, stop)
        except _Broken as broken:
            reason = str(broken)
            if isinstance(broken, _RangeRefused):
                part.unlink(missing_ok=True)
            continue
        found = md5_of(part)
        if found == md5:
            return
        part.unlink()
        reason = f"its md5 must be {md5}, got {found}"
        if not resumed:  # the whole file came from this server, so another attempt would get the same
            raise Unfetched(f"nothing was installed from {url}: {reason}", "what came was not the file that was meant")
    message = f"could not download {url}: {reason}; gave up after {attempts} attempts"
    raise Unfetched(message, "there is no connection to its server, or it broke", passing=True)


def _receive(url: str, part: Path, progress: Progress, timeout: float, stop: threading.Event) -> None:
    """One attempt: append what is missing to `part`. Raises _Broken, Unfetched, Cancelled, or OSError of the disk."""
    have = part.stat().st_size if part.exists() else 0
    with closing(_answer(url, have, timeout, stop)) as answer:
        header = next(answer)
        assert isinstance(header, _Header)
        have = header.start
        total = have + header.length if header.length else 0
        if shutil.disk_usage(part.parent).free < header.length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with part.open("ab" if have else "wb") as file:
            for piece in answer:
                assert isinstance(piece, bytes)
                file.write(piece)
                have += len(piece)
                progress(have, total)
            file.flush()
            os.fsync(file.fileno())
    if have < total:
        raise _Broken(f"the connection broke after {have} of {total} bytes")


def _answer(url: str, have: int, timeout: float, stop: threading.Event) -> Generator[_Header | bytes, None, None]:
    """The header of the server's answer to a request for what follows the first `have` bytes, then its pieces.

    The request runs in a thread, which uses nothing but the network. A host that is not found or a server that stalls
    can block that thread for long; this generator still ends soon after `stop`. Raises what `_translated_errors`
    raises, and Cancelled.
    """
    received: Queue[_Header | bytes | Exception] = Queue(maxsize=4)
    closed = threading.Event()

    def put(item: _Header | bytes | Exception) -> None:
        done = False
        while not (done or closed.is_set()):
            with suppress(Full):
                received.put(item, timeout=CANCEL_POLL_SECONDS)
                done = True

    def request_pieces() -> None:
        try:
            with _translated_errors(url, timeout):
                request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
                with urllib.request.urlopen(request, timeout=timeout) as response:
                    put(_Header(have if have and _continues(response, have) else 0, response.length or 0))
                    while not closed.is_set() and (piece := response.read1(CHUNK)):
                        put(piece)
            put(b"")
        except Exception as error:  # of any kind: it is raised in the thread that reads the queue
            put(error)

    threading.Thread(target=request_pieces, name="nst-download", daemon=True).start()
    try:
        while not stop.is_set():
            with suppress(Empty):
                item = received.get(timeout=CANCEL_POLL_SECONDS)
                if isinstance(item, Exception):
                    raise item
                if item == b"":
                    return
                yield item
        raise Cancelled(CANCELLED)
    finally:
        closed.set()


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    """Whether the server sends what follows the first `have` bytes, not the whole file or another range."""
    return response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


@contextmanager
def _translated_errors(url: str, timeout: float) -> Iterator[None]:
    """Translate errors of the network: to _Broken, or to Unfetched if another attempt is useless."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"the server answered {error.code} {error.reason}"
        if error.code in FINAL_STATUSES and error.code not in TEMPORARY_STATUSES:
            raise Unfetched(f"could not download {url}: {answer}", "its server refuses to give it") from None
        raise (_RangeRefused if error.code == 416 else _Broken)(answer) from None
    except TimeoutError:
        raise _Broken(f"no byte came for {timeout:g} s") from None
    except urllib.error.URLError as error:
        stalled = isinstance(error.reason, TimeoutError)
        raise _Broken(f"no answer came for {timeout:g} s" if stalled else str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(str(error) or type(error).__name__) from None
