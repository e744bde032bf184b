"""Download one file: resumed where it broke, checked by its hash. This module does not know what is in it."""

import errno
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nst.errors import WeightsError

Progress = Callable[[int, int], None]  # (bytes received, bytes in all or 0 where the server does not say)

CHUNK = 2**18  # bytes
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


def download(url: str, part: Path, md5: str, progress: Progress, timeout: float, attempts: int, pause: float) -> None:
    """Fill `part` until its hash is right. Raises WeightsError, or OSError of the disk."""
    if not url.startswith(("http://", "https://")):
        raise WeightsError(f"the address of the weights must begin with http:// or https://, got {url!r}")
    reason = ""
    for attempt in range(attempts):
        time.sleep(attempt * pause)
        resumed = part.exists()
        try:
            _receive(url, part, progress, timeout)
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
            raise WeightsError(f"nothing was installed from {url}: {reason}")
    raise WeightsError(f"could not download {url}: {reason}; gave up after {attempts} attempts")


def _receive(url: str, part: Path, progress: Progress, timeout: float) -> None:
    """One attempt: append what `part` lacks. Raises _Broken, WeightsError, or OSError of the disk."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with _explained(url, timeout):
        response = urllib.request.urlopen(request, timeout=timeout)
    with response:
        if have and not _continues(response, have):
            have = 0  # the server starts over, and so does the file
        length = response.length or 0
        total = have + length if length else 0
        if shutil.disk_usage(part.parent).free < length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with part.open("ab" if have else "wb") as file:
            while True:
                with _explained(url, timeout):
                    piece = response.read1(CHUNK)
                if not piece:
                    break
                file.write(piece)
                have += len(piece)
                progress(have, total)
            file.flush()
            os.fsync(file.fileno())
    if have < total:
        raise _Broken(f"the connection broke after {have} of {total} bytes")


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    return response.status == 206 and (response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")


@contextmanager
def _explained(url: str, timeout: float) -> Iterator[None]:
    """Whatever the network raises, as _Broken or, where another try is in vain, as WeightsError."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"the server answered {error.code} {error.reason}"
        if error.code in FINAL_ANSWERS and error.code not in BUSY_ANSWERS:
            raise WeightsError(f"could not download {url}: {answer}") from None
        raise (_Misfit if error.code == 416 else _Broken)(answer) from None
    except TimeoutError:
        raise _Broken(f"no byte came for {timeout:g} s") from None
    except urllib.error.URLError as error:
        stalled = isinstance(error.reason, TimeoutError)
        raise _Broken(f"no answer came for {timeout:g} s" if stalled else str(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(str(error) or type(error).__name__) from None
