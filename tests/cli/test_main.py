import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from nst import __version__
from nst.cli.main import main
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures.images import encode_png
from nst.pictures.provenance import Provenance, read_file

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--epochs", "1", "--steps-per-epoch", "2", "--size", "96", "--extractor", "compact", "--quiet"]


@pytest.fixture
def files(tmp_path, content, style) -> tuple[Path, Path]:
    paths = tmp_path / "content.png", tmp_path / "style.png"
    for path, array in zip(paths, (content, style), strict=True):
        Image.fromarray((array * 255).astype(np.uint8)).save(path)
    return paths


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


def test_pictures_of_one_stem_are_painted_apart_and_what_they_take_is_said_before(files, tmp_path, capsys):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("[b].jpg", "a.png", "a.jpg"):
        Image.open(files[0]).convert("RGB").save(folder / name)
    loud = [word for word in QUICK if word != "--quiet"]
    assert main(["stylize", str(folder), str(files[1]), "-o", str(output), *loud]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["[b].png", "a.jpg.png", "a.png.png"]
    assert len(re.findall(r"^about \d+ s and \d\.\d GB$", capsys.readouterr().err, re.MULTILINE)) == 3


def test_what_is_read_is_never_overwritten(files, tmp_path, capsys):
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


def test_a_disk_that_refuses_is_one_line(files, tmp_path, capsys, monkeypatch):
    def refuse(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert main(["stylize", *map(str, files), "-o", str(tmp_path / "out.png"), *QUICK]) == 1
    assert capsys.readouterr().err == f"nst: {tmp_path / 'out.png'}: No space left on device\n"


def test_init_takes_a_file(files, tmp_path):
    output = tmp_path / "out.png"
    assert main(["stylize", *map(str, files), "-o", str(output), *QUICK, "--init", str(files[1])]) == 0
    assert json.loads(Image.open(output).text["nst"])["options"]["init"] == "image"


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
    "a mistyped flag": (["{content}", "{style}", "-o", "{out}", "--epcohs", "5"], "did you mean '--epochs'"),
    "no output": (["{content}", "{style}"], "-o/--output"),
    "an output that is no png": (["{content}", "{style}", "-o", "x.gif"], "must be a .png file, got 'x.gif'"),
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


def test_missing_weights_are_status_1_and_say_how_to_get_them(files, tmp_path, capsys, monkeypatch):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("NST_VGG19_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    status = main(["stylize", *map(str, files), "-o", str(tmp_path / "out.png"), "--extractor", "vgg19"])
    assert status == 1
    assert "nst weights fetch vgg19" in capsys.readouterr().err


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


def painted(files, output, *flags: str) -> Provenance:
    """What `nst stylize` with `flags` says that it painted."""
    assert main(["stylize", *map(str, files), "-o", str(output), *flags]) == 0
    return read_file(output)


def with_settings(path: Path, **values: object) -> Path:
    """A picture beside `path` with the same settings but for `values`."""
    settings = {**read_file(path).to_json(), **values}
    other = path.with_name("other.png")
    other.write_bytes(encode_png(np.zeros((16, 16, 3), np.float32), text={"nst": json.dumps(settings)}))
    return other


STEERED = [{"step": 1, "changes": {"strength": 50.0}}]


def test_what_a_result_says_of_itself_is_shown(files, tmp_path, capsys):
    output = tmp_path / "out.png"
    painted(files, output, *QUICK, "--style-layers", "block1_conv1=1,block2_conv1=0.5")
    steered = with_settings(output, steered=STEERED, branched=True)
    assert main(["show", str(steered)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0].startswith(f"nst {__version__}")
    for line in (
        "network compact, float32",
        "epochs painted 1",
        f"content SHA-256 {hashlib.sha256(files[0].read_bytes()).hexdigest()}",
        "begins from a kept frame of another run",
        "style_layers block1_conv1=1,block2_conv1=0.5",
        "content_weight automatic",
        "from step 1",
        "strength 50.0",
    ):
        assert line in lines
    assert main(["show", str(steered), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == read_file(steered).to_json()


def test_a_picture_without_settings_and_one_that_is_none_are_one_line(files, tmp_path, capsys):
    for path, words in ((files[0], "carries no settings of this program"), (tmp_path / "none.png", "cannot be read")):
        for arguments in (["show", path], ["stylize", *files, "-o", tmp_path / "out.png", "--like", path]):
            assert main([str(argument) for argument in arguments]) == 2
            error = capsys.readouterr().err
            assert words in error
            assert error.count("\n") == 1


def test_like_repeats_the_picture(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    made = painted(files, first, *QUICK, "--seed", "5", "--keep-colors")
    again = painted(files, second, "--like", str(first), "--quiet")
    assert capsys.readouterr().err == ""
    assert again.options == made.settled
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


def test_flags_come_before_the_settings_that_like_repeats(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    painted(files, first, *QUICK, "--seed", "5", "--keep-colors")
    like = ("--like", str(with_settings(first, steered=STEERED)))
    again = painted(files, second, *like, "--strength", "3", "--no-keep-colors", "--epochs", "2", "--quiet")
    assert (again.options.seed, again.options.strength, again.steered) == (5, 3.0, ())
    assert (again.options.keep_colors, again.epochs) == (False, 2)
    assert capsys.readouterr().err == ""


def test_like_repeats_what_was_steered_and_where_it_was_stopped_and_says_so(files, tmp_path, capsys):
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


def test_like_says_that_other_pictures_were_painted(files, tmp_path, capsys):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    painted(files, first, *QUICK, "--init", str(files[1]))
    start = ("--init", str(files[0]))
    painted(reversed(files), second, "--like", str(first), "--quiet", *start)
    said = "nst: 'first.png' was painted from another content and another style and another init\n"
    assert capsys.readouterr().err == said
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
    assert read_file(tmp_path / "out" / "a.png").options == read_file(first).settled


@pytest.mark.parametrize("suffix", ["mp4", "webp", "gif"])
def test_a_timelapse_has_a_frame_an_epoch(suffix, files, tmp_path, capsys):
    film = tmp_path / f"film.{suffix}"
    flags = ("--timelapse", str(film), "--timelapse-seconds", "2", "--timelapse-size", "64")
    made = painted(files, tmp_path / "out.png", *QUICK, "--epochs", "3", *flags)
    assert made.epochs == 3
    assert capsys.readouterr().err == ""
    if suffix == "mp4":
        with av.open(film) as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert sizes == [(64, 48)] * 5  # the last twice, as it is held
    else:
        with Image.open(film) as picture:
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
    output, film = tmp_path / "out.png", tmp_path / "film.gif"
    arguments = [*map(str, files), "-o", str(output), *QUICK, "--epochs", "3", "--timelapse", str(film)]
    assert main(["stylize", *arguments]) == 130
    with Image.open(output) as picture, Image.open(film) as moving:
        assert picture.size == moving.size == (96, 72)
        assert moving.n_frames == 2


def test_weights_are_listed(capsys):
    assert main(["weights", "list"]) == 0
    assert "compact" in capsys.readouterr().out


def test_a_fresh_process_answers_bad_input_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "nst", "stylize", "a.png", "b.png", "-o", "c.png"],
        cwd=ROOT, env={**os.environ, "COLUMNS": "80"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("nst: ")
    assert done.stderr.count("\n") == 1


def test_the_lines_of_the_readme_run_as_printed(files, tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    assert "epochs=40, size=512" in code
    monkeypatch.chdir(tmp_path)
    files[0].rename("photo.jpg"), files[1].rename("painting.jpg")
    exec(code.replace("epochs=40, size=512", 'epochs=1, size=96, extractor="compact"'), {})
    with Image.open("out.png") as result:
        assert result.size == (96, 72)


def test_the_public_names_load_on_first_use():
    import nst

    assert callable(nst.stylize)
    assert nst.StyleOptions is StyleOptions
    assert set(nst.__all__) == {"Step", "StyleOptions", "apply_style", "encode_png", "read_file", "stylize"}
    with pytest.raises(AttributeError, match="no attribute 'stylise'"):
        _ = nst.stylise
