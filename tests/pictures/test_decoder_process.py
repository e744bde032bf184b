"""Slow formats are decoded in a process each, which ends; quick ones in one, or here, quickly for the worst file."""

import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import psutil
import pytest
from PIL import Image, features

from nst.errors import NotAnImage, TooLarge
from nst.pictures import decoder_process, images
from nst.pictures.decoding import MAX_DECODED_BYTES, MAX_PIXELS, MAX_SCANS, decode
from nst.pictures.images import QUICK_FORMATS, SLOW_FORMATS, read
from tests.pictures.picture_files import RAMP, chunk, encoded

# macOS knows the limit and does not keep it, Windows has none.
LIMITS_MEMORY = pytest.mark.skipif(sys.platform != "linux", reason="no limit of address space on this system")
WORST_SECONDS = 20  # of CPU time, for a picture that is decoded in the process that serves: a tenth was measured


@pytest.mark.parametrize("format", SLOW_FORMATS)
def test_a_picture_is_the_same_from_another_process(format: str) -> None:
    if format == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow was built without AVIF")
    picture = RAMP.convert("RGBA") if format == "TIFF" else RAMP
    if format == "TIFF":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encoded(picture, format)
    apart, here = read(data, "mine", 40), decode(data, "mine", 40)
    assert np.array_equal(apart.rgb, here.rgb)
    assert (apart.width, apart.height, apart.format) == (here.width, here.height, here.format)
    assert (apart.alpha is None) == (format != "TIFF")
    assert apart.alpha is None or np.array_equal(apart.alpha, here.alpha)


def test_an_error_is_the_same_from_another_process() -> None:
    data = encoded(RAMP.resize((15, 90)), "BMP")
    with pytest.raises(images.ImageError, match="'mine' must be at least 16 px wide and high, got 15 x 90 px"):
        read(data, "mine")


def endless_bmp() -> bytes:
    """Many runs of one pixel, which Pillow decodes in Python: some seconds for 14 million."""
    width, height = 4000, 3500
    rows = (b"\1\5" * width + b"\0\0") * height + b"\0\1"
    start = 14 + 40 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + bytes(1024) + rows


@pytest.mark.skipif(not hasattr(decoder_process.signal, "SIGXCPU"), reason="no limit of CPU time on this system")
def test_a_decoder_that_takes_too_much_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "CPU_SECONDS", 1)
    with pytest.raises(TooLarge, match="'slow' must take at most 1 s to decode: save it as an ordinary JPEG or PNG"):
        read(endless_bmp(), "slow", 64)


def test_a_decoder_that_does_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "CLOCK_SECONDS", 0.01)
    with pytest.raises(TooLarge, match=r"'hung' must take at most 0\.01 s to decode"):
        read(encoded(RAMP, "BMP"), "hung")


@LIMITS_MEMORY
def test_a_decoder_that_crashes_ends_its_own_process_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "MAX_MEMORY", 1)  # in which Python cannot start to decode
    with pytest.raises((NotAnImage, TooLarge), match="'mine' "):
        read(encoded(RAMP, "BMP"), "mine")


# Quick formats --------------------------------------------------------------------------------------------------------


def process_of(decoder: decoder_process.Decoder) -> subprocess.Popen[bytes]:
    return decoder._process


@pytest.mark.parametrize("format", QUICK_FORMATS)
def test_a_quick_format_is_the_same_apart(format: str) -> None:
    data = encoded(RAMP, format)
    here = read(data, "mine", 40)
    with images.apart():
        apart = [read(data, "mine", 40) for _ in range(2)]
    assert all(np.array_equal(each.rgb, here.rgb) for each in apart)
    assert all((each.width, each.height, each.format) == (here.width, here.height, format) for each in apart)


def test_one_process_decodes_quick_formats_and_tells_errors_of_them() -> None:
    others = list(images._decoders)  # of studios that other tests of this process hold open
    with images.apart():
        first = process_of(images._decoders[-1])
        with pytest.raises(NotAnImage, match="'mine' is damaged or cut off"):
            read(encoded(RAMP, "PNG")[:200], "mine")
        assert read(encoded(RAMP, "PNG"), "mine").format == "PNG"
        assert process_of(images._decoders[-1]) is first
    assert first.poll() is not None
    assert images._decoders == others


def test_a_decoder_that_has_ended_is_replaced() -> None:
    with images.apart():
        read(encoded(RAMP, "JPEG"), "before")
        process_of(images._decoders[-1]).kill()
        process_of(images._decoders[-1]).wait()
        assert read(encoded(RAMP, "JPEG"), "after").format == "JPEG"


@LIMITS_MEMORY
def test_a_fault_in_a_decoder_is_an_error_of_that_picture_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with images.apart():
        with monkeypatch.context() as changed:
            changed.setattr(decoder_process, "MAX_MEMORY", 1)  # in which Python cannot start to decode
            with pytest.raises((NotAnImage, TooLarge), match="'mine' "):
                read(encoded(RAMP, "PNG"), "mine")
        assert read(encoded(RAMP, "PNG"), "next").format == "PNG"


@pytest.mark.skipif(not hasattr(decoder_process.signal, "SIGXCPU"), reason="no limit of CPU time on this system")
def test_a_picture_has_the_limit_of_time_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "CPU_SECONDS", 1)
    data = encoded(RAMP.resize((2000, 2000)), "PNG")
    with decoder_process.Decoder() as decoder:
        process, used = process_of(decoder), 0.0
        while used < 2.5:  # more than one picture may take
            decoder.decode(data, "mine", None, 16, 10**8, ("PNG",))
            assert process_of(decoder) is process
            times = psutil.Process(process.pid).cpu_times()
            used = times.user + times.system


def interlaced_png() -> bytes:
    """An Adam7 PNG of the most pixels, every row with the slowest filter."""
    width = height = int(MAX_PIXELS**0.5)
    packer, parts = zlib.compressobj(), []
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        row = b"\4" + bytes(3 * -(-(width - x) // across))
        parts += [packer.compress(row) for _ in range(y, height, down)]
    pixels = b"".join([*parts, packer.flush()])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def progressive_jpeg() -> bytes:
    """A JPEG of the most coefficients and scans."""
    side = int((MAX_DECODED_BYTES / 6) ** 0.5) // 8 * 8
    data = encoded(Image.new("RGB", (side, side)), "JPEG", progressive=True, subsampling=0)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (MAX_SCANS - data.count(b"\xff\xda")) + data[-2:]


def lossless_webp() -> bytes:
    side = int((MAX_DECODED_BYTES / 12) ** 0.5)
    return encoded(
        Image.effect_noise((256, 256), 90).convert("RGB").resize((side, side), 0), "WEBP", lossless=True, method=0
    )


def interlaced_gif() -> bytes:
    side = int((MAX_DECODED_BYTES / 8) ** 0.5)
    return encoded(Image.new("P", (side, side)), "GIF", interlace=1)


WORST = {"PNG": interlaced_png, "JPEG": progressive_jpeg, "WEBP": lossless_webp, "GIF": interlaced_gif}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("format", QUICK_FORMATS)
def test_the_worst_file_of_a_quick_format_is_decoded_in_bounded_time(format: str) -> None:
    data = WORST[format]()
    began = time.process_time()
    assert read(data, "worst", 64).format == format
    assert time.process_time() - began < WORST_SECONDS
