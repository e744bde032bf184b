"""Style files: round trip, identity of networks, and refusal of damaged and hostile files in one line."""

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

from nst.errors import StyleError
from nst.styles.network_plan import Plan
from nst.styles.style_file import MOST_BYTES, MOST_STYLES_OF_A_FILE, StyleFile
from nst.styles.style_library import Library
from tests.styles.style_files import PLAN, old_style_file, painting, style_file


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "styles")


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


@pytest.mark.parametrize("grain", [True, False])
def test_a_file_of_the_first_version_is_read(grain: bool) -> None:
    file = StyleFile.from_bytes(old_style_file(grain))
    assert file.plan == Plan((8, 24, 48, 96), 4, 3, 3, (0, 2), grain=grain)
    assert file.styles["waves"].title == "The waves"
    assert file.styles["waves"].picture_kind == "example", "it does not say which picture it is"


@pytest.mark.parametrize(
    ("provenance", "kind"),
    [
        ({"picture": "0" * 64}, "painting"),
        ({"picture_kind": "texture"}, "texture"),
        ({"picture_kind": ["x"]}, "example"),
        ({"learned_from": "a woodcut"}, "example"),
    ],
)
def test_the_provenance_says_what_the_picture_shows(provenance: dict[str, Any], kind: str) -> None:
    waves = replace(style_file().styles["waves"], provenance=provenance)
    read = StyleFile.from_bytes(replace(style_file(), styles={"waves": waves}).to_bytes())
    assert read.styles["waves"].picture_kind == kind


def test_equal_names_of_other_networks_are_other_networks() -> None:
    first, second = style_file(), style_file(seed=1)
    assert first.network != second.network
    assert first.network == replace(first, styles=style_file("dots").styles).network


Members = dict[str, bytes]


def altered(change: Callable[[Members], None], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A valid file with some of its members changed."""
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

    return altered(change)


def with_plan(**changes: Any) -> bytes:
    plan = {"widths": [4, 6], "blocks": 1, "first": 3, "last": 3, "skips": [0]}
    return with_header(plan=plan | changes)


def with_member(name: str, data: bytes) -> bytes:
    return altered(lambda members: members.update({name: data}))


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


class Harm:
    """An object whose pickle makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.folder),)


def claiming(shape: tuple[int, ...]) -> bytes:
    """An array of a few bytes whose header has a larger shape."""
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
    "an archive of something else": lambda: altered(lambda members: members.clear()),
    "no header": lambda: altered(lambda members: members.pop("header.json") and None),
    "a header that is no JSON": lambda: with_member("header.json", b"\xff{"),
    "a header that is a list": lambda: with_member("header.json", b"[]"),
    "a header nested too deeply": lambda: with_member("header.json", b"[" * 100_000),
    "another format": lambda: with_header(format=2),
    "no styles": lambda: with_header(styles={}),
    "too many styles": lambda: with_header(styles={f"s{n}": {} for n in range(MOST_STYLES_OF_A_FILE + 1)}),
    "styles that are a list": lambda: with_header(styles=["waves"]),
    "a kernel that is missing": lambda: altered(lambda members: members.pop("kernel/end.npy") and None),
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
    "no picture": lambda: altered(lambda members: members.pop("picture/waves.jpg") and None),
    "an archive that is packed in another way": lambda: altered(lambda members: None, zipfile.ZIP_LZMA),
    "a picture that is too large": lambda: with_member("picture/waves.jpg", bytes(2**20)),
    "a picture that is none": lambda: with_member("picture/waves.jpg", b"<script>alert(1)</script>"),
    "a picture that is cut off": lambda: with_member("picture/waves.jpg", painting()[:100]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_damaged_or_hostile_file_is_refused_in_one_line(library: Library, kind: str) -> None:
    with pytest.raises(StyleError, match=r"^'a\.style' is no style file of ours[^\n]{0,300}$"):
        library.add(HOSTILE[kind](), "a.style")
    assert not library.folder.exists()


def test_a_pickle_in_a_file_is_not_loaded(library: Library, tmp_path: Path) -> None:
    made = tmp_path / "made"
    bad = np.empty(LENGTH, object)
    bad[:] = Harm(made)
    for data in (npy(bad, pickled=True), pickle.dumps(Harm(made))):
        with pytest.raises(StyleError, match="no style file of ours"):
            library.add(with_member("own.npy", data))
    assert not made.exists()


def test_a_file_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(StyleError, match=r"^'the file' must be at most 64 MB, got 100 MB$"):
        StyleFile.from_bytes(bytes(100 * 2**20))


def test_an_archive_that_expands_to_too_much_is_refused_before_it_is_decompressed(library: Library) -> None:
    bomb = with_member("own.npy", bytes(MOST_BYTES))
    assert len(bomb) < MOST_BYTES // 100
    with pytest.raises(StyleError, match="uncompressed it must be at most 64 MB"):
        library.add(bomb)


def test_an_archive_with_a_false_size_is_decompressed_only_up_to_it(library: Library) -> None:
    bomb = bytearray(with_member("own.npy", bytes(MOST_BYTES)))
    before = bomb.index(b"own.npy") - 30  # of its header; the size is in it and in the directory
    for place in (before + 22, bomb.rindex(b"own.npy") - 46 + 24):
        bomb[place : place + 4] = struct.pack("<I", 100)
    with pytest.raises(StyleError, match="no style file of ours, or a damaged one"):
        library.add(bytes(bomb))
