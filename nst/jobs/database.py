"""The SQLite database of a store, for the threads of one process and for several processes."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nst.errors import NstError
from nst.jobs.schema import open_database

RESERVE = 2**22  # bytes of a file that is deleted when the disk is full, so that a failure can still be recorded


class Database:
    """`studio.sqlite` in a folder, which is made if need be. Raises NstError if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.changes = 0  # transactions so far
        self._reserve = folder / "reserve"
        with self.plain_errors():
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):  # a mounted folder of another owner
                folder.chmod(0o700)  # ids of clients in it are keys, and pictures are private
            self._connection = open_database(folder)
        with suppress(OSError):  # on a full disk, existing runs can still be read
            if not self._reserve.exists():
                self._reserve.write_bytes(bytes(RESERVE))

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

    @contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Turn errors of SQLite and of files into NstError, one line that names the folder."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise NstError(f"cannot keep runs in {self.folder}: {error}") from error

    def release_reserve(self) -> None:
        """Free the disk space that is reserved for recording a failure."""
        self._reserve.unlink(missing_ok=True)
