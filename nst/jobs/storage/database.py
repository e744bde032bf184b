"""The SQLite database of a store, for the threads of one process and for several processes."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from nst.errors import DiskFull, NstError
from nst.jobs.storage.schema import FILE, open_database

RESERVE = 2**22  # bytes of a file that is deleted when the disk is full, so that a failure can still be recorded
IO_ERRORS = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
APPENDED_BYTES = 2**16  # bytes, more than SQLite appends to a file at once
GONE = "the data folder {} was deleted or replaced while the studio used it: start the studio again"
T = TypeVar("T")


class Database:
    """`studio.sqlite` in a folder, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.changes = 0  # transactions so far
        self._reserve = folder / "reserve"
        self._inode: int | None = None  # of the file, once it is open
        with self.plain_errors():
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # a mounted folder of another owner
                folder.chmod(0o700)  # ids of clients in it are keys, and pictures are private
        self._connection = self.with_reserve(self._open)
        self._inode = (folder / FILE).stat().st_ino
        self.restore_reserve()

    def _open(self) -> sqlite3.Connection:
        with self.plain_errors():
            return open_database(self.folder)

    def close(self) -> None:
        """Close the connection. May be called again."""
        with self.lock:
            self._connection.close()

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows that a query selects. Raises NstError."""
        with self.lock, self.plain_errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are committed together at the end, or not at all after an exception."""
        with self.lock, self.plain_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            self.changes += 1
            with self._connection:  # commits, or rolls back if something is raised
                yield self._connection

    def is_gone(self) -> bool:
        """Whether the file was deleted or replaced: SQLite goes on with it, and what it writes then is lost."""
        if self._inode is None:
            return False
        try:
            return (self.folder / FILE).stat().st_ino != self._inode
        except (FileNotFoundError, NotADirectoryError):
            return True

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Turn errors of SQLite and of files into NstError or DiskFull, one line that names the folder.

        Raises NstError, before any file is written, where the folder was deleted.
        """
        if self.is_gone():
            raise NstError(GONE.format(self.folder))
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            failed = f"cannot keep runs in {self.folder}"
            if self._is_full(error):
                raise DiskFull(f"{failed}: the disk is full ({error})") from error
            raise NstError(f"{failed}: {error}") from error

    def _is_full(self, error: sqlite3.Error | OSError) -> bool:
        """Whether an error is due to a full disk, which SQLite may also report as an I/O error."""
        if isinstance(error, OSError):
            return error.errno in DiskFull.ERRNOS
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends the primary code
        return code == sqlite3.SQLITE_FULL or (code in IO_ERRORS and self.free_bytes() < APPENDED_BYTES)

    def free_bytes(self) -> int:
        """Bytes that are free on the disk. Raises NstError."""
        with self.plain_errors():
            return shutil.disk_usage(self.folder).free

    def with_reserve(self, change: Callable[[], T]) -> T:
        """What `change` returns; on a full disk it is called again with the reserve freed. Raises NstError."""
        try:
            return change()
        except DiskFull:
            self.release_reserve()
            return change()

    def release_reserve(self) -> None:
        """Free the disk space that is reserved for recording a failure."""
        self._reserve.unlink(missing_ok=True)

    def restore_reserve(self) -> None:
        """Reserve disk space for recording a failure, as much as there is."""
        with suppress(OSError, NstError):  # existing runs can be read without it
            before = self._reserve.stat().st_size if self._reserve.exists() else 0
            size = min(RESERVE, before + self.free_bytes() - APPENDED_BYTES)
            if size > before:
                self._reserve.write_bytes(bytes(size))
