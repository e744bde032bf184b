import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nst
from nst.cli.main import main
from nst.errors import InputError, NotFound, OptionError, StyleError
from nst.options.fast_options import FastOptions
from nst.options.option_field import options_of
from nst.pictures.images import encode_jpeg, encode_png, read_file
from nst.pictures.provenance import read_any_file
from nst.styles.network_plan import Plan
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_library import Library, shipped_file

PLAN = Plan((4, 6), 1, 3, 3)
SMALL = encode_jpeg(np.full((16, 16, 3), 0.5, np.float32))


def style_file(*names: str, plan: Plan = PLAN) -> StyleFile:
    """A network with random weights and styles that differ."""
    random = np.random.default_rng(1)
    kernels = {unit.name: random.normal(0, 0.3, unit.shape).astype(np.float16) for unit in plan.units}
    vectors = (plan.neutral() + random.normal(0, 0.5, plan.length).astype(np.float32) for _ in names)
    styles = {name: Style(name, vector, {}, SMALL) for name, vector in zip(names, vectors, strict=True)}
    return StyleFile(plan, kernels, plan.neutral(), styles)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library with two styles of one network, "wavy" and "starry", and one of another, "lonely"."""
    monkeypatch.setenv("NST_DATA", str(tmp_path / "data"))
    library = Library(tmp_path / "data" / "styles")
    library.add(style_file("wavy", "starry").to_bytes())
    library.add(style_file("lonely", plan=Plan((4, 6), 2, 3, 3)).to_bytes())


@pytest.fixture
def photo(tmp_path: Path, content: np.ndarray) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encode_png(content))
    return path


def test_a_style_is_applied_and_the_seconds_are_printed(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.png"
    assert main(["apply", str(photo), "--style", "wavy", "-o", str(output), "--size", "96"]) == 0
    path, seconds, unit = capsys.readouterr().err.split()
    assert (path, unit) == (str(output), "s")
    assert float(seconds) >= 0
    with Image.open(output) as result:
        assert result.size == (96, 72)
        kept = json.loads(result.text["nst-fast"])
    assert kept["mix"] == {"wavy": 1.0}
    assert kept["options"]["size"] == 96
    assert kept["network"] == style_file("wavy").network
    assert main(["show", str(output)]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {"styles wavy=1", "size 96"} < set(shown)
    assert f"painted in one pass by the network {kept['network']}" in shown
    assert main(["show", str(output), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == kept


def test_styles_are_mixed_by_their_weights_and_a_jpeg_is_written(photo: Path, tmp_path: Path) -> None:
    words = ["--style", "wavy=3", "--style", "starry", "--quiet"]
    assert main(["apply", str(photo), *words, "-o", str(tmp_path / "mix.png")]) == 0
    assert main(["apply", str(photo), *words, "-o", str(tmp_path / "mix.jpg")]) == 0
    painted = nst.apply_style(read_file(photo).rgb, {"wavy": 0.75, "starry": 0.25})
    assert np.abs(read_file(tmp_path / "mix.png").rgb - painted).max() <= 1 / 255
    with Image.open(tmp_path / "mix.jpg") as result:
        assert (result.format, result.size) == ("JPEG", (64, 48))
    assert read_any_file(tmp_path / "mix.jpg") == read_any_file(tmp_path / "mix.png")


def test_a_folder_is_painted_and_a_bad_picture_is_named(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    photo.rename(folder / "a.png")
    (folder / "broken.png").write_bytes(b"nonsense")
    assert main(["apply", str(folder), "--style", "starry", "-o", str(output), "--quiet"]) == 2
    assert [path.name for path in output.iterdir()] == ["a.png"]
    assert capsys.readouterr().err.startswith("nst: broken.png: ")


def test_a_style_file_needs_no_import(photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "guest.style"
    path.write_bytes(style_file("guest").to_bytes())
    assert main(["apply", str(photo), "--style", str(path), "-o", str(tmp_path / "out.png"), "--quiet"]) == 0
    named = nst.apply_style(read_file(photo).rgb, path)
    assert np.abs(read_file(tmp_path / "out.png").rgb - named).max() <= 1 / 255


@pytest.fixture
def garden(tmp_path: Path) -> Path:
    path = tmp_path / "garden.png"
    path.write_bytes(encode_png(np.random.default_rng(0).random((80, 96, 3), np.float32)))
    return path


def test_a_painting_is_the_style_on_the_command_line_and_in_python(photo: Path, garden: Path, tmp_path: Path) -> None:
    output, content = tmp_path / "out.png", read_file(photo).rgb
    assert main(["apply", str(photo), "--style-image", str(garden), "-o", str(output), "--quiet"]) == 0
    sha256 = hashlib.sha256(garden.read_bytes()).hexdigest()
    with Image.open(output) as result:
        assert json.loads(result.text["nst-fast"])["mix"] == {sha256: 1.0}
    painted = nst.apply_style(content, garden)
    assert np.abs(read_file(output).rgb - painted).max() <= 1 / 255
    with Image.open(garden) as image:
        others = [nst.apply_style(content, style) for style in (str(garden), image, read_file(garden).rgb)]
    for other in others:
        np.testing.assert_allclose(other, painted, atol=1e-5)


def test_a_painting_is_mixed_with_a_style_of_the_shipped_network(photo: Path, garden: Path, tmp_path: Path) -> None:
    shipped, output = next(iter(shipped_file().styles)), tmp_path / "out.png"
    words = ["--style", f"{shipped}=3", "--style-image", f"{garden}=1", "-o", str(output), "--quiet"]
    assert main(["apply", str(photo), *words]) == 0
    painted = nst.apply_style(read_file(photo).rgb, {shipped: 0.75, garden: 0.25})
    assert np.abs(read_file(output).rgb - painted).max() <= 1 / 255


BAD = {
    "a painting that is not there": (["{photo}", "--style-image", "no.png", "-o", "{out}"], "no file 'no.png'"),
    "a painting that is text": (["{photo}", "--style-image", "{text}", "-o", "{out}"], "got a text file"),
    "a painting and a style of another network": (
        ["{photo}", "--style-image", "{garden}", "--style", "wavy", "-o", "{out}"],
        "'wavy' is of another",
    ),
    "a style file in a mix": (
        ["{photo}", "--style", "{two}", "--style", "wavy", "-o", "{out}"],
        "cannot be mixed as a file: import it",
    ),
    "a mistyped style": (["{photo}", "--style", "wvay", "-o", "{out}"], "did you mean 'wavy'"),
    "no style": (["{photo}", "-o", "{out}"], "--style"),
    "a weight in words": (["{photo}", "--style", "wavy=much", "-o", "{out}"], "NAME or NAME=WEIGHT, got 'wavy=much'"),
    "a weight below 0": (
        ["{photo}", "--style", "wavy=-1", "--style", "starry", "-o", "{out}"],
        "the weight of 'wavy' must be a number from 0",
    ),
    "a style twice": (["{photo}", "--style", "wavy", "--style", "wavy=2", "-o", "{out}"], "names 'wavy' twice"),
    "styles of two networks": (
        ["{photo}", "--style", "wavy", "--style", "lonely", "-o", "{out}"],
        "only styles of one network can be mixed",
    ),
    "too much strength": (
        ["{photo}", "--style", "wavy", "--strength", "2", "-o", "{out}"],
        "`strength` must be a number between 0 and 1, got 2",
    ),
    "an output of another kind": (["{photo}", "--style", "wavy", "-o", "x.gif"], "must be a .png or .jpg or .jpeg"),
    "the photo as output": (["{photo}", "--style", "wavy", "-o", "{photo}"], "would overwrite"),
    "the painting as output": (["{photo}", "--style-image", "{garden}", "-o", "{garden}"], "would overwrite"),
    "a photo that is not there": (["no.png", "--style", "wavy", "-o", "{out}"], "there is no file 'no.png'"),
    "a file of several styles": (["{photo}", "--style", "{two}", "-o", "{out}"], "holds several styles, one, two"),
    "a style file that is not there": (["{photo}", "--style", "no.style", "-o", "{out}"], "'no.style' cannot be read"),
    "a mistyped flag": (["{photo}", "--style", "wavy", "-o", "{out}", "--strenght", "1"], "did you mean '--strength'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(
    case: str, photo: Path, garden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = BAD[case]
    (tmp_path / "two.style").write_bytes(style_file("one", "two").to_bytes())
    (tmp_path / "notes.txt").write_text("hello there")
    names = {"photo": photo, "out": tmp_path / "out.png", "two": tmp_path / "two.style"}
    names |= {"garden": garden, "text": tmp_path / "notes.txt"}
    assert main(["apply", *(argument.format(**names) for argument in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_every_option_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["apply", "--help"])
    text = capsys.readouterr().out
    assert [option.name for option in options_of(FastOptions) if f"--{option.name.replace('_', '-')}" not in text] == []


def test_python_paints_with_the_options_by_name(content: np.ndarray) -> None:
    full, none = nst.apply_style(content, "wavy"), nst.apply_style(content, "wavy", strength=0.0)
    assert full.shape == none.shape == content.shape
    assert full.dtype == np.float32
    assert np.abs(full - none).max() > 0.01
    assert nst.apply_style(content.astype(np.float64), "wavy", size=96).shape == (72, 96, 3)


def test_wrong_arguments_of_apply_style_raise(content: np.ndarray) -> None:
    for picture, style, options, kind, words in (
        (content[0], "wavy", {}, InputError, r"must be an array \[H, W, 3\]"),
        ((content * 255).astype(np.uint8), "wavy", {}, InputError, "got uint8"),
        (content * 255, "wavy", {}, InputError, "in 0..1, got 38.25 to 255"),
        (content, "wvay", {}, NotFound, "did you mean 'wavy'"),
        (content, {"wavy": 0.0}, {}, StyleError, "must have a weight above 0"),
        (content, "wavy", {"strenght": 1.0}, OptionError, "did you mean 'strength'"),
    ):
        with pytest.raises(kind, match=words):
            nst.apply_style(picture, style, **options)


def test_a_write_that_fails_leaves_the_earlier_result(
    photo: Path, tmp_path: Path, fail_writes: Callable[[BaseException], None]
) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"painted before")
    fail_writes(OSError(28, "No space left on device"))
    assert main(["apply", str(photo), "--style", "wavy", "-o", str(output)]) == 1
    assert output.read_bytes() == b"painted before"
