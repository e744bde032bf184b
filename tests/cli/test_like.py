import numpy as np
import pytest
from PIL import Image

from nst.cli.main import main
from nst.pictures.provenance import read_file
from tests.cli.quick_runs import QUICK, STEERED, painted, with_settings


def test_like_repeats_the_picture(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    made = painted(files, first, *QUICK, "--seed", "5", "--keep-colors")
    again = painted(files, second, "--like", str(first), "--quiet")
    assert capsys.readouterr().err == ""
    assert again.options == made.resolved
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


def test_flags_replace_the_settings_that_like_repeats(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    painted(files, first, *QUICK, "--seed", "5", "--keep-colors")
    like = ("--like", str(with_settings(first, steered=STEERED)))
    again = painted(files, second, *like, "--strength", "3", "--no-keep-colors", "--epochs", "2", "--quiet")
    assert (again.options.seed, again.options.strength, again.steered) == (5, 3.0, ())
    assert (again.options.keep_colors, again.epochs) == (False, 2)
    assert capsys.readouterr().err == ""


def test_like_repeats_changes_and_the_number_of_epochs_and_notes_it(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    painted(files, first, *QUICK, "--epochs", "3")
    for epochs in (2, 4):
        other = with_settings(first, steered=STEERED, epochs=epochs, branched=True)
        again = painted(files, second, "--like", str(other), "--quiet")
        assert again.epochs == epochs
        assert [(step, dict(changes)) for step, changes in again.steered] == [(1, {"strength": 50.0})]
        assert capsys.readouterr().err.splitlines() == [
            "nst: 'other.png' began from a kept frame of another run; only its settings are repeated",
            "nst: 'other.png' was steered while it was painted; repeated with it: 1 change",
            f"nst: 'other.png' was painted for {epochs} epochs instead of 3, and so is this",
        ]


def test_like_notes_other_pictures(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    painted(files, first, *QUICK, "--init", str(files[1]))
    start = ("--init", str(files[0]))
    painted(reversed(files), second, "--like", str(first), "--quiet", *start)
    expected = "nst: 'first.png' was painted from another content and another style and another init\n"
    assert capsys.readouterr().err == expected
    assert main(["stylize", *map(str, files), "-o", str(second), "--like", str(first)]) == 2
    assert "name the picture to start from, as --init FILE" in capsys.readouterr().err


def test_a_folder_is_painted_like_a_result(files, tmp_path, capsys):
    first, folder = tmp_path / "first.png", tmp_path / "in"
    painted(files, first, *QUICK)
    folder.mkdir()
    Image.open(files[1]).save(folder / "a.png")
    assert (
        main(["stylize", str(folder), str(files[1]), "-o", str(tmp_path / "out"), "--like", str(first), "--quiet"]) == 0
    )
    assert capsys.readouterr().err == ""
    assert read_file(tmp_path / "out" / "a.png").options == read_file(first).resolved


def test_a_flag_and_settings_in_a_file_may_have_the_earlier_name_of_an_option(files, tmp_path, capsys):
    first = painted(files, tmp_path / "out.png", *QUICK, "--normalisation", "gatys")
    assert first.options.normalization == "gatys"
    earlier = {("normalisation" if name == "normalization" else name): v for name, v in first.options.to_json().items()}
    other = with_settings(tmp_path / "out.png", options=earlier)
    assert read_file(other).options == first.options
    with pytest.raises(SystemExit):
        main(["stylize", "--help"])
    assert "normalisation" not in capsys.readouterr().out
