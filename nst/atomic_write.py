"""Write a file whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` to write, which replaces `path` at the end and is deleted after an error.

    The folder is made if it does not exist. Concurrent writers have temporary files of their own; the last one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f"{uuid.uuid4().hex}.part"
    part.touch(exist_ok=False)  # readable by whom the umask allows
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
