import io

import numpy as np
import pytest
from PIL import Image

from nst.errors import ImageError, OptionError
from nst.pictures.masks import check_mask_shape, describe_uniform, read_mask


def file_of(image: Image.Image, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype(np.uint8))


HALF = np.zeros((48, 64), np.uint8)
HALF[:, 32:] = 255


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P", "LA"])
def test_white_is_1_and_black_is_0_in_every_mode(mode):
    mask = read_mask(file_of(grey(HALF).convert(mode)), 512, (48, 64))
    np.testing.assert_allclose(mask, HALF / 255, atol=0.01)
    assert mask.dtype == np.float32


def test_grey_is_between():
    assert read_mask(file_of(grey(np.full((48, 64), 64))), 512, (48, 64)) == pytest.approx(64 / 255, abs=0.01)


def test_what_is_transparent_is_black():
    image = Image.new("RGBA", (64, 48), (255, 255, 255, 255))
    image.putalpha(grey(HALF))
    np.testing.assert_allclose(read_mask(file_of(image), 512, (48, 64)), HALF / 255, atol=0.01)


def test_a_jpeg_of_another_size_is_a_mask_as_well():
    mask = read_mask(file_of(grey(HALF).resize((640, 480)), "JPEG"), 64, (48, 64))
    assert max(mask.shape) >= 64
    assert (mask[:, : mask.shape[1] // 3].max(), mask[:, 2 * mask.shape[1] // 3 :].min()) == pytest.approx(
        (0, 1), abs=0.1
    )


@pytest.mark.parametrize("mask", [(48, 64), (480, 640), (479, 640), (47, 64), (100, 133)])
def test_a_mask_in_proportion_to_the_content_is_taken(mask):
    check_mask_shape(mask, (48, 64))


@pytest.mark.parametrize("mask", [(64, 64), (64, 48), (400, 640)])
def test_a_mask_of_another_shape_is_refused(mask):
    with pytest.raises(OptionError) as caught:
        check_mask_shape(mask, (768, 1024))
    height, width = mask
    words = f"`mask` must have the shape of the content, 1024 x 768 px or in proportion, got {width} x {height}"
    assert (str(caught.value), caught.value.option) == (words, "mask")


def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(ImageError, match="'mask' must be a picture"):
        read_mask(b"nonsense", 512, (48, 64))


@pytest.mark.parametrize(("value", "share"), [(1, "100%"), (0, "0%"), (0.25, "25%")])
def test_what_a_mask_of_one_value_does_is_a_sentence(value, share):
    words = {"protect": "the content", "styles": "the first painting's", "strength": "the style's strength"}
    for use, part in words.items():
        sentence = describe_uniform(np.full((4, 5), value, np.float32), use)
        assert sentence.startswith(f"The mask has one value all over: {share} of ")
        assert part in sentence
    assert describe_uniform(HALF / 255, "protect") == ""
