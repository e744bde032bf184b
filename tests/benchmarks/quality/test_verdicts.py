"""The verdict on a picture, and what controls must get."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.features import FeatureJudge
from benchmarks.quality.pairs import FilePair, Pair
from benchmarks.quality.tables import Row, medians, table
from benchmarks.quality.verdicts import CONTROLS, MEASURES, PASTED, UNTOUCHED, PairJudge, pasted
from benchmarks.random_weights import he_normal
from nst.engine.networks.extractors import Extractor
from nst.errors import InputError
from tests.benchmarks.quality.conftest import Write
from tests.benchmarks.quality.test_features import CONTENT, STYLES, TINY


@pytest.fixture(scope="module")
def judges() -> dict[str, FeatureJudge]:
    extractor = Extractor(TINY, he_normal(TINY, seed=3))
    judge = FeatureJudge(lambda image: extractor(image, {*STYLES, CONTENT}), STYLES, CONTENT)
    return {"vgg": judge, "sq": judge}


def test_the_untouched_photo_has_no_content_error_and_no_color_of_its_own(
    pair: Pair, judges: dict[str, FeatureJudge]
) -> None:
    judge = PairJudge(pair, 64, judges)
    assert tuple(judge.controls) == CONTROLS
    found = judge(judge.controls[UNTOUCHED], UNTOUCHED)
    assert tuple(found) == tuple(MEASURES)
    assert (found["vgg content"], found["sq content"], found["foreign"]) == (0, 0, 0)
    assert found["ssim"] == pytest.approx(1)
    assert found["grain"] <= 1
    assert found["vgg style"] > 0.05
    assert found["palette"] > 5


def test_the_style_itself_has_no_style_error(write: Write, style: NDArray, judges: dict[str, FeatureJudge]) -> None:
    pair = FilePair("same shape", write("content.png", style[::-1]), write("style.png", style))
    judge = PairJudge(pair, 64, judges)
    found = judge(judge.controls[PASTED], PASTED)
    assert found["foreign"] < 1  # rounding to 8 bits
    for measure in ("vgg style", "sq style", "palette", "patch", "missed"):
        assert found[measure] == pytest.approx(0, abs=0.1), measure  # 8 bits, and two ways to enlarge
    assert found["vgg content"] > 0.05


def test_without_networks_their_figures_are_missing_and_the_others_are_not(pair: Pair) -> None:
    judge = PairJudge(pair, 64, {})
    found = judge(judge.controls[PASTED], PASTED)
    without = {name for name, figure in found.items() if figure is None}
    assert without == {"vgg style", "vgg content", "sq style", "sq content", "patch", "missed"}


def test_the_size_of_a_result_hardly_matters_but_its_shape_does(pair: Pair, content: NDArray) -> None:
    judge = PairJudge(pair, 64, {})
    small, large = content, content.repeat(3, 0).repeat(3, 1)
    assert judge(large, "large")["palette"] == pytest.approx(judge(small, "small")["palette"], rel=0.05)
    with pytest.raises(InputError, match=r"'square' must have its content's aspect ratio, 1.333, got 1.000 \(48 x 48"):
        judge(content[:, :48], "square")


def test_a_pair_that_is_a_sliver_is_refused(write: Write, content: NDArray, style: NDArray) -> None:
    pair = FilePair("sliver", write("content.png", content[:16].repeat(6, 1)), write("style.png", style))
    with pytest.raises(InputError, match=r"'sliver' must be at least 16 px .* got 64 x 3; choose a larger"):
        PairJudge(pair, 64, {})


def test_the_pasted_style_is_its_middle() -> None:
    style = np.zeros((20, 60, 3), np.float32)
    style[:, 20:40] = 1
    np.testing.assert_allclose(pasted(style, 10, 10), np.ones((10, 10, 3)), atol=0.06)  # Lanczos sees past the cut


def test_medians_are_of_each_setting_and_missing_figures_are_dashes() -> None:
    nothing = dict.fromkeys(MEASURES)
    rows = [
        Row("sea", "compact", 3.0, {**nothing, "palette": 1.0}),
        Row("hill", "compact", 5.0, {**nothing, "palette": 4.0}),
        Row("sky", "compact", 40.0, {**nothing, "palette": 100.0}),
        Row("sea", PASTED, None, nothing),
    ]
    assert [(row.pair, row.of, row.seconds, row.verdict["palette"]) for row in medians(rows)] == [
        ("median of 3", "compact", 5.0, 4.0),
        ("median of 1", PASTED, None, None),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "sea", "compact", "3.000", "-", "-", "-", "-", "1.000", *"-----"
    ]  # fmt: skip
