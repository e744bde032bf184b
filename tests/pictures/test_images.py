import dataclasses
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from nst.errors import ImageError, NotAnImage, TooLarge
from nst.pictures import images
from nst.pictures.images import encode_jpeg, encode_png, read, read_bytes, read_file, resize, thumbnail

modest = settings(max_examples=50, deadline=None, derandomize=True)

HEIGHT, WIDTH = 40, 60
LOSSLESS, LOSSY = 1.01 / 510, 0.04  # half an 8-bit step; a good JPEG's error, of 0..1


def ramp(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Three smooth ramps that no turn maps onto themselves. uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([255 * x / width, 255 * y / height, 200 - 150 * x * y / (width * height)], -1).astype(np.uint8)


RAMP = Image.fromarray(ramp())
GREY = RAMP.convert("L")


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def as_floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG by hand: what Pillow cannot write. `rows` are samples without filter bytes."""
    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(filtered)) + chunk(b"IEND", b"")


def translucent(mode: str = "RGBA") -> Image.Image:
    picture = RAMP.convert(mode)
    picture.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    return picture


# --- what people have


DEEP = ramp().astype(">u2") * 257
PALETTE = RAMP.quantize(32)
SOFT = Image.fromarray((64 + ramp() // 2).astype(np.uint8))
SRGB, LAB = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
OPAQUE = {
    "PNG": (encoded(RAMP, "PNG"), RAMP, LOSSLESS),
    "PNG, grey": (encoded(GREY, "PNG"), GREY, LOSSLESS),
    "PNG, black and white": (encoded(GREY.convert("1"), "PNG"), GREY.convert("1"), LOSSLESS),
    "PNG, palette": (encoded(PALETTE, "PNG"), PALETTE, LOSSLESS),
    "PNG, 16 bit": (png(WIDTH, HEIGHT, 16, 2, DEEP.tobytes()), RAMP, LOSSLESS),
    "PNG, 16 bit grey": (png(WIDTH, HEIGHT, 16, 0, (np.asarray(GREY).astype(">u2") * 257).tobytes()), GREY, LOSSLESS),
    "PNG, RGBA all opaque": (encoded(RAMP.convert("RGBA"), "PNG"), RAMP, LOSSLESS),
    "JPEG": (encoded(RAMP, "JPEG", quality=95), RAMP, LOSSY),
    "JPEG, progressive": (encoded(RAMP, "JPEG", quality=95, progressive=True), RAMP, LOSSY),
    "JPEG, grey": (encoded(GREY, "JPEG", quality=95), GREY, LOSSY),
    "JPEG, CMYK as Adobe inverts it": (encoded(RAMP.convert("CMYK"), "JPEG", quality=98), RAMP, LOSSY),
    "WebP": (encoded(RAMP, "WEBP", lossless=True), RAMP, LOSSLESS),
    "WebP, animated": (
        encoded(RAMP, "WEBP", save_all=True, append_images=[RAMP.rotate(180)], lossless=True),
        RAMP,
        LOSSLESS,
    ),
    "GIF": (encoded(PALETTE, "GIF"), PALETTE, LOSSLESS),
    "GIF, animated": (encoded(PALETTE, "GIF", save_all=True, append_images=[PALETTE.rotate(180)]), PALETTE, LOSSLESS),
    "BMP": (encoded(RAMP, "BMP"), RAMP, LOSSLESS),
    "TIFF": (encoded(RAMP, "TIFF"), RAMP, LOSSLESS),
    "TIFF, packed": (encoded(RAMP, "TIFF", compression="tiff_lzw"), RAMP, LOSSLESS),
    "TIFF, CMYK": (encoded(RAMP.convert("CMYK"), "TIFF"), RAMP, LOSSLESS),
    "TIFF, Lab": (encoded(ImageCms.profileToProfile(SOFT, SRGB, LAB, outputMode="LAB"), "TIFF"), SOFT, 1.5 * LOSSY),
    "TIFF, 16 bit grey": (
        encoded(Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257), "TIFF"),
        GREY,
        LOSSLESS,
    ),
    "TIFF, float in 0..1": (encoded(Image.fromarray(np.asarray(GREY, np.float32) / 255), "TIFF"), GREY, LOSSLESS),
    "TIFF, float in 0..255": (encoded(Image.fromarray(np.asarray(GREY, np.float32)), "TIFF"), GREY, LOSSLESS),
}


@pytest.mark.parametrize("case", OPAQUE)
def test_what_people_have_is_read(case):
    data, expected, tolerance = OPAQUE[case]
    picture = read(data)
    np.testing.assert_allclose(picture.rgb, as_floats(expected), atol=tolerance)
    assert picture.rgb.dtype == np.float32
    assert picture.rgb.flags.writeable
    assert picture.alpha is None
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert picture.format.lower() == case.partition(",")[0].lower()


def test_16_bit_grey_keeps_more_than_8_bits():
    values = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    found = read(png(WIDTH, HEIGHT, 16, 0, values.astype(">u2").tobytes())).rgb[..., 0]
    np.testing.assert_allclose(found, values / 65535, atol=1e-6)


def test_numbers_that_are_no_picture_are_made_one():
    values = np.asarray(GREY, np.float32).copy()
    values[0, 0], values[0, 1], values[0, 2] = np.nan, np.inf, -5
    found = read(encoded(Image.fromarray(values), "TIFF")).rgb
    assert np.isfinite(found).all()
    assert found[0, :3].max() == 0


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
EXIF_FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("format", EXIF_FORMATS)
def test_a_turned_photograph_stands_upright(format, orientation):
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


# --- transparency


ALPHAS = {
    "PNG, RGBA": encoded(translucent(), "PNG"),
    "PNG, grey and alpha": encoded(translucent("L"), "PNG"),
    "WebP": encoded(translucent(), "WEBP", lossless=True, exact=True),
    "TIFF": encoded(translucent(), "TIFF"),
}


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


def test_a_large_turned_photograph_is_reduced_and_stands_upright():
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


# --- refusals


def header(width: int, height: int) -> bytes:
    return png(width, height, 8, 2, b"\0" * height)


BOX = b"\0\0\0\x18ftyp"
REFUSED = {
    "zero bytes": (b"", NotAnImage, "'my picture' must be a picture, got an empty file (0 bytes)"),
    "text": (b"hello there", NotAnImage, "must be a picture (PNG, JPEG, WebP, GIF, BMP, TIFF), got something else"),
    "SVG": (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="a"/>', NotAnImage, "got an SVG drawing; export it as PNG"),
    "SVG with a mark": (b'\xef\xbb\xbf  <svg xmlns="a">', NotAnImage, "got an SVG drawing; export it as PNG"),
    "a web page": (b"<!DOCTYPE html><html><body><svg/>", NotAnImage, "got "),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", NotAnImage, "got a PDF document; export the page as PNG"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", NotAnImage, "got something else"),
    "HEIC": (BOX + b"heic\0\0\0\0mif1heic", NotAnImage, "got a HEIC photo; save it as JPEG first"),
    "a video": (BOX + b"isom\0\0\0\0isomavc1", NotAnImage, "got a video"),
    "a truncated PNG": (encoded(RAMP, "PNG")[:-60], NotAnImage, "is damaged or cut off"),
    "a truncated JPEG": (encoded(RAMP, "JPEG")[:-200], NotAnImage, "is damaged or cut off"),
    "a truncated WebP": (encoded(RAMP, "WEBP")[:-50], NotAnImage, "'my picture' "),
    "a truncated GIF": (encoded(PALETTE, "GIF")[:-300], NotAnImage, "is damaged or cut off"),
    "a truncated BMP": (encoded(RAMP, "BMP")[:-300], NotAnImage, "is damaged or cut off"),
    "a truncated TIFF": (encoded(RAMP, "TIFF")[:-300], NotAnImage, "is damaged or cut off"),
    "a PNG of its name alone": (b"\x89PNG\r\n\x1a\n", NotAnImage, "'my picture' "),
    "a narrow picture": (
        encoded(RAMP.resize((15, 90)), "PNG"),
        ImageError,
        "at least 16 px wide and high, got 15 x 90",
    ),
    "a flat picture": (encoded(RAMP.resize((90, 1)), "PNG"), ImageError, "at least 16 px wide and high, got 90 x 1"),
    "121 megapixels": (header(11_000, 11_000), TooLarge, "at most 120 megapixels, got 121.0 (11000 x 11000 px)"),
    "a bomb": (header(60_000, 60_000), TooLarge, "at most 120 megapixels, got over 178"),
    "an upload over the limit": (b"\xff" * (30 * 2**20 + 99_999), TooLarge, "must be at most 30 MB, got 30.1 MB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_clear_line(case):
    data, kind, words = REFUSED[case]
    for use in (lambda: read(data, "my picture"), lambda: read(data, "my picture", 64)):
        with pytest.raises(kind) as caught:
            use()
        assert type(caught.value) is kind
        assert words in str(caught.value)
        assert "my picture" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_avif_that_cannot_be_read_is_refused():
    with pytest.raises(NotAnImage):
        read(BOX + b"avif\0\0\0\0mif1avif")


def test_a_name_with_a_line_break_stays_one_line():
    with pytest.raises(NotAnImage) as caught:
        read(b"", "a\nb.png")
    assert "\n" not in str(caught.value)


def test_sixteen_pixels_are_enough():
    assert read(encoded(RAMP.resize((16, 16)), "PNG")).rgb.shape == (16, 16, 3)


SEEDS = [data for data, *_ in OPAQUE.values()] + list(ALPHAS.values())


@settings(modest, max_examples=150)
@given(st.sampled_from(SEEDS), st.data())
def test_damage_anywhere_gives_a_picture_or_one_line_and_no_warning(seed, draw):
    data = bytearray(seed)
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, min(400, len(data) - 1)))] = draw.draw(st.integers(0, 255))
    data = data[: draw.draw(st.integers(1, len(data)))] if draw.draw(st.booleans()) else data
    try:
        picture = read(bytes(data), long_side=32)
    except ImageError as error:
        message = str(error)
    else:
        message = ""
        assert np.isfinite(picture.rgb).all()
        assert picture.rgb.min() >= 0
        assert picture.rgb.max() <= 1
    assert "\n" not in message


def test_a_picture_of_a_hundred_megapixels_gives_no_warning():
    with pytest.raises(NotAnImage, match="damaged or cut off"):
        read(header(10_000, 10_000)[:60])


def test_threads_may_read_at_once():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(OPAQUE["JPEG"][0]).rgb, range(16)))
    assert all(np.array_equal(rgb, found[0]) for rgb in found)


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
def test_a_file_that_cannot_be_used_is_refused_in_one_clear_line(make, words, tmp_path):
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


def test_what_is_out_of_range_is_clipped():
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
