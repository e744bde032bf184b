import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.training.style_crops import crops_of
from tests.engine import textbook
from tests.engine.fast import picture
from tests.engine.test_train import training

SIDES = st.integers(1, 90)


@given(height=SIDES, width=SIDES, side=st.integers(1, 60))
def test_crops_cover_the_picture_at_half_a_side_or_less(height: int, width: int, side: int) -> None:
    numbered = np.arange(height * width, dtype=np.float32).reshape(height, width, 1)
    crops = crops_of(numbered, side)
    assert crops.shape[1:3] == (min(height, side), min(width, side))
    assert set(crops.ravel()) == set(numbered.ravel())
    corners = crops[:, 0, 0, 0].astype(int)
    for starts in (set(corners // width), set(corners % width)):
        assert max(np.diff(sorted(starts)), default=0) <= max(1, (side + 1) // 2)


def test_a_style_is_what_its_crops_have_in_the_mean(tmp_path) -> None:
    style = picture(96, 64, 7)
    learner = training(tmp_path, styles=[style])._learner
    activations = load_extractor("compact")(crops_of(style, 64), ["block5_conv1"])["block5_conv1"]
    expected = np.mean([textbook.gram(one) for one in np.asarray(activations)], axis=0)
    whole = textbook.gram(np.asarray(load_extractor("compact")(style[None], ["block5_conv1"])["block5_conv1"][0]))
    found = np.asarray(learner._matrices["block5_conv1"][0])
    assert found == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())
    assert np.abs(whole - expected).max() > 0.05 * np.abs(expected).max()
