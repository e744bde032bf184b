import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from benchmarks.random_weights import he_normal
from nst.cli.main import main
from nst.cli.train import _transformer, styles_to_learn, train
from nst.engine.feed_forward.style_predictor import predict_vector
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.engine.training.photos import Photos
from nst.errors import InputError
from nst.options.layer_presets import FETCHED_NETWORKS
from nst.options.option_field import options_of
from nst.options.train_options import TrainOptions
from nst.pictures.images import encode_png
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED, Library, shipped_file
from nst.styles.training_folder import TrainingFolder
from tests.engine.fast import TINY, photos, picture
from tests.engine.files import write_notop

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"crop": 64, "batch": 2, "preview": 0.01, "learning_rate": 0.02, "extractor": "compact", "style_size": 96}
SCRIPT = """
import sys
from collections.abc import Callable
from pathlib import Path
from nst.options.train_options import TrainOptions
from nst.styles.network_plan import Plan
from nst.cli.train import styles_to_learn, train
from tests.engine.fast import TINY
from tests.cli.test_train import QUICK
folder = Path(sys.argv[1])
styles = styles_to_learn([str(folder / "waves.png")], None, QUICK["style_size"])
train(styles, folder / "photos", TINY, TrainOptions(**QUICK), folder / "waves.training", quiet=False)
"""


class ContinuedTraining(NamedTuple):
    """A training that was killed, continued by the same command, and interrupted."""

    folder: Path
    killed_at: int  # step of the checkpoint
    notes: list[str]
    file: StyleFile
    ended: bool

    @property
    def training(self) -> Path:
        return self.folder / "waves.training"


def progress(training: Path) -> dict:
    with np.load(training / "checkpoint.npz") as file:
        return json.loads(str(file["progress"]))


def styled(folder: Path, name: str = "waves.png", seed: int = 7) -> Path:
    path = folder / name
    path.write_bytes(encode_png(picture(80, 96, seed)))
    return path


@pytest.fixture(scope="module")
def continued(tmp_path_factory: pytest.TempPathFactory) -> ContinuedTraining:
    folder = tmp_path_factory.mktemp("training")
    styled(folder)
    photos(folder / "photos")
    (folder / "photos" / "broken.jpg").write_bytes(b"nonsense")
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step ") and int(line[5 : line.index(",")]) >= 5:
                break
        process.kill()
    killed = progress(folder / "waves.training")["step"]

    notes: list[str] = []
    keep = TrainingFolder.keep

    def keep_and_interrupt(self, pictures, history, state) -> None:
        keep(self, pictures, history, state)
        if history[-1].step >= killed + 25:
            signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst.cli.train.note", notes.append)
        patch.setattr(TrainingFolder, "keep", keep_and_interrupt)
        styles = styles_to_learn([str(folder / "waves.png")], None, QUICK["style_size"])
        options = TrainOptions(**QUICK)
        file, ended = train(styles, folder / "photos", TINY, options, folder / "waves.training")
    return ContinuedTraining(folder, killed, notes, file, ended)


def test_a_continued_continues_from_its_checkpoint(continued: ContinuedTraining) -> None:
    assert continued.killed_at >= 5
    assert f"the training in {str(continued.training)!r} goes on after step {continued.killed_at}" in continued.notes
    steps = [past["step"] for past in progress(continued.training)["history"]]
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert continued.killed_at in steps
    assert steps[-1] >= continued.killed_at + 25


def test_the_held_out_loss_falls(continued: ContinuedTraining) -> None:
    first, *_, last = progress(continued.training)["history"]
    assert last["losses"]["total"] < 0.9 * first["losses"]["total"]
    assert last["losses"]["style"] < first["losses"]["style"]


def test_an_interrupted_training_keeps_its_styles(continued: ContinuedTraining) -> None:
    assert not continued.ended
    assert (
        continued.notes[-1]
        == f"interrupted after step {progress(continued.training)['step']}: the styles stay as they are"
    )
    read = StyleFile.from_bytes(continued.file.to_bytes())
    provenance = read.styles["waves"].provenance
    assert (provenance["extractor"], provenance["photos"], provenance["folder"]) == ("compact", 5, "photos")
    assert provenance["steps"] == progress(continued.training)["step"]
    assert set(provenance["losses"]) == {"total", "content", "style", "tv"}


def test_a_bad_photo_is_named_once(continued: ContinuedTraining) -> None:
    assert len([line for line in continued.notes if line.startswith("broken.jpg is left out: ")]) == 1


def test_the_report_and_every_preview_are_in_the_folder(continued: ContinuedTraining) -> None:
    steps = [past["step"] for past in progress(continued.training)["history"]]
    names = {f"preview-{step:06}-waves.jpg" for step in steps} | {"preview-photo.jpg"}
    assert {path.name for path in continued.training.glob("*.jpg")} >= names
    report = (continued.training / "report.html").read_text(encoding="utf-8")
    assert "Waves" in report
    assert f"Ended: step {steps[-1]}" in report
    assert report.count("<circle") == 4 * len(steps)
    assert "http-equiv" not in report


def continue_training(continued: ContinuedTraining, folder: Path, style: Path | None = None) -> None:
    styles = styles_to_learn([f"waves={style or continued.folder / 'waves.png'}"], None, QUICK["style_size"])
    train(styles, continued.folder / "photos", TINY, TrainOptions(**QUICK), folder)


def test_the_error_of_a_damaged_checkpoint_names_restart(continued: ContinuedTraining, tmp_path: Path) -> None:
    folder = tmp_path / "waves.training"
    shutil.copytree(continued.training, folder)
    (folder / "checkpoint.npz").write_bytes((continued.training / "checkpoint.npz").read_bytes()[:2000])
    with pytest.raises(InputError, match="the checkpoint is damaged, or of another training; --restart begins anew"):
        continue_training(continued, folder)


def test_the_checkpoint_of_another_training_is_refused(continued: ContinuedTraining, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has a training with other styles; --restart begins anew"):
        continue_training(continued, continued.training, styled(tmp_path, seed=8))


def test_restart_begins_anew(continued: ContinuedTraining, tmp_path: Path) -> None:
    folder = tmp_path / "waves.training"
    shutil.copytree(continued.training, folder)
    styles = styles_to_learn([str(styled(tmp_path, seed=8))], None, 96)
    options, photos = TrainOptions(**QUICK), Photos(continued.folder / "photos", 64, 0, pytest.fail)
    assert TrainingFolder(folder, styles, TINY, photos, options, {}).open(restart=True) is None
    assert [path.name for path in folder.glob("*.jpg")] == []
    assert not (folder / "checkpoint.npz").exists()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NST_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "styles"


def test_a_style_is_added_to_the_shipped_network_and_leaves_it_as_it_is(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    style, folder = styled(tmp_path, "Würm & Kraut.png"), photos(tmp_path / "photos")
    words = ["train", str(style), "--photos", str(folder), "--extractor", "compact", "--quiet", "--title", "Würm"]
    words += ["--steps", "2", "--crop", "64", "--batch", "1", "--style-size", "96"]
    assert main(words) == 0
    assert capsys.readouterr() == ("wurm-kraut\n", "")
    shipped, entry = StyleFile.from_bytes(SHIPPED.read_bytes()), Library(data).find("wurm-kraut")
    assert entry.style.title == "Würm"
    assert entry.file.network == shipped.network
    for name, kernel in shipped.kernels.items():
        np.testing.assert_array_equal(entry.file.kernels[name], kernel)
    [learned] = styles_to_learn([str(style)], None, 96)
    moved = np.abs(entry.style.vector - predict_vector(learned.picture)).max()
    assert 0 < moved < 2 * TrainOptions().learning_rate  # a step of Adam is no longer than that, here much shorter
    with Image.open(io.BytesIO(entry.style.picture)) as small:
        assert small.size == (96, 80)
    assert (data / "wurm-kraut.training" / "report.html").is_file()

    assert main(words) == 0  # the same command again: the training is complete, and its style is replaced
    assert "goes on after step 2" in capsys.readouterr().err
    styled(tmp_path, style.name, seed=8)
    assert main(words) == 2
    assert "there is a style 'wurm-kraut' already" in capsys.readouterr().err


@pytest.fixture
def thin_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """VGG19 and VGG16 with fewer channels and random weights, in files that no variable names yet."""
    load_extractor.cache_clear()
    for name in FETCHED_NETWORKS:
        thin = dataclasses.replace(ARCHITECTURES[name], widths=(8, 12, 16, 16, 16))
        monkeypatch.setitem(ARCHITECTURES, name, thin)
        write_notop(tmp_path / f"{name}.h5", he_normal(thin, seed=1))
        monkeypatch.setenv(f"NST_{name.upper()}_WEIGHTS", str(tmp_path / f"no-{name}.h5"))
    yield
    load_extractor.cache_clear()


@pytest.mark.parametrize(
    ("installed", "chosen"), [(["vgg16", "vgg19"], "vgg19"), (["vgg16"], "vgg16"), ([], "compact")]
)
@pytest.mark.usefixtures("data", "thin_networks")
def test_auto_trains_with_vgg19_then_vgg16_then_the_built_in_network(
    installed: list[str],
    chosen: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(network: object, pictures: object, crops: object, extractor: Extractor, *more: object, **named: object):
        raise InputError(f"training with {extractor.architecture.name}")

    for name in installed:
        monkeypatch.setenv(f"NST_{name.upper()}_WEIGHTS", str(tmp_path / f"{name}.h5"))
    monkeypatch.setattr("nst.engine.training.train.Training", stop)
    monkeypatch.setattr("nst.cli.train._transformer", lambda *given: None)
    style, folder = styled(tmp_path), photos(tmp_path / "photos")
    assert main(["train", str(style), "--photos", str(folder), "--crop", "64", "--style-size", "96"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"nst: training with {chosen}"


def test_a_style_that_cannot_be_written_leaves_the_earlier_file(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_writes: Callable[[BaseException], None]
) -> None:
    style, output = styled(tmp_path), tmp_path / "waves.style"
    output.write_bytes(b"trained before")
    monkeypatch.setattr("nst.cli.train.train", lambda *given, **more: (shipped_file(), True))
    fail_writes(OSError(28, "No space left on device"))
    assert main(["train", str(style), "--photos", str(tmp_path), "-o", str(output)]) == 1
    assert output.read_bytes() == b"trained before"


BAD = {
    "a folder without photos": (["{style}", "--photos", "{empty}"], "must have photos to train on, but there is none"),
    "a folder that is not there": (["{style}", "--photos", "nowhere"], "there is no folder 'nowhere'"),
    "a tiny style": (
        ["{tiny}", "--photos", "{photos}"],
        "'tiny.png' must be at least 64 px wide and high, got 63 x 63",
    ),
    "a style that is too long": (["{long}", "--photos", "{photos}"], "'long.png' must have sides of at least 32 px"),
    "a style that is no picture": (["{none}", "--photos", "{photos}"], "'none.png' must be a picture"),
    "a style that is not there": (["no.png", "--photos", "{photos}"], "there is no file 'no.png'"),
    "a name that ships": (["{shipped}={style}", "--photos", "{photos}"], "already; name this one otherwise"),
    "a name that is none": (["Up/={style}", "--photos", "{photos}"], "must be lower-case letters"),
    "a file without a name": (["{nameless}", "--photos", "{photos}"], "gives no name for a style; give one, as NAME="),
    "two styles of one name": (["{style}", "waves={style}", "--photos", "{photos}"], "two styles are called 'waves'"),
    "one title for two": (["{style}", "b={style}", "--photos", "{photos}", "--title", "A"], "--title is for one style"),
    "an output of another kind": (["{style}", "--photos", "{photos}", "-o", "x.zip"], "must be a .style file"),
    "too small crops": (["{style}", "--photos", "{photos}", "--crop", "8"], "`crop` must be a whole number between 64"),
    "a mistyped network": (["{style}", "--photos", "{photos}", "--extractor", "vgg61"], "must be one of auto, vgg19"),
    "a mistyped flag": (["{style}", "--photos", "{photos}", "--minuets", "3"], "did you mean '--minutes'"),
    "no photos": (["{style}"], "--photos"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(
    case: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = BAD[case]
    shipped = next(iter(StyleFile.from_bytes(SHIPPED.read_bytes()).styles))
    pictures = {"tiny.png": (63, 63), "long.png": (64, 1600), "~.png": (80, 80), "waves.png": (80, 80)}
    for name, (height, width) in pictures.items():
        (tmp_path / name).write_bytes(encode_png(picture(height, width)))
    (tmp_path / "none.png").write_bytes(b"nonsense")
    (tmp_path / "empty").mkdir()
    names = {name: tmp_path / f"{name}.png" for name in ("tiny", "long", "none")}
    names |= {"style": tmp_path / "waves.png", "nameless": tmp_path / "~.png", "empty": tmp_path / "empty"}
    filled = (word.format(**names, shipped=shipped, photos=tmp_path) for word in arguments)
    assert main(["train", *filled]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not data.exists()


def test_every_option_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    flags = [f"--{option.name.replace('_', '-')}" for option in options_of(TrainOptions)]
    assert [flag for flag in flags if flag not in text] == []


def test_a_style_of_the_shipped_network_starts_from_its_prediction(tmp_path: Path) -> None:
    [waves] = styles_to_learn([str(styled(tmp_path))], None, 96)
    first = _transformer(shipped_file(), [waves], seed=0).styles
    np.testing.assert_array_equal(np.asarray(first), predict_vector(waves.picture)[None])


def test_an_unknown_backend_is_one_line(tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    command = [sys.executable, "-m", "nst", "train", str(styled(tmp_path)), "--photos", str(tmp_path / "photos")]
    environment = {**os.environ, "KERAS_BACKEND": "abacus", "NST_DATA": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"nst: KERAS_BACKEND is 'abacus', which does not load: .+\n", done.stderr)
