"""Style files and the folder they are kept in; files that are damaged, or meant to do harm, are refused in one line."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst.errors import NotFound, NstError, StyleError
from nst.options.fast_options import mix_of
from nst.pictures.images import encode_jpeg, encode_png
from nst.styles.network_plan import Plan
from nst.styles.style_file import MOST_BYTES, MOST_STYLES, Style, StyleFile
from nst.styles.style_library import SHIPPED, Library

PLAN = Plan(widths=(4, 6), blocks=1, first=3, last=3, skips=(0,))


def painting(colour: str = "teal", format: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(file, format)
    return file.getvalue()


def style_file(*names: str, seed: int = 0) -> StyleFile:
    """A tiny network with a style of each name; of one seed they can be mixed."""
    random = np.random.default_rng(seed)
    kernels = {unit.name: random.normal(0, 0.1, unit.shape).astype(np.float16) for unit in PLAN.units}
    styles = {
        name: Style(f"The {name}", PLAN.neutral() + np.float32(place), {"painting": name}, painting())
        for place, name in enumerate(names or ("waves",))
    }
    return StyleFile(PLAN, kernels, PLAN.neutral(), styles)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "styles")


def own(library: Library) -> list[str]:
    return [entry.name for entry in library.entries() if not entry.shipped]


def test_a_style_file_is_read_as_it_was_written() -> None:
    written = style_file("waves", "dots")
    read = StyleFile.from_bytes(written.to_bytes())
    assert read.plan == PLAN
    assert read.network == written.network
    assert all(np.array_equal(read.kernels[name], kernel) for name, kernel in written.kernels.items())
    for name, style in written.styles.items():
        assert (read.styles[name].title, read.styles[name].provenance) == (style.title, style.provenance)
        assert read.styles[name].picture == style.picture
        assert np.array_equal(read.styles[name].vector, style.vector)


def test_what_ships_is_listed_before_the_folder_exists(library: Library) -> None:
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


def test_a_file_named_by_hand_is_never_written_over(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "cubes.style").write_bytes(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes", seed=1).to_bytes())
    assert set(own(library)) == {"cubes", "dots", "waves"}
    library.rename("waves", "sea")
    library.remove("cubes")
    assert set(own(library)) == {"sea", "dots"}


def test_a_removed_style_is_gone_and_those_of_its_file_stay(library: Library) -> None:
    library.folder.mkdir()
    (library.folder / "several.style").write_bytes(style_file("waves", "dots").to_bytes())
    library.remove("waves")
    assert own(library) == ["dots"]
    library.remove("dots")
    assert list(library.folder.iterdir()) == []


def test_what_ships_stays_as_it_is(library: Library) -> None:
    name = library.entries()[0].name
    for change in (lambda: library.remove(name), lambda: library.rename(name, "mine")):
        with pytest.raises(StyleError, match="came with the program"):
            change()
    with pytest.raises(StyleError, match="already"):
        library.add(style_file(name).to_bytes(), replace_existing=True)


def test_a_name_is_taken_once_unless_a_style_may_stand_in_its_place(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    with pytest.raises(StyleError, match="there is a style 'waves' already"):
        library.add(style_file("waves", seed=1).to_bytes())
    with pytest.raises(StyleError, match="there is a style 'dots' already"):
        library.rename("waves", "dots")
    library.add(style_file("waves", seed=1).to_bytes(), replace_existing=True)
    assert library.find("waves").file.network == style_file(seed=1).network


def test_what_stands_in_the_place_of_styles_in_a_file_named_by_hand_is_what_is_found(library: Library) -> None:
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


def test_a_mix_has_weights_of_sum_one() -> None:
    assert mix_of("waves") == {"waves": 1.0}
    assert mix_of({"waves": 3, "dots": 1.0}) == {"waves": 0.75, "dots": 0.25}


@pytest.mark.parametrize("wanted", [{}, {"a": 0}, {"a": -1}, {"a": float("nan")}, {"a": True}, {"a": "1"}, {"a": 1e7}])
def test_a_mix_of_nothing_or_of_no_weights_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(StyleError, match=r"^[^\n]+$"):
        mix_of(wanted)


def test_a_mix_of_too_many_is_refused() -> None:
    with pytest.raises(StyleError, match="1 to 4 styles, got 5"):
        mix_of(dict.fromkeys("abcde", 1.0))


# Files that are damaged, or meant to do harm -------------------------------------------------------------------------

Members = dict[str, bytes]


def spoiled(change: Callable[[Members], None], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A good file with some of its members changed."""
    with zipfile.ZipFile(io.BytesIO(style_file().to_bytes())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_header(**changes: Any) -> bytes:
    def change(members: Members) -> None:
        members["header.json"] = json.dumps(json.loads(members["header.json"]) | changes).encode()

    return spoiled(change)


def with_plan(**changes: Any) -> bytes:
    plan = {"widths": [4, 6], "blocks": 1, "first": 3, "last": 3, "skips": [0]}
    return with_header(plan=plan | changes)


def with_member(name: str, data: bytes) -> bytes:
    return spoiled(lambda members: members.update({name: data}))


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


class Harm:
    """What a pickle may do to who reads it: here, leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.mark),)


def claiming(shape: tuple[int, ...]) -> bytes:
    """An array of a few bytes whose header claims more."""
    header = repr({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(16)


def renamed(name: Any) -> bytes:
    return with_header(styles={name: {"title": "x", "provenance": {}}})


def titled(title: Any) -> bytes:
    return with_header(styles={"waves": {"title": title, "provenance": {}}})


def explained(reason: Any) -> bytes:
    return with_header(styles={"waves": {"title": "x", "provenance": {"why": reason}}})


LENGTH = PLAN.length
HOSTILE = {
    "nothing": lambda: b"",
    "no archive": lambda: b"PK\x03\x04 and no more",
    "a picture": painting,
    "cut off": lambda: style_file().to_bytes()[:-200],
    "an archive of something else": lambda: spoiled(lambda members: members.clear()),
    "no header": lambda: spoiled(lambda members: members.pop("header.json") and None),
    "a header that is no JSON": lambda: with_member("header.json", b"\xff{"),
    "a header that is a list": lambda: with_member("header.json", b"[]"),
    "a header nested too deeply": lambda: with_member("header.json", b"[" * 100_000),
    "another format": lambda: with_header(format=2),
    "no styles": lambda: with_header(styles={}),
    "too many styles": lambda: with_header(styles={f"s{n}": {} for n in range(MOST_STYLES + 1)}),
    "styles that are a list": lambda: with_header(styles=["waves"]),
    "a kernel that is missing": lambda: spoiled(lambda members: members.pop("kernel/end.npy") and None),
    "a kernel of another shape": lambda: with_member("kernel/end.npy", npy(np.zeros((3, 3, 4, 4), np.float16))),
    "whole numbers": lambda: with_member("own.npy", npy(np.zeros(LENGTH, np.int64))),
    "texts": lambda: with_member("own.npy", npy(np.full(LENGTH, "x"))),
    "NaN": lambda: with_member("style/waves.npy", npy(np.full(LENGTH, np.nan, np.float32))),
    "infinity": lambda: with_member("own.npy", npy(np.full(LENGTH, np.inf, np.float32))),
    "an array that claims more than the machine has": lambda: with_member("own.npy", claiming((2**40,))),
    "an array that claims more than there can be": lambda: with_member("own.npy", claiming((2**62, 2**62))),
    "an archive for an array": lambda: with_member("own.npy", style_file().to_bytes()),
    "a plan that is absurdly wide": lambda: with_plan(widths=[10**9, 10**9]),
    "a plan of a number beyond all": lambda: with_plan(widths=[4, 10**300]),
    "a plan that is absurdly deep": lambda: with_plan(blocks=10**9),
    "a plan of too many levels": lambda: with_plan(widths=[4] * 10_000),
    "a plan of one level": lambda: with_plan(widths=[4]),
    "a plan of even kernels": lambda: with_plan(first=4),
    "a plan of no width": lambda: with_plan(widths=[4, 0]),
    "a plan of fractions": lambda: with_plan(widths=[4.0, 6.0]),
    "a plan of truth values": lambda: with_plan(blocks=True),
    "a plan of texts": lambda: with_plan(widths="46"),
    "a plan that skips what is not there": lambda: with_plan(skips=[5]),
    "a plan that skips twice": lambda: with_plan(skips=[0, 0]),
    "a plan larger than the file": lambda: with_plan(widths=[512] * 6, blocks=32, skips=[]),
    "a name that is a path": lambda: renamed("../../outside"),
    "a name that is an absolute path": lambda: renamed("/etc/passwd"),
    "a name with a zero byte": lambda: renamed("a\0b"),
    "a name in capitals": lambda: renamed("Waves"),
    "a name that is too long": lambda: renamed("x" * 41),
    "no name": lambda: renamed(""),
    "a title of two lines": lambda: titled("one\ntwo"),
    "a title that a terminal obeys": lambda: titled("\x1b[2J"),
    "a title that is too long": lambda: titled("x" * 81),
    "a title that is a number": lambda: titled(7),
    "provenance that is a number": lambda: with_header(styles={"waves": {"title": "x", "provenance": 7}}),
    "provenance that cannot be written down": lambda: explained(float("nan")),
    "provenance of half a letter": lambda: explained("\ud800"),
    "provenance that is nested deeply": lambda: explained(json.loads("[" * 500 + "]" * 500)),
    "provenance that is a book": lambda: explained("x" * 20_000),
    "numbers too large for their kind": lambda: with_member("kernel/end.npy", npy(np.full((3, 3, 4, 3), 1e9, "f4"))),
    "a header of millions of things": lambda: with_member("header.json", b"[" + b"{}," * 2_000_000 + b"{}]"),
    "no picture": lambda: spoiled(lambda members: members.pop("picture/waves.jpg") and None),
    "an archive that is packed in another way": lambda: spoiled(lambda members: None, zipfile.ZIP_LZMA),
    "a picture that is too large": lambda: with_member("picture/waves.jpg", bytes(2**20)),
    "a picture that is none": lambda: with_member("picture/waves.jpg", b"<script>alert(1)</script>"),
    "a picture that is cut off": lambda: with_member("picture/waves.jpg", painting()[:100]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_is_none_of_ours_is_refused_in_one_line(library: Library, kind: str) -> None:
    with pytest.raises(StyleError, match=r"^'a\.style' is no style file of ours[^\n]{0,300}$"):
        library.add(HOSTILE[kind](), "a.style")
    assert not library.folder.exists()


def test_a_pickle_in_a_file_is_never_opened(library: Library, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    bad = np.empty(LENGTH, object)
    bad[:] = Harm(mark)
    for data in (npy(bad, pickled=True), pickle.dumps(Harm(mark))):
        with pytest.raises(StyleError, match="no style file of ours"):
            library.add(with_member("own.npy", data))
    assert not mark.exists()


def test_a_file_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(StyleError, match=r"^'the file' must be at most 64 MB, got 100 MB$"):
        StyleFile.from_bytes(bytes(100 * 2**20))


def test_an_archive_that_unpacks_to_too_much_is_refused_packed(library: Library) -> None:
    bomb = with_member("own.npy", bytes(MOST_BYTES))
    assert len(bomb) < MOST_BYTES // 100
    with pytest.raises(StyleError, match="uncompressed it must be at most 64 MB"):
        library.add(bomb)


def test_an_archive_that_lies_about_its_size_is_not_unpacked_further(library: Library) -> None:
    bomb = bytearray(with_member("own.npy", bytes(MOST_BYTES)))
    before = bomb.index(b"own.npy") - 30  # its header; where the size stands in it, and in the directory
    for place in (before + 22, bomb.rindex(b"own.npy") - 46 + 24):
        bomb[place : place + 4] = struct.pack("<I", 100)
    with pytest.raises(StyleError, match="no style file of ours, or a damaged one"):
        library.add(bytes(bomb))


def test_a_damaged_file_in_the_folder_is_left_out_and_hides_no_other(library: Library) -> None:
    library.add(style_file("waves").to_bytes())
    (library.folder / "a.style").write_bytes(b"damaged")
    (library.folder / "b.style").mkdir()
    assert own(library) == ["waves"]


def test_a_style_of_the_folder_never_stands_for_one_that_ships(library: Library) -> None:
    name = library.entries()[0].name
    library.folder.mkdir()
    (library.folder / f"{name}.style").write_bytes(style_file(name).to_bytes())
    assert library.find(name).shipped
    assert own(library) == []


def test_a_file_half_written_is_no_style(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add(style_file("waves").to_bytes())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(NstError, match=r"'.*dots\.style' cannot be changed: No space left on device$"):
        library.add(style_file("dots").to_bytes())
    assert [path.name for path in library.folder.iterdir()] == ["waves.style"]


def test_a_file_of_several_styles_is_kept_as_one_and_its_kernels_once(library: Library) -> None:
    library.add(style_file("waves", "dots").to_bytes())
    library.add(style_file("cubes").to_bytes())  # of the same network
    library.add(style_file("reeds", seed=1).to_bytes())
    assert {path.name for path in library.folder.iterdir()} == {"waves.style", "cubes.style", "reeds.style"}
    waves, cubes, reeds = (library.find(name).file for name in ("waves", "cubes", "reeds"))
    assert cubes.kernels is waves.kernels
    assert reeds.kernels is not waves.kernels


def test_a_file_that_cannot_be_read_is_left_alone(library: Library) -> None:
    library.folder.mkdir()
    damaged, folder = library.folder / "waves.style", library.folder / "waves-1.style"
    damaged.write_bytes(b"of a later version")
    folder.mkdir()
    library.add(style_file("waves").to_bytes())
    assert damaged.read_bytes() == b"of a later version"
    assert library.find("waves").path.name == "waves-2.style"
    assert folder.is_dir()


def test_what_is_gone_is_forgotten(library: Library) -> None:
    library.add(style_file("waves").to_bytes())
    library.entries()
    library.remove("waves")
    library.entries()
    assert list(library._cache) == [SHIPPED]


def test_a_little_picture_is_a_little_jpeg(library: Library) -> None:
    large = np.zeros((1200, 1200, 3), np.float32)
    for picture, rule in ((encode_jpeg(large), "at most 1 megapixels"), (encode_png(large[:64, :64]), "be a JPEG")):
        with pytest.raises(StyleError, match=rule):
            library.add(with_member("picture/waves.jpg", picture))


def test_equal_names_of_other_networks_are_other_networks() -> None:
    first, second = style_file(), style_file(seed=1)
    assert first.network != second.network
    assert first.network == replace(first, styles=style_file("dots").styles).network
