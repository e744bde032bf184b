"""Back up, check and repair the folder of a store. No studio may be using the folder that is repaired.

A repair believes the files: results carry the settings that made them, and `run.json` in the folder of a run describes
the run as it was created.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nst.errors import Busy, ImageError, InputError, NstError, OptionError
from nst.jobs.storage.run_files import FETCHES, recordable, unrecorded
from nst.jobs.storage.run_rows import run_of
from nst.jobs.storage.schema import FILE
from nst.jobs.storage.store import UPLOAD_ID, Store
from nst.pictures import images
from nst.pictures.provenance import Provenance, read_file
from nst.runs.run import Run, State

LOCK = "studio.lock"
UNREADABLE = "unreadable-runs"  # where a repair moves the folders of runs that it cannot record
COPIED = ("uploads", "runs", UNREADABLE, "styles", FETCHES)  # what a backup holds of a store, beside the database


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that only one program may change at a time. Raises Busy."""
    try:
        with FileLock(folder / LOCK, blocking=False):
            yield
    except Timeout:
        raise Busy(f"another studio keeps its runs in {str(folder)!r}; choose another folder with --data") from None


def back_up(folder: Path, target: Path) -> None:
    """Copy the store in `folder` to `target`, a new or empty folder, also while a studio uses it.

    The database is copied as of one moment, before the files: results and frames that are newer do no harm. The token
    of a server is left out: a copy of it would let its owner in. So is the file `sessions`, with which sessions that
    were ended after the backup would be valid again; the server that is started with the copy makes another.
    Raises InputError, and NstError where the database cannot be read.
    """
    _check_store(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"the backup needs a new or empty folder, and {str(target)!r} is none")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"the backup would lie in the store itself: {str(target)!r}")
    target.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # a mounted folder of another owner
        target.chmod(0o700)  # as the store: an empty folder that was there may have been open to others
    try:
        with closing(sqlite3.connect(folder / FILE)) as source, closing(sqlite3.connect(target / FILE)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise NstError(f"the database in {folder} cannot be read: {error}; `nst store repair` rebuilds it") from error
    for name in COPIED:
        for path in sorted([folder / name, *(folder / name).rglob("*")]):
            if path.is_file() and path.suffix != ".part":
                copied = target / path.relative_to(folder)
                copied.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # deleted since the folder was listed
                    shutil.copy2(path, copied)


def check(folder: Path) -> list[str]:
    """What is damaged or missing in the store in `folder`, one line each; changes nothing. Raises InputError."""
    _check_store(folder)
    if trouble := _database_trouble(folder):
        return [f"the database is damaged: {trouble}"]
    with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as database:
        runs = [run_of(text) for (text,) in database.execute("SELECT run FROM runs")]
        frames = database.execute("SELECT run, epoch FROM frames").fetchall()
    found = [line for run in runs for line in _run_troubles(folder, run)]
    found += [
        f"run {run}: the frame of epoch {epoch} is missing"
        for run, epoch in frames
        if not (folder / f"runs/{run}/frames/{epoch}.jpg").is_file()
    ]
    strays = unrecorded(folder, {run.id for run in runs})
    found += [f"run {run_id}: its folder is there, but not in the database" for run_id in strays]
    for path in sorted((folder / "uploads").glob("*")):
        if path.is_file() and path.suffix != ".part" and hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            found.append(f"upload {path.name}: its bytes have changed")
    return found


def repair(folder: Path) -> list[str]:
    """Bring database and files of the store in `folder` together again; what was done, one line each.

    A damaged database is put aside, not deleted, and so is the folder of a run that cannot be recorded.
    Raises InputError, NstError where the disk fails, and Busy while a studio uses the folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r}")
    with exclusive(folder):
        done = _set_aside_database(folder)
        store = Store(folder)
        try:
            done += _add_uploads(store) + _match_frames(store)
            known = {run_id for (run_id,) in store.database.rows("SELECT id FROM runs")}
            done += [_add_or_set_aside(store, run_id) for run_id in unrecorded(folder, known)]
        finally:
            store.close()
    return done


def check_recorded(store: Store) -> None:
    """Raise NstError if no run was ever in the database, and there are folders of runs: another database was lost."""
    if not store.created_count() and (strays := recordable(store.folder, ())):
        rule = f"the database in {store.folder} knows none of the {len(strays)} runs that have a folder there"
        raise NstError(f"{rule}: `nst store repair` records them again")


def _check_store(folder: Path) -> None:
    if not (folder / FILE).is_file():
        raise InputError(f"there is no store in {str(folder)!r}: it has no {FILE}")


def _database_trouble(folder: Path) -> str:
    """Why the database cannot be used, "" if it can."""
    try:
        with closing(sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)) as database:
            (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
            database.execute("SELECT count(*) FROM runs").fetchone()
            return "" if answer == "ok" else str(answer)
    except sqlite3.Error as error:
        return str(error)


def _run_troubles(folder: Path, run: Run) -> Iterator[str]:
    for role, upload in run.uploads.items():
        if not (folder / "uploads" / upload).is_file():
            yield f"run {run.id}: its {role} picture is missing"
    if run.has_result:
        try:
            images.read(images.read_bytes(folder / f"runs/{run.id}/result.png"), "result.png", 64)
        except ImageError as error:
            yield f"run {run.id}: its result cannot be read: {error}"


def _set_aside_database(folder: Path) -> list[str]:
    """Rename a damaged database and its journal."""
    if not (folder / FILE).exists() or not (trouble := _database_trouble(folder)):
        return []
    number = 1
    while (folder / f"{FILE}.damaged-{number}").exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(folder / f"{FILE}{suffix}", folder / f"{FILE}.damaged-{number}{suffix}")
    return [f"the database was damaged ({trouble}) and is now {FILE}.damaged-{number}; a new one was made"]


def _add_uploads(store: Store) -> list[str]:
    """Record the uploads that have a file, but no row."""
    known = {upload for (upload,) in store.database.rows("SELECT id FROM uploads")}
    lost = [path.name for path in (store.folder / "uploads").glob("*") if UPLOAD_ID.fullmatch(path.name)]
    lost = sorted(set(lost) - known)
    with store.database.transaction() as connection:
        connection.executemany("INSERT INTO uploads VALUES (?, '')", [(upload,) for upload in lost])
    return [f"upload {upload} was recorded again, without its name and owner" for upload in lost]


def _match_frames(store: Store) -> list[str]:
    """Forget the frames that have a row, but no file."""
    rows = store.database.rows("SELECT run, epoch FROM frames")
    gone = [(run, epoch) for run, epoch in rows if not (store.files.folder(run) / f"frames/{epoch}.jpg").is_file()]
    with store.database.transaction() as connection:
        connection.executemany("DELETE FROM frames WHERE run = ? AND epoch = ?", gone)
    return [f"run {run}: the frame of epoch {epoch} is missing and was forgotten" for run, epoch in gone]


def _add_or_set_aside(store: Store, run_id: str) -> str:
    """Record a run of which only the files are left, or move them out of the way. Raises NstError if the disk fails."""
    try:
        if done := _add_run(store, run_id):
            return done
        reason = "it has neither a result nor a description"
    except InputError as error:
        reason = str(error)
    except NstError:  # of the database or the disk, not of this run
        raise
    except Exception as error:  # of as many kinds as a description can have wrong types
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    aside, number = store.folder / UNREADABLE / run_id, 1
    while aside.exists():  # from an earlier repair
        number += 1
        aside = aside.with_name(f"{run_id}-{number}")
    with store.database.plain_errors():
        aside.parent.mkdir(exist_ok=True)
        os.rename(store.files.folder(run_id), aside)
    return f"run {run_id} cannot be recorded ({reason}): its folder is now {UNREADABLE}/{aside.name}"


def _add_run(store: Store, run_id: str) -> str:
    """Record a run of which only the files are left; "" if they do not tell enough."""
    folder = store.files.folder(run_id)
    frames = sorted(
        (int(path.stem), path.stat().st_size) for path in folder.glob("frames/*.jpg") if path.stem.isdigit()
    )
    described = _described(folder)
    fields = described | _from_result(folder / "result.png")
    if "options" not in fields:
        return ""
    done = frames[-1][0] if frames else 0
    epochs = max(described["epochs"], done) if described else fields["epochs"]  # it may have been continued
    run = Run(
        **{"created": os.path.getmtime(folder), **fields, "epochs": epochs},
        id=run_id,
        state=State.FINISHED if fields.get("has_result") and done >= epochs else State.STOPPED,
        epoch=done,
        planned=epochs,
        frames=len(frames),
    )
    store.restore_run(run, frames)
    return f"run {run_id} was recorded again, {run.state}, with {len(frames)} frames"


def _described(folder: Path) -> dict[str, Any]:
    """The fields of the run as it was created, {} if its description is missing or damaged."""
    try:
        run = run_of((folder / "run.json").read_bytes())
    except (OSError, ValueError, KeyError, TypeError, OptionError):
        return {}
    pictures = ("content", "style", "init", "more_styles", "mask", "names")
    names = ["created", "options", *pictures, "client", "gpu", "parent", "first", "epochs"]
    if run.fast:  # described after its end
        names += ["fast", "width", "height", "seconds", "has_result"]
    return {name: getattr(run, name) for name in names}


def _from_result(path: Path) -> dict[str, Any]:
    """The fields of a run that its result tells, {} without a readable one."""
    try:
        found = read_file(path)
        picture = images.read(images.read_bytes(path), path.name, 64)
    except (ImageError, OptionError, OSError):
        return {}
    if not isinstance(found, Provenance):
        return {}
    return {
        "options": found.options,
        "content": found.content,
        "style": found.style,
        "init": found.init,
        "more_styles": found.more_styles,
        "mask": found.mask,
        "extractor": found.extractor,
        "precision": found.precision,
        "epochs": found.epochs,
        "width": picture.width,
        "height": picture.height,
        "steered": tuple({"step": step, "epoch": 0, "changes": dict(changes)} for step, changes in found.steered),
        "has_result": True,
    }
