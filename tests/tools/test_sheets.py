from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nst.pictures.images import encode_png, read_file
from nst.styles.style_library import Library
from tools import fast_sheet, sheets

QUICK = ["--size", "64", "--option", "epochs=1", "steps_per_epoch=1", "extractor=compact"]


@pytest.fixture
def places(tmp_path: Path, content: NDArray[np.float32], style: NDArray[np.float32]) -> Path:
    """Two contents and a style, in folders."""
    for folder, name, picture in (
        ("contents", "hill", content),
        ("contents", "flip", content[::-1]),
        ("styles", "stripes", style),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.png").write_bytes(encode_png(picture))
    return tmp_path


def lay_out(places: Path, *more: str) -> None:
    sheets.main([*("--contents", str(places / "contents"), "--styles", str(places / "styles" / "stripes.png")),
                 *("--out", str(places / "out")), *QUICK, *more])  # fmt: skip


def test_every_style_is_painted_on_every_content_and_existing_paintings_are_kept(places, capsys):
    lay_out(places)
    made = {path.name for path in (places / "out").iterdir()}
    assert made == {
        "options.json", "overview.png", "stripes.png", "stripes--hill.png", "stripes--flip.png"
    }  # fmt: skip
    assert read_file(places / "out" / "stripes--hill.png").rgb.shape == (48, 64, 3)
    assert capsys.readouterr().out.count("1 steps") == 2

    (places / "out" / "stripes--flip.png").unlink()
    lay_out(places)
    assert capsys.readouterr().out.startswith("stripes--flip.png: 1 steps")


def test_a_folder_of_paintings_with_other_options_is_refused(places):
    sheets.prepare(places / "out", sheets.StyleOptions(size=64))
    with pytest.raises(SystemExit, match="holds paintings with other options"):
        lay_out(places)


def test_pictures_of_one_name_are_refused(places):
    hill = places / "contents" / "hill.png"
    with pytest.raises(SystemExit, match="names of their own, got flip, hill, hill"):
        sheets.pictures([places / "contents", hill])


def test_an_unknown_option_is_refused_in_one_line(places):
    with pytest.raises(SystemExit, match="there is no option 'strenght'"):
        lay_out(places, "--option", "strenght=2")


def test_values_of_options_are_json_or_strings():
    given = ["strength=2", "init=content", "keep_colors=true", "style_layers=block1_conv1=1"]
    assert [sheets.option(text)[1] for text in given] == [2, "content", True, "block1_conv1=1"]


def test_a_sheet_of_fast_styles_has_a_row_for_each_and_the_contents_on_top(places: Path) -> None:
    name = Library(places / "none").entries()[0].name
    for more, rows in (([], 2), (["--bare"], 1)):
        out = places / "fast.png"
        arguments = ["--contents", str(places / "contents"), "--styles", name, "--out", str(out), "--size", "64"]
        fast_sheet.main([*arguments, "--side", "40", *more])
        with Image.open(out) as found:
            assert found.width > 2 * 40
            assert 20 * rows < found.height < 80 * rows
