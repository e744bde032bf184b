"""The measures of pixels against the textbook, in NumPy, and against what is known by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import wasserstein_distance

from benchmarks.quality import pixels
from benchmarks.quality.pixels import foreign_tint, grain, lab, palette_distance, structural_similarity


def lab_of_one(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """CIE 1976 as the textbook has it, a color at a time, with the white point D65 written out."""
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (red, green, blue))
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_colors_are_those_of_the_textbook() -> None:
    picture = np.random.default_rng(1).uniform(0, 1, (5, 7, 3)).astype(np.float32)
    picture[0, 0], picture[0, 1] = 0, 0.01  # the straight pieces of both curves
    expected = np.array([[lab_of_one(*map(float, pixel)) for pixel in row] for row in picture])
    np.testing.assert_allclose(lab(picture), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("rgb", "expected"),  # Lindbloom's calculator, sRGB, D65
    [((1, 1, 1), (100, 0, 0)), ((1, 0, 0), (53.24, 80.09, 67.20)), ((0, 0, 1), (32.30, 79.19, -107.86))],
)
def test_colors_known_from_tables(rgb: tuple[float, ...], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(lab(np.array([[rgb]], np.float32))[0, 0], expected, atol=0.05)


def test_the_palettes_distance_is_the_mean_of_wasserstein_distances_of_projections() -> None:
    random = np.random.default_rng(2)
    here, there = random.normal(50, 12, (40, 60, 3)), random.normal(58, 20, (30, 30, 3))
    directions = pixels._directions().T
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    expected = np.mean([wasserstein_distance(here.reshape(-1, 3) @ d, there.reshape(-1, 3) @ d) for d in directions])
    assert palette_distance(here, there) == pytest.approx(expected, rel=0.01)  # it reads 256 quantiles only


def test_the_palettes_distance_knows_colors_but_not_places() -> None:
    colors = np.random.default_rng(3).uniform(0, 100, (20, 30, 3))
    assert palette_distance(colors, colors[::-1, ::-1]) == pytest.approx(0, abs=1e-9)
    moved = colors + np.array([10.0, 0, 0])  # by hand: each projection moves by ten times its first coordinate
    assert palette_distance(moved, colors) == pytest.approx(10 * np.mean(np.abs(pixels._directions()[0])))


def test_a_tint_is_foreign_as_far_as_it_is_from_any_color_of_either() -> None:
    content, style = np.zeros((10, 10, 3)), np.full((10, 10, 3), 40.0)
    mixed = np.where(np.arange(10)[:, None, None] < 5, content, style)
    assert foreign_tint(mixed, content, style) == 0
    mixed[0, :, 1] += 7  # a tenth of the pixels: more than the twentieth that may lie outside
    assert foreign_tint(mixed, content, style) == pytest.approx(7)
    few = content.copy()
    few[0, :4, 1] = 7
    assert foreign_tint(few, content, style) == 0


def calm_texture(lightness: NDArray, places: NDArray) -> float:
    """By definition, place after place."""
    fine = lightness - gaussian_filter(lightness, 1.0)
    middle = gaussian_filter((gaussian_filter(lightness, 2.0) - gaussian_filter(lightness, 8.0)) ** 2, 8.0)
    limit = sorted(middle[places])
    half = (limit[(len(limit) - 1) // 2] + limit[len(limit) // 2]) / 2
    chosen = [fine[at] ** 2 for at in np.ndindex(lightness.shape) if places[at] and middle[at] <= half]
    return float(np.sqrt(sum(chosen) / len(chosen)))


def gray(lightness: NDArray) -> NDArray:
    return np.stack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)], -1)


@pytest.fixture
def scenes() -> tuple[NDArray, NDArray]:
    """L* of a calm sky above a busy ground, and of soft bands."""
    random = np.random.default_rng(4)
    sky = np.linspace(70, 80, 96)[None].repeat(64, 0)
    sky[32:] += gaussian_filter(random.normal(0, 60, (32, 96)), 2)
    bands = 50 + 20 * np.sin(np.arange(64) / 9)[:, None].repeat(64, 1)
    return sky, bands


def test_grain_is_the_fine_texture_of_calm_places_over_the_sources_own(scenes: tuple[NDArray, NDArray]) -> None:
    content, style = (scene + np.random.default_rng(5).normal(0, 1, scene.shape) for scene in scenes)
    result = content + np.random.default_rng(6).normal(0, 4, content.shape)
    energy = gaussian_filter((gaussian_filter(content, 2.0) - gaussian_filter(content, 8.0)) ** 2, 8.0)
    calm = energy <= np.median(energy)
    own = max(calm_texture(content, calm), calm_texture(style, np.ones(style.shape, bool)))
    expected = calm_texture(result, calm) / own
    assert expected > 3
    assert grain(gray(result), gray(content), gray(style)) == pytest.approx(expected, rel=1e-6)


def test_grain_grows_with_noise_but_hardly_with_strokes(scenes: tuple[NDArray, NDArray]) -> None:
    content, style = scenes
    noise = np.random.default_rng(7).normal(0, 1, content.shape)
    strokes = 15 * np.sin((np.arange(64)[:, None] + np.arange(96)[None]) / 6)
    grains = [grain(gray(content + k * noise), gray(content), gray(style)) for k in (0, 1, 2, 4)]
    assert grains == sorted(grains)
    assert grains[0] < 0.2 < 1 < grains[1]
    assert grain(gray(content + strokes), gray(content), gray(style)) < grains[1] / 2
    assert grain(gray(content), gray(content + noise), gray(style)) < 1  # what the photo has itself is not new


def test_structural_similarity_is_wangs(scenes: tuple[NDArray, NDArray]) -> None:
    here = scenes[0]
    there = np.clip(here + np.random.default_rng(8).normal(0, 8, here.shape), 0, 100)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / np.sum(np.outer(line, line))
    values = []
    for top, left in np.ndindex(here.shape[0] - 10, here.shape[1] - 10):
        x, y = (each[top : top + 11, left : left + 11] / 100 for each in (here, there))
        mx, my = np.sum(window * x), np.sum(window * y)
        vx, vy = np.sum(window * x**2) - mx**2, np.sum(window * y**2) - my**2
        cov = np.sum(window * x * y) - mx * my
        c1, c2 = 0.01**2, 0.03**2
        values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert structural_similarity(gray(here), gray(there)) == pytest.approx(np.mean(values), abs=1e-4)
    assert structural_similarity(gray(here), gray(here)) == pytest.approx(1)
