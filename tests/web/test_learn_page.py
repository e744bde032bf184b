"""The Learn page: its figures are files of the program, and its text names the defaults."""

import re
from pathlib import Path
from typing import Any

from dash.development.base_component import Component

from nst.web.pages.learn import FIGURES, article, layout

ASSETS = Path(__file__).resolve().parents[2] / "assets"
MOST_BYTES = 700_000  # of all figures


def parts(kind: str) -> list[Any]:
    return [each for each in article()._traverse() if type(each).__name__ == kind]


def text_of(tree: Component) -> str:
    return " ".join(each for each in tree._traverse() if isinstance(each, str))


def test_every_figure_is_there_and_every_file_is_used() -> None:
    named = {img.src.rpartition("/")[2] for img in parts("Img") if img.src.startswith(FIGURES)}
    files = {path.name for path in (ASSETS / "learn").iterdir()}
    assert named == files
    assert sum(path.stat().st_size for path in (ASSETS / "learn").iterdir()) < MOST_BYTES


def test_every_figure_has_words_in_place_of_it() -> None:
    assert all(img.alt for img in parts("Img"))
    assert len(parts("Figcaption")) == len(parts("Figure"))


def test_captions_name_pictures_not_their_places_which_depend_on_the_width() -> None:
    captions = " ".join(str(each.children) for each in parts("Figcaption"))
    assert not re.search(r"\b(left|right|middle)\b", captions)


def test_the_text_is_marked_up_and_names_the_weights() -> None:
    text = text_of(article())
    assert "**" not in text
    assert "`" not in text
    assert "The weights are 1, 32, 12 and 4 unless you change them" in text
    assert "is 5 steps, one frame" in text
    assert [each.children for each in parts("H3")][:2] == [
        "Content: what is where",
        "Style: which patterns occur together",
    ]


def test_the_page_is_empty_until_it_is_shown() -> None:
    assert not getattr(layout(), "children", None)
