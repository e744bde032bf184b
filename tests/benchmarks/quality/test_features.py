"""What networks say, against textbook versions in NumPy; and where SqueezeNet's positions lie."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.features import (
    FeatureJudge,
    content_error,
    patch_distances,
    squeezenet_judge,
    style_error,
    vgg19_judge,
)
from benchmarks.random_weights import he_normal
from benchmarks.squeezenet import CONTENT_LAYER, STYLE_LAYERS, SqueezeNet
from nst.engine.networks.extractors import Architecture, Extractor

TINY = Architecture("tiny", (4, 6, 8, 8, 8), (1, 1, 1, 2, 1))
STYLES = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT = "block4_conv2"


@pytest.fixture(scope="module")
def tiny() -> Extractor:
    return Extractor(TINY, he_normal(TINY, seed=3))


@pytest.fixture(scope="module")
def judge(tiny: Extractor) -> FeatureJudge:
    return FeatureJudge(lambda image: tiny(image, {*STYLES, CONTENT}), STYLES, CONTENT)


def test_errors_are_the_relative_ones_of_gram_matrices_and_features(
    judge: FeatureJudge, tiny: Extractor, content: NDArray, style: NDArray
) -> None:
    picture = np.clip(content + np.random.default_rng(0).normal(0, 0.2, content.shape), 0, 1).astype(np.float32)
    f, p, s = (
        {n: np.asarray(v[0], np.float64) for n, v in tiny(x[None], {*STYLES, CONTENT}).items()}
        for x in (picture, content, style)
    )
    errors = []
    for layer in STYLES:
        g, a = (x.reshape(-1, x.shape[-1]).T @ x.reshape(-1, x.shape[-1]) for x in (f[layer], s[layer]))
        g, a = g / f[layer][..., 0].size, a / s[layer][..., 0].size
        errors.append(np.sum((g - a) ** 2) / np.sum(a**2))
    seen = judge.look(picture)
    assert style_error(seen, judge.look(style)) == pytest.approx(np.mean(errors), rel=1e-4)
    expected = np.sum((f[CONTENT] - p[CONTENT]) ** 2) / np.sum(p[CONTENT] ** 2)
    assert content_error(seen, judge.look(content)) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(seen.patches, f[STYLES[2]].reshape(-1, 8), rtol=1e-4, atol=1e-4)


def test_a_picture_is_no_error_away_from_itself(judge: FeatureJudge, content: NDArray, style: NDArray) -> None:
    seen = judge.look(style)
    assert style_error(seen, judge.look(style)) == 0
    assert content_error(judge.look(content), judge.look(content)) == 0
    assert patch_distances(seen.patches, seen.patches) == pytest.approx((0, 0), abs=1e-5)


def test_patch_distances_are_those_to_the_nearest_by_centered_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.quality.features.ROWS", 4)
    random = np.random.default_rng(1)
    here, there = (random.normal(1, 1, (n, 5)).astype(np.float32) for n in (10, 7))
    mean = there.mean(axis=0)
    distances = np.array(
        [[1 - (a - mean) @ (b - mean) / np.linalg.norm(a - mean) / np.linalg.norm(b - mean) for b in there]
         for a in here]
    )  # fmt: skip
    found = patch_distances(here, there)
    assert found == pytest.approx((distances.min(axis=1).mean(), distances.min(axis=0).mean()), rel=1e-4)


def test_a_picture_that_repeats_one_piece_of_the_style_misses_the_rest() -> None:
    style = np.random.default_rng(2).normal(0, 1, (50, 16)).astype(np.float32)
    near, missed = patch_distances(np.repeat(style[:1], 50, axis=0), style)
    assert near == pytest.approx(0, abs=1e-5)
    assert missed > 0.5


SQUEEZE = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def write_squeezenet(path: Path, kernel: Callable[[tuple[int, ...]], np.ndarray]) -> SqueezeNet:
    """One with kernels of our making, written as keras-squeezenet lays them out and read back."""
    shapes, channels = {"conv1": (3, 3, 3, 64)}, 64
    for module, (squeeze, expand) in SQUEEZE.items():
        shapes[f"fire{module}/squeeze1x1"] = (1, 1, channels, squeeze)
        shapes[f"fire{module}/expand1x1"] = (1, 1, squeeze, expand)
        shapes[f"fire{module}/expand3x3"] = (3, 3, squeeze, expand)
        channels = 2 * expand
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([*shapes, "pool1"], "S21")
        file.create_group("pool1")
        for i, (name, shape) in enumerate(shapes.items()):
            file[f"{name}/uniform{i}"] = kernel(shape).astype(np.float32)
            file[f"{name}/{name}_b"] = np.full(shape[3], 0.01, np.float32)
    return SqueezeNet(path)


def even(shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, 1 / np.prod(shape[:3]))


def test_the_layers_of_squeezenet_lie_where_the_pixels_are(tmp_path: Path) -> None:
    """Averaged over its places in a cell, a dot's response lies around the dot to 3 px; unpadded it would be 7.5."""
    network = write_squeezenet(tmp_path / "even.h5", even)
    flat = np.full((1, 128, 128, 3), 0.6, np.float32)  # above the mean color: no ReLU closes
    columns = np.arange(56, 72)
    dots = np.repeat(flat, len(columns), axis=0)
    dots[np.arange(len(columns)), 64, columns] = 1.0
    still, changed = network(flat), network(dots)
    for layer in {*STYLE_LAYERS, CONTENT_LAYER}:
        energy = np.sum(changed[layer] - still[layer], axis=(1, 3))  # [dots, columns of the layer]
        centres = (np.arange(energy.shape[1]) + 0.5) * 128 / energy.shape[1]
        found = np.sum(energy * centres, axis=1) / np.sum(energy, axis=1)
        assert abs(np.mean(found - columns - 0.5)) < 3, layer


@pytest.mark.usefixtures("alone")
def test_networks_without_weights_do_not_judge() -> None:
    assert vgg19_judge() is None
    assert squeezenet_judge() is None


def test_squeezenet_judges_pictures_of_any_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: NDArray
) -> None:
    monkeypatch.setenv("NST_SHARED", str(tmp_path))
    write_squeezenet(tmp_path / "teacher" / "squeezenet_v1.1_notop.h5", even)
    judge = squeezenet_judge()
    assert judge is not None
    seen = judge.look(content[:43, :50])
    assert seen.content.shape == (1, 6, 6, 256)  # 48 x 48 px
    assert [matrix.shape[0] for matrix in seen.grams] == [64, 128, 128, 256, 384]


def test_vgg19_finds_the_untouched_photo_far_from_the_scream_and_nearer_to_itself(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured once, at 128 px, with the weights that lie there: order and size, not digits."""
    from nst.pictures.images import read_file, resize

    file = shared / "vgg" / "vgg19_notop.npz"
    if not file.is_file():
        pytest.skip(f"no VGG19: {file} is missing")
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(file))
    judge = vgg19_judge()
    assert judge is not None
    photo = judge.look(resize(read_file(shared / "contents" / "taj_mahal.jpg").rgb, 96, 128))
    styles = [
        judge.look(resize(read_file(shared / "paintings" / f"{name}.jpg").rgb, 128, 100))
        for name in ("van_gogh_starry_night", "munch_the_scream")
    ]
    starry, scream = (style_error(photo, style) for style in styles)
    assert 0.3 < starry < scream < 5
