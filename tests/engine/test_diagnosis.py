import numpy as np
import pytest
from numpy.typing import NDArray

from nst.engine.diagnosis import Diagnosis, diagnose
from nst.engine.networks.choose_extractor import load_extractor
from nst.options.style_options import StyleOptions
from nst.pictures.colors import match_colors


@pytest.fixture(scope="module")
def compact():
    return load_extractor("compact")


def test_a_picture_that_is_its_own_content_and_style_has_no_loss(compact, content):
    found = diagnose(content, content, [content], StyleOptions(tv_weight=0, color_transfer=0), compact)
    assert found.neighbor_share == pytest.approx(1)  # what is most like it is not the same place, but for a few
    assert [each.role for each in found.layers] == ["content", *["style"] * 5]
    assert all(each.loss < 1e-6 for each in found.layers)
    assert found.content_map.max() < 1e-6


def total_share(found: Diagnosis) -> float:
    return sum(each.share for each in found.layers) + found.tv_share + found.neighbor_share


def test_shares_sum_to_one_and_the_weights_decide(compact, content, style):
    def share_of_content(**weights: float) -> float:
        found = diagnose(style, content, [style], StyleOptions(**weights), compact)
        assert total_share(found) == pytest.approx(1)
        return sum(each.share for each in found.layers if each.role == "content")

    assert share_of_content(content_weight=0) == 0 < share_of_content(neighbor_weight=0)
    assert share_of_content(content_weight=100) > share_of_content(content_weight=1) > 0


def test_the_losses_are_those_of_the_objective(compact, content, style):
    found = diagnose(content, content, [style], StyleOptions(), compact)
    for layer, (now, target) in found.matrices.items():
        loss = next(each.loss for each in found.layers if each.role == "style" and each.layer == layer)
        assert loss == pytest.approx(np.sum((now - target) ** 2) / np.sum(target**2), rel=1e-3)


@pytest.mark.parametrize("normalization", ["relative", "gatys"])
def test_the_map_of_the_content_adds_up_to_its_loss(compact, content, style, normalization):
    options = StyleOptions(normalization=normalization, content_layers={"block1_conv1": 1.0})
    found = diagnose(style, content, [style], options, compact)
    loss = next(each.loss for each in found.layers if each.role == "content")
    assert found.content_map.sum() == pytest.approx(loss, rel=1e-3)


def test_maps_are_high_where_the_picture_differs(compact, content):
    spoiled = content.copy()
    spoiled[:16, :16] = 0.0
    found = diagnose(spoiled, content, [content], StyleOptions(), compact)
    assert found.style_map.shape == content.shape[:2]
    for plane in (found.content_map, found.style_map):
        quarter = plane[: plane.shape[0] // 2, : plane.shape[1] // 2]
        assert quarter.mean() > 2 * plane[plane.shape[0] // 2 :, plane.shape[1] // 2 :].mean()


def test_the_matrices_of_a_mix_are_the_mean_of_those_of_its_paintings(compact, content, style):
    alone = [diagnose(content, content, [each], StyleOptions(), compact).matrices for each in (content, style)]
    mixed = diagnose(content, content, [content, style], StyleOptions(style_mix=(3, 1)), compact).matrices
    for layer, (_, target) in mixed.items():
        expected = 0.75 * alone[0][layer][1] + 0.25 * alone[1][layer][1]
        assert np.allclose(target, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_paintings_have_the_colors_of_the_content_where_the_run_gave_them_these(compact, content, style):
    kept = diagnose(content, content, [style], StyleOptions(keep_colors=True), compact).matrices
    recolored = diagnose(content, content, [match_colors(style, content)], StyleOptions(), compact).matrices
    as_it_is = diagnose(content, content, [style], StyleOptions(), compact).matrices
    for layer, (_, target) in kept.items():
        np.testing.assert_allclose(target, recolored[layer][1], rtol=1e-5)
        assert not np.allclose(target, as_it_is[layer][1], rtol=0.01)


@pytest.fixture
def half(content) -> NDArray[np.float32]:
    """A mask that is white on the left half of the content."""
    mask = np.zeros(content.shape[:2], np.float32)
    mask[:, : mask.shape[1] // 2] = 1.0
    return mask


def test_what_a_mask_protects_does_not_disagree_with_the_style(compact, content, style, half):
    free, masked = (diagnose(content, content, [style], StyleOptions(), compact, mask) for mask in (None, half))
    assert np.all(masked.style_map[half == 1] == 0)
    assert masked.style_map[half == 0].mean() > 0
    for layer, (now, _) in masked.matrices.items():
        assert not np.allclose(now, free.matrices[layer][0], rtol=0.01)
    assert total_share(masked) == pytest.approx(1)


def test_with_a_painting_for_each_region_of_a_mask_each_has_its_gram_matrices(compact, content, style, half):
    options = StyleOptions(mask_use="styles")
    found = diagnose(content, content, [style, content], options, compact, half).matrices
    alone = diagnose(content, content, [style], StyleOptions(), compact).matrices
    assert list(found)[:2] == ["block1_conv1, where the mask is white", "block1_conv1, where it is black"]
    for layer, (_, target) in alone.items():
        np.testing.assert_allclose(found[f"{layer}, where the mask is white"][1], target, rtol=1e-5)


def test_a_mask_fits_a_picture_of_odd_sides(compact, content, style, half):
    options = StyleOptions(mask_use="strength")
    found = diagnose(content[:45, :61], content[:45, :61], [style], options, compact, half[:45, :61])
    assert found.style_map.shape == (45, 61)
    assert found.style_map[:, :20].mean() > 10 * found.style_map[:, 50:].mean()
