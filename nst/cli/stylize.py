"""`nst stylize`: paint a picture, or every picture of a folder, in the style of another picture."""

import argparse
import dataclasses
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from nst.cli.console import note, print_plain, progress_bar
from nst.cli.flags import add_flag, add_pictures, flags_given
from nst.cli.paths import check_not_overwritten, input_output_pairs, paint_each, write_whole
from nst.errors import InputError, OptionError
from nst.options.option_field import options_of
from nst.options.picture_roles import MOST_STYLES
from nst.options.style_options import StyleOptions
from nst.pictures import timelapse
from nst.pictures.images import FRAME_QUALITY, read_bytes, reduced_jpeg
from nst.pictures.provenance import Provenance, read_file
from nst.pictures.result_formats import RESULT_SUFFIXES, result_as
from nst.pictures.timelapse import TimelapseOptions
from nst.runs.estimates import Estimate
from nst.runs.humanize import converged, count, gigabytes, roughly
from nst.runs.job import StyleJob

if TYPE_CHECKING:
    from nst.worker.style_run import StyleRun

# The format is no flag: the suffix of the file names it.
TIMELAPSE_FLAGS = [option for option in options_of(TimelapseOptions) if option.name != "format"]
HELP = "paint a picture, or every picture in a folder"


class Timelapse(NamedTuple):
    """A timelapse to write."""

    path: Path
    options: TimelapseOptions


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_pictures(parser, "a picture, or a folder of pictures")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="PNG, JPEG or WebP to write; a folder if CONTENT is one"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument(
        "--like",
        type=Path,
        metavar="FILE.png",
        help="repeat the settings inside a result; flags given beside it win",
    )
    use = "a picture in black and white; --mask-use says what it does"
    parser.add_argument("--mask", type=Path, metavar="FILE", help=use)
    for option in options_of(StyleOptions):
        add_flag(parser, option, words=("FILE",) if option.name == "init" else ())
    metavar = f"FILE.{'|'.join(timelapse.TIMELAPSE_FORMATS)}"
    parser.add_argument("--timelapse", type=Path, metavar=metavar, help="also write how the picture forms")
    for option in TIMELAPSE_FLAGS:
        add_flag(parser, option, "timelapse_")


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    like = read_file(parsed.like) if parsed.like else None
    flags = flags_given(parsed, options_of(StyleOptions))
    options, init = _options({**(like.resolved.to_json() if like else {}), **flags})
    if len(parsed.styles) > MOST_STYLES:
        raise InputError(f"a run has at most {MOST_STYLES} paintings, got {len(parsed.styles)}")
    options.check_pictures(len(parsed.styles), masked=parsed.mask is not None)
    options.check_layers()
    moving = _timelapse(parsed)
    pairs = list(input_output_pairs(parsed.content, parsed.output, RESULT_SUFFIXES))
    check_not_overwritten(
        [*(content for content, _ in pairs), *parsed.styles, init, parsed.mask, parsed.like],
        [*(output for _, output in pairs), moving and moving.path],
    )
    repeated = _repeated(like, flags) if like else {}
    style, *more_styles = (read_bytes(path) for path in parsed.styles)
    start, mask = (read_bytes(path) if path else None for path in (init, parsed.mask))
    job = StyleJob(b"", style, options, start, tuple(more_styles), mask, **repeated)
    if like:
        content = b"" if parsed.content.is_dir() else read_bytes(parsed.content)
        for remark in _remarks(like, parsed.like.name, dataclasses.replace(job, content=content)):
            note(remark)

    def paint(content: Path, output: Path) -> None:
        one = dataclasses.replace(job, content=read_bytes(content))
        _paint(one, output, content.name, parsed.quiet, moving)

    return paint_each(pairs, parsed.content.is_dir(), paint)


def _options(given: dict[str, Any]) -> tuple[StyleOptions, Path | None]:
    """(options, picture to start from), where `init` may name a file."""
    init = given.get("init", "noise")
    if init == "image":
        raise OptionError("`init`: name the picture to start from, as --init FILE", "init")
    if init in StyleOptions.option("init").choices:
        return StyleOptions.from_json(given), None
    if not os.path.isfile(init):  # Path.is_file raises where a name is too long to be one
        raise OptionError(f"`init` must be noise, content, style or a picture's file, got {init!r}", "init")
    return StyleOptions.from_json({**given, "init": "image"}), Path(init)


def _repeated(like: Provenance, flags: Mapping[str, Any]) -> dict[str, Any]:
    """The changes and the length of the run of `like`, as parts of a job; what `flags` set is left out."""
    changes = [
        (step, {name: value for name, value in changed.items() if name not in flags}) for step, changed in like.steered
    ]
    repeated: dict[str, Any] = {"steered": tuple((step, changed) for step, changed in changes if changed)}
    if like.epochs and "epochs" not in flags:
        repeated["epochs"] = like.epochs
    return repeated


def _remarks(like: Provenance, name: str, job: StyleJob) -> Iterator[str]:
    """Lines on how the run of `job` differs from that of `like`, a result called `name`, and on what it repeats."""
    given = {role: hashlib.sha256(data).hexdigest() for role, data in job.pictures.items()}
    others = [role for role, sha in like.pictures.items() if given.get(role, sha) != sha]
    if len(like.more_styles) != len(job.more_styles):
        yield f"{name!r} was painted from {count(1 + len(like.more_styles), 'painting')}"
    if like.mask and not job.mask:
        yield f"{name!r} was painted with a mask: name it, as --mask FILE"
    if others:
        yield f"{name!r} was painted from {' and '.join(f'another {role}' for role in others)}"
    if like.branched:
        yield f"{name!r} began from a kept frame of another run; only its settings are repeated"
    if job.steered:
        yield f"{name!r} was steered while it was painted; repeated with it: {count(len(job.steered), 'change')}"
    if (job.epochs or like.options.epochs) != like.options.epochs != "auto":
        yield f"{name!r} was painted for {count(like.epochs, 'epoch')} instead of {like.options.epochs}, and so is this"


def _timelapse(parsed: argparse.Namespace) -> Timelapse | None:
    given = flags_given(parsed, TIMELAPSE_FLAGS, "timelapse_")
    path = parsed.timelapse
    if path is None:
        if given:
            raise OptionError(
                f"--timelapse-{next(iter(given))} is for a timelapse; name its file, as --timelapse FILE.mp4"
            )
        return None
    format = path.suffix.lower().removeprefix(".")
    if format not in timelapse.TIMELAPSE_FORMATS:
        raise InputError(f"the timelapse must end in .{', .'.join(timelapse.TIMELAPSE_FORMATS)}; got {path.name!r}")
    if parsed.content.is_dir():
        raise InputError("a timelapse is of one picture, but the content is a folder")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into")
    return Timelapse(path, TimelapseOptions(format, **given))


def _paint(job: StyleJob, output: Path, name: str, quiet: bool, moving: Timelapse | None) -> None:
    """Paint with a progress bar. After Ctrl-C or a diverging loss, the last picture and its timelapse are written."""
    from nst.worker.style_run import StyleRun  # loads TensorFlow, so only once the arguments have been checked

    painting = StyleRun(job)
    console = Console(stderr=True, quiet=quiet)
    print_plain(console, f"{painting.extractor} paints {name}. {painting.note}".strip())
    if not quiet:  # an estimate takes a second to measure
        print_plain(console, _expected(painting.estimate()))
    frames: list[bytes] = []
    began = time.monotonic()
    try:
        _run_epochs(painting, job.epochs, console, frames, moving.options.size if moving else 0)
    finally:
        result = painting.result()
        if painting.converged:
            print_plain(console, f"{name}: {converged(painting.provenance().epochs, painting.started().epochs)}")
        if result:
            write_whole(output, result_as(result, output.suffix))
            print_plain(console, f"{output}  {time.monotonic() - began:.0f} s")
        if moving and frames:
            final = painting.started()
            _write_timelapse(moving, frames, final.height, final.width, console)


def _run_epochs(painting: "StyleRun", epochs: int | None, console: Console, frames: list[bytes], side: int) -> None:
    """Run to the end, or for `epochs`; `frames` receives each epoch's picture unless its `side`, px, is 0."""
    with progress_bar(console) as progress:
        task = progress.add_task("starting", total=painting.options.most_epochs)
        for step in painting.steps():
            if not step.ends_epoch:
                continue
            line = (
                f"epoch {step.epoch}/{step.epochs}  {max(step.scale.height, step.scale.width)} px"
                f"  loss {step.losses.total:.3g}  {painting.seconds_left(step):.0f} s left"
            )
            progress.update(task, completed=step.epoch, total=step.epochs, description=line)
            if side:
                frames.append(reduced_jpeg(step.image, side, FRAME_QUALITY))
            if step.epoch == epochs:
                break


def _write_timelapse(moving: Timelapse, frames: list[bytes], height: int, width: int, console: Console) -> None:
    with progress_bar(console) as progress:
        task = progress.add_task("timelapse")

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        timelapse.write(moving.path, frames, height, width, moving.options, show)
    print_plain(console, moving.path)


def _expected(estimate: Estimate) -> str:
    """An estimate in words: "about 40 s and 1.1 GB"."""
    assert estimate.seconds is not None
    bound = "at most" if estimate.at_most else "about"
    tiles = ", by tiles" if estimate.tiled else ""
    return f"{bound} {roughly(estimate.seconds)} and {gigabytes(estimate.bytes)}{tiles}"
