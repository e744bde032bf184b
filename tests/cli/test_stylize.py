import json
import re

import av
import pytest
from PIL import Image

from nst.cli.main import main
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures.provenance import read_file
from tests.cli.quick_runs import QUICK, painted


def test_stylize_paints_a_picture(files, tmp_path, capsys):
    output = tmp_path / "out.png"
    assert main(["stylize", *map(str, files), "-o", str(output), *QUICK, "--seed", "3", "--strength", "2.5"]) == 0
    result = Image.open(output)
    assert result.size == (96, 72)
    options = json.loads(result.text["nst"])["options"]
    assert (options["seed"], options["strength"], options["epochs"]) == (3, 2.5, 1)
    assert capsys.readouterr().err == ""


def test_a_folder_is_painted_picture_by_picture_and_a_bad_one_is_named(files, tmp_path, capsys):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.png", "b.jpg"):
        Image.open(files[0]).convert("RGB").save(folder / name)
    (folder / "broken.png").write_bytes(b"nonsense")
    (folder / "notes.txt").write_text("not a picture")
    assert main(["stylize", str(folder), str(files[1]), "-o", str(output), *QUICK]) == 2
    assert sorted(path.name for path in output.iterdir()) == ["a.png", "b.png"]
    assert "broken.png" in capsys.readouterr().err


def test_pictures_of_one_stem_have_outputs_of_their_own_and_estimates_are_printed(files, tmp_path, capsys):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("[b].jpg", "a.png", "a.jpg"):
        Image.open(files[0]).convert("RGB").save(folder / name)
    loud = [word for word in QUICK if word != "--quiet"]
    assert main(["stylize", str(folder), str(files[1]), "-o", str(output), *loud]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["[b].png", "a.jpg.png", "a.png.png"]
    assert len(re.findall(r"^about \d+ s and \d\.\d GB$", capsys.readouterr().err, re.MULTILINE)) == 3


def test_no_input_is_overwritten(files, tmp_path, capsys):
    before = files[0].read_bytes()
    moving = tmp_path / "moving.gif"
    Image.open(files[0]).save(moving)
    for content, output, *flags in (
        (files[0], files[0]),
        (files[0], files[1]),
        (files[0], tmp_path),
        (tmp_path, tmp_path),
        (moving, tmp_path / "out.png", "--timelapse", moving),
    ):
        arguments = [str(word) for word in (content, files[1], "-o", output, *flags)]
        assert main(["stylize", *arguments, *QUICK]) == 2
        assert "would overwrite" in capsys.readouterr().err
    assert files[0].read_bytes() == before


def test_the_timelapse_is_not_the_picture(files, tmp_path, capsys):
    output = tmp_path / "out.webp"
    (tmp_path / "in").mkdir()
    same = tmp_path / "in" / ".." / "out.webp"
    assert main(["stylize", *map(str, files), "-o", str(output), "--timelapse", str(same), *QUICK]) == 2
    assert capsys.readouterr().err == (
        f"nst: two outputs would be the same file, {str(output)!r}; choose another name for one\n"
    )
    assert not output.exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_earlier_result_and_is_at_most_one_line(
    error, files, tmp_path, capsys, fail_writes
):
    output = tmp_path / "out.png"
    output.write_bytes(b"painted before")
    fail_writes(error)
    assert main(["stylize", *map(str, files), "-o", str(output), *QUICK]) == (1 if isinstance(error, OSError) else 130)
    line = f"nst: {output}: No space left on device\n" if isinstance(error, OSError) else ""
    assert capsys.readouterr().err == line
    assert output.read_bytes() == b"painted before"
    assert not list(tmp_path.glob("*.part"))


def test_init_takes_a_file(files, tmp_path):
    output = tmp_path / "out.png"
    assert main(["stylize", *map(str, files), "-o", str(output), *QUICK, "--init", str(files[1])]) == 0
    assert json.loads(Image.open(output).text["nst"])["options"]["init"] == "image"


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".JPEG", "JPEG"), (".webp", "WEBP")])
def test_the_suffix_names_the_format_of_the_result(files, tmp_path, suffix, kind):
    output = tmp_path / f"out{suffix}"
    assert main(["stylize", *map(str, files), "-o", str(output), *QUICK]) == 0
    with Image.open(output) as result:
        assert result.format == kind
    if kind == "JPEG":
        assert read_file(output).options.epochs == 1


BAD = {
    "a timelapse in another format": (
        ["{content}", "{style}", "-o", "{out}", "--timelapse", "x.avi"],
        "must end in .mp4, .webp, .gif; got 'x.avi'",
    ),
    "a timelapse in a folder that is not there": (
        ["{content}", "{style}", "-o", "{out}", "--timelapse", "nowhere/x.mp4"],
        "no folder 'nowhere'",
    ),
    "a timelapse of a day": (
        ["{content}", "{style}", "-o", "{out}", "--timelapse", "x.mp4", "--timelapse-seconds", "86400"],
        "`seconds` must be a number between 1 and 60, got 86400",
    ),
    "a length of no timelapse": (
        ["{content}", "{style}", "-o", "{out}", "--timelapse-seconds", "4"],
        "name its file, as --timelapse FILE.mp4",
    ),
    "a missing content": (["nowhere.png", "{style}", "-o", "{out}"], "nowhere.png"),
    "a missing style": (["{content}", "nowhere.png", "-o", "{out}"], "nowhere.png"),
    "an epoch count in words": (["{content}", "{style}", "-o", "{out}", "--epochs", "ten"], "got 'ten'"),
    "too many epochs": (
        ["{content}", "{style}", "-o", "{out}", "--epochs", "5000"],
        "between 1 and 1000 or auto, got 5000",
    ),
    "an unknown choice": (["{content}", "{style}", "-o", "{out}", "--preset", "gattys"], "did you mean 'gatys'"),
    "an unknown layer": (
        ["{content}", "{style}", "-o", "{out}", "--style-layers", "block9"],
        "`style_layers`: the vgg19 network has no layer 'block9'",
    ),
    "a mistyped flag": (["{content}", "{style}", "-o", "{out}", "--epcohs", "5"], "did you mean '--epochs'"),
    "no output": (["{content}", "{style}"], "-o/--output"),
    "an output that is no png": (
        ["{content}", "{style}", "-o", "x.gif"],
        "must be a .png or .jpg or .jpeg or .webp file, got",
    ),
    "an output folder that is not there": (["{content}", "{style}", "-o", "nowhere/x.png"], "no folder 'nowhere'"),
    "init image without a picture": (["{content}", "{style}", "-o", "{out}", "--init", "image"], "--init FILE"),
    "a name that is no name": (["{content}", "{style}", "-o", "{out}", "--init", "x" * 400], "or a picture's file"),
    "a mistyped output": (["{content}", "{style}", "--ouput", "{out}"], "-o/--output"),
    "a mistyped flag of another command": (
        ["{content}", "{style}", "-o", "{out}", "--quite"],
        "did you mean '--quiet'",
    ),
    "init that is neither choice nor file": (
        ["{content}", "{style}", "-o", "{out}", "--init", "no.png"],
        "got 'no.png'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(case, files, tmp_path, capsys):
    arguments, words = BAD[case]
    names = {"content": files[0], "style": files[1], "out": tmp_path / "out.png"}
    assert main(["stylize", *(a.format(**names) for a in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_every_option_is_a_flag(capsys):
    with pytest.raises(SystemExit) as left:
        main(["stylize", "--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    for option in options_of(StyleOptions):
        assert f"--{option.name.replace('_', '-')}" in text


def test_a_word_may_stand_for_a_number(files, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["stylize", "--help"])
    assert "--epochs EPOCHS|auto" in capsys.readouterr().out
    for text, words in (("auto", ""), ("Auto", "or auto, got 'Auto'")):
        chosen = [text if word == "1" else word for word in QUICK]
        status = main(["stylize", *map(str, files), "-o", str(tmp_path / "out.png"), *chosen])
        assert status == (2 if words else 0)
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["mp4", "webp", "gif"])
def test_a_timelapse_has_a_frame_an_epoch(suffix, files, tmp_path, capsys):
    animation = tmp_path / f"animation.{suffix}"
    flags = ("--timelapse", str(animation), "--timelapse-seconds", "2", "--timelapse-size", "64")
    made = painted(files, tmp_path / "out.png", *QUICK, "--epochs", "3", *flags)
    assert made.epochs == 3
    assert capsys.readouterr().err == ""
    if suffix == "mp4":
        with av.open(animation) as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert sizes == [(64, 48)] * 5  # the last twice: it is held
    else:
        with Image.open(animation) as picture:
            assert (picture.size, picture.n_frames) == ((64, 48), 4)


def test_a_picture_that_was_interrupted_has_its_timelapse(files, tmp_path, capsys, monkeypatch):
    from nst.worker.style_run import StyleRun

    steps = StyleRun.steps

    def interrupted(painting):
        for step in steps(painting):
            yield step
            if step.step == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(StyleRun, "steps", interrupted)
    output, animation = tmp_path / "out.png", tmp_path / "animation.gif"
    arguments = [*map(str, files), "-o", str(output), *QUICK, "--epochs", "3", "--timelapse", str(animation)]
    assert main(["stylize", *arguments]) == 130
    with Image.open(output) as picture, Image.open(animation) as moving:
        assert picture.size == moving.size == (96, 72)
        assert moving.n_frames == 2
