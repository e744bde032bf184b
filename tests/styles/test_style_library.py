"""The library of fast styles: listed, added, renamed, removed, exported and mixed."""

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst.errors import DiskFull, NotFound, StyleError
from nst.pictures.images import encode_jpeg, encode_png
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED, Library, shipped_file
from tests.styles.style_files import style_file


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "styles")


def own(library: Library) -> list[str]:
    return [entry.name for entry in library.entries() if not entry.shipped]


def test_every_shipped_style_brings_a_picture_that_a_run_can_take_its_style_from() -> None:
    styles = shipped_file().styles
    kinds = {name: style.picture_kind for name, style in styles.items()}
    assert {name for name, kind in kinds.items() if kind == "painting"} == {"rose-window", "river-points"}  # samples
    assert {kinds[name] for name in kinds.keys() - {"rose-window", "river-points"}} == {"texture"}
    for style in styles.values():
        with Image.open(io.BytesIO(style.picture)) as picture:
            assert max(picture.size) == 384


def test_shipped_styles_are_listed_before_the_folder_exists(library: Library) -> None:
    entries = library.entries()
    assert [entry.name for entry in entries] == list(StyleFile.from_bytes(SHIPPED.read_bytes()).styles)
    assert all(entry.shipped and entry.to_json()["shipped"] for entry in entries)
    assert not library.folder.exists()


def test_styles_are_added_exported_and_added_elsewhere(library: Library, tmp_path: Path) -> None:
    assert library.add(style_file("waves", "dots").to_bytes()) == ["waves", "dots"]
    assert own(library) == ["dots", "waves"]
    other = Library(tmp_path / "other")
    assert other.add(library.export("dots")) == ["dots"]
    assert other.find("dots").style.title == "The dots"
    assert other.find("dots").file.network == library.find("waves").file.network


def test_a_style_gets_another_name_and_title(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    entry = library.rename("waves", "sea", "The sea")
    assert (entry.name, entry.style.title, entry.style.provenance) == ("sea", "The sea", {"painting": "waves"})
    assert library.rename("sea", "sea", "A sea").style.title == "A sea"
    assert own(library) == ["dots", "sea"]


def test_a_file_of_other_styles_is_not_overwritten(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "cubes.style").write_bytes(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes", seed=1).to_bytes())
    assert set(own(library)) == {"cubes", "dots", "waves"}
    library.rename("waves", "sea")
    library.remove("cubes")
    assert set(own(library)) == {"sea", "dots"}


def test_removing_a_style_keeps_the_others_of_its_file(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "several.style").write_bytes(style_file("waves", "dots").to_bytes())
    library.remove("waves")
    assert own(library) == ["dots"]
    library.remove("dots")
    assert list(library.folder.iterdir()) == []


def test_a_shipped_style_cannot_be_changed(library: Library) -> None:
    name = library.entries()[0].name
    for change in (lambda: library.remove(name), lambda: library.rename(name, "mine")):
        with pytest.raises(StyleError, match="came with the program"):
            change()
    with pytest.raises(StyleError, match="already"):
        library.add(style_file(name).to_bytes(), replace_existing=True)


def test_a_taken_name_is_refused_unless_the_style_may_be_replaced(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    with pytest.raises(StyleError, match="there is a style 'waves' already"):
        library.add(style_file("waves", seed=1).to_bytes())
    with pytest.raises(StyleError, match="there is a style 'dots' already"):
        library.rename("waves", "dots")
    library.add(style_file("waves", seed=1).to_bytes(), replace_existing=True)
    assert library.find("waves").file.network == style_file(seed=1).network


def test_a_style_that_replaces_one_in_another_file_is_the_one_found(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "a.style").write_bytes(style_file("waves", "dots", "cubes").to_bytes())
    library.add(style_file("waves", "dots", seed=1).to_bytes(), replace_existing=True)
    other = style_file(seed=1).network
    found = {entry.name: entry.file.network == other for entry in library.entries() if not entry.shipped}
    assert found == {"waves": True, "dots": True, "cubes": False}


def test_an_unknown_style_is_not_found_and_a_close_one_is_named(library: Library) -> None:
    library.add(style_file("mosaic").to_bytes())
    with pytest.raises(NotFound, match="did you mean 'mosaic'"):
        library.find("mosiac")
    with pytest.raises(NotFound, match=r"there are .*mosaic"):
        library.find("zzzzzz")


def test_styles_of_one_network_are_mixed_in_one_file(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes", seed=1).to_bytes())
    assert list(library.file_of(["waves", "dots"]).styles) == ["waves", "dots"]
    with pytest.raises(StyleError, match=r"one network.*'waves' and 'cubes'"):
        library.file_of(["waves", "cubes"])


def test_a_file_that_changes_in_the_folder_is_read_again(library: Library) -> None:
    library.add(style_file("waves").to_bytes())
    path = library.folder / "waves.style"
    path.write_bytes(b"damaged")
    assert own(library) == []
    path.write_bytes(style_file("dots", "cubes").to_bytes())
    assert own(library) == ["cubes", "dots"]
    path.unlink()
    assert own(library) == []


def test_a_damaged_file_in_the_folder_is_ignored(library: Library) -> None:
    library.add(style_file("waves").to_bytes())
    (library.folder / "a.style").write_bytes(b"damaged")
    (library.folder / "b.style").mkdir()
    assert own(library) == ["waves"]


def test_a_style_in_the_folder_does_not_replace_a_shipped_one(library: Library) -> None:
    name = library.entries()[0].name
    library.folder.mkdir()
    (library.folder / f"{name}.style").write_bytes(style_file(name).to_bytes())
    assert library.find(name).shipped
    assert own(library) == []


def test_a_write_that_fails_leaves_no_file(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add(style_file("waves").to_bytes())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFull, match=r"'.*dots\.style' cannot be changed: No space left on device$"):
        library.add(style_file("dots").to_bytes())
    assert [path.name for path in library.folder.iterdir()] == ["waves.style"]


def test_styles_of_one_network_share_its_kernels_in_memory(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes").to_bytes())  # of the same network
    library.add(style_file("reeds", seed=1).to_bytes())
    assert {path.name for path in library.folder.iterdir()} == {"waves.style", "cubes.style", "reeds.style"}
    waves, cubes, reeds = (library.find(name).file for name in ("waves", "cubes", "reeds"))
    assert cubes.kernels is waves.kernels
    assert reeds.kernels is not waves.kernels


def test_a_file_that_cannot_be_read_is_ignored_and_kept(library: Library) -> None:
    library.folder.mkdir()
    damaged, folder = library.folder / "waves.style", library.folder / "waves-1.style"
    damaged.write_bytes(b"of a later version")
    folder.mkdir()
    library.add(style_file("waves").to_bytes())
    assert damaged.read_bytes() == b"of a later version"
    assert library.find("waves").path.name == "waves-2.style"
    assert folder.is_dir()


def test_a_removed_file_is_dropped_from_the_cache(library: Library) -> None:
    library.add(style_file("waves").to_bytes())
    library.entries()
    library.remove("waves")
    library.entries()
    assert list(library._cache) == [SHIPPED]


def test_a_thumbnail_must_be_a_small_jpeg(library: Library) -> None:
    file, large = style_file("waves"), np.zeros((1200, 1200, 3), np.float32)
    for picture, rule in ((encode_jpeg(large), "at most 1 megapixels"), (encode_png(large[:64, :64]), "be a JPEG")):
        with pytest.raises(StyleError, match=rule):
            library.add(replace(file, styles={"waves": replace(file.styles["waves"], picture=picture)}).to_bytes())
