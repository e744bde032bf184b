"""`nst vary`: a contact sheet of quick runs, in the process of the command."""

from pathlib import Path

import pytest
from PIL import Image

from nst.cli import vary
from nst.cli.main import main
from nst.pictures.provenance import read_file
from nst.runs.job import StyleJob

TINY = ["--size", "64", "--epochs", "1", "--steps-per-epoch", "1", "--quiet"]


def command(files: tuple[Path, Path], output: Path, *more: str) -> list[str]:
    return ["vary", *map(str, files), "-o", str(output), *more]


def test_vary_paints_a_sheet_and_each_picture_with_its_settings(files, tmp_path, capsys) -> None:
    sheet, folder = tmp_path / "sheet.jpg", tmp_path / "pictures"
    axes = ["--vary", "strength=0.5,2", "--vary", "keep-colors=no,yes"]
    assert main(command(files, sheet, *axes, "--folder", str(folder), *TINY)) == 0
    assert capsys.readouterr().err == ""
    names = [f"strength-{strength}--keep_colors-{keep}.png" for strength in ("0.5", "2") for keep in ("no", "yes")]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    options = read_file(folder / "strength-2--keep_colors-yes.png").options
    assert (options.strength, options.keep_colors, options.size, options.extractor) == (2.0, True, 64, "compact")
    with Image.open(sheet) as found:
        assert found.format == "JPEG"
        assert found.width > 2 * 64
        assert found.height > 2 * 48


def test_vary_paints_each_painting_alone(files, tmp_path) -> None:
    content, style = files
    other = tmp_path / "plain.png"
    Image.new("RGB", (40, 30), (200, 40, 40)).save(other)
    folder = tmp_path / "pictures"
    arguments = ["vary", str(content), str(style), str(other), "-o", str(tmp_path / "sheet.jpg"), *TINY]
    assert main([*arguments, "--vary", "style=1,2", "--folder", str(folder)]) == 0
    found = [read_file(folder / f"style-{n}.png") for n in (1, 2)]
    assert found[0].style != found[1].style


def test_layers_are_separated_by_semicolons_and_a_sheet_may_be_png(files, tmp_path) -> None:
    sheet = tmp_path / "sheet.png"
    layers = "style-layers=block1_conv1=1,block2_conv1=0.5; block3_conv1"
    assert main(command(files, sheet, "--vary", layers, *TINY)) == 0
    with Image.open(sheet) as found:
        assert found.format == "PNG"


def test_after_ctrl_c_the_sheet_has_what_was_painted(files, tmp_path, monkeypatch) -> None:
    paint, begun = vary._paint, []

    def interrupted(job: StyleJob, *more: object) -> bytes:
        begun.append(job.options.seed)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return paint(job, *more)

    monkeypatch.setattr(vary, "_paint", interrupted)
    sheet, folder = tmp_path / "sheet.jpg", tmp_path / "pictures"
    arguments = command(files, sheet, "--vary", "seed=5,6,7", "--folder", str(folder), *TINY)
    assert main(arguments) == 130
    assert begun == [5, 6]
    assert [path.name for path in folder.iterdir()] == ["seed-5.png"]
    assert sheet.stat().st_size > 0
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--vary", "strength"], "--vary must look like strength=0.5,1,2; got 'strength'"),
        (["--vary", "strenght=1,2"], "did you mean 'strength'"),
        (["--vary", "seed=1,2", "--vary", "seed=3,4"], "--vary names seed twice"),
        (["--vary", "seed=1,2", "--seed", "3"], "`seed` is varied and set at once: drop --seed"),
        (["--vary", f"seed={','.join(map(str, range(26)))}"], "between 2 and 25 runs, got 26"),
        (["--vary", "style-layers=block1_conv1; block9"], "the compact network has no layer 'block9'"),
        (["--vary", "init=noise,image"], "`init` must be noise, content or style here"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_tensorflow_loads(files, tmp_path, capsys, more, message) -> None:
    assert main(command(files, tmp_path / "sheet.jpg", *more)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "sheet.jpg").exists()


def test_the_sheet_must_be_a_picture_and_overwrites_no_input(files, tmp_path, capsys) -> None:
    assert main(command(files, tmp_path / "sheet.gif", "--vary", "seed=1,2")) == 2
    assert "must be a .jpg or .jpeg or .png file" in capsys.readouterr().err
    assert main(command(files, files[0], "--vary", "seed=1,2")) == 2
    assert "would overwrite" in capsys.readouterr().err


def test_the_pictures_overwrite_neither_an_input_nor_the_sheet(files, tmp_path, capsys) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    photo = files[0].rename(folder / "seed-2.png")
    before = photo.read_bytes()
    arguments = ["--vary", "seed=1,2", "--folder", str(folder), *TINY]
    assert main(command((photo, files[1]), tmp_path / "sheet.jpg", *arguments)) == 2
    assert capsys.readouterr().err == f"nst: the output would overwrite {str(photo)!r}; choose another name\n"
    assert main(command((files[1], files[1]), folder / "seed-1.png", *arguments)) == 2
    assert "two outputs would be the same file" in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["seed-2.png"]


def test_a_picture_that_cannot_be_written_leaves_the_earlier_one(files, tmp_path, fail_writes) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "seed-1.png").write_bytes(b"painted before")
    fail_writes(OSError(28, "No space left on device"))
    arguments = ["--vary", "seed=1,2", "--folder", str(folder), *TINY]
    assert main(command(files, tmp_path / "sheet.jpg", *arguments)) == 1
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("seed-1.png", b"painted before")]
