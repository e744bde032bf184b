"""Settings, and paintings that are whole and what was asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from benchmarks.quality import painting
from benchmarks.quality.painting import Paintings, Setting, Unfinished, options_in, paint, settings_of
from benchmarks.quality.pairs import Pair
from nst.errors import InputError, OptionError, WeightsError
from nst.options.style_options import StyleOptions
from nst.pictures import provenance
from nst.pictures.images import read_file
from nst.runs.job import StyleJob

QUICK = "epochs=1,steps_per_epoch=2"


def test_settings_are_every_network_with_every_set_of_options() -> None:
    found = settings_of(["compact", "vgg19"], ["strength=5", "strength=5,init=content"], 128, 3)
    assert [setting.name for setting in found] == [
        "compact strength=5",
        "compact strength=5,init=content",
        "vgg19 strength=5",
        "vgg19 strength=5,init=content",
    ]
    expected = {"size": 128, "seed": 3, "strength": 5, "init": "content", "extractor": "vgg19"}
    assert found[-1].options == StyleOptions.from_json(expected)
    assert found[-1].folder == "vgg19-strength=5,init=content"
    assert settings_of(["compact"], [], 128, 0)[0].name == "compact"


def test_values_are_read_by_their_options_and_layers_may_have_commas() -> None:
    given = options_in("keep_colors=true,style_layers=a=1,b=0.5,c,epochs=auto,content_layers=d,strength=2")
    assert given == {
        "keep_colors": True,
        "style_layers": "a=1,b=0.5,c",
        "epochs": "auto",
        "content_layers": "d",
        "strength": 2,
    }


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["strenght=2"], "there is no option 'strenght'; did you mean 'strength'"),
        (["strength"], "must look like NAME=VALUE,NAME=VALUE; got 'strength'"),
        (["strength=much"], "`strength` must be a number between"),
        (["keep_colors=maybe"], "`keep_colors` must be true or false"),
        (["extractor=vgg19"], "the extractor is named by `--networks`"),
        (["strength=2", "strength=2"], "settings must differ; two are 'compact-strength=2'"),
    ],
)
def test_a_setting_that_is_none_is_refused(texts: list[str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        settings_of(["compact"], texts, 128, 0)


@pytest.fixture
def setting() -> Setting:
    return settings_of(["compact"], [QUICK], 64, 0)[0]


def test_paintings_are_kept_and_used_again_only_as_what_they_are(
    tmp_path: Path, pair: Pair, setting: Setting, content: NDArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    file, seconds = Paintings(folder, setting).file_of(pair)
    assert read_file(file).rgb.shape == (48, 64, 3)
    assert seconds > 0
    assert {path.name for path in folder.iterdir()} == {"hill.png", "painted.json"}

    monkeypatch.setattr(painting, "paint", None)  # nothing is painted any more
    assert Paintings(folder, setting).file_of(pair) == (file, seconds)

    other = settings_of(["compact"], [f"{QUICK},strength=2"], 64, 0)[0]
    with pytest.raises(InputError, match="was painted with other options"):
        Paintings(folder, other).file_of(pair)
    original = pair.style.read_bytes()
    pair.style.write_bytes(pair.content.read_bytes())
    with pytest.raises(InputError, match="was painted from other pictures"):
        Paintings(folder, setting).file_of(pair)
    pair.style.write_bytes(original)
    record = json.loads((folder / "painted.json").read_text())
    (folder / "painted.json").write_text(json.dumps({**record, "seconds": {}}))
    with pytest.raises(InputError, match="was painted by something else"):
        Paintings(folder, setting).file_of(pair)
    (folder / "painted.json").write_text(json.dumps({**record, "weights": "of last year"}))
    with pytest.raises(InputError, match="holds paintings by other weights of compact"):
        Paintings(folder, setting)


def test_a_painting_that_converged_is_used_again(tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without any loss but the content's, a start from the content has nothing to gain.
    still = "epochs=3,steps_per_epoch=5,init=content,style_weight=0,tv_weight=0,neighbor_weight=0"
    converging = settings_of(["compact"], [still], 64, 0)[0]
    file, _ = Paintings(tmp_path / "kept", converging).file_of(pair)
    assert provenance.read_file(file).epochs == 1
    monkeypatch.setattr(painting, "paint", None)  # nothing is painted any more
    assert Paintings(tmp_path / "kept", converging).file_of(pair)[0] == file


def test_a_painting_that_was_stopped_is_not_taken_for_one(tmp_path: Path, pair: Pair) -> None:
    long = settings_of(["compact"], ["epochs=2,steps_per_epoch=1"], 64, 0)[0]
    run = painting.StyleRun(StyleJob(pair.content.read_bytes(), pair.style.read_bytes(), long.options))
    for step in run.steps():
        if step.epoch == 1:
            break
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "hill.png").write_bytes(run.result())
    with pytest.raises(InputError, match="was painted for 1 of 2 epochs"):
        Paintings(folder, long).file_of(pair)


class Broken(painting.StyleRun):
    """A real painting whose last steps are lost."""

    def steps(self) -> Any:
        yield from list(super().steps())[:-1]


def test_a_painting_that_ends_early_is_refused_and_not_kept(
    tmp_path: Path, pair: Pair, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painting, "StyleRun", Broken)
    with pytest.raises(Unfinished, match="did not end as it should: it stopped at step 1 of 2"):
        Paintings(tmp_path / "kept", setting).file_of(pair)
    assert not (tmp_path / "kept").exists()


@pytest.mark.usefixtures("alone")
def test_a_network_without_weights_is_refused_before_anything_is_painted(tmp_path: Path) -> None:
    vgg = settings_of(["vgg19"], [], 64, 0)[0]
    with pytest.raises(WeightsError, match="the weights of vgg19 are missing"):
        Paintings(tmp_path / "kept", vgg)


def test_the_same_seed_paints_the_same_picture(pair: Pair, setting: Setting) -> None:
    job = StyleJob(pair.content.read_bytes(), pair.style.read_bytes(), setting.options)
    assert paint(job)[0] == paint(job)[0]
