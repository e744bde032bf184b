"""The results of several runs as one ZIP file."""

import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import PurePath
from typing import IO

from nst.errors import Conflict, DiskFull
from nst.jobs.storage.store import Store
from nst.runs.run import Run
from nst.web.service.pictures import Pictures


def result_archive(store: Store, pictures: Pictures, runs: Iterable[Run]) -> IO[bytes]:
    """Return a temporary file, at its beginning: a ZIP with the results of those runs that have one.

    Each is named after its photograph, with a number where a name occurs again. Raises Conflict if there is no result,
    and DiskFull if the file has no room.
    """
    done = [run for run in runs if run.has_result]
    if not done:
        raise Conflict("none of these runs has a result yet")
    file = tempfile.TemporaryFile()  # noqa: SIM115 it is closed when it was sent
    try:
        _write(file, store, pictures, done)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError) and error.errno in DiskFull.ERRNOS:
            raise DiskFull(f"the results cannot be packed in {tempfile.gettempdir()}: {error.strerror}") from error
        raise
    file.seek(0)
    return file


def _write(file: IO[bytes], store: Store, pictures: Pictures, runs: Iterable[Run]) -> None:
    names: set[str] = set()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        for run in runs:
            stem = PurePath(pictures.choice(run.content, run.names.get("content"))["title"]).stem
            name, number = stem, 1
            while name in names:
                number += 1
                name = f"{stem} {number}"
            names.add(name)
            archive.write(store.files.result(run.id), f"{name}.png")
