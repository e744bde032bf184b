"""Runs of several paintings and with a mask in a store: kept, branched, searched, and read from older versions."""

import json
import os

import pytest

from nst.errors import NotFound
from nst.jobs.storage.archive import Archive
from nst.jobs.storage.store import Store
from nst.options.style_options import StyleOptions
from nst.runs.events import Started
from nst.runs.run import Run
from tests.jobs.runners import epoch
from tests.jobs.runs import new_run


def mixed(store: Store, **options: object) -> Run:
    """A run of three paintings, with a mask."""
    names = ("sea", "mask", "oil", "ink", "wood")
    content, mask, *styles = (store.put_upload(name.encode(), f"{name}.png") for name in names)
    return store.create(StyleOptions(**options), content, styles[0], more_styles=tuple(styles[1:]), mask=mask)


def test_a_run_keeps_all_of_its_paintings_with_their_names(store: Store) -> None:
    run = mixed(store, style_mix=[1, 2, 3])
    assert list(run.uploads) == ["content", "style", "style2", "style3", "mask"]
    assert list(run.names.values()) == ["sea.png", "oil.png", "ink.png", "wood.png", "mask.png"]
    assert store.run(run.id) == run
    assert store.job(run).more_styles == (b"ink", b"wood")
    assert store.job(run).mask == b"mask"
    assert store.job(run).options.style_mix == (1.0, 2.0, 3.0)


def test_a_branch_has_the_paintings_and_the_mask_of_its_parent(store: Store) -> None:
    parent = mixed(store)
    store.append(
        parent.id, Started(extractor="compact", note="", width=8, height=6, epochs=40, steps=400), epoch(0, b"a frame")
    )
    child = store.branch(store.run(parent.id), 0, parent.options)
    assert (child.uploads, child.names) == (parent.uploads, parent.names)


def test_a_run_of_a_version_with_one_painting_and_no_mask_is_read(store: Store) -> None:
    run = new_run(store)
    stored = run.to_json()
    del stored["more_styles"], stored["mask"]
    for name in ("style_mix", "style_scales", "mask_use"):
        del stored["options"][name]
    assert Run.from_json(json.loads(json.dumps(stored))) == run


def test_paintings_that_a_run_uses_are_not_deleted_and_its_names_are_searched(store: Store) -> None:
    archive = Archive(store, 10**9)
    run = mixed(store)
    unused = store.put_upload(b"unused")
    for upload in (unused, *run.uploads.values()):
        os.utime(store.upload_path(upload), (0, 0))
    archive.remove_expired()
    assert [store.upload(upload) for upload in run.uploads.values()] == [b"sea", b"oil", b"ink", b"wood", b"mask"]
    with pytest.raises(NotFound):
        store.upload(unused)
    assert [found.id for found, _ in archive.find(words="wood")] == [run.id]
    assert archive.find(words="marble") == []
