"""Color modes, profiles and transparency of files."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from nst.pictures.images import read
from tests.pictures.picture_files import (
    ALPHAS,
    EXIF_FORMATS,
    GREY,
    HEIGHT,
    LOSSLESS,
    LOSSY,
    PALETTE,
    RAMP,
    SOFT,
    WIDTH,
    as_floats,
    encoded,
    png,
    translucent,
)


def test_16_bit_grey_keeps_more_than_8_bits():
    values = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    found = read(png(WIDTH, HEIGHT, 16, 0, values.astype(">u2").tobytes())).rgb[..., 0]
    np.testing.assert_allclose(found, values / 65535, atol=1e-6)


def test_values_without_a_known_range_are_scaled():
    values = np.asarray(GREY, np.float32).copy()
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -5
    found = read(encoded(Image.fromarray(values), "TIFF")).rgb
    assert np.isfinite(found).all()
    assert found[0, :3].max() == 0


# --- transparency


@pytest.mark.parametrize("case", ALPHAS)
def test_alpha_is_kept_aside(case):
    picture = read(ALPHAS[case])
    np.testing.assert_allclose(picture.alpha, np.asarray(translucent().getchannel("A")) / 255, atol=LOSSLESS)
    assert picture.rgb.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_is_alpha(format):
    index = PALETTE.getpixel((0, 0))
    picture = read(encoded(PALETTE, format, transparency=index))
    hidden = np.asarray(PALETTE) == index
    assert 0 < hidden.sum() < hidden.size
    np.testing.assert_array_equal(picture.alpha, np.where(hidden, 0, 1))


def test_a_palette_with_an_alpha_for_each_colour_is_read():
    shades = bytes(range(0, 256, 8))
    picture = read(encoded(PALETTE, "PNG", transparency=shades))
    np.testing.assert_allclose(picture.alpha, np.frombuffer(shades, np.uint8)[np.asarray(PALETTE)] / 255, atol=LOSSLESS)


def test_hidden_colours_become_the_mean_of_the_visible_ones():
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[:, :10] = (200, 100, 50, 255)
    pixels[:, 10:] = np.random.default_rng(1).integers(0, 255, (20, 10, 4))
    pixels[:, 10:, 3] = 0
    rgb = read(encoded(Image.fromarray(pixels), "PNG")).rgb
    np.testing.assert_allclose(rgb, np.broadcast_to(np.array([200, 100, 50]) / 255, rgb.shape), atol=1e-5)


def test_a_picture_that_is_all_transparent_is_grey():
    assert np.all(read(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0)), "PNG")).rgb == 0.5)


# --- colour profiles


def swapped_profile() -> bytes:
    """sRGB with the primaries of red and blue exchanged, so that using it is plain to see."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colour_profile_is_converted_to_srgb(format):
    data = encoded(SOFT, format, icc_profile=swapped_profile(), **EXIF_FORMATS[format])
    np.testing.assert_allclose(read(data).rgb, as_floats(SOFT)[..., ::-1], atol=2 * LOSSY)


def cmyk_profile() -> bytes:
    """A printer that knows three inks alike, each of which halves the lightness L*, and black: ICC.1:2001-04, 6.5.7."""
    corners = [  # of the CMYK cube, C outermost: (L*, a*, b*) of 0..255
        (0 if black else round(255 * 0.5 ** (cyan + magenta + yellow)), 128, 128)
        for cyan in (0, 1) for magenta in (0, 1) for yellow in (0, 1) for black in (0, 1)
    ]  # fmt: skip
    identity = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *[65536, 0, 0, 0] * 2, 65536)
    table += identity * 4 + bytes(value for corner in corners for value in corner) + identity * 3
    body = struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
    header = struct.pack(">I4sI4s4s4s12x4s", 128 + len(body), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    return header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + body


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_read_through_its_own_profile(format):
    cyan = Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    grey = read(encoded(cyan, format, icc_profile=cmyk_profile())).rgb
    np.testing.assert_allclose(grey, 119 / 255, atol=0.03)  # L* 50 is sRGB 119; without a profile it were (0, 1, 1)
    np.testing.assert_allclose(read(encoded(cyan, format)).rgb[0, 0], (0, 1, 1), atol=LOSSY)


def test_a_colour_profile_leaves_alpha_alone():
    data = encoded(translucent(), "PNG", icc_profile=swapped_profile())
    np.testing.assert_array_equal(read(data).alpha, read(ALPHAS["PNG, RGBA"]).alpha)


@pytest.mark.parametrize(
    ("picture", "profile"),
    [
        (RAMP, b"no profile at all"),
        (RAMP, swapped_profile()[:200]),
        (RAMP, b"\0" * 3000),
        (GREY, swapped_profile()),
        (RAMP.convert("CMYK"), swapped_profile()),
    ],
    ids=["nonsense", "cut off", "zeros", "a colour profile on grey", "an RGB profile on CMYK"],
)
def test_a_profile_that_is_broken_or_meant_for_other_channels_is_ignored(picture, profile):
    data = encoded(picture, "TIFF", icc_profile=profile)
    np.testing.assert_allclose(read(data).rgb, as_floats(picture), atol=LOSSLESS)
