"""Paintings whose styles are predicted: what is read, what is refused, and the style that a vector becomes."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst.errors import ImageError, InputError
from nst.pictures import images
from nst.styles.style_file import Style
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import LEAST, SIDE, StylePicture


def file_of(array: np.ndarray, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format)
    return file.getvalue()


def pattern(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize(
    ("sides", "reduced"),
    [
        ((64, 64), (64, 64)),
        ((100, 300), (100, 300)),
        ((1500, 1000), (512, 341)),
        ((2500, 2000), (512, 410)),
        ((64, 10_000), (64, 10_000)),
        ((9000, 150), (3840, 64)),
    ],
)
def test_a_painting_is_reduced_but_no_side_under_the_least(sides: tuple[int, int], reduced: tuple[int, int]) -> None:
    found = StylePicture.read(file_of(pattern(*sides)), "a.png")
    assert found.rgb.shape == (*reduced, 3)
    assert max(Image.open(io.BytesIO(found.copy)).size) <= SIDE
    assert min(found.rgb.shape[:2]) >= LEAST


def test_the_png_of_a_painting_is_read_as_the_same() -> None:
    found = StylePicture.read(file_of(pattern(700, 900)), "a.png")
    assert np.array_equal(StylePicture.read(found.png, "b.png").rgb, found.rgb)


def test_a_large_painting_is_reduced_while_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = []

    def read(*arguments: Any, **named: Any) -> images.Picture:
        found = images_read(*arguments, **named)
        sides.append(max(found.rgb.shape[:2]))
        return found

    images_read = images.read
    monkeypatch.setattr(images, "read", read)
    StylePicture.read(file_of(pattern(2500, 2000)), "a.png")
    assert sides == [1250]
    StylePicture.read(file_of(pattern(9000, 150)), "a.png")
    assert sides[2:] == [4500]


def test_paintings_with_alpha_and_of_sixteen_bits_are_read() -> None:
    assert StylePicture.read(file_of(pattern(80, 80, 4)), "a.png").rgb.shape == (80, 80, 3)
    deep = np.random.default_rng(0).integers(0, 2**16, (80, 80), np.uint16)
    assert StylePicture.read(file_of(deep), "a.png").rgb.shape == (80, 80, 3)


@pytest.mark.parametrize("mode", ["1", "L"])
def test_a_line_drawing_is_read_in_black_and_white(mode: str) -> None:
    drawing = Image.fromarray(np.where(np.indices((80, 96)).sum(0) % 8 < 2, 0, 255).astype(np.uint8)).convert(mode)
    file = io.BytesIO()
    drawing.save(file, "PNG")
    for found in (StylePicture.read(file.getvalue(), "ink.png"), StylePicture.of(drawing)):
        assert found.rgb.shape == (80, 96, 3)
        assert np.array_equal(np.unique(found.rgb), [0, 1])


def test_an_array_and_an_image_are_read_like_the_file() -> None:
    array = pattern(80, 96)
    found = StylePicture.read(file_of(array), "a.png").rgb
    for other in (Image.fromarray(array), array / np.float32(255)):
        np.testing.assert_allclose(StylePicture.of(other).rgb, found, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((80, 80, 3), 7, np.uint8), "'a.png' must have more than one color"),
        (pattern(40, 80), "'a.png' must be at least 64 px wide and high, got 80 x 40 px"),
    ],
)
def test_what_has_no_style_is_refused(array: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        StylePicture.read(file_of(array), "a.png")


def test_an_array_that_is_no_picture_is_refused() -> None:
    with pytest.raises(InputError, match=r"must be an array \[H, W, 3\]"):
        StylePicture.of(np.zeros((80, 80), np.float32))
    with pytest.raises(ImageError, match="at least 64 px"):
        StylePicture.of(np.zeros((80, 8, 3), np.float32))


def test_a_vector_becomes_a_style_with_a_copy_of_the_painting() -> None:
    painting = StylePicture.read(file_of(pattern(700, 900)), "a.png")
    style = painting.style("My garden", next(iter(shipped_file().styles.values())).vector)
    assert isinstance(style, Style)
    assert style.provenance["origin"] == "predicted from a painting"
    assert style.provenance["picture"] == painting.sha256
    assert Image.open(io.BytesIO(style.picture)).size == (512, 398)
