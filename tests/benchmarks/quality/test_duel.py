"""Duels: nothing on a sheet tells whose a result is, and answers are counted by the key."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.quality.duel import Tally, make_sheets, tally
from benchmarks.quality.pairs import FilePair, Pair
from nst.errors import InputError
from nst.pictures.images import read_file
from tests.benchmarks.quality.conftest import Write

NAMES = ("hill", "sea", "sky", "wood", "town", "road")


@pytest.fixture
def pairs(write: Write, content: NDArray, style: NDArray) -> list[Pair]:
    return [
        FilePair(name, write(f"{name}/content.png", np.roll(content, 7 * at, 1)), write(f"{name}/style.png", style))
        for at, name in enumerate(NAMES)
    ]


def results(write: Write, folder: str, shades: list[float], scale: int = 1) -> Path:
    for name, shade in zip(NAMES, shades, strict=True):
        write(f"{folder}/{name}.png", np.full((48 * scale, 64 * scale, 3), shade, np.float32))
    return write(f"{folder}/another.png", np.zeros((16, 16, 3), np.float32)).parent


def halves(file: Path) -> tuple[NDArray, NDArray]:
    """The left and the right result of a sheet, 48 x 64 px each."""
    picture = read_file(file).rgb
    left, right = 6, picture.shape[1] - 6 - 64
    top = picture.shape[0] - 6 - 20 - 48
    return picture[top : top + 48, left : left + 64], picture[top : top + 48, right : right + 64]


def test_each_pair_has_a_sheet_and_the_key_knows_its_sides(write: Write, pairs: list[Pair], tmp_path: Path) -> None:
    dark = results(write, "dark", [0.1, 0.12, 0.14, 0.16, 0.18, 0.2])
    light = results(write, "light", [0.8, 0.82, 0.84, 0.86, 0.88, 0.9], scale=3)
    make_sheets(pairs, (dark, light), tmp_path / "sheets", tmp_path / "key.json", seed=1)
    key = json.loads((tmp_path / "key.json").read_text())
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == [f"{n}.jpg" for n in range(1, 7)]
    assert sorted(sides["pair"] for sides in key.values()) == sorted(NAMES)
    assert [sides["pair"] for sides in key.values()] != list(NAMES)
    assert {sides["left"] for sides in key.values()} == {str(dark), str(light)}  # not always the same
    for number, sides in key.items():
        left, right = halves(tmp_path / "sheets" / f"{number}.jpg")
        assert (left.mean() < 0.5 < right.mean()) == (sides["left"] == str(dark))
        assert (left.mean() > 0.5 > right.mean()) == (sides["right"] == str(dark))


def test_nothing_but_the_result_itself_tells_a_side(write: Write, pairs: list[Pair], tmp_path: Path) -> None:
    """The same pictures, from two folders and at two sizes: both sides of each sheet must be alike."""
    shades = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    folders = results(write, "a", shades), results(write, "b", shades, scale=3)
    make_sheets(pairs, folders, tmp_path / "sheets", tmp_path / "key.json", seed=1)
    for file in (tmp_path / "sheets").iterdir():
        left, right = halves(file)
        np.testing.assert_allclose(left, right, atol=3 / 255)
        with Image.open(file) as picture:
            assert not picture.getexif()
            assert "comment" not in picture.info
        data = file.read_bytes()
        assert not [name for name in (*NAMES, *map(str, folders)) if name.encode() in data]


def test_lots_can_be_drawn_again_but_not_learned(write: Write, pairs: list[Pair], tmp_path: Path) -> None:
    keys = []
    a, b = results(write, "a", [0.1] * 6), results(write, "b", [0.9] * 6)
    for at, (rivals, seed) in enumerate((((a, b), 1), ((a, b), 1), ((a, b), 2), ((b, a), 1))):
        make_sheets(pairs, rivals, tmp_path / f"sheets{at}", tmp_path / f"key{at}.json", seed)
        keys.append(json.loads((tmp_path / f"key{at}.json").read_text()))
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
    assert [sides["pair"] for sides in keys[0].values()] != [sides["pair"] for sides in keys[3].values()]


def test_a_duel_that_would_tell_or_overwrite_is_refused(write: Write, pairs: list[Pair], tmp_path: Path) -> None:
    a, b = results(write, "a", [0.1] * 6), results(write, "b", [0.9] * 6)
    sheets, key = tmp_path / "sheets", tmp_path / "key.json"
    with pytest.raises(InputError, match="must not lie among the sheets"):
        make_sheets(pairs, (a, b), sheets, sheets / "key.json", 1)
    with pytest.raises(InputError, match="a duel needs two folders"):
        make_sheets(pairs, (a, a), sheets, key, 1)
    write("b/hill.png", np.zeros((48, 48, 3), np.float32))
    with pytest.raises(InputError, match="must have its content's aspect ratio"):
        make_sheets(pairs[:1], (a, b), sheets, key, 1)
    (b / "sky.png").unlink()
    with pytest.raises(InputError, match="must have one picture called 'sky', got none"):
        make_sheets(pairs, (a, b), sheets, key, 1)
    with pytest.raises(InputError, match="must be a new or an empty folder"):
        make_sheets(pairs[:2], (a, b), a, key, 1)
    assert not sheets.exists()
    assert not key.exists()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Ten sheets; A is left on odd ones."""
    sides = {
        str(n): {"pair": f"p{n}", "left": "AB"[n % 2 == 0], "right": "AB"[n % 2 == 1]} for n in range(1, 11)
    }  # fmt: skip
    (tmp_path / "key.json").write_text(json.dumps(sides))
    return tmp_path / "key.json"


def test_answers_are_counted_by_hand(key: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("1 left\n2 right\n3 LEFT\n\n 4   left\n5 left\n6 right\n7 tie\n8 right\n9 left\n")
    found = tally(answers, key)
    assert found == Tally({"A": 7, "B": 1}, ties=1, unanswered=1)
    assert found.p == pytest.approx(2 * (8 + 1) / 2**8)  # by hand: both tails, 8 over 7 and 8 over 8
    assert found.text().splitlines() == [
        "n = 8, and 1 ties",
        "A: 7 wins",
        "B: 1 wins",
        "p = 0.0703 (binomial, two-sided; ties left out)",
        "1 sheets have no answer",
    ]


def test_ties_alone_decide_nothing(key: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.txt").write_text("1 tie\n")
    assert tally(tmp_path / "answers.txt", key).p == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 leftish", 'must have lines like "1 left", "2 right" or "3 tie"; got \'1 leftish\''),
        ("11 left", "there is no sheet 11; the key has 10"),
        ("1 left\n1 right", "answers sheet 1 twice"),
    ],
)
def test_a_wrong_answer_is_refused(text: str, words: str, key: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        tally(tmp_path / "answers.txt", key)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"1": 2}', '{"1": {"left": 1, "right": "b"}}', "{"])
def test_a_key_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(text)
    (tmp_path / "answers.txt").write_text("1 left")
    with pytest.raises(InputError, match=r"'key.json' must be the key that --duel wrote"):
        tally(tmp_path / "answers.txt", tmp_path / "key.json")
