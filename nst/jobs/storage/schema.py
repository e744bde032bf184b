"""The tables of a store's database, and the migration of older files."""

import sqlite3
from pathlib import Path

from nst.errors import NstError

FILE = "studio.sqlite"  # in the folder of a store
VERSION = 5  # of the tables below, kept in the file's user_version

TABLES = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order of arrival
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,                        -- also in `run`, here to be searched
    run TEXT NOT NULL                           -- Run.to_json
);
CREATE INDEX runs_by_state ON runs (state);
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,                         -- 1, 2, ... without a gap
    event TEXT NOT NULL,                        -- JSON
    PRIMARY KEY (run, n)
) WITHOUT ROWID;
CREATE TABLE uploads (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
"""

TO_2 = """
ALTER TABLE runs ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN deleted REAL;  -- when, seconds since 1970
ALTER TABLE runs ADD COLUMN idempotency TEXT;  -- the key that its client gave
CREATE UNIQUE INDEX runs_by_key ON runs (client, idempotency);
CREATE INDEX runs_by_parent ON runs (parent);
CREATE TABLE frames (
    run TEXT NOT NULL REFERENCES runs (id),
    epoch INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    marked INTEGER NOT NULL DEFAULT 0,          -- never thinned out
    PRIMARY KEY (run, epoch)
) WITHOUT ROWID;
"""

TO_3 = """
ALTER TABLE runs ADD COLUMN variations TEXT NOT NULL DEFAULT '';  -- the grid that it is a quick run of
CREATE INDEX runs_by_variations ON runs (variations);
CREATE TABLE variations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,   -- the order of arrival
    id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    grid TEXT NOT NULL                          -- Grid.to_json
);
"""

TO_4 = """
ALTER TABLE runs ADD COLUMN name TEXT NOT NULL DEFAULT '';   -- that its client gave it
ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT '';
"""

OF_RUNS = (  # where the uploads of a client's runs and grids are, as (table, upload, name of its file) in SQL
    *(
        ("runs", f"json_extract(run, '$.{role}')", f"coalesce(json_extract(run, '$.names.{role}'), '')")
        for role in ("content", "style", "init", "mask")
    ),
    ("runs, json_each(run, '$.more_styles')", "value", "coalesce(json_extract(run, '$.names.style' || (key + 2)), '')"),
    ("variations, json_each(grid, '$.pictures')", "value", "coalesce(json_extract(grid, '$.names.' || key), '')"),
)
TO_5 = """
CREATE TABLE owners (
    upload TEXT NOT NULL,
    client TEXT NOT NULL,
    name TEXT NOT NULL,                         -- of its file, as the client gave it
    PRIMARY KEY (upload, client)
) WITHOUT ROWID;
""" + "".join(
    f"INSERT OR IGNORE INTO owners SELECT {upload}, client, {name} FROM {tables}"
    f" WHERE client != '' AND {upload} IS NOT NULL;"
    for tables, upload, name in OF_RUNS
)


def open_database(folder: Path) -> sqlite3.Connection:
    """Open the database of a store; create or migrate its tables. Raises NstError if a newer program made it."""
    path = folder / FILE
    database = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.create_function("casefold", 1, str.casefold, deterministic=True)  # lower() of SQLite knows ASCII only
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NstError(
                f"{path} was written by a newer version of this program (its format is {version}, "
                f"this program knows {VERSION}): update the program, or choose another folder"
            )
        if version < VERSION:
            _migrate(database, version, folder)
    except BaseException:
        database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection, version: int, folder: Path) -> None:
    """Apply all steps from `version` on, or none of them."""
    database.execute("BEGIN IMMEDIATE")
    with database:
        for since, script in enumerate((TABLES, TO_2, TO_3, TO_4, TO_5)):
            if version <= since:
                for statement in script.split(";")[:-1]:  # executescript would commit
                    database.execute(statement)
        if version == 1:
            frames = [
                (path.parents[1].name, int(path.stem), path.stat().st_size)
                for path in (folder / "runs").glob("*/frames/*.jpg")
            ]
            database.executemany(
                "INSERT INTO frames (run, epoch, bytes) SELECT ?1, ?2, ?3 WHERE EXISTS"
                " (SELECT 1 FROM runs WHERE id = ?1)",
                frames,
            )
        database.execute(f"PRAGMA user_version = {VERSION}")
