import asyncio
import hashlib
import itertools
import json
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import Conflict, DiskFull, NotFound, NstError
from nst.jobs.storage.archive import Annotations, Archive
from nst.jobs.storage.schema import TABLES, TO_2, TO_3, TO_4
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.runs.events import Checkpointed, Event, Failed, Finished, Losses, Started, Steered, Stopped
from nst.runs.run import Run, State
from tests.epochs import epoch_event
from tests.jobs.runners import epoch
from tests.jobs.runs import follow, new_run, spoil

STARTED = Started(extractor="compact", note="", width=8, height=6, epochs=40, steps=400)


def test_an_upload_is_kept_once_under_its_hash(store: Store) -> None:
    first, second = store.put_upload(b"picture", "harbour.jpg"), store.put_upload(b"picture", "renamed.jpg")
    assert first == second
    assert store.upload(first) == b"picture"
    assert store.upload_name(first) == "renamed.jpg"
    assert [path.name for path in (store.folder / "uploads").iterdir()] == [first]


@pytest.mark.parametrize(
    "name", ["", "..", "../studio.sqlite", "/etc/passwd", "f" * 64, "F" * 64, "f" * 63 + "\n", "%2e"]
)
def test_an_upload_that_is_not_there_is_not_found(store: Store, name: str) -> None:
    for ask in (store.upload, store.upload_path, store.upload_name):
        with pytest.raises(NotFound, match="there is no upload"):
            ask(name)


@pytest.mark.parametrize("name", ["", "..", "../..", "/etc", "f" * 32, "0" * 31 + "\n"])
def test_a_run_that_is_not_there_is_not_found(store: Store, name: str) -> None:
    for ask in (
        store.run,
        store.events,
        store.files.result,
        lambda run: store.files.frame(run, 0),
        lambda run: store.append(run, STARTED),
    ):
        with pytest.raises(NotFound):
            ask(name)
    with pytest.raises(NotFound):
        asyncio.run(store.wait(name, 0, 1.0))


def test_a_run_of_unknown_uploads_is_refused(store: Store) -> None:
    known = store.put_upload(b"picture")
    for pictures in (("f" * 64, known, None), (known, "nothing", None), (known, known, "f" * 64)):
        with pytest.raises(NotFound):
            store.create(StyleOptions(), *pictures)
    assert store.runs() == []


def test_a_new_run_is_queued_and_its_first_event_says_so(store: Store) -> None:
    run = new_run(store, epochs=7)
    assert (run.state, run.epochs, run.last) == (State.QUEUED, 7, 1)
    assert store.run(run.id) == run
    (event,) = store.events(run.id)
    assert (event["n"], event["kind"]) == (1, "queued")


def test_runs_come_newest_first_and_active_ones_in_order(store: Store) -> None:
    a, b, c = (new_run(store).id for _ in range(3))
    store.append(b, Failed(error="no"))
    store.append(c, STARTED)
    assert [run.id for run in store.runs()] == [c, b, a]
    assert [run.id for run in store.runs(limit=2)] == [c, b]
    assert [run.id for run in store.active()] == [a, c]


def test_pictures_are_kept_as_files(store: Store) -> None:
    run = new_run(store)
    for event in (
        STARTED,
        epoch(0, b"first"),
        epoch(1, b""),
        epoch(2, b"third"),
        Finished(seconds=1.0, image=b"result"),
    ):
        store.append(run.id, event)
    assert store.files.frame(run.id, 0).read_bytes() == b"first"
    assert store.files.frame(run.id, 2).read_bytes() == b"third"
    assert store.files.result(run.id).read_bytes() == b"result"
    with pytest.raises(NotFound, match="no frame 1"):
        store.files.frame(run.id, 1)
    assert [event.get("frame") for event in store.events(run.id, 2)] == [0, None, 2, None]
    assert "image" not in json.dumps(store.events(run.id))
    assert not list(store.folder.rglob("*.part"))


def test_numbers_beyond_all_bounds_are_not_found(store: Store) -> None:
    run = new_run(store)
    assert store.events(run.id, after=10**30) == []
    for n in (-1, 10**30, 10**300):
        with pytest.raises(NotFound, match="no frame"):
            store.files.frame(run.id, n)


def test_a_run_without_a_result_has_none(store: Store) -> None:
    with pytest.raises(NotFound, match="no result"):
        store.files.result(new_run(store).id)


def test_late_events_of_an_ended_run_are_dropped(store: Store) -> None:
    run = new_run(store)
    store.append(run.id, STARTED)
    last = store.append(run.id, Stopped(seconds=1.0, image=b"result"))
    before = store.run(run.id), store.events(run.id)
    for late in (epoch(1), Finished(seconds=2.0, image=b"another"), Failed(error="late"), STARTED):
        assert store.append(run.id, late) == last
    assert (store.run(run.id), store.events(run.id)) == before
    assert store.files.result(run.id).read_bytes() == b"result"


def test_an_impossible_event_leaves_nothing_behind(store: Store) -> None:
    run = new_run(store)
    with pytest.raises(Conflict, match="is queued: 'epoch' cannot happen"):
        store.append(run.id, epoch(0))
    assert store.run(run.id) == run
    assert len(store.events(run.id)) == 1
    with pytest.raises(NotFound):
        store.files.frame(run.id, 0)


def test_a_loss_that_is_not_a_number_is_none_in_json(store: Store) -> None:
    run = new_run(store)
    store.append(run.id, STARTED)
    store.append(
        run.id,
        epoch_event(
            0, losses=Losses(float("nan"), float("inf"), 1.0, 2.0), width=8, height=6, seconds=0.0, steps_per_second=0.0
        ),
    )
    losses = {"total": None, "content": None, "style": 1.0, "tv": 2.0, "neighbors": 0.0}
    assert store.events(run.id)[-1]["losses"] == losses
    assert store.run(run.id).to_json()["losses"] == losses


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 30), after=st.integers(0, 40), limit=st.integers(1, 40))
def test_events_are_numbered_from_one_without_a_gap(tmp_path_factory, count: int, after: int, limit: int) -> None:
    store = Store(tmp_path_factory.mktemp("data"))
    run = new_run(store)
    assert store.append(run.id, STARTED) == 2
    for n in range(count):
        assert store.append(run.id, epoch(n, b"")) == n + 3
    numbers = [event["n"] for event in store.events(run.id, after, limit)]
    assert numbers == list(range(1, count + 3))[after : after + limit]
    assert store.run(run.id).last == count + 2
    store.close()


def test_events_and_files_survive_a_restart(store: Store) -> None:
    run = new_run(store, strength=3.0)
    store.append(run.id, STARTED)
    store.append(run.id, epoch(0))
    events, before = store.events(run.id), store.run(run.id)
    store.close()
    again = Store(store.folder)
    assert (again.events(run.id), again.run(run.id)) == (events, before)
    assert again.files.frame(run.id, 0).exists()
    again.close()


def test_a_server_that_starts_interrupts_what_ran_before_and_leaves_queued_runs(store: Store) -> None:
    waiting, painting, done = (new_run(store).id for _ in range(3))
    store.append(painting, STARTED)
    store.append(done, Stopped(seconds=0.0))
    store.interrupt_running()
    assert store.run(painting).state is State.INTERRUPTED
    assert "server was stopped" in store.run(painting).error
    assert store.events(painting)[-1]["kind"] == "interrupted"
    assert store.run(done).state is State.STOPPED
    assert [run.id for run in store.active()] == [waiting]


def test_two_programs_may_share_a_folder(store: Store) -> None:
    other = Store(store.folder)
    run = new_run(store)
    other.append(run.id, STARTED)
    store.append(run.id, epoch(0))
    assert [event["n"] for event in other.events(run.id)] == [1, 2, 3]
    other.close()


# Waiting --------------------------------------------------------------------------------------------------------------


def test_existing_events_are_returned_without_waiting(store: Store) -> None:
    run = new_run(store)
    assert asyncio.run(store.wait(run.id, 0, 0.0)) == store.events(run.id)


def test_without_a_new_event_the_answer_is_empty_after_the_timeout(store: Store) -> None:
    assert asyncio.run(store.wait(new_run(store).id, 1, 0.01)) == []


def test_one_append_from_another_thread_wakes_every_waiter(store: Store) -> None:
    run = new_run(store)

    async def wait_for_it() -> None:
        tasks = [asyncio.create_task(store.wait(run.id, 1, 30.0)) for _ in range(100)]
        await asyncio.sleep(0)  # all of them wait now
        await asyncio.to_thread(store.append, run.id, STARTED)
        answers = await asyncio.gather(*tasks)
        assert all([event["kind"] for event in answer] == ["started"] for answer in answers)

    asyncio.run(wait_for_it())


def test_an_event_of_another_run_wakes_no_waiter(store: Store) -> None:
    run, other = new_run(store), new_run(store)

    async def wait_for_it() -> None:
        task = asyncio.create_task(store.wait(run.id, 1, 0.05))
        await asyncio.sleep(0)
        store.append(other.id, STARTED)
        assert await task == []

    asyncio.run(wait_for_it())


def test_a_waiter_that_was_cancelled_is_removed(store: Store) -> None:
    run = new_run(store)

    async def give_up() -> None:
        task = asyncio.create_task(store.wait(run.id, 1, 30.0))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(give_up())
    assert len(store._waiters) == 0
    store.append(run.id, STARTED)  # its closed loop raises nothing


def test_closing_ends_every_wait(store: Store) -> None:
    run = new_run(store)

    async def wait_for_it() -> None:
        task = asyncio.create_task(store.wait(run.id, 1, 30.0))
        await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        assert await task == []

    asyncio.run(wait_for_it())
    store.close()


def test_many_threads_append_and_read_and_nothing_is_lost(store: Store) -> None:
    runs = [new_run(store) for _ in range(4)]
    shared = new_run(store)
    store.append(shared.id, STARTED)
    turn = threading.Lock()
    numbers = iter(range(80))

    def write(run_id: str) -> None:
        store.append(run_id, STARTED)
        for n in range(20):
            store.append(run_id, epoch(n))
            with turn:  # epochs of one run must come in order, from whichever thread
                store.append(shared.id, epoch(next(numbers)))
        store.append(run_id, Finished(seconds=1.0, image=b"result"))

    with ThreadPoolExecutor(12) as pool:
        readers = [pool.submit(follow, store, run.id) for run in runs for _ in range(2)]
        writers = [pool.submit(write, run.id) for run in runs]
        for writer in writers:
            writer.result()
        all_events = [reader.result() for reader in readers]
    for events in all_events:
        assert [event["n"] for event in events] == list(range(1, 24))
        assert [event["frame"] for event in events if event["kind"] == "epoch"] == list(range(20))
    assert [event["n"] for event in store.events(shared.id)] == list(range(1, 83))


# A folder that cannot be used -----------------------------------------------------------------------------------------


def test_a_newer_format_is_refused_in_one_line(store: Store) -> None:
    store.close()
    with sqlite3.connect(store.folder / "studio.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(NstError, match=r"newer version.*99.*update the program") as caught:
        Store(store.folder)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "studio.sqlite").write_bytes(b"something else altogether " * 100)
    with pytest.raises(NstError, match=r"cannot keep runs in .*not a database"):
        Store(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NstError, match="cannot keep runs in"):
        Store(tmp_path / "file" / "data")


def test_an_upload_that_cannot_be_read_is_a_plain_error(store: Store) -> None:
    upload = store.put_upload(b"picture")
    spoil(store, upload)
    with pytest.raises(NstError, match="cannot keep runs in"):
        store.upload(upload)


def test_a_picture_that_cannot_be_written_leaves_the_run_as_it_was(store: Store) -> None:
    run = new_run(store)
    store.append(run.id, STARTED)
    shutil.rmtree(store.folder / "runs")
    (store.folder / "runs").write_text("in the way")
    with pytest.raises(NstError, match="cannot keep runs in") as caught:
        store.append(run.id, epoch(0))
    assert "\n" not in str(caught.value)
    assert store.run(run.id).last == 2
    (store.folder / "runs").unlink()
    assert store.append(run.id, epoch(0)) == 3


def test_a_full_disk_is_a_plain_error_and_what_was_kept_stays_readable(store: Store) -> None:
    run = new_run(store)
    store.append(run.id, STARTED)
    [(pages,)] = store.database.rows("PRAGMA page_count")
    store.database.rows(f"PRAGMA max_page_count = {pages}")  # as full as SQLite can be made

    def fill() -> None:
        for n in range(1000):
            store.append(run.id, epoch(n, b""))

    with pytest.raises(NstError, match=r"cannot keep runs in .*full"):
        fill()
    events = store.events(run.id)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    assert store.run(run.id).last == len(events)


def test_a_run_that_cannot_be_kept_fails_with_the_room_that_was_held_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(store)
    store.append(run.id, STARTED)
    append = store.append

    def append_while_there_is_room(run_id: str, event: Event) -> int:
        if (store.folder / "reserve").exists():
            raise DiskFull("cannot keep runs: the disk is full")
        return append(run_id, event)

    monkeypatch.setattr(store, "append", append_while_there_is_room)
    store.fail(run.id, "the disk is full")
    assert (store.run(run.id).state, store.run(run.id).error) == (State.FAILED, "the disk is full")


def test_a_folder_of_the_first_format_is_brought_up_to_date(tmp_path: Path) -> None:
    """The statements are those of a store that the program wrote when it had this format."""
    old = sqlite3.connect(tmp_path / "studio.sqlite")
    old.executescript((Path(__file__).parent / "first_format.sql").read_text(encoding="utf-8"))
    old.close()
    run_id = "04d1404c8ae9422e9362fa3d4a9b3acf"
    frames = tmp_path / "runs" / run_id / "frames"
    frames.mkdir(parents=True)
    for n in (0, 1):
        (frames / f"{n}.jpg").write_bytes(b"frame")
    options = StyleOptions.from_record({"epochs": 1, "size": 128, "seed": 7, "learning_rate": 0.03})
    expected = Run(
        id=run_id,
        created=1796146824.888328,
        options=options,
        content=hashlib.sha256(b"the content").hexdigest(),
        style=hashlib.sha256(b"the style").hexdigest(),
        state=State.FINISHED,
        epoch=1,
        epochs=1,
        frames=2,
        losses=Losses(6.0, 1.0, 2.0, 3.0),
        extractor="compact",
        note="VGG19 is not installed.",
        precision="float32",
        width=128,
        height=96,
        seconds=1.5,
        seconds_left=0.0,
        steps_per_second=20.0,
        last=5,
        has_result=True,
    )
    for _ in range(2):  # the second time it is up to date
        store = Store(tmp_path)
        assert store.runs() == [expected]
        assert store.files.frames(run_id) == [{"epoch": n, "bytes": 5, "marked": False} for n in (0, 1)]
        assert [event["kind"] for event in store.events(run_id)] == ["queued", "started", "epoch", "epoch", "finished"]
        assert Losses(**store.events(run_id)[3]["losses"]) == expected.losses
        assert store.database.rows("SELECT name FROM uploads ORDER BY name") == [("Käthe.jpg",), ("waves.png",)]
        store.close()


def test_a_folder_of_the_third_format_keeps_its_runs_and_takes_names_and_notes(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "studio.sqlite")
    old.executescript(TABLES + TO_2 + TO_3 + "PRAGMA user_version = 3;")
    run = Run("a" * 32, 1.0, StyleOptions(), "b" * 64, "b" * 64, state=State.FINISHED, epoch=1, epochs=1, frames=2)
    row = (run.id, "finished", json.dumps(run.to_json()))
    old.execute("INSERT INTO runs (id, state, run, favourite) VALUES (?, ?, ?, 1)", row)
    old.commit()
    old.close()
    store = Store(tmp_path)
    archive = Archive(store, 10**9)
    assert store.runs() == [run]
    assert archive.annotations(run.id) == Annotations(True, "", "")
    archive.annotate(run.id, name="The bridge, bolder", notes="for Käthe's kitchen")
    store.close()
    store = Store(tmp_path)
    archive = Archive(store, 10**9)
    assert archive.annotations(run.id) == Annotations(True, "The bridge, bolder", "for Käthe's kitchen")
    assert [found.id for found, _ in archive.find(words="BOLDER KÄTHE")] == [run.id]
    assert archive.find(words="bathroom") == []
    store.close()


# Frames, checkpoints, branches ----------------------------------------------------------------------------------------


def painted(store: Store, epochs: int, size: int = 10) -> Run:
    run = new_run(store, epochs=max(1, epochs))
    store.append(run.id, STARTED)
    for n in range(epochs + 1):
        store.append(run.id, epoch(n, bytes(size)))
    return store.run(run.id)


def kept(store: Store, run: Run) -> list[int]:
    return [frame["epoch"] for frame in store.files.frames(run.id)]


def test_frames_over_the_budget_are_thinned_out_evenly_but_never_the_first_the_last_or_a_marked_one(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path, frames_budget=90)
    run = painted(store, 3)
    store.files.mark(run.id, 2)
    store.append(run.id, Steered(step=31, epoch=3, changes={"strength": 2.0}))
    for n in range(4, 41):
        store.append(run.id, epoch(n, bytes(10)))
    found = kept(store, run)
    assert len(found) == 9
    assert {0, 2, 3, 40} <= set(found)
    gaps = [after - before for before, after in itertools.pairwise(found) if before >= 3]
    assert max(gaps) <= 2 * min(gaps) + 1
    for n in range(41):
        if n in found:
            assert store.files.frame(run.id, n).exists()
        else:
            nearest = min(found, key=lambda other: abs(other - n))
            with pytest.raises(NotFound, match=f"no frame {n}; the nearest that is kept is {nearest}"):
                store.files.frame(run.id, n)
    store.close()


@pytest.mark.parametrize("budget", [1, 25, 1000])
def test_the_budget_of_frames_holds_but_for_what_must_stay(tmp_path: Path, budget: int) -> None:
    store = Store(tmp_path, frames_budget=budget)
    run = painted(store, 20)
    assert sum(frame["bytes"] for frame in store.files.frames(run.id)) <= max(budget, 20)
    assert {0, 20} <= set(kept(store, run))
    store.close()


def test_the_newest_frame_is_the_partial_picture(store: Store) -> None:
    run = new_run(store)
    with pytest.raises(NotFound, match="no frame yet"):
        store.files.partial(run.id)
    run = painted(store, 2)
    assert store.files.partial(run.id) == store.files.frame(run.id, 2)


def test_a_checkpoint_is_kept_with_its_step_and_is_part_of_the_job(store: Store) -> None:
    run = painted(store, 1)
    assert store.files.checkpoint(run.id) is None
    store.append(run.id, Checkpointed(step=7, seconds=1.0, checkpoint=b"older"))
    store.append(run.id, Checkpointed(step=9, seconds=2.0, checkpoint=b"newer"))
    assert store.run(run.id).kept == 9
    assert "checkpoint" not in json.dumps(store.events(run.id))
    store.append(run.id, Steered(step=11, epoch=1, changes={"strength": 2.0}))
    job = store.job(store.run(run.id))
    assert (job.checkpoint, job.start, job.epochs) == (b"newer", None, None)
    assert job.steered == ((11, {"strength": 2.0}),)


def test_a_branch_begins_with_a_frame_of_its_parent_and_is_listed_there(store: Store) -> None:
    parent = painted(store, 3)
    child = store.branch(parent, 2, StyleOptions(strength=2.0), epochs=3)
    assert (child.parent, child.first, child.state, child.options.strength) == (parent.id, 2, State.QUEUED, 2.0)
    assert store.children(parent) == [child.id]
    assert store.job(child).start == store.files.frame(parent.id, 2).read_bytes()
    assert store.job(child).epochs == 3  # also if the scales that its parent left early would give fewer
    assert store.job(store.branch(parent, 2, StyleOptions(epochs="auto"), epochs=3)).epochs is None
    with pytest.raises(NotFound, match="no frame 7"):
        store.branch(parent, 7, StyleOptions())


def test_the_same_key_of_the_same_client_is_the_same_run(store: Store) -> None:
    upload = store.put_upload(b"picture")
    run = store.create(StyleOptions(), upload, upload, client="someone")
    store.set_key(run, "once")
    assert store.keyed("someone", "once") == run
    assert store.keyed("another", "once") is None
    assert store.keyed("someone", "twice") is None


def test_the_database_is_free_while_an_upload_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write, free = Path.write_bytes, []

    def write_and_look(path: Path, data: bytes) -> int:
        with ThreadPoolExecutor(1) as other:  # the lock lets its own thread in again
            free.append(other.submit(take_lock).result())
        return write(path, data)

    def take_lock() -> bool:
        taken = store.database.lock.acquire(timeout=10)
        if taken:
            store.database.lock.release()
        return taken

    monkeypatch.setattr(Path, "write_bytes", write_and_look)
    upload = store.put_upload(b"picture", "boat.jpg")
    assert (free, store.upload(upload), store.upload_name(upload)) == ([True], b"picture", "boat.jpg")


def test_nothing_is_written_once_the_folder_was_deleted(store: Store) -> None:
    run = new_run(store)
    shutil.rmtree(store.folder)
    for use in (
        lambda: store.run(run.id),
        lambda: store.put_upload(b"a picture"),
        lambda: store.append(run.id, epoch(0)),
    ):
        with pytest.raises(NstError, match=r"^the data folder .* was deleted or replaced while the studio used it"):
            use()
    assert not store.folder.exists()


def test_a_run_that_cannot_be_recorded_leaves_no_folder(store: Store) -> None:
    parent = painted(store, 1)
    before = set((store.folder / "runs").iterdir())
    with store.database.transaction() as connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no room'); END")
    with pytest.raises(NstError, match="no room"):
        store.create(StyleOptions(), parent.content, parent.style)
    with pytest.raises(NstError, match="no room"):
        store.branch(parent, 1, StyleOptions())
    assert set((store.folder / "runs").iterdir()) == before


def test_a_client_does_not_get_the_name_that_another_gave_the_same_picture(store: Store) -> None:
    upload, sample = store.put_upload(b"picture", "private.jpg"), store.put_upload(b"sample", "samples/harbour")
    run = store.create(StyleOptions(), upload, sample, client="someone")
    assert run.names == {"content": "", "style": "samples/harbour"}
    assert store.create(StyleOptions(), upload, sample).names["content"] == "private.jpg"
    again = store.put_upload(b"picture", "mine.jpg", "someone")
    assert store.create(StyleOptions(), again, sample, client="someone").names["content"] == "mine.jpg"


def open_to(store: Store, upload: str, client: str) -> bool:
    try:
        store.check_upload(upload, client)
    except NotFound:
        return False
    return True


def test_an_upload_is_of_the_clients_that_sent_it_or_have_a_run_of_it_until_it_is_deleted(store: Store) -> None:
    sent = store.put_upload(b"sent", "a.jpg", "ann")
    of_run = [store.put_upload(data) for data in (b"content", b"style", b"second", b"mask", b"init")]
    store.create(
        StyleOptions(), of_run[0], of_run[1], of_run[4], more_styles=(of_run[2],), mask=of_run[3], client="ann"
    )
    for upload in (sent, *of_run):
        assert (open_to(store, upload, "ann"), open_to(store, upload, "bob"), open_to(store, upload, "")) == (1, 0, 1)
    store.put_upload(b"sent", "b.jpg", "bob")
    assert [store.upload_name(sent, client) for client in ("ann", "bob", "eve")] == ["a.jpg", "b.jpg", ""]
    store.drop_upload(sent)
    store.put_upload(b"sent", "c.jpg", "eve")
    assert [open_to(store, sent, client) for client in ("ann", "bob", "eve")] == [False, False, True]


def test_a_folder_of_the_fourth_format_gives_uploads_to_the_clients_whose_runs_and_grids_use_them(
    tmp_path: Path,
) -> None:
    old = sqlite3.connect(tmp_path / "studio.sqlite")
    old.executescript(TABLES + TO_2 + TO_3 + TO_4 + "PRAGMA user_version = 4;")
    (tmp_path / "uploads").mkdir()
    uploads = [hashlib.sha256(data).hexdigest() for data in (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7")]
    for data, upload in zip((b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7"), uploads, strict=True):
        (tmp_path / "uploads" / upload).write_bytes(data)
        old.execute("INSERT INTO uploads VALUES (?, 'last.jpg')", (upload,))
    names = {"content": "a.jpg", "style2": "c.jpg"}
    pictures = {"content": uploads[0], "style": uploads[1], "more_styles": (uploads[2], uploads[3]), "mask": uploads[4]}
    runs = [
        Run("a" * 32, 1.0, StyleOptions(), **pictures, init=uploads[5], names=names, client="ann"),
        Run("b" * 32, 1.0, StyleOptions(), uploads[7], uploads[7]),  # from before the studio was shared
    ]
    for run in runs:
        row = (run.id, "finished", json.dumps(run.to_json()), run.client)
        old.execute("INSERT INTO runs (id, state, run, client) VALUES (?, ?, ?, ?)", row)
    grid = {"pictures": {"content": uploads[6], "style": uploads[1]}, "names": {"content": "g.jpg"}}
    old.execute("INSERT INTO variations (id, client, grid) VALUES ('c', 'bob', ?)", (json.dumps(grid),))
    old.commit()
    old.close()
    for _ in range(2):  # the second time it is up to date
        store = Store(tmp_path)
        found = {client: [n for n in range(8) if open_to(store, uploads[n], client)] for client in ("ann", "bob", "")}
        assert found == {"ann": [0, 1, 2, 3, 4, 5], "bob": [1, 6], "": list(range(8))}
        known = [
            store.upload_name(uploads[n], client) for n, client in ((0, "ann"), (1, "ann"), (2, "ann"), (6, "bob"))
        ]
        assert known == ["a.jpg", "", "c.jpg", "g.jpg"]
        assert store.upload_name(uploads[0]) == "last.jpg"
        store.close()


def test_a_run_that_is_restored_while_it_is_swept_stays(store: Store, monkeypatch) -> None:
    run, archive = painted(store, 1), Archive(store, 10**9)
    store.append(run.id, Finished(seconds=1.0, image=b"a picture"))
    archive.delete(run.id)
    rows = store.database.rows

    def restored_then(query: str, *values: object) -> list[tuple[object, ...]]:
        found = rows(query, *values)
        if "deleted <" in query:
            archive.restore(run.id)
        return found

    monkeypatch.setattr(store.database, "rows", restored_then)
    archive.remove_expired(0.0)
    assert store.run(run.id).id == run.id
    assert store.files.result(run.id).exists()


def test_what_is_left_of_a_deleted_run_is_deleted_with_the_next_expired_ones(store: Store) -> None:
    run, archive = painted(store, 1), Archive(store, 10**9)
    left = store.folder / "runs" / ("f" * 32 + ".deleted")
    left.mkdir()
    store.append(run.id, Finished(seconds=1.0, image=b"a picture"))
    archive.delete(run.id)
    archive.remove_expired(0.0)
    assert list((store.folder / "runs").iterdir()) == []
