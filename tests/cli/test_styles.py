from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nst.cli.main import main
from nst.pictures.images import encode_jpeg, encode_png
from nst.styles.network_plan import Plan
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_library import SHIPPED, Library, shipped_file

PLAN = Plan((4, 6), 1, 3, 3)
PATTERN = np.random.default_rng(0).random((80, 96, 3), np.float32)
SMALL = encode_jpeg(np.full((16, 16, 3), 0.5, np.float32))


def style_file(*names: str) -> StyleFile:
    kernels = {unit.name: np.full(unit.shape, 0.01, np.float16) for unit in PLAN.units}
    styles = {name: Style(name.title(), PLAN.neutral(), {}, SMALL) for name in names}
    return StyleFile(PLAN, kernels, PLAN.neutral(), styles)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with one style of one's own, "mine"."""
    monkeypatch.setenv("NST_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "styles"
    Library(folder).add(style_file("mine").to_bytes())
    return folder


@pytest.mark.parametrize("words", [["styles"], ["styles", "list"]])
def test_styles_are_listed_with_their_titles_origin_and_network(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    shipped = list(StyleFile.from_bytes(SHIPPED.read_bytes()).styles)
    assert [line[0] for line in lines] == [*shipped, "mine"]
    assert lines[0][-2] == "shipped"
    assert lines[-1] == ["mine", "Mine", "own", style_file("mine").network]


def test_an_exported_style_can_be_imported(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles", "export", "mine", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine.style'}\n"
    assert main(["styles", "import", str(tmp_path / "mine.style")]) == 2
    assert "there is a style 'mine' already" in capsys.readouterr().err
    assert main(["styles", "remove", "mine"]) == 0
    assert list(own.iterdir()) == []
    assert main(["styles", "import", str(tmp_path / "mine.style")]) == 0
    assert capsys.readouterr().out == "mine\n"
    assert Library(own).find("mine").file.network == style_file("mine").network


def test_an_export_that_fails_leaves_the_earlier_file(
    tmp_path: Path, fail_writes: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.style"
    output.write_bytes(b"exported before")
    fail_writes(OSError(28, "No space left on device"))
    assert main(["styles", "export", "mine", "-o", str(output)]) == 1
    assert capsys.readouterr().err == f"nst: {output}: No space left on device\n"
    assert output.read_bytes() == b"exported before"


def test_a_style_is_renamed_and_given_a_title(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles", "rename", "mine", "ours", "--title", "Ours, all of us"]) == 0
    assert capsys.readouterr().out == "ours  Ours, all of us\n"
    assert [path.name for path in own.iterdir()] == ["ours.style"]


def test_the_style_of_a_painting_is_added_under_a_name(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "garden.png").write_bytes(encode_png(PATTERN))
    assert main(["styles", "add", "garden", str(tmp_path / "garden.png"), "--title", "My garden"]) == 0
    assert capsys.readouterr().out == "garden\n"
    entry = Library(own).find("garden")
    assert (entry.style.title, entry.file.network) == ("My garden", shipped_file().network)
    assert entry.style.provenance["origin"] == "predicted from a painting"
    assert main(["styles", "add", "garden", str(tmp_path / "garden.png")]) == 2
    assert "there is a style 'garden' already" in capsys.readouterr().err


BAD = {
    "a painting that is no picture": (["add", "other", "{none}"], "'none.style' must be a picture"),
    "a painting of one color": (["add", "other", "{plain}"], "'plain.png' must have more than one color"),
    "a painting that is too small": (["add", "other", "{small}"], "at least 64 px wide and high, got 40 x 40 px"),
    "a name that cannot be one": (["add", "Other One", "{painting}"], "must be lower-case letters"),
    "a name of one that ships": (["add", "{shipped}", "{painting}"], "there is a style '{shipped}' already"),
    "a name that is mistyped": (["remove", "mien"], "there is no fast style 'mien'; did you mean 'mine'"),
    "one that ships": (["remove", "{shipped}"], "came with the program and cannot be changed"),
    "a name that is none": (["rename", "mine", "../up"], "must be lower-case letters"),
    "a file that is not there": (["import", "nowhere.style"], "'nowhere.style' cannot be read: No such file"),
    "a file that is none of ours": (["import", "{none}"], "'none.style' is no style file of ours"),
    "an output of another kind": (["export", "mine", "-o", "mine.zip"], "must be a .style file, got 'mine.zip'"),
    "a folder that is not there": (["export", "mine", "-o", "nowhere/mine.style"], "there is no folder 'nowhere'"),
    "a mistyped flag": (["rename", "mine", "ours", "--titel", "x"], "did you mean '--title'"),
    "an action that is none": (["delete", "mine"], "invalid choice: 'delete'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = BAD[case]
    (tmp_path / "none.style").write_bytes(b"PK nonsense")
    shipped = next(iter(StyleFile.from_bytes(SHIPPED.read_bytes()).styles))
    pictures = {"plain": np.full((80, 80, 3), 0.5), "small": PATTERN[:40, :40], "painting": PATTERN}
    for name, picture in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(encode_png(np.asarray(picture, np.float32)))
    names = {"shipped": shipped, "none": tmp_path / "none.style"} | {
        name: tmp_path / f"{name}.png" for name in pictures
    }
    assert main(["styles", *(argument.format(**names) for argument in arguments)]) == 2
    error = capsys.readouterr().err
    assert words.format(**names) in error
    assert error.count("\n") == 1
