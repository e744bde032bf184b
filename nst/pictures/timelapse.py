"""A timelapse: the frames of a run as one moving picture. It knows JPEG frames in order, not how they were painted."""

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from PIL import Image

from nst.errors import InputError, NotAnImage
from nst.options.option_field import Options, declare
from nst.pictures.images import fit

Frame = Path | bytes  # a JPEG file, or its bytes
Progress = Callable[[int, int], None]  # (frames taken, of so many)

FORMATS = ("mp4", "webp", "gif")
HOLD = 1.0  # seconds that the finished picture stays, at most half of the whole
RATES = {"mp4": 25.0, "webp": 12.5, "gif": 12.5}  # most frames a second; GIF counts hundredths of a second
MOST_PIXELS = 150 * 10**6  # of all frames of an animated picture, which is a hundred megabytes then
TICKS = 1000  # of the clock of MP4, a second


@dataclass(frozen=True)
class TimelapseOptions(Options):
    """Settings of one timelapse. Raises OptionError on a value out of its bounds."""

    format: str = declare(
        "mp4", "mp4 is small and smooth; webp and gif are pictures that move", "basic", choices=FORMATS
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
        """(height, width) in px of the timelapse of a picture of `height` x `width` px: even, as H.264 wants them."""
        limited = fit(height, width, min(self.size, max(height, width)))
        return max(2, limited[0] // 2 * 2), max(2, limited[1] // 2 * 2)


@dataclass(frozen=True)
class Pace:
    """Which of a run's frames are shown, and how long: each `each` seconds, but the last `hold` seconds."""

    shown: tuple[int, ...]
    each: float
    hold: float

    @property
    def durations(self) -> list[int]:
        """Milliseconds of each frame shown, in whole hundredths of a second, whose sum is that of the whole."""
        begins = [round(100 * self.each * place) for place in range(len(self.shown))]
        begins.append(round(100 * (self.each * (len(self.shown) - 1) + self.hold)))
        return [10 * (end - begin) for begin, end in pairwise(begins)]


def pace(count: int, height: int, width: int, options: TimelapseOptions) -> Pace:
    """The pace of `count` frames, at least one, at `height` x `width` px.

    Where there are more than run smoothly, some are dropped evenly, but never the first or the last.
    """
    if count == 1:
        return Pace((0,), 0.0, options.seconds)
    hold = min(HOLD, options.seconds / 2)
    moving = options.seconds - hold
    most = int(moving * RATES[options.format]) + 1
    if options.format != "mp4":
        most = min(most, MOST_PIXELS // (height * width))
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
    """Write the timelapse of `frames` to `path`, which appears whole or not at all.

    Args:
        path: the file; its name need not tell the format.
        frames: JPEG, in order; smaller ones are enlarged.
        height: of the finished picture, px; the timelapse has `options.sides` of it.
        width: as `height`.
        options: format, length, size.
        progress: called as each frame is taken.

    Raises:
        InputError: there is no frame. NotAnImage: one is missing, damaged or cut off.
    """
    if not frames:
        raise InputError("a timelapse needs at least one frame, got none")
    height, width = options.sides(height, width)
    timing = pace(len(frames), height, width, options)
    pictures = _pictures(frames, timing.shown, height, width, progress)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / "timelapse"
        if options.format == "mp4":
            _write_mp4(made, pictures, height, width, timing)
        else:
            reel = _Reel(pictures, len(timing.shown))
            reel.save(made, options.format, save_all=True, duration=timing.durations, loop=0, quality=85)
        made.replace(path)


def _pictures(
    frames: Sequence[Frame], shown: Sequence[int], height: int, width: int, progress: Progress
) -> Iterator[Image.Image]:
    """The frames shown, decoded one by one, at `height` x `width` px.

    For one that was thinned out meanwhile, the one before stands: the first never is.
    """
    picture = None
    for done, number in enumerate(shown):
        frame = frames[number]
        name = frame.name if isinstance(frame, Path) else f"frame {number}"
        try:
            with Image.open(io.BytesIO(frame) if isinstance(frame, bytes) else frame, formats=("JPEG",)) as opened:
                picture = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        except Exception as error:  # Pillow's decoders raise whatever their parsing stumbles on
            if not (isinstance(error, FileNotFoundError) and picture):
                rule = f"{name!r} of the timelapse must be a JPEG picture, got one missing or damaged"
                raise NotAnImage(rule) from None
        progress(done + 1, len(shown))
        yield picture


def _write_mp4(path: Path, pictures: Iterator[Image.Image], height: int, width: int, timing: Pace) -> None:
    """H.264 with 4:2:0 colours in BT.709, the index before the pictures: what every browser plays while it loads."""
    import av  # loads FFmpeg, which nothing else here needs
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    rate = round(RATES["mp4"])
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        # Without B-frames the last packet is the last frame, whose end is that of the whole.
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


class _Reel(Image.Image):
    """A moving picture for Pillow's writers, which holds one frame at a time. They read it once, forward."""

    def __init__(self, pictures: Iterator[Image.Image], count: int) -> None:
        super().__init__()
        self._pictures, self.n_frames, self._at = pictures, count, -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Go forward to `frame`; a frame already passed changes nothing. Raises EOFError after the last."""
        if frame >= self.n_frames:
            raise EOFError
        while self._at < frame:
            picture = next(self._pictures)
            self.im, self._mode, self._size = picture.im, picture.mode, picture.size
            self._at += 1

    def tell(self) -> int:
        """The number of the frame at hand."""
        return self._at
