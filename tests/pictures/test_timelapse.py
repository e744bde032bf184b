import io
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from nst.errors import InputError, NotAnImage, OptionError
from nst.options.option_field import options_of
from nst.pictures.timelapse import HOLD, MOST_ANIMATED_PIXELS, RATES, TIMELAPSE_FORMATS, TimelapseOptions, pace, write

modest = settings(derandomize=True, deadline=None, max_examples=200)
HEIGHT, WIDTH = 72, 96
COUNT = 6


def frame(number: int, side: int = WIDTH) -> bytes:
    """A ramp whose colour tells its number, of long side `side`."""
    ramp = np.linspace(0, 255, WIDTH)[None, :].repeat(HEIGHT, 0)
    colour = np.stack([ramp, np.full_like(ramp, 40 * number), 255 - ramp], -1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colour).resize((side, side * HEIGHT // WIDTH)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


FRAMES = [frame(number, WIDTH // 2 if number < 2 else WIDTH) for number in range(COUNT)]


def decoded(path: Path) -> tuple[list[Image.Image], list[float]]:
    """(pictures, seconds at which each begins, then the end)."""
    if path.suffix == ".mp4":
        with av.open(path) as container:
            shown = [(picture.to_image(), picture.time) for picture in container.decode(video=0)]
            pictures, begins = (list(column) for column in zip(*shown, strict=True))
            return pictures, [*begins, container.duration / av.time_base]
    with Image.open(path) as animation:
        pictures, begins = [], [0.0]
        for number in range(animation.n_frames):
            animation.seek(number)
            pictures.append(animation.convert("RGB"))
            begins.append(begins[-1] + animation.info["duration"] / 1000)
        return pictures, begins


def difference(picture: Image.Image, jpeg: bytes) -> float:
    """Mean absolute difference, of 255, from a frame at the picture's size."""
    expected = Image.open(io.BytesIO(jpeg)).resize(picture.size, Image.Resampling.LANCZOS)
    return float(np.asarray(ImageChops.difference(picture, expected)).mean())


@pytest.mark.parametrize("format", TIMELAPSE_FORMATS)
def test_a_timelapse_shows_every_frame_and_holds_the_last(format, tmp_path):
    path, calls = tmp_path / f"animation.{format}", []
    write(path, FRAMES, HEIGHT, WIDTH, TimelapseOptions(format, 4.0), lambda *now: calls.append(now))
    pictures, begins = decoded(path)
    if format == "mp4":  # the last frame comes twice, so that it is held
        assert difference(pictures.pop(), FRAMES[-1]) < 8
        del begins[-2]
    assert len(pictures) == COUNT
    assert {picture.size for picture in pictures} == {(WIDTH, HEIGHT)}
    assert begins == pytest.approx([0, 0.6, 1.2, 1.8, 2.4, 3.0, 4.0])
    for picture, jpeg in zip(pictures, FRAMES, strict=True):
        assert difference(picture, jpeg) < 8
    assert calls == [(done, COUNT) for done in range(1, COUNT + 1)]
    assert list(tmp_path.iterdir()) == [path]


def test_the_video_has_the_format_that_browsers_play_while_it_loads(tmp_path):
    path = tmp_path / "animation.mp4"
    write(path, FRAMES, HEIGHT + 1, WIDTH + 1, TimelapseOptions())
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)  # BT.709, 16..235
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_an_animated_picture_loops_without_end(format, tmp_path):
    write(tmp_path / "animation", FRAMES, HEIGHT, WIDTH, TimelapseOptions(format))
    with Image.open(tmp_path / "animation") as animation:
        assert (animation.format, animation.info["loop"]) == (format.upper(), 0)


@pytest.mark.parametrize("format", TIMELAPSE_FORMATS)
def test_a_single_frame_is_shown_for_the_whole_length(format, tmp_path):
    path = tmp_path / f"animation.{format}"
    write(path, FRAMES[:1], HEIGHT, WIDTH, TimelapseOptions(format, 2.0))
    pictures, begins = decoded(path)
    assert difference(pictures[0], FRAMES[0]) < 8
    if format == "mp4":
        assert begins[-1] == pytest.approx(2.0)


def test_frames_may_be_files(tmp_path):
    files = [tmp_path / f"{number}.jpg" for number in range(COUNT)]
    for file, data in zip(files, FRAMES, strict=True):
        file.write_bytes(data)
    for name, frames in (("of-files", files), ("of-bytes", FRAMES)):
        write(tmp_path / name, frames, HEIGHT, WIDTH, TimelapseOptions("gif"))
    assert (tmp_path / "of-files").read_bytes() == (tmp_path / "of-bytes").read_bytes()


@pytest.mark.parametrize("format", TIMELAPSE_FORMATS)
@pytest.mark.parametrize("damaged", [b"", b"no picture", FRAMES[3][:400]])
def test_a_damaged_frame_is_named_and_no_file_is_left(format, damaged, tmp_path):
    path = tmp_path / "animation"
    path.write_bytes(b"an earlier one")
    with pytest.raises(NotAnImage, match=r"^'frame 3' of the timelapse must be a JPEG picture, got .*$"):
        write(path, [*FRAMES[:3], damaged, *FRAMES[4:]], HEIGHT, WIDTH, TimelapseOptions(format))
    assert path.read_bytes() == b"an earlier one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_frame_is_named(tmp_path):
    with pytest.raises(NotAnImage, match=r"'7\.jpg' of the timelapse"):
        write(tmp_path / "animation.mp4", [tmp_path / "7.jpg"], HEIGHT, WIDTH, TimelapseOptions())


def test_no_frames_make_no_timelapse(tmp_path):
    with pytest.raises(InputError, match="at least one frame, got none"):
        write(tmp_path / "animation.mp4", [], HEIGHT, WIDTH, TimelapseOptions())


@modest
@given(
    count=st.integers(1, 3000),
    sides=st.tuples(st.integers(1, 4096), st.integers(1, 4096)),
    format=st.sampled_from(TIMELAPSE_FORMATS),
    seconds=st.floats(1, 60),
    size=st.integers(64, 1920),
)
def test_a_timelapse_has_its_length_within_the_limits(count, sides, format, seconds, size):
    options = TimelapseOptions(format, seconds, size)
    height, width = options.sides(*sides)
    assert height % 2 == width % 2 == 0
    assert 2 <= max(height, width) <= max(2, min(size, max(sides)))
    timing = pace(count, height, width, options)
    shown = timing.shown
    assert shown[0] == 0
    assert shown[-1] == count - 1
    gaps = {later - earlier for earlier, later in pairwise(shown)}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)
    assert timing.each * (len(shown) - 1) + timing.hold == pytest.approx(seconds)
    assert count == 1 or timing.each >= (1 - 1e-9) / RATES[format]
    assert count == 1 or timing.hold == min(HOLD, seconds / 2)
    assert sum(timing.durations) == pytest.approx(1000 * seconds, abs=5.001)
    assert min(timing.durations) >= 30
    if format != "mp4":
        assert len(shown) * height * width <= max(MOST_ANIMATED_PIXELS, 2 * height * width)


BAD = {
    "format": ("avi", r"`format` must be one of mp4, webp, gif; got 'avi'"),
    "seconds": (61, r"`seconds` must be a number between 1 and 60, got 61"),
    "size": (63, r"`size` must be a whole number between 64 and 1920, got 63"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_option_out_of_its_bounds_is_refused_by_its_rule(name, tmp_path):
    value, words = BAD[name]
    with pytest.raises(OptionError, match=words) as caught:
        TimelapseOptions(**{name: value})
    assert caught.value.option == name


def test_the_options_are_declared_as_those_of_a_painting():
    defaults = {option.name: option.check(option.default) for option in options_of(TimelapseOptions)}
    assert TimelapseOptions(**defaults) == TimelapseOptions()
