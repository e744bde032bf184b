"""A disk that is full: a small one, where this user may mount it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nst.errors import NstError
from nst.jobs.store import Store
from nst.runs.events import Finished, Kept, Started
from nst.runs.run import State
from tests.jobs.runners import epoch
from tests.jobs.runs import new_run

MEGABYTE = 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no small disk: this user may not mount one")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_run_that_fills_the_disk_fails_with_the_reason_and_what_was_kept_stays(small_disk: Path) -> None:
    store = Store(small_disk)
    done, run = new_run(store), new_run(store)
    for event in (Started("compact", "", 8, 6, 40, 40), epoch(0), Finished(1.0, b"a result")):
        store.append(done.id, event)
    store.append(run.id, Started("compact", "", 8, 6, 40, 40))
    store.append(run.id, Kept(1, 1.0, b"a checkpoint"))

    def fill() -> None:
        for n in range(40):
            store.append(run.id, epoch(n, bytes(MEGABYTE)))

    with pytest.raises(NstError, match=r"cannot keep runs in .*No space left") as caught:
        fill()
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
