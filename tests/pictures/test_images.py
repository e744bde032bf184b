import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, features

from nst.errors import ImageError, NotAnImage
from nst.pictures import images
from nst.pictures.images import (
    encode_jpeg,
    encode_png,
    read,
    read_bytes,
    read_file,
    reduced_jpeg,
    resize,
    thumbnail,
)
from tests.pictures.picture_files import (
    ALPHAS,
    EXIF_FORMATS,
    HEIGHT,
    LOSSLESS,
    LOSSY,
    OPAQUE,
    RAMP,
    WIDTH,
    as_floats,
    encoded,
    png,
    ramp,
)

modest = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.mark.parametrize("case", OPAQUE)
def test_usual_pictures_are_read(case):
    data, expected, tolerance = OPAQUE[case]
    picture = read(data)
    np.testing.assert_allclose(picture.rgb, as_floats(expected), atol=tolerance)
    assert picture.rgb.dtype == np.float32
    assert picture.rgb.flags.writeable
    assert picture.alpha is None
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert picture.format.lower() == case.partition(",")[0].lower()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif_is_read_where_pillow_can():
    picture = read(encoded(RAMP, "AVIF", quality=95))
    np.testing.assert_allclose(picture.rgb, as_floats(RAMP), atol=2 * LOSSY)


def test_a_jpeg_with_a_second_picture_inside_is_a_jpeg():
    picture = read(encoded(RAMP, "MPO", save_all=True, append_images=[RAMP.rotate(180)], quality=95))
    assert picture.format == "JPEG"
    np.testing.assert_allclose(picture.rgb, as_floats(RAMP), atol=LOSSY)


TURNED = {  # orientation -> how a camera so held stores the upright picture; EXIF 2.3, 4.6.4 A, "0th row, 0th column"
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("format", EXIF_FORMATS)
def test_a_rotated_photograph_is_turned_upright(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](ramp())))
    picture = read(encoded(stored, format, exif=exif, **EXIF_FORMATS[format]))
    np.testing.assert_allclose(picture.rgb, as_floats(RAMP), atol=LOSSY)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert read(encoded(RAMP, "PNG", exif=exif)).rgb.shape == (HEIGHT, WIDTH, 3)


def test_damaged_exif_is_upright():
    assert read(encoded(RAMP, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")).rgb.shape == (HEIGHT, WIDTH, 3)


# --- size


def big(format: str, **options: object) -> bytes:
    return encoded(Image.fromarray(ramp(600, 1000)), format, **options)


LARGE = {
    "JPEG": big("JPEG", quality=95),
    "JPEG, CMYK": encoded(Image.fromarray(ramp(600, 1000)).convert("CMYK"), "JPEG", quality=95),
    "PNG": big("PNG"),
    "PNG, palette": encoded(Image.fromarray(ramp(600, 1000)).quantize(64), "PNG"),
    "PNG, 16 bit grey": png(1000, 600, 16, 0, (ramp(600, 1000)[..., 0].astype(">u2") * 257).tobytes()),
    "WebP": big("WEBP", quality=95),
}


@pytest.mark.parametrize("case", LARGE)
@pytest.mark.parametrize("long_side", [64, 300, 999, 1000, 4000])
def test_a_large_picture_is_reduced_but_never_below_what_is_needed(case, long_side):
    picture = read(LARGE[case], long_side=long_side)
    height, width = picture.rgb.shape[:2]
    assert min(long_side, 1000) <= width <= max(2 * long_side, 64)
    assert abs(height - 0.6 * width) <= 1
    assert (picture.width, picture.height) == (1000, 600)
    whole = read(LARGE[case]).rgb
    np.testing.assert_allclose(resize(picture.rgb, 30, 50), resize(whole, 30, 50), atol=0.04)


def test_a_large_rotated_photograph_is_reduced_and_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read(big("JPEG", quality=95, exif=exif), long_side=100)
    assert (picture.width, picture.height) == (600, 1000)
    assert picture.rgb.shape[0] > picture.rgb.shape[1]


def test_colours_under_transparency_do_not_leak_when_a_picture_is_reduced():
    pixels = np.zeros((400, 400, 4), np.uint8)
    pixels[..., 0] = 255  # red, hidden
    pixels[::2, ::2] = (0, 0, 255, 255)
    picture = read(encoded(Image.fromarray(pixels), "PNG"), long_side=50)
    np.testing.assert_allclose(picture.rgb, np.broadcast_to((0, 0, 1), picture.rgb.shape), atol=0.01)
    np.testing.assert_allclose(picture.alpha, 0.25, atol=0.01)


@modest
@given(st.integers(1, 70), st.integers(1, 70), st.booleans())
def test_resize_has_the_size_the_range_and_the_mean(height, width, colour):
    array = ramp().astype(np.float32) / 255 if colour else ramp()[..., 0].astype(np.float32) / 255
    found = resize(array, height, width)
    assert found.shape == (height, width, *array.shape[2:])
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_allclose(found.mean((0, 1)), array.mean((0, 1)), atol=0.02)


def test_resize_treats_channels_alike_and_smooths_what_it_shrinks():
    noise = np.random.default_rng(1).integers(0, 2, (64, 64)).astype(np.float32)
    found = resize(np.stack([noise] * 3, -1), 8, 8)
    assert np.ptp(found, axis=-1).max() == 0
    assert found.std() < 0.15 < noise.std()
    assert np.array_equal(resize(noise, 64, 64), noise)


# --- files


def test_a_file_is_read_like_its_bytes(tmp_path):
    path = tmp_path / "ramp.png"
    path.write_bytes(OPAQUE["PNG"][0])
    assert np.array_equal(read_file(path).rgb, read(OPAQUE["PNG"][0]).rgb)
    assert read_bytes(path) == OPAQUE["PNG"][0]


def sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(10**10)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "no.png", "there is no file"),
        (lambda folder: folder, "must be a picture, got a folder"),
        (lambda folder: folder / ("x" * 300), "cannot be read: File name too long"),
        (lambda folder: folder / "a\0b", "'"),
        (lambda folder: Path("/dev/zero"), "got a device"),
        (lambda folder: sparse(folder / "huge.png"), "'huge.png' must be at most 30 MB, got 9536.7 MB"),
    ],
    ids=["missing", "folder", "name too long", "zero in name", "device", "huge"],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(make, words, tmp_path):
    with pytest.raises(ImageError) as caught:
        read_file(make(tmp_path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_must_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(OPAQUE["PNG"][0])
    path.chmod(0)
    try:
        path.open("rb").close()
    except PermissionError:
        with pytest.raises(ImageError, match="cannot be read: Permission denied"):
            read_file(path)
    else:
        pytest.skip("this user may read everything")


# --- and back


@modest
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.integers(0, 10**6))
def test_png_is_exact_to_8_bits_and_puts_alpha_back(height, width, with_alpha, seed):
    random = np.random.default_rng(seed)
    rgb = random.random((height, width, 3), np.float32)
    alpha = random.random((height, width), np.float32) if with_alpha else None
    with Image.open(io.BytesIO(encode_png(rgb, alpha))) as opened:
        pixels = np.asarray(opened, np.float32) / 255
    assert pixels.shape == (height, width, 4 if with_alpha else 3)
    np.testing.assert_allclose(pixels[..., :3], rgb, atol=LOSSLESS)
    if alpha is not None:
        np.testing.assert_allclose(pixels[..., 3], alpha, atol=LOSSLESS)


def test_alpha_of_another_size_covers_the_whole_result():
    picture = read(ALPHAS["PNG, RGBA"])
    painted = resize(picture.rgb, 80, 120)
    again = read(encode_png(painted, picture.alpha))
    assert again.alpha is not None
    np.testing.assert_allclose(again.alpha, resize(picture.alpha, 80, 120), atol=LOSSLESS)


def test_png_is_marked_as_srgb_and_carries_text():
    text = {"nst": '{"epochs": 3}', "title": "Größe, 絵"}
    with Image.open(io.BytesIO(encode_png(as_floats(RAMP), text=text))) as opened:
        opened.load()
        assert dict(opened.text) == text
        assert opened.info["srgb"] == 0


def test_values_out_of_range_are_clipped():
    wild = np.full((20, 20, 3), 3.0, np.float32)
    wild[:10] = -2
    rgb = read(encode_png(wild)).rgb
    assert np.all(rgb[:10] == 0)
    assert np.all(rgb[10:] == 1)


def test_jpeg_keeps_every_colour_at_high_quality_and_is_smaller_below():
    dots = np.zeros((64, 64, 3), np.float32)
    dots[::2, :, 0] = dots[1::2, :, 2] = 1
    fine, coarse = encode_jpeg(dots, 95), encode_jpeg(dots, 80)
    assert np.abs(read(fine).rgb - dots).mean() < 0.05 < np.abs(read(coarse).rgb - dots).mean()
    assert len(coarse) < len(fine)


@pytest.mark.parametrize("side", [32, 200])
def test_a_thumbnail_is_a_small_jpeg_that_never_grows(side):
    with Image.open(io.BytesIO(thumbnail(LARGE["PNG"], side))) as preview:
        assert preview.format == "JPEG"
        assert max(preview.size) == side
    with Image.open(io.BytesIO(thumbnail(OPAQUE["PNG"][0], side))) as preview:
        assert max(preview.size) == min(side, WIDTH)


@pytest.mark.parametrize(("side", "sides"), [(16, (12, 16)), (100, (30, 40))])
def test_a_reduced_jpeg_has_the_shape_of_its_picture_and_never_grows(side, sides):
    found = read(reduced_jpeg(np.full((30, 40, 3), 0.5, np.float32), side, 90), "x", least=1)
    assert (found.height, found.width) == sides


def test_a_thumbnail_shows_transparency_as_a_checkerboard():
    clear = thumbnail(encoded(Image.new("RGBA", (96, 96), (255, 0, 0, 0)), "PNG"), 96)
    board = read(clear).rgb.mean(-1)
    assert board.max() - board.min() > 0.1
    assert 0.7 < board.mean() < 0.95


def test_a_thumbnail_refuses_what_read_refuses():
    with pytest.raises(NotAnImage):
        thumbnail(b"nothing", 64)


def test_a_picture_cannot_be_changed_and_is_itself_alone():
    picture = read(OPAQUE["PNG"][0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        picture.width = 3
    assert picture != read(OPAQUE["PNG"][0])
    assert images.MIN_SIDE == 16


def test_photographs_and_paintings_are_read(shared):
    for path in sorted((shared / "paintings").glob("*.jpg"))[:3]:
        picture = read_file(path, 256)
        assert max(picture.rgb.shape[:2]) >= min(256, max(picture.width, picture.height))
        assert picture.rgb.std() > 0.05
