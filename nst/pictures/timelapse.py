"""Timelapses: the frames of a run, JPEGs in order, as an MP4, WebP or GIF."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from PIL import Image

from nst.atomic_write import atomic_write
from nst.errors import InputError, NotAnImage
from nst.options.option_field import Options, declare
from nst.pictures.images import fit_within

Frame = Path | bytes  # a JPEG file, or its bytes
Progress = Callable[[int, int], None]  # called with (frames written, of how many)

TIMELAPSE_FORMATS = ("mp4", "webp", "gif")
HOLD = 1.0  # seconds that the last frame stays, at most half of the length
RATES = {"mp4": 25.0, "webp": 12.5, "gif": 12.5}  # most frames per second; GIF counts hundredths of a second
MOST_ANIMATED_PIXELS = 150 * 10**6  # of all frames of a WebP or GIF, which has about a hundred megabytes then
TICKS = 1000  # time units per second in an MP4


@dataclass(frozen=True)
class TimelapseOptions(Options):
    """Settings of one timelapse. Raises OptionError on a value out of its bounds."""

    format: str = declare(
        "mp4", "mp4 is small and smooth; webp and gif are pictures that move", "basic", choices=TIMELAPSE_FORMATS
    )
    seconds: float = declare(8.0, "length of the timelapse", "basic", low=1.0, high=60.0, step=1.0, unit="s")
    size: int = declare(
        720,
        "long side of the timelapse, which is never larger than the picture",
        "basic",
        low=64,
        high=1920,
        step=2,
        unit="px",
    )

    def sides(self, height: int, width: int) -> tuple[int, int]:
        """(height, width), px, of the timelapse of a picture of `height` x `width` px; even, as H.264 requires."""
        limited = fit_within(height, width, self.size)
        return max(2, limited[0] // 2 * 2), max(2, limited[1] // 2 * 2)


@dataclass(frozen=True)
class Pace:
    """Which frames are shown, and for how long."""

    shown: tuple[int, ...]  # numbers of frames
    each: float  # seconds of every frame but the last
    hold: float  # seconds of the last

    @property
    def durations(self) -> list[int]:
        """Milliseconds of each frame shown, in hundredths of a second, rounded so that their sum is the length."""
        begins = [round(100 * self.each * index) for index in range(len(self.shown))]
        begins.append(round(100 * (self.each * (len(self.shown) - 1) + self.hold)))
        return [10 * (end - begin) for begin, end in pairwise(begins)]


def pace(count: int, height: int, width: int, options: TimelapseOptions) -> Pace:
    """The pace of `count` >= 1 frames at `height` x `width` px.

    Of more than `RATES` and `MOST_ANIMATED_PIXELS` allow, frames at even distances are shown, the first and the last
    among them.
    """
    if count == 1:
        return Pace((0,), 0.0, options.seconds)
    hold = min(HOLD, options.seconds / 2)
    moving = options.seconds - hold
    most = int(moving * RATES[options.format]) + 1
    if options.format != "mp4":
        most = min(most, MOST_ANIMATED_PIXELS // (height * width))
    steps = max(1, min(count, most) - 1)
    return Pace(tuple(round(step * (count - 1) / steps) for step in range(steps + 1)), moving / steps, hold)


def write(
    path: Path,
    frames: Sequence[Frame],
    height: int,
    width: int,
    options: TimelapseOptions,
    progress: Progress = lambda done, total: None,
) -> None:
    """Write the timelapse of `frames` to `path`, whole or not at all.

    Args:
        path: the file, with any suffix.
        frames: JPEGs in order; smaller ones are enlarged.
        height: of the finished picture, px; see `TimelapseOptions.sides`.
        width: likewise.
        options: format, length, size.
        progress: called after each frame.

    Raises:
        InputError: there is no frame. NotAnImage: the first is missing, or one is damaged.
    """
    if not frames:
        raise InputError("a timelapse needs at least one frame, got none")
    height, width = options.sides(height, width)
    timing = pace(len(frames), height, width, options)
    pictures = _pictures(frames, timing.shown, height, width, progress)
    with atomic_write(path) as part:
        if options.format == "mp4":
            _write_mp4(part, pictures, height, width, timing)
        else:
            sequence = _FrameSequence(pictures, len(timing.shown))
            sequence.save(part, options.format, save_all=True, duration=timing.durations, loop=0, quality=85)


def _pictures(
    frames: Sequence[Frame], shown: Sequence[int], height: int, width: int, progress: Progress
) -> Iterator[Image.Image]:
    """The frames shown, decoded one by one, at `height` x `width` px.

    A file that does not exist any more, because frames were thinned out in the meantime, is replaced by the frame
    before it.
    """
    picture = None
    for done, number in enumerate(shown):
        frame = frames[number]
        name = frame.name if isinstance(frame, Path) else f"frame {number}"
        try:
            with Image.open(io.BytesIO(frame) if isinstance(frame, bytes) else frame, formats=("JPEG",)) as opened:
                picture = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        except Exception as error:  # Pillow's decoders raise errors of many kinds on damaged files
            if not (isinstance(error, FileNotFoundError) and picture):
                rule = f"{name!r} of the timelapse must be a JPEG picture, got one missing or damaged"
                raise NotAnImage(rule) from None
        progress(done + 1, len(shown))
        yield picture


def _write_mp4(path: Path, pictures: Iterator[Image.Image], height: int, width: int, timing: Pace) -> None:
    """H.264 with 4:2:0 chroma in BT.709 and the index first: every browser plays it while it loads."""
    import av  # loads FFmpeg, so only for the first MP4
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    rate = round(RATES["mp4"])
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        # Without B-frames the last packet is the last frame, which ends when the video does.
        stream = container.add_stream("libx264", rate, options={"crf": "20", "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG

        def put(picture: Image.Image, seconds: float) -> None:
            frame = av.VideoFrame.from_image(picture).reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            frame.pts, frame.time_base = round(seconds * TICKS), context.time_base
            container.mux(stream.encode(frame))

        begin = 0.0
        for number, picture in enumerate(pictures):
            begin = number * timing.each
            put(picture, begin)
        put(picture, begin + timing.hold - 1 / rate)  # a player shows the last frame for 1 / rate seconds
        container.mux(stream.encode())


class _FrameSequence(Image.Image):
    """An animation for Pillow's writers, which read it once and forward; it holds one frame at a time."""

    def __init__(self, pictures: Iterator[Image.Image], count: int) -> None:
        super().__init__()
        self._pictures, self.n_frames, self._number = pictures, count, -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Go forward to `frame`; going back has no effect. Raises EOFError after the last frame."""
        if frame >= self.n_frames:
            raise EOFError
        while self._number < frame:
            picture = next(self._pictures)
            self.im, self._mode, self._size = picture.im, picture.mode, picture.size
            self._number += 1

    def tell(self) -> int:
        """The number of the current frame."""
        return self._number
