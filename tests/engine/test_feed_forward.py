import numpy as np
import pytest

from nst.engine.feed_forward import fast_network
from nst.engine.feed_forward.fast_network import FastNetwork, apply_mix
from nst.options.fast_options import FastOptions
from nst.pictures import images
from nst.pictures.colors import color_map
from nst.pictures.samples import find
from nst.styles.style_file import StyleFile
from nst.styles.style_library import SHIPPED
from tests.engine.fast import picture, style_file

FILE = style_file()
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


def test_stroke_size_paints_the_picture_smaller_and_enlarges_it() -> None:
    x = picture(64, 80)
    by_hand = images.resize(FastNetwork(FILE).paint(images.resize(x, 32, 40), FILE.styles["one"].vector), 64, 80)
    np.testing.assert_allclose(apply_mix(x, FILE, ONE, FastOptions(stroke_size=2.0)), by_hand, atol=1e-6)


def test_kept_colours_have_the_contents_mean_and_covariance() -> None:
    x = picture(64, 64) * 0.5 + 0.25
    found = apply_mix(x, FILE, ONE, FastOptions(keep_colors=True))
    matrix, offset = color_map(found, x)
    np.testing.assert_allclose(matrix, np.eye(3), atol=0.15)  # what was clipped is missing
    np.testing.assert_allclose(offset, 0, atol=0.1)


def test_a_mix_is_painted_with_the_weighted_sum_of_the_vectors_that_its_names_choose() -> None:
    x = picture(48, 48)
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
    x = picture(90, 77)
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
    assert len(fast_network._networks) == fast_network.NETWORKS_KEPT
    assert next(reversed(fast_network._networks)) == files[-1].network


def test_the_shipped_network_leaves_a_picture_as_it_is_at_strength_0_and_paints_at_1() -> None:
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    assert len(file.styles) >= 8
    x = images.resize(images.read_file(find("lake").path).rgb, 192, 256)
    still = apply_mix(x, file, {next(iter(file.styles)): 1.0}, FastOptions(strength=0.0))
    assert np.abs(still - x).mean() < 0.05
    painted = [apply_mix(x, file, {name: 1.0}, FastOptions()) for name in file.styles]
    for n, one in enumerate(painted):
        assert np.abs(one - x).mean() > 0.05
        assert all(np.abs(one - other).mean() > 0.02 for other in painted[:n])
