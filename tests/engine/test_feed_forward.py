from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nst.engine.feed_forward import fast_network
from nst.engine.feed_forward.apply_style import apply_style
from nst.engine.feed_forward.enlarge import enlarge_painted
from nst.engine.feed_forward.fast_network import FastNetwork, apply_mix
from nst.options import fast_options
from nst.options.fast_options import FastOptions
from nst.pictures import images
from nst.pictures.colors import color_map
from nst.pictures.images import read_file
from nst.pictures.samples import find
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED
from tests.engine.fast import picture, style_file
from tests.styles.style_files import old_style_file

FILE = style_file()


@pytest.fixture(autouse=True)
def small_working_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network paints 80 px, which takes less time."""
    monkeypatch.setattr(fast_options, "WORKING_SIDE", 80)


ONE = {"one": 1.0}


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (45, 70)),
        ({"stroke_size": 2.0}, (45, 70)),
        ({"stroke_size": 0.5}, (45, 70)),
        ({"size": 96}, (62, 96)),
        ({"size": 96, "stroke_size": 3.0, "strength": 0.5, "keep_colors": True}, (62, 96)),
    ],
)
def test_the_result_has_the_pictures_size_or_the_one_asked_for(options: dict, size: tuple[int, int]) -> None:
    found = apply_mix(picture(45, 70), FILE, ONE, FastOptions(**options))
    assert found.shape == (*size, 3)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_network_paints_a_working_picture_that_is_enlarged_by_the_photo() -> None:
    x = picture(64, 80)
    reduced = images.resize(x, 32, 40)
    painted = FastNetwork(FILE).paint(reduced, FILE.styles["one"].vector)
    found = apply_mix(x, FILE, ONE, FastOptions(stroke_size=2.0))
    np.testing.assert_allclose(found, enlarge_painted(painted, reduced, x), atol=1e-6)
    smaller = apply_mix(x, FILE, ONE, FastOptions(size=64, stroke_size=0.5))
    painted = FastNetwork(FILE).paint(images.resize(x, 128, 160), FILE.styles["one"].vector)
    np.testing.assert_allclose(smaller, images.resize(painted, 51, 64), atol=1e-6)


def test_a_result_of_any_size_looks_like_a_smaller_one() -> None:
    x = images.resize(picture(24, 32), 384, 512)
    small, large = (apply_mix(x, FILE, ONE, FastOptions(size=size)) for size in (64, 512))
    assert np.abs(images.resize(large, *small.shape[:2]) - small).mean() < 0.02
    assert np.abs(small - images.resize(x, *small.shape[:2])).mean() > 0.05


@pytest.mark.parametrize(
    ("long_side", "stroke_size", "side"),
    [(100, 1.0, 512), (1024, 1.0, 512), (2048, 1.0, 512), (2048, 2.0, 256), (1024, 0.5, 1024), (6144, 1.0, 1536)],
)
def test_strokes_keep_their_share_of_results_up_to_2048_px(long_side: int, stroke_size: float, side: int) -> None:
    fast_options.WORKING_SIDE = 512  # which the fixture restores
    assert fast_options.working_side(long_side, stroke_size) == side


def test_kept_colours_have_the_contents_mean_and_covariance() -> None:
    x = picture(80, 80) * 0.5 + 0.25
    found = apply_mix(x, FILE, ONE, FastOptions(keep_colors=True))
    matrix, offset = color_map(found, x)
    np.testing.assert_allclose(matrix, np.eye(3), atol=0.15)  # what was clipped is missing
    np.testing.assert_allclose(offset, 0, atol=0.1)


def test_a_mix_is_painted_with_the_weighted_sum_of_the_vectors_that_its_names_choose() -> None:
    x = picture(80, 80)
    one, two = (apply_mix(x, FILE, {name: 1.0}, FastOptions()) for name in ("one", "two"))
    assert np.abs(one - two).mean() > 0.01
    np.testing.assert_allclose(apply_mix(x, FILE.only("two"), {"two": 1.0}, FastOptions()), two, atol=1e-6)
    vectors = FILE.styles["one"].vector, FILE.styles["two"].vector
    mixed = FastNetwork(FILE).paint(x, np.float32(0.3) * vectors[0] + np.float32(0.7) * vectors[1])
    found = apply_mix(x, FILE, {"two": 0.7, "one": 0.3}, FastOptions())
    np.testing.assert_allclose(found, mixed, atol=1e-6)
    assert np.abs(found - one).mean() > 0.01
    assert np.abs(found - two).mean() > 0.001


def test_a_large_picture_goes_by_strips_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = picture(80, 70)
    whole = apply_mix(x, FILE, ONE, FastOptions(strength=0.7, keep_colors=True))
    monkeypatch.setattr(fast_network, "MOST_WHOLE_PIXELS", 1000)
    monkeypatch.setattr("nst.engine.feed_forward.strips.STRIP_PIXELS", 900)
    np.testing.assert_allclose(
        apply_mix(x, FILE, ONE, FastOptions(strength=0.7, keep_colors=True)), whole, atol=1 / 255
    )


def test_networks_are_kept_ready_but_not_without_end() -> None:
    files = [style_file(seed=seed) for seed in range(fast_network.NETWORKS_KEPT + 2)]
    for file in (*files, files[-1]):
        apply_mix(picture(32, 32), file, ONE, FastOptions())
    held = [fast_network._networks.get(file.network) is not None for file in files]
    assert held == [False] * 2 + [True] * fast_network.NETWORKS_KEPT


def test_the_shipped_network_leaves_a_picture_as_it_is_at_strength_0_and_paints_at_1() -> None:
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    assert len(file.styles) >= 8
    fast_options.WORKING_SIDE = 256
    x = images.resize(images.read_file(find("lake").path).rgb, 192, 256)
    still = apply_mix(x, file, {next(iter(file.styles)): 1.0}, FastOptions(strength=0.0))
    assert np.abs(still - x).mean() < 0.05
    painted = [apply_mix(x, file, {name: 1.0}, FastOptions()) for name in file.styles]
    for n, one in enumerate(painted):
        assert np.abs(one - x).mean() > 0.05
        assert all(np.abs(one - other).mean() > 0.02 for other in painted[:n])


@pytest.mark.parametrize("grain", [True, False])
def test_a_style_file_of_the_first_version_paints(tmp_path: Path, grain: bool) -> None:
    path = tmp_path / "old.style"
    path.write_bytes(old_style_file(grain))
    photo = picture(48, 64)
    painted = apply_style(photo, path)
    assert painted.shape == photo.shape
    assert 0 <= painted.min() < painted.max() <= 1
    assert np.abs(painted - photo).mean() > 0.01


def test_line_drawings_and_photos_are_styles_of_their_own_colors() -> None:
    drawing = Image.new("1", (160, 128), 1)
    pen = ImageDraw.Draw(drawing)
    for n in range(0, 160, 9):
        pen.line((n, 0, 160 - n, 128), fill=0)
        pen.ellipse((n / 2, n / 3, n + 40, n + 30), outline=0)
    lake, owl = (read_file(find(name).path).rgb[::4, ::4] for name in ("lake", "owl"))
    as_drawing, as_photo = (apply_style(lake, style) for style in (drawing, owl))
    saturations = [np.ptp(rgb, axis=2).mean() for rgb in (as_drawing, lake, as_photo)]
    assert saturations == sorted(saturations)  # measured: 0.03, 0.10, 0.19
    assert min(np.abs(painted - lake).mean() for painted in (as_drawing, as_photo)) > 0.05
