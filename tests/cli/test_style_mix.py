"""`nst stylize` with several paintings."""

import json

import numpy as np
import pytest
from PIL import Image

from nst.cli.main import main
from tests.cli.quick_runs import QUICK, STEERED, painted, with_settings


@pytest.fixture
def second(tmp_path, content):
    """Another painting."""
    path = tmp_path / "second.png"
    Image.fromarray((content[::-1] * 255).astype(np.uint8)).save(path)
    return path


def test_several_paintings_are_mixed_and_like_repeats_them(files, second, tmp_path, capsys):
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    flags = ["--style-mix", "0.7", "0.3", "--style-scales", "1,0.5"]
    made = painted([*files, second], output, *QUICK, *flags)
    assert (made.options.style_mix, made.options.style_scales) == ((0.7, 0.3), (1.0, 0.5))
    assert len(made.more_styles) == 1
    repeated = painted([*files, second], again, "--like", str(output), "--quiet")
    assert repeated.more_styles == made.more_styles
    assert np.array_equal(np.asarray(Image.open(output)), np.asarray(Image.open(again)))
    assert capsys.readouterr().err == ""


def test_like_notes_another_number_of_paintings_and_other_ones(files, second, tmp_path, capsys):
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    painted([*files, second], output, *QUICK)
    painted(files, again, "--like", str(output), "--quiet")
    assert capsys.readouterr().err == "nst: 'out.png' was painted from 2 paintings\n"
    painted([*files, files[0]], again, "--like", str(output), "--quiet")
    assert capsys.readouterr().err == "nst: 'out.png' was painted from another style2\n"


def test_a_steered_mix_is_repeated(files, second, tmp_path):
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    painted([*files, second], output, *QUICK)
    steered = [*STEERED, {"step": 2, "changes": {"style_mix": [0.0, 1.0]}}]
    repeated = painted([*files, second], again, "--like", str(with_settings(output, steered=steered)), "--quiet")
    assert repeated.steered[1] == (2, {"style_mix": [0.0, 1.0]})
    assert not np.array_equal(np.asarray(Image.open(output)), np.asarray(Image.open(again)))


@pytest.mark.parametrize(
    ("paintings", "flags", "words"),
    [
        (5, [], "a run has at most 4 paintings, got 5"),
        (2, ["--style-mix", "1"], "`style_mix` must have a number for each of the 2 paintings, got 1"),
        (1, ["--style-scales", "1", "1"], "`style_scales` must have one number for one painting, got 2"),
        (2, ["--style-mix", "much", "little"], "`style_mix` must be a number between 0 and 1000000, got 'much'"),
        (2, ["--style-mix", "0,0"], "`style_mix` must have a weight above 0"),
    ],
)
def test_wrong_paintings_are_refused_in_one_line(files, tmp_path, capsys, paintings, flags, words):
    content, style = map(str, files)
    output = tmp_path / "out.png"
    assert main(["stylize", content, *[style] * paintings, "-o", str(output), *QUICK, *flags]) == 2
    assert capsys.readouterr().err == f"nst: {words}\n"
    assert not output.exists()


def test_show_prints_every_painting_and_the_mix_as_its_flag_takes_it(files, second, tmp_path, capsys):
    output = tmp_path / "out.png"
    painted([*files, second], output, *QUICK, "--style-mix", "2", "1")
    assert main(["show", str(output)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("style2           SHA-256 ") for line in lines)
    assert "style_mix        2,1" in lines
    assert main(["show", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["options"]["style_mix"] == [2.0, 1.0]
