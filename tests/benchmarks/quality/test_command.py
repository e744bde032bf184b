"""`python -m benchmarks.quality`: figures, files, and one line for whatever is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.quality import painting
from benchmarks.quality.__main__ import main
from benchmarks.quality.pairs import SAMPLES, Pair
from benchmarks.quality.verdicts import CONTROLS, MEASURES
from nst.errors import Diverged
from tests.benchmarks.quality.conftest import Write

QUICK = ("--networks", "compact", "--size", "64", "--judge-size", "64")
FAST = ("--set", "epochs=1,steps_per_epoch=2")


@pytest.mark.usefixtures("alone")
def test_one_sample_at_64_px_from_pair_to_table(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    name = SAMPLES[0].name
    files = ("-o", str(tmp_path / "figures.json"), "--sheet", str(tmp_path / "sheet.jpg"))
    kept = ("--keep", str(tmp_path / "kept"))
    assert main(["--only", name, *QUICK, "--set", "epochs=1", *files, *kept]) == 0
    out, err = capsys.readouterr()
    assert [line.split("|")[2].strip() for line in out.splitlines() if f"| {name}" in line] == [
        *CONTROLS,
        "compact epochs=1",
    ]
    assert out.count("| median of 1") == 3
    assert err.count("VGG19 does not judge") == err.count("SqueezeNet does not judge") == 1

    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["conditions"]["settings"]["compact epochs=1"]["seed"] == 0
    assert figures["conditions"]["pairs"] == [name]
    photo, _, painted = figures["results"]
    assert (photo["of"], photo["ssim"], photo["foreign"]) == ("untouched photo", 1, 0)
    assert {measure for measure in MEASURES if painted[measure] is not None} == {
        "palette", "foreign", "grain", "ssim"
    }  # fmt: skip
    assert painted["s"] > 0
    assert len(figures["medians"]) == 3
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.width > 2 * sheet.height  # content, style, pasted, one painting

    again = ["--only", name, "--judge", str(tmp_path / "kept" / "compact-epochs=1"), "--judge-size", "64"]
    assert main(again) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "compact-epochs=1" in line)
    told = [cell.strip() for cell in line.split("|")[4:-1]]
    assert len(told) == len(MEASURES)
    for measure, text in zip(MEASURES, told, strict=True):
        value = painted[measure]
        assert (text == "-") == (value is None)
        # Both are rounded, the file to significant digits: the last digit of the table may differ by one.
        assert value is None or float(text) == pytest.approx(value, abs=0.001 if abs(value) < 10 else 0.1)


@pytest.mark.usefixtures("alone")
def test_a_painting_that_fails_is_one_line_and_no_figure(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    class Diverging(painting.StyleRun):
        def steps(self) -> Any:
            yield from list(super().steps())[:1]
            raise Diverged("the loss ran away at step 2")

    monkeypatch.setattr(painting, "StyleRun", Diverging)
    assert main(["--pairs", str(pair.content.parent.parent), *QUICK, *FAST]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "quality: hill, compact epochs=1,steps_per_epoch=2: the loss ran away at step 2"


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--pairs", "nowhere"), "there is no folder 'nowhere'"),
        (("--only", "lake"), "`--only`: there is no pair 'lake'"),
        (("--shared",), "`--shared`: there is no folder"),
        (("--judge", "nowhere"), "there is no folder 'nowhere'"),
        (("--set", "strenght=2"), "there is no option 'strenght'; did you mean 'strength'?"),
        (("--size", "12"), "`size` must be a whole number between 64 and 4096, got 12"),
        (("--seed", "x"), "`seed` must be a whole number"),
        (("--judge-size", "12"), "must be a whole number between 64 and 2048, got '12'"),
        (("--networks", "vgg"), "invalid choice: 'vgg'"),
        (("--judge", "x", "--set", "strength=2"), "`--set` is for what is painted; name `--networks` beside `--judge`"),
        (("-o", "figures.txt"), "the output must be a .json file, got 'figures.txt'"),
        (("--duel", "a", "b"), "`--duel` needs a folder for its sheets: --out FOLDER"),
        (("--tally", "answers", "key"), "'key' cannot be read"),
    ],
)
def test_a_wrong_argument_is_one_line(flags: tuple[str, ...], words: str, capsys: pytest.CaptureFixture) -> None:
    assert main(list(flags)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.usefixtures("alone")
def test_a_pair_without_a_style_is_one_line(pair: Pair, capsys: pytest.CaptureFixture) -> None:
    pair.style.unlink()
    assert main(["--pairs", str(pair.content.parent.parent)]) == 2
    assert "the pair 'hill' in" in (told := capsys.readouterr().err)
    assert "has a content but no style" in told
    assert told.count("\n") == 1


@pytest.mark.usefixtures("alone")
def test_vgg19_is_not_painted_with_unless_its_weights_are_there(pair: Pair, capsys: pytest.CaptureFixture) -> None:
    assert main(["--pairs", str(pair.content.parent.parent), "--networks", "vgg19"]) == 1
    assert "the weights of vgg19 are missing" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.usefixtures("alone")
def test_a_duel_from_sheets_to_the_count(
    pair: Pair, write: Write, content: NDArray, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for folder, picture in (("a", content), ("b", np.flip(content, 1))):
        write(f"{folder}/hill.png", np.ascontiguousarray(picture))
    pairs = ("--pairs", str(pair.content.parent.parent))
    sheets = tmp_path / "sheets"
    assert main([*pairs, "--duel", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(sheets)]) == 0
    assert "1 sheets in" in capsys.readouterr().out
    answers = tmp_path / "answers.txt"
    answers.write_text("1 left\n")
    assert main(["--tally", str(answers), str(tmp_path / "sheets-key.json")]) == 0
    assert capsys.readouterr().out.startswith("n = 1\n")
