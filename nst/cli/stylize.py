"""`nst stylize`: from files and flags to a picture, or one for each in a folder. The other commands are in cli.py."""

import argparse
import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from nst.cli.flags import add_flag, check_kept, flags_given, tell, to_paint
from nst.errors import InputError, NstError, OptionError
from nst.humanize import converged, count, gigabytes, roughly
from nst.options.option_field import options_of
from nst.options.style_options import StyleOptions
from nst.pictures import timelapse
from nst.pictures.images import Array, encode_jpeg, fit, read_bytes, resize
from nst.pictures.provenance import Provenance, read_file
from nst.pictures.timelapse import TimelapseOptions
from nst.runs.estimates import Estimate
from nst.runs.job import StyleJob

FRAME_QUALITY = 88  # JPEG
FILM_OPTIONS = [option for option in options_of(TimelapseOptions) if option.name != "format"]  # its suffix tells that

Film = tuple[Path, TimelapseOptions]

HELP = "paint a picture, or every picture in a folder"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("content", type=Path, metavar="CONTENT", help="a picture, or a folder of pictures")
    parser.add_argument("style", type=Path, metavar="STYLE", help="the picture whose manner to take")
    parser.add_argument("-o", "--output", type=Path, required=True, help="PNG to write; a folder if CONTENT is one")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument(
        "--like",
        type=Path,
        metavar="FILE.png",
        help="repeat the settings inside a result; flags given beside it win",
    )
    for option in options_of(StyleOptions):
        add_flag(parser, option, words=("FILE",) if option.name == "init" else ())
    metavar = f"FILE.{'|'.join(timelapse.FORMATS)}"
    parser.add_argument("--timelapse", type=Path, metavar=metavar, help="also write how the picture forms")
    for option in FILM_OPTIONS:
        add_flag(parser, option, "timelapse_")


def run(parsed: argparse.Namespace) -> int:
    """Paint what the arguments say; returns the exit status."""
    like = read_file(parsed.like) if parsed.like else None
    flags = flags_given(parsed, options_of(StyleOptions))
    options, init = _options({**(like.settled.to_json() if like else {}), **flags})
    film = _film(parsed)
    jobs = list(to_paint(parsed.content, parsed.output))
    check_kept(
        [*(content for content, _ in jobs), parsed.style, init, parsed.like],
        [*(output for _, output in jobs), film and film[0]],
    )
    repeated = _repeated(like, flags) if like else {}
    job = StyleJob(b"", read_bytes(parsed.style), options, init=read_bytes(init) if init else None, **repeated)
    if like:
        only = b"" if parsed.content.is_dir() else read_bytes(parsed.content)
        for remark in _remarks(like, parsed.like.name, dataclasses.replace(job, content=only)):
            tell(remark)
    status = 0
    for content, output in jobs:
        try:
            one = dataclasses.replace(job, content=read_bytes(content))
            _paint(one, output, content.name, parsed.quiet, film)
        except NstError as error:
            if not parsed.content.is_dir():
                raise
            # the other pictures of the folder are still painted
            tell(f"{content.name}: {error}")
            status = max(status, 2 if isinstance(error, InputError) else 1)
    return status


def _options(given: dict[str, Any]) -> tuple[StyleOptions, Path | None]:
    """(options, picture to start from); `init` takes a choice or a file."""
    start = given.get("init", "noise")
    if start == "image":
        raise OptionError("`init`: name the picture to start from, as --init FILE", "init")
    if start in StyleOptions.choices("init"):
        return StyleOptions.from_json(given), None
    if not os.path.isfile(start):  # Path.is_file raises where a name is too long to be one
        raise OptionError(f"`init` must be noise, content, style or a picture's file, got {start!r}", "init")
    return StyleOptions.from_json({**given, "init": "image"}), Path(start)


def _repeated(like: Provenance, flags: Mapping[str, Any]) -> dict[str, Any]:
    """What happened while the picture was painted, as a job has it; flags come before that, too."""
    kept = [
        (step, {name: value for name, value in changes.items() if name not in flags}) for step, changes in like.steered
    ]
    repeated: dict[str, Any] = {"steered": tuple((step, changes) for step, changes in kept if changes)}
    if like.epochs and "epochs" not in flags:
        repeated["epochs"] = like.epochs
    return repeated


def _remarks(like: Provenance, name: str, job: StyleJob) -> Iterator[str]:
    """What to know of a picture that `job` paints like the one called `name`."""
    known = {"content": (like.content, job.content), "style": (like.style, job.style), "init": (like.init, job.init)}
    others = [what for what, (sha, data) in known.items() if sha and data and sha != hashlib.sha256(data).hexdigest()]
    if others:
        yield f"{name!r} was painted from {' and '.join(f'another {what}' for what in others)}"
    if like.branched:
        yield f"{name!r} began from a kept frame of another run; only its settings are repeated"
    if job.steered:
        yield f"{name!r} was steered while it was painted; repeated with it: {count(len(job.steered), 'change')}"
    if (job.epochs or like.options.epochs) != like.options.epochs != "auto":
        yield f"{name!r} was painted for {count(like.epochs, 'epoch')} instead of {like.options.epochs}, and so is this"


def _film(parsed: argparse.Namespace) -> Film | None:
    """(file, options) of the timelapse."""
    given = flags_given(parsed, FILM_OPTIONS, "timelapse_")
    path = parsed.timelapse
    if path is None:
        if given:
            raise OptionError(
                f"--timelapse-{next(iter(given))} is for a timelapse; name its file, as --timelapse FILE.mp4"
            )
        return None
    format = path.suffix.lower().removeprefix(".")
    if format not in timelapse.FORMATS:
        raise InputError(f"the timelapse must end in .{', .'.join(timelapse.FORMATS)}; got {path.name!r}")
    if parsed.content.is_dir():
        raise InputError("a timelapse is of one picture, but the content is a folder")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into")
    return path, TimelapseOptions(format, **given)


def _paint(job: StyleJob, output: Path, name: str, quiet: bool, film: Film | None) -> None:
    """Paint with a progress bar; Ctrl-C and a diverging loss keep the picture so far, and its timelapse."""
    from nst.worker.style_run import StyleRun  # TensorFlow loads here, after the arguments are known to be good

    painting = StyleRun(job)
    console = Console(stderr=True, quiet=quiet)
    console.print(f"{painting.extractor} paints {name}. {painting.note}".strip(), highlight=False, markup=False)
    if not quiet:  # to measure the machine takes a second
        console.print(_expectation(painting.estimate()), highlight=False, markup=False)
    frames = []
    try:
        with _progress(console) as progress:
            task = progress.add_task("starting", total=painting.options.most_epochs)
            for step in painting.steps():
                if not step.ends_epoch:
                    continue
                line = (
                    f"epoch {step.epoch}/{step.epochs}  {max(step.scale.height, step.scale.width)} px"
                    f"  loss {step.losses.total:.3g}  {painting.seconds_left(step):.0f} s left"
                )
                progress.update(task, completed=step.epoch, total=step.epochs, description=line)
                if film:
                    frames.append(_frame(step.image, film[1].size))
                if step.epoch == job.epochs:  # the picture to repeat was stopped there
                    break
    finally:
        result = painting.result()
        if painting.converged:
            remark = converged(painting.provenance().epochs, painting.started().epochs)
            console.print(f"{name}: {remark}", highlight=False, markup=False)
        if result:
            output.write_bytes(result)
            console.print(f"{output}  {painting.seconds:.0f} s", highlight=False, markup=False)
        if film and frames:
            final = painting.started()
            _write_film(film, frames, final.height, final.width, console)


def _progress(console: Console) -> Progress:
    return Progress(SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), console=console, transient=True)


def _frame(image: Array, side: int) -> bytes:
    """`image` ([H, W, 3], 0..1) as JPEG, no larger than a timelapse of that long side needs it."""
    height, width = image.shape[:2]
    return encode_jpeg(resize(image, *fit(height, width, min(side, max(height, width)))), FRAME_QUALITY)


def _write_film(film: Film, frames: list[bytes], height: int, width: int, console: Console) -> None:
    path, options = film
    with _progress(console) as progress:
        task = progress.add_task("timelapse")
        timelapse.write(
            path, frames, height, width, options, lambda done, total: progress.update(task, completed=done, total=total)
        )
    console.print(path, highlight=False, markup=False)


def _expectation(estimate: Estimate) -> str:
    """What a painting will take, in words."""
    assert estimate.seconds is not None
    sooner = "at most" if estimate.at_most else "about"
    tiles = ", by tiles" if estimate.tiled else ""
    return f"{sooner} {roughly(estimate.seconds)} and {gigabytes(estimate.bytes)}{tiles}"
