"""A store is backed up while it is used, checked, and rebuilt from its files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from nst.errors import Busy, InputError, NstError
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.maintenance import back_up, check, check_recorded, exclusive, repair
from nst.jobs.storage.schema import FILE
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_jpeg, encode_png
from nst.pictures.provenance import Provenance
from nst.runs.events import Epoch, Finished, Losses, Started, Stopped
from nst.runs.run import Run, State
from tests.epochs import epoch_event

OPTIONS = StyleOptions(epochs=2, size=64, strength=3.0)
LOSSES = Losses(3.0, 1.0, 1.5, 0.5)
GREY = np.full((16, 20, 3), 0.5, np.float32)


def epoch(n: int) -> Epoch:
    return epoch_event(
        n,
        step=5 * n,
        losses=LOSSES,
        width=20,
        height=16,
        seconds=float(n),
        steps_per_second=5.0,
        seconds_left=2.0 - n,
        image=encode_jpeg(GREY),
    )


def painted(store: Store) -> Run:
    """A finished run of two epochs with its frames and its result."""
    content, style = (
        store.put_upload(encode_png(GREY * share), name) for share, name in ((1, "a.png"), (0.5, "b.png"))
    )
    second = store.put_upload(encode_png(GREY * 0.2), "c.png")
    mask = store.put_upload(encode_png(GREY * 0.1), "d.png")
    more = {"more_styles": (second,), "mask": mask}
    run = store.create(OPTIONS, content, style, **more)
    settings = Provenance("0.1", {}, "compact", "float32", OPTIONS, (), 2, content, style, **more)
    result = encode_png(GREY, text={"nst": settings.to_text()})
    events = [epoch(n) for n in range(OPTIONS.epochs + 1)]
    store.append(
        run.id,
        Started(extractor="compact", note="", width=20, height=16, epochs=2, steps=10),
        *events,
        Finished(seconds=2.0, image=result),
    )
    return store.run(run.id)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_backup_of_a_store_in_use_is_a_whole_store(store: Store, tmp_path: Path) -> None:
    run, target = painted(store), tmp_path / "copy"
    (store.folder / "fetches.json").write_text('{"vgg19": "cancelled"}')
    (store.folder / "token").write_text("a secret")
    back_up(store.folder, target)
    assert (target / "fetches.json").read_text() == '{"vgg19": "cancelled"}'
    assert not (target / "token").exists()
    assert check(target) == []
    copy = Store(target)
    assert copy.run(run.id) == run
    assert copy.files.result(run.id).read_bytes() == store.files.result(run.id).read_bytes()
    assert copy.upload(run.content) == store.upload(run.content)
    copy.close()


def test_a_backup_overwrites_nothing_and_does_not_lie_in_the_store(store: Store, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    with pytest.raises(InputError, match="new or empty folder"):
        back_up(store.folder, full)
    with pytest.raises(InputError, match="in the store itself"):
        back_up(store.folder, store.folder / "copy")
    with pytest.raises(InputError, match="there is no store"):
        back_up(tmp_path / "nowhere", tmp_path / "copy")


def test_a_check_names_what_is_missing_or_damaged(store: Store) -> None:
    run = painted(store)
    assert check(store.folder) == []
    result = store.files.result(run.id)
    result.write_bytes(result.read_bytes()[:-40])
    store.files.frame(run.id, 1).unlink()
    store.upload_path(run.content).write_bytes(b"other bytes")
    store.upload_path(run.style).unlink()
    (store.folder / "runs" / ("0" * 32)).mkdir()
    found = "\n".join(check(store.folder))
    for words in (
        f"run {run.id}: its result cannot be read",
        f"run {run.id}: the frame of epoch 1 is missing",
        f"upload {run.content}: its bytes have changed",
        f"run {run.id}: its style picture is missing",
        f"run {'0' * 32}: its folder is there, but not in the database",
    ):
        assert words in found
    assert len(found.splitlines()) == 5


def test_a_run_that_was_stopped_is_rebuilt_as_stopped(store: Store) -> None:
    picture, folder = store.put_upload(encode_png(GREY), "a.png"), store.folder
    run = store.create(OPTIONS, picture, picture)
    settings = Provenance("0.1", {}, "compact", "float32", OPTIONS, (), 1, picture, picture)
    result = encode_png(GREY, text={"nst": settings.to_text()})
    frames = [epoch(n) for n in range(2)]
    store.append(
        run.id,
        Started(extractor="compact", note="", width=20, height=16, epochs=2, steps=10),
        *frames,
        Stopped(seconds=2.0, image=result),
    )
    store.close()
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    repair(folder)
    found = Store(folder).run(run.id)
    assert (found.state, found.epoch, found.epochs) == (State.STOPPED, 1, 2)


@pytest.mark.parametrize("description", [True, False])
def test_a_lost_database_is_rebuilt_from_the_files(store: Store, description: bool) -> None:
    run, folder = painted(store), store.folder
    store.close()
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    if not description:  # as older versions left it
        (folder / f"runs/{run.id}/run.json").unlink()
    before = files_of(folder)
    done = repair(folder)
    assert f"run {run.id} was recorded again, finished, with 3 frames" in done
    assert before <= files_of(folder)
    assert check(folder) == []
    rebuilt = Store(folder)
    found = rebuilt.run(run.id)
    for name in ("options", "uploads", "epochs", "epoch", "frames", "extractor", "width", "has_result"):
        assert getattr(found, name) == getattr(run, name), name
    assert found.state is State.FINISHED
    assert [frame["epoch"] for frame in rebuilt.files.frames(run.id)] == [0, 1, 2]
    assert [event["kind"] for event in rebuilt.events(run.id)] == ["queued", "started", "finished"]
    assert rebuilt.files.result(run.id).is_file()
    rebuilt.close()
    assert repair(folder) == []


def test_a_damaged_database_is_put_aside_and_a_new_one_made(store: Store) -> None:
    run, folder = painted(store), store.folder
    store.close()
    for path in folder.glob(f"{FILE}-*"):
        path.unlink()
    (folder / FILE).write_bytes(b"no database" * 1000)
    assert check(folder)[0].startswith("the database is damaged")
    done = repair(folder)
    assert done[0].startswith("the database was damaged")
    assert (folder / f"{FILE}.damaged-1").read_bytes() == b"no database" * 1000
    assert any(run.id in line for line in done)
    assert check(folder) == []


def test_a_run_that_cannot_be_recorded_is_moved_aside_and_the_others_are_recorded(store: Store) -> None:
    run, folder = painted(store), store.folder
    store.close()
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    bare, wrong = folder / "runs" / ("f" * 32), folder / "runs" / ("e" * 32)
    (bare / "frames").mkdir(parents=True)
    (bare / "frames/0.jpg").write_bytes(encode_jpeg(GREY))
    wrong.mkdir()
    description = json.loads((folder / f"runs/{run.id}/run.json").read_text())
    (wrong / "run.json").write_text(json.dumps(description | {"epochs": "many"}))
    done = "\n".join(repair(folder))
    assert f"run {run.id} was recorded again, finished, with 3 frames" in done
    assert f"run {bare.name} cannot be recorded (it has neither a result nor a description): its folder is now" in done
    assert f"run {wrong.name} cannot be recorded (TypeError: " in done
    assert (folder / f"unreadable-runs/{bare.name}/frames/0.jpg").is_file()
    assert (folder / f"unreadable-runs/{wrong.name}/run.json").is_file()
    assert check(folder) == []
    assert repair(folder) == []


def test_a_new_database_beside_the_runs_of_a_lost_one_is_reported_until_it_is_repaired(store: Store) -> None:
    run, folder = painted(store), store.folder
    check_recorded(store)
    store.close()
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    fresh = Store(folder)
    with pytest.raises(NstError, match=r"^the database in .* knows none of the 1 runs .*: `nst store repair` [^\n]*$"):
        check_recorded(fresh)
    upload = fresh.upload_path(run.content)
    os.utime(upload, (0, 0))
    Archive(fresh, 10**9).remove_expired()
    assert upload.exists()
    fresh.close()
    repair(folder)
    repaired = Store(folder)
    check_recorded(repaired)
    repaired.close()


def test_a_folder_without_a_run_in_it_hinders_nothing(store: Store) -> None:
    (store.folder / "runs" / ("f" * 32)).mkdir(parents=True)
    check_recorded(store)
    upload = store.upload_path(store.put_upload(b"an old picture"))
    os.utime(upload, (0, 0))
    Archive(store, 10**9).remove_expired()
    assert not upload.exists()


def test_frames_without_a_file_are_forgotten(store: Store) -> None:
    run = painted(store)
    store.files.frame(run.id, 1).unlink()
    store.close()
    assert repair(store.folder) == [f"run {run.id}: the frame of epoch 1 is missing and was forgotten"]
    assert check(store.folder) == []


def test_a_folder_that_a_studio_uses_is_not_repaired(store: Store) -> None:
    with exclusive(store.folder), pytest.raises(Busy, match="another studio"):
        repair(store.folder)


def test_a_store_is_readable_by_its_owner_alone(store: Store) -> None:
    assert store.folder.stat().st_mode & 0o077 == 0


def test_a_backup_is_readable_by_its_owner_alone_also_in_a_folder_that_was_there(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.mkdir(mode=0o755)
    back_up(store.folder, target)
    assert target.stat().st_mode & 0o077 == 0
