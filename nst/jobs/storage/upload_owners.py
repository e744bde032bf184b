"""Whose uploads are, where several people share a studio: a client has those that it sent, and those of its runs.

The same bytes are kept once, so an upload may have several owners, each with its own name of the file. Copies of
samples are everyone's. Without sharing, the client is "" and has all.
"""

import sqlite3
from collections.abc import Mapping

from nst.jobs.storage.database import Database

SAMPLE_PREFIX = "samples/"  # how the names of copies of samples begin; names of files have no slash


def record_upload(connection: sqlite3.Connection, upload_id: str, name: str, client: str) -> None:
    """Record an upload that `client` sent, and its name: the last one that the client gave, or anyone without one."""
    if not client:
        connection.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?)", (upload_id, name))
        return
    connection.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?)", (upload_id, name))
    connection.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?)", (upload_id, client, name))


def record_owner(connection: sqlite3.Connection, names: Mapping[str, str], client: str) -> None:
    """Record that uploads of a run, given with the names of their files, are those of its client."""
    rows = [(upload_id, client, name) for upload_id, name in names.items() if client]
    connection.executemany("INSERT OR IGNORE INTO owners VALUES (?, ?, ?)", rows)


def forget_upload(connection: sqlite3.Connection, upload_id: str) -> None:
    """Delete the rows of an upload."""
    connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
    connection.execute("DELETE FROM owners WHERE upload = ?", (upload_id,))


def is_open_to(database: Database, upload_id: str, client: str) -> bool:
    """Whether a client may use an upload, if it is kept."""
    if not client or _shared_name(database, upload_id).startswith(SAMPLE_PREFIX):
        return True
    return bool(database.rows("SELECT 1 FROM owners WHERE upload = ? AND client = ?", upload_id, client))


def name_for(database: Database, upload_id: str, client: str) -> str:
    """The last file name that a client gave with an upload, "" if it gave none; of a sample its name."""
    name = _shared_name(database, upload_id)
    if not client or name.startswith(SAMPLE_PREFIX):
        return name
    rows = database.rows("SELECT name FROM owners WHERE upload = ? AND client = ?", upload_id, client)
    return rows[0][0] if rows else ""


def _shared_name(database: Database, upload_id: str) -> str:
    rows = database.rows("SELECT name FROM uploads WHERE id = ?", upload_id)
    return rows[0][0] if rows else ""
