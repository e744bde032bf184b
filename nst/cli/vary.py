"""`nst vary`: paint a picture with several values of one or two options, as a contact sheet of quick runs."""

import argparse
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from rich.console import Console
from rich.progress import Progress

from nst.cli.console import print_plain, progress_bar
from nst.cli.flags import add_flag, add_pictures, flags_given
from nst.cli.paths import check_not_overwritten, check_output, write_whole
from nst.errors import InputError, OptionError
from nst.options.option_field import option_text, with_new_names
from nst.options.picture_roles import MOST_STYLES, as_fields, by_role
from nst.options.style_options import StyleOptions
from nst.options.variations import MOST_RUNS, OPTIONS, QUICK_EPOCHS, QUICK_SIZE, Variations
from nst.pictures import images
from nst.pictures.contact_sheet import SHEET_QUALITY, grid_sheet
from nst.pictures.images import fit
from nst.runs.job import StyleJob

HELP = "paint with several values of one or two options, as a contact sheet"
SHEET_SUFFIXES = (".jpg", ".jpeg", ".png")  # of the sheet


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_pictures(parser, "a picture")
    parser.add_argument(
        "--vary",
        action="append",
        required=True,
        metavar="OPTION=VALUE,VALUE",
        help="an option and its values, separated by commas, layers by semicolons, or style=1,2 for each painting "
        f"alone; give a second one for rows and columns; at most {MOST_RUNS} runs",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="contact sheet to write, JPEG or PNG")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="also write each picture there, as PNG")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    for option in OPTIONS.values():
        add_flag(parser, option)


def run(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    grid = _variations(parsed)
    check_output(parsed.output, SHEET_SUFFIXES)
    files = _files(grid, parsed.folder)
    check_not_overwritten([parsed.content, *parsed.styles], [parsed.output, *files])
    if parsed.folder:
        parsed.folder.mkdir(parents=True, exist_ok=True)
    given = by_role(images.read_bytes(parsed.content), map(images.read_bytes, parsed.styles), None)
    picture = images.read(given["content"], parsed.content.name, grid.size)
    height, width = fit(picture.height, picture.width, grid.size)
    runs = grid.changes()
    pictures: list[Image.Image | None] = [None] * len(runs)
    titles = grid.titles(by_role("", (path.stem for path in parsed.styles), None))
    console = Console(stderr=True, quiet=parsed.quiet)
    with progress_bar(console) as progress:
        for number, changes in enumerate(runs):
            job = StyleJob(options=grid.quick(changes), **as_fields(grid.pictures_of(changes, given)))
            result = _paint(job, _title(changes, number, len(runs)), progress)
            if files:
                write_whole(files[number], result)
            with Image.open(io.BytesIO(result)) as painted:
                pictures[number] = painted.convert("RGB")
            # After each run, so that Ctrl-C leaves a sheet of what is there.
            _write_sheet(parsed.output, pictures, titles, (width, height))
    print_plain(console, parsed.output)
    return 0


def _variations(parsed: argparse.Namespace) -> Variations:
    """The grid that the flags describe. Raises OptionError."""
    vary: dict[str, str] = {}
    for text in parsed.vary:
        name, sign, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign:
            raise OptionError(f"--vary must look like strength=0.5,1,2; got {text!r}")
        if name in vary:
            raise OptionError(f"--vary names {name} twice: give all its values at once")
        vary[name] = values
    given = flags_given(parsed, OPTIONS.values())
    vary = with_new_names(vary, OPTIONS.values())
    if both := [name for name in given if name in vary]:
        raise OptionError(f"`{both[0]}` is varied and set at once: drop --{both[0].replace('_', '-')}", both[0])
    options = StyleOptions.from_json(given)
    sizes = {"size": options.size if "size" in given else QUICK_SIZE}
    epochs = {"epochs": options.epochs if "epochs" in given else QUICK_EPOCHS}
    grid = Variations.parse(options, vary, **sizes, **epochs)
    if len(parsed.styles) > MOST_STYLES:
        raise InputError(f"a run has at most {MOST_STYLES} paintings, got {len(parsed.styles)}")
    grid.check_pictures(len(parsed.styles), masked=False)
    quick = [grid.quick(changes) for changes in grid.changes()]
    for each in quick:
        each.check_layers()
    if any(each.init == "image" for each in quick):
        raise OptionError("`init` must be noise, content or style here, got 'image'", "init")
    return grid


def _files(grid: Variations, folder: Path | None) -> list[Path]:
    """The file of each picture, named after what varies; none without a folder."""
    if folder is None:
        return []
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--folder must name a folder, and {str(folder)!r} is a file")
    return [folder / f"{_name(changes)}.png" for changes in grid.changes()]


def _name(changes: Mapping[str, Any]) -> str:
    parts = [f"{name}-{option_text(value)}" for name, value in changes.items()]
    return re.sub(r"[^\w.=,-]", "-", "--".join(parts))


def _title(changes: Mapping[str, Any], number: int, count: int) -> str:
    what = ", ".join(f"{name} {option_text(value)}" for name, value in changes.items())
    return f"{number + 1} of {count}: {what}"


def _paint(job: StyleJob, title: str, progress: Progress) -> bytes:
    """The result of one run, a PNG file. Raises NstError."""
    from nst.worker.style_run import StyleRun  # loads TensorFlow, so only once the arguments have been checked

    painting = StyleRun(job)
    task = progress.add_task(title, total=job.options.most_epochs)
    for step in painting.steps():
        if step.ends_epoch:
            progress.update(task, completed=step.epoch)
    progress.remove_task(task)
    return painting.result()


def _write_sheet(
    output: Path,
    pictures: Sequence[Image.Image | None],
    titles: tuple[Sequence[str], Sequence[str]],
    empty: tuple[int, int],
) -> None:
    """Write the sheet of what is painted so far, with `titles` of its rows and columns.

    `empty` is (width, height) of a picture, px.
    """
    rows, columns = titles
    side = max(*empty, *(max(each.size) for each in pictures if each))
    picture = grid_sheet(pictures, rows, columns, side, empty)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG" if output.suffix.lower() == ".png" else "JPEG", quality=SHEET_QUALITY)
    write_whole(output, encoded.getvalue())
