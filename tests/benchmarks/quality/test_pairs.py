"""Which pictures are pairs, and what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.pairs import SAMPLES, FilePair, chosen, pairs_in, picture_in, shared_pairs
from benchmarks.shared import shared_folder
from nst.errors import InputError
from nst.pictures.samples import find
from tests.benchmarks.quality.conftest import Write

GRAY = np.full((16, 16, 3), 0.5, np.float32)


def test_the_samples_are_there_and_use_every_content() -> None:
    assert {find(pair.content_name).kind for pair in SAMPLES} == {"content"}
    assert {find(pair.style_name).kind for pair in SAMPLES} == {"style"}
    assert len({pair.name for pair in SAMPLES}) == len(SAMPLES) == 8
    assert len({pair.content_name for pair in SAMPLES}) == 5


def test_a_folder_holds_pairs_as_folders_and_as_files_of_one_name(tmp_path: Path, write: Write) -> None:
    for name in ("a/content.png", "a/style.png", "a/result.png", "content-sea.png", "style-sea.png", "content.png",
                 "style.png", "other/result.png"):  # fmt: skip
        write(f"pairs/{name}", GRAY)
    (tmp_path / "pairs" / "a" / "README.md").write_text("what they are")
    (tmp_path / "pairs" / "content.txt").write_text("no picture")
    folder = tmp_path / "pairs"
    assert pairs_in(folder) == [
        FilePair("a", folder / "a" / "content.png", folder / "a" / "style.png"),
        FilePair("pair", folder / "content.png", folder / "style.png"),
        FilePair("sea", folder / "content-sea.png", folder / "style-sea.png"),
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), r"must have pictures content\* and style\*, or folders of them, got neither"),
        (("a/content.png",), "the pair 'a' in .* has a content but no style"),
        (("style2.png",), "the pair '2' in .* has a style but no content"),
        (("a/content.png", "a/content.jpg", "a/style.png"), "a pair has one content; .* has content.jpg and conte"),
        (("a/content.png", "a/style.png", "content-a.png", "style-a.png"), "has two pairs called 'a'"),
    ],
)
def test_a_folder_that_is_not_of_pairs_is_refused(
    names: tuple[str, ...], words: str, tmp_path: Path, write: Write
) -> None:
    (tmp_path / "pairs").mkdir()
    for name in names:
        write(f"pairs/{name}", GRAY)
    with pytest.raises(InputError, match=words):
        pairs_in(tmp_path / "pairs")


def test_names_choose_pairs() -> None:
    sea, hill = (FilePair(name, Path("c"), Path("s")) for name in ("sea", "hill"))
    assert chosen([sea, hill], None) == [sea, hill]
    assert chosen([sea, hill], ["hill"]) == [hill]
    with pytest.raises(InputError, match="there is no pair 'hil'; did you mean 'hill'"):
        chosen([sea, hill], ["hil"])
    with pytest.raises(InputError, match="two are called 'sea'"):
        chosen([sea, hill, sea], None)


def test_a_result_is_found_by_its_pairs_name(tmp_path: Path, write: Write) -> None:
    file = write("results/sea.png", GRAY)
    assert picture_in(file.parent, "sea") == file
    with pytest.raises(InputError, match="must have one picture called 'hill', got none"):
        picture_in(file.parent, "hill")
    shutil.copy(file, file.with_suffix(".jpg"))
    with pytest.raises(InputError, match=r"got sea\.jpg, sea\.png"):
        picture_in(file.parent, "sea")
    with pytest.raises(InputError, match="there is no folder"):
        picture_in(tmp_path / "none", "sea")


@pytest.mark.usefixtures("alone")
def test_the_shared_pairs_need_their_folder(tmp_path: Path) -> None:
    assert shared_folder() == tmp_path / "nowhere"
    with pytest.raises(InputError, match=r"there is no folder .*; NST_SHARED names another one"):
        shared_pairs()
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(InputError, match="there is no file"):
        shared_pairs()


def test_the_shared_pairs_are_all_there(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NST_SHARED", str(shared))
    pairs = shared_pairs()
    assert len(pairs) == 12
    assert len(chosen(pairs, None)) == len(pairs)
