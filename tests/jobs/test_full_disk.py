"""A disk that is full: a small one, where this user may mount it."""

import os
import time
from pathlib import Path

import pytest

from nst.errors import Busy, DiskFull, NstError
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.runs.events import Checkpointed, Finished, Started
from nst.runs.run import Run, State
from tests.jobs.runners import epoch
from tests.jobs.runs import fill_disk, new_run

MEGABYTE = 2**20


def test_a_run_that_fills_the_disk_fails_with_the_reason_and_what_was_kept_stays(small_disk: Path) -> None:
    store = Store(small_disk)
    done, run = new_run(store), new_run(store)
    for event in (
        Started(extractor="compact", note="", width=8, height=6, epochs=40, steps=40),
        epoch(0),
        Finished(seconds=1.0, image=b"a result"),
    ):
        store.append(done.id, event)
    store.append(run.id, Started(extractor="compact", note="", width=8, height=6, epochs=40, steps=40))
    store.append(run.id, Checkpointed(step=1, seconds=1.0, checkpoint=b"a checkpoint"))

    def paint() -> None:
        for n in range(40):
            store.append(run.id, epoch(n, bytes(MEGABYTE)))

    with pytest.raises(NstError, match=r"cannot keep runs in .*No space left") as caught:
        paint()
    frames = store.run(run.id).frames
    assert "\n" not in str(caught.value)
    store.fail(run.id, str(caught.value))
    assert (store.run(run.id).state, store.run(run.id).epoch) == (State.FAILED, frames - 1)
    store.close()
    again = Store(small_disk)
    assert again.run(run.id).error == str(caught.value)
    assert [frame["epoch"] for frame in again.files.frames(run.id)] == list(range(frames))
    assert again.files.checkpoint(run.id) == b"a checkpoint"
    assert again.files.result(done.id).read_bytes() == b"a result"
    assert not list(small_disk.rglob("*.part"))
    again.close()


def run_with_frames(store: Store) -> Run:
    run = new_run(store)
    frames = (epoch(n, bytes(MEGABYTE)) for n in range(4))
    checkpoint = Checkpointed(step=4, seconds=1.0, checkpoint=bytes(MEGABYTE))
    for event in (
        Started(extractor="compact", note="", width=8, height=6, epochs=4, steps=40),
        *frames,
        checkpoint,
        Finished(seconds=1.0, image=b"a result"),
    ):
        store.append(run.id, event)
    return run


def test_an_upload_to_a_full_disk_is_refused_as_such(small_disk: Path) -> None:
    store = Store(small_disk)
    fill_disk(small_disk)
    with pytest.raises(DiskFull, match=r"^cannot keep runs in [^\n]*$"):
        Archive(store, 10**9).put_upload(bytes(MEGABYTE), "boat.jpg")
    store.close()


def test_a_store_on_a_full_disk_opens_and_interrupts_the_run_of_the_server_before(small_disk: Path) -> None:
    store = Store(small_disk)
    run = new_run(store)
    store.append(run.id, Started(extractor="compact", note="", width=8, height=6, epochs=40, steps=40))
    store.close()  # which removes the journal, to be made again
    fill_disk(small_disk)
    again = Store(small_disk)
    fill_disk(small_disk)
    again.interrupt_running()
    assert again.run(run.id).state is State.INTERRUPTED
    again.close()


def test_a_run_that_is_deleted_from_a_full_disk_leaves_space_at_once_and_can_be_restored(small_disk: Path) -> None:
    store = Store(small_disk)
    archive, run = Archive(store, 10**9), run_with_frames(store)
    fill_disk(small_disk)
    archive.delete(run.id)
    assert store.database.free_bytes() > 2 * MEGABYTE
    archive.restore(run.id)
    assert [frame["epoch"] for frame in store.files.frames(run.id)] == [0, 3]
    assert store.files.result(run.id).read_bytes() == b"a result"
    store.close()


def test_an_upload_to_a_full_disk_replaces_what_ended_runs_can_spare(small_disk: Path) -> None:
    store = Store(small_disk)
    archive, run = Archive(store, 10**9), run_with_frames(store)
    fill_disk(small_disk)
    data = bytes(2 * MEGABYTE)
    assert store.upload(archive.put_upload(data, "boat.jpg")) == data
    assert store.files.checkpoint(run.id) is None
    store.close()


def test_a_deleted_run_keeps_its_files_where_there_is_space(store: Store) -> None:
    run = run_with_frames(store)
    archive = Archive(store, 10**9)
    archive.delete(run.id)
    archive.restore(run.id)
    assert len(store.files.frames(run.id)) == 4
    assert store.files.checkpoint(run.id)


def test_a_deleted_run_leaves_space_at_once_where_runs_take_more_than_they_may(store: Store) -> None:
    run = run_with_frames(store)
    archive = Archive(store, 4 * MEGABYTE)
    archive.delete(run.id)
    assert archive.used() < 3 * MEGABYTE
    archive.restore(run.id)
    assert store.files.checkpoint(run.id) is None


def unused_uploads(store: Store, *ages: float) -> list[str]:
    """Uploads of a megabyte, as many seconds old, that no run uses."""
    found = [store.put_upload(bytes([n]) * MEGABYTE) for n in range(len(ages))]
    for upload, age in zip(found, ages, strict=True):
        date = time.time() - age
        os.utime(store.upload_path(upload), (date, date))
    return found


def test_an_upload_over_the_limit_replaces_unused_ones_oldest_first_before_anything_of_a_run(store: Store) -> None:
    run = run_with_frames(store)
    new, old, older = unused_uploads(store, 0, 4000, 5000)
    archive = Archive(store, Archive(store, 0).used())
    archive.put_upload(bytes(MEGABYTE // 2), "boat.jpg")
    assert [(store.folder / "uploads" / upload).exists() for upload in (new, old, older)] == [True, True, False]
    assert len(store.files.frames(run.id)) == 4
    assert store.files.checkpoint(run.id)


def test_an_upload_for_which_the_limit_leaves_no_room_is_refused(store: Store) -> None:
    unused_uploads(store, 0)  # a request may be about to use it
    with pytest.raises(Busy, match=r"^runs and pictures take 0.00 of 0.00 GB: delete some[^\n]*$"):
        Archive(store, MEGABYTE).put_upload(b"9" * MEGABYTE, "boat.jpg")
    assert len(list((store.folder / "uploads").iterdir())) == 1
