import numpy as np
import pytest
from PIL import Image

from nst.errors import OptionError
from nst.pictures.samples import CONTENTS, FOLDER, SAMPLES, SIDES, STYLES, Sample, find

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


def pixels(sample: Sample) -> np.ndarray:
    """[H, W, 3] in 0..255."""
    with Image.open(sample.path) as picture:
        return np.asarray(picture, np.float32)


def test_there_are_at_least_four_contents_and_eight_styles_under_names_of_their_own() -> None:
    assert len(CONTENTS) >= 4
    assert len(STYLES) >= 8
    assert all(sample.kind == "content" for sample in CONTENTS)
    assert all(sample.kind == "style" for sample in STYLES)
    assert len({sample.name for sample in SAMPLES}) == len({sample.title for sample in SAMPLES}) == len(SAMPLES)
    assert all(sample.name.replace("-", "").isalnum() and sample.name.islower() for sample in SAMPLES)


def test_the_folder_holds_the_files_of_the_samples_and_no_others() -> None:
    declared = {sample.path for sample in SAMPLES} | {sample.thumbnail(side) for sample in SAMPLES for side in SIDES}
    assert set(FOLDER.iterdir()) == declared


@each_sample
def test_a_sample_is_a_rich_rgb_picture_of_a_good_size(sample: Sample) -> None:
    with Image.open(sample.path) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert 768 == max(picture.size) > min(picture.size) >= 576 or picture.size == (768, 768)
    image = pixels(sample)
    assert image.std() > 30  # from dark to light
    codes = (image // 16) @ np.array([1, 16, 256], np.float32)
    assert len(np.unique(codes)) > 60  # many colors, be they of one ink


@each_sample
@pytest.mark.parametrize("side", SIDES)
def test_a_thumbnail_is_its_sample_reduced(sample: Sample, side: int) -> None:
    with Image.open(sample.path) as whole, Image.open(sample.thumbnail(side)) as small:
        assert (small.format, max(small.size)) == ("JPEG", side)
        assert min(small.size) == pytest.approx(min(whole.size) * side / max(whole.size), abs=1)
        coarse = [np.asarray(picture.resize((16, 16)), np.float32) for picture in (whole, small)]
    assert np.abs(coarse[0] - coarse[1]).mean() < 2


@pytest.mark.parametrize("sample", STYLES, ids=lambda sample: sample.name)
def test_a_style_has_texture_from_edge_to_edge(sample: Sample) -> None:
    grey = pixels(sample).mean(-1)
    rows, columns = grey.shape[0] // 64 * 64, grey.shape[1] // 64 * 64
    tiles = grey[:rows, :columns].reshape(rows // 64, 64, columns // 64, 64)
    assert tiles.std((1, 3)).min() > 2.5


def test_all_pictures_differ() -> None:
    small = {}
    for sample in SAMPLES:
        with Image.open(sample.path) as picture:
            small[sample.name] = np.asarray(picture.resize((96, 96)), np.float32)
    names = list(small)
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            assert np.abs(small[name] - small[other]).mean() > 20, (name, other)


def test_find_knows_each_name_and_suggests_one_for_a_slip() -> None:
    assert all(find(sample.name) is sample for sample in SAMPLES)
    with pytest.raises(OptionError, match="there is no sample 'harbor'; did you mean 'harbour'"):
        find("harbor")
    with pytest.raises(OptionError, match="there are harbour, lake"):
        find("zzz")
