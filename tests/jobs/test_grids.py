"""Grids of variations in a store, and what the archive does with their runs."""

import json
import sqlite3
import time
from pathlib import Path

import pytest

from nst.errors import Busy, NotFound
from nst.jobs.storage.archive import FRESH, Archive
from nst.jobs.storage.grids import Grid, Grids
from nst.jobs.storage.schema import TABLES, TO_2, open_database
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.options.variations import Variations
from nst.runs.events import Finished, Started
from nst.runs.humanize import GIGABYTE
from nst.runs.run import Run, State
from tests.jobs.runs import new_run

VARIATIONS = Variations.parse(StyleOptions(size=1024), {"strength": "1,2", "seed": "0,1,2"}, size=64, epochs=2)


def new_grid(store: Store, client: str = "", variations: Variations = VARIATIONS, init: str | None = None) -> Grid:
    pictures = {"content": store.put_upload(b"a content", "boat.jpg"), "style": store.put_upload(b"a style")}
    more = {"style2": store.put_upload(b"another"), **({"init": init} if init else {})}
    return Grids(store).create(variations, pictures | more, {"content": "boat.jpg"}, client)


def finish(store: Store, run_id: str) -> None:
    store.append(
        run_id,
        Started(extractor="compact", note="", width=64, height=48, epochs=2, steps=20),
        Finished(seconds=1.0, image=b"a picture"),
    )


def ids_found(archive: Archive, **filters: str) -> list[str]:
    return [run.id for run, _ in archive.find(**filters)]


def test_a_grid_has_a_queued_run_for_each_combination_in_order(store: Store) -> None:
    grid = new_grid(store, client="ann")
    runs = [run for run, _ in Grids(store).runs(grid)]
    assert [run and (run.options.strength, run.options.seed) for run in runs] == [
        (strength, seed) for strength in (1.0, 2.0) for seed in (0, 1, 2)
    ]
    assert [run.id for run in store.active()] == list(grid.runs)
    for run in store.active():
        assert (run.variations, run.client, run.options.size) == (grid.id, "ann", 64)
        assert run.names["content"] == "boat.jpg"
        assert set(run.uploads) == {"content", "style", "style2"}
        assert not store.job(run).checkpoints
    assert store.job(new_run(store)).checkpoints


def test_each_run_of_a_varied_painting_has_that_painting_alone(store: Store) -> None:
    grid = new_grid(store, variations=Variations.parse(StyleOptions(), {"style": "1,2"}))
    first, second = (run for run, _ in Grids(store).runs(grid) if run)
    assert (first.uploads["style"], second.uploads["style"]) == (grid.pictures["style"], grid.pictures["style2"])
    assert [set(run.uploads) for run in (first, second)] == [{"content", "style"}] * 2
    assert first.names["content"] == second.names["content"] == "boat.jpg"


def test_a_grid_survives_a_restart_and_is_listed_for_its_client(store: Store) -> None:
    first, second = new_grid(store, "ann"), new_grid(store, "bob")
    store.close()
    again = Grids(Store(store.folder))
    assert again.get(first.id) == first
    assert [grid.id for grid in again.newest()] == [second.id, first.id]
    assert [grid.id for grid in again.newest("ann")] == [first.id]
    with pytest.raises(NotFound, match="there are no variations 'x'"):
        again.get("x")


def test_only_runs_that_start_from_a_picture_have_it(store: Store) -> None:
    init = store.put_upload(b"a start")
    grid = new_grid(store, variations=Variations.parse(StyleOptions(), {"init": "noise,image"}), init=init)
    assert [run and run.init for run, _ in Grids(store).runs(grid)] == [None, init]


def test_the_gallery_shows_a_quick_run_only_as_a_favorite(store: Store) -> None:
    archive, own = Archive(store, 2 * GIGABYTE), new_run(store)
    grid = new_grid(store)
    assert ids_found(archive) == [own.id]
    archive.annotate(grid.runs[4], favorite=True)
    assert ids_found(archive) == [grid.runs[4], own.id]
    assert Grids(store).runs(grid)[4][1]
    archive.annotate(grid.runs[4], favorite=False)
    assert ids_found(archive) == [own.id]


def test_a_deleted_quick_run_leaves_an_empty_cell(store: Store) -> None:
    grid = new_grid(store)
    finish(store, grid.runs[1])
    Archive(store, 2 * GIGABYTE).delete(grid.runs[1])
    cells = Grids(store).runs(grid)
    assert cells[1] == (None, False)
    assert all(run for n, (run, _) in enumerate(cells) if n != 1)


def age(store: Store, run_id: str) -> None:
    """Have a run created longer ago than quick runs are kept when space is short."""
    run = {**store.run(run_id).to_json(), "created": time.time() - FRESH - 1}
    with store.database.transaction() as connection:
        connection.execute("UPDATE runs SET run = ? WHERE id = ?", (json.dumps(run), run_id))


def test_old_quick_runs_go_first_when_space_is_short(store: Store) -> None:
    grid, own = new_grid(store), new_run(store)
    for run_id in (*grid.runs[:4], own.id):
        finish(store, run_id)
        age(store, run_id)
    age(store, grid.runs[5])  # it still waits
    store.append(
        grid.runs[4],
        Started(extractor="compact", note="", width=64, height=48, epochs=2, steps=20),
        Finished(seconds=1.0, image=bytes(2000)),
    )  # a fresh one
    archive = Archive(store, 5000)
    archive.annotate(grid.runs[2], favorite=True)
    (store.files.folder(own.id) / "frames").mkdir()
    (store.files.folder(own.id) / "frames" / "ballast").write_bytes(bytes(10_000))
    with pytest.raises(Busy, match="delete some in the gallery"):
        archive.check_capacity()
    left = [run.id if run else None for run, _ in Grids(store).runs(grid)]
    assert left == [None, None, grid.runs[2], None, grid.runs[4], grid.runs[5]]
    assert store.run(own.id).state is State.FINISHED


def test_a_folder_of_the_second_format_is_brought_up_to_date(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "studio.sqlite")
    old.executescript(TABLES + TO_2.replace("--", "-- ") + "PRAGMA user_version = 2;")
    upload = "b" * 64
    run = Run("a" * 32, 1.0, StyleOptions(), upload, upload, state=State.FINISHED)
    before = {
        name: value for name, value in run.to_json().items() if name not in ("variations", "scales", "more_styles")
    }
    old.execute("INSERT INTO runs (id, state, run) VALUES (?, ?, ?)", (run.id, "finished", json.dumps(before)))
    old.commit()
    old.close()
    open_database(tmp_path).close()
    store = Store(tmp_path)
    assert ids_found(Archive(store, 2 * GIGABYTE)) == [run.id]
    assert Grids(store).newest() == []
    assert new_grid(store).runs
    store.close()
