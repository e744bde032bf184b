"""`nst train`: from pictures of styles and a folder of photos to a style file.

A folder beside the result, NAME.training, holds a checkpoint, previews and a report page; the same command again goes
on from there. The first Ctrl-C, or a SIGTERM, ends the training after its step and keeps the styles as they are, with
exit status 130; a second one ends it at once. TensorFlow need not be there if KERAS_BACKEND names another one.
"""

import argparse
import dataclasses
import hashlib
import importlib
import os
import platform
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from nst import __version__
from nst.cli.flags import add_flag, check_output, flags_given, tell
from nst.errors import ImageError, InputError, OptionError, StyleError
from nst.options.option_field import options_of
from nst.options.train_options import TrainOptions
from nst.pictures.images import fit, read, read_bytes, resize, thumbnail
from nst.runs.humanize import duration, roughly
from nst.runs.schedule import SHORTEST
from nst.styles.style_file import PLANS, SUFFIX, Plan, Style, StyleFile, check_name, check_title, name_of
from nst.styles.style_library import SHIPPED, Library, user_library
from nst.styles.training_folder import Lesson, TrainingFolder

if TYPE_CHECKING:
    from nst.engine.train import Previewed, Training
    from nst.engine.transformer import Transformer

LEAST = 64  # px, each side of a style's picture
HELP = "train fast styles of your own"
THUMBNAIL = 256  # px, long side of the picture in the style file


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("styles", nargs="+", metavar="STYLE", help="a picture to learn from, or NAME=PICTURE")
    parser.add_argument("--photos", type=Path, required=True, metavar="FOLDER", help="photos to train on")
    parser.add_argument(
        "-o", "--output", type=Path, metavar=f"FILE{SUFFIX}", help="write this instead of adding to `nst styles`"
    )
    parser.add_argument(
        "--new", action="store_true", help="train a network of their own instead of adding them to the shipped one"
    )
    parser.add_argument("--title", help="what people are shown, of one style (default: its name)")
    parser.add_argument("--restart", action="store_true", help="begin anew where an earlier training could go on")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    for option in options_of(TrainOptions):
        add_flag(parser, option)


def run(parsed: argparse.Namespace) -> int:
    """Train what the arguments say; returns the exit status."""
    options = TrainOptions.from_json(flags_given(parsed, options_of(TrainOptions)))
    lessons = lessons_of(parsed.styles, parsed.title, options.style_size)
    styles = user_library()
    if parsed.output:
        check_output(parsed.output, (SUFFIX,))
        folder = parsed.output.with_suffix(".training")
    else:
        _check_free(styles, lessons)
        folder = styles.folder / f"{lessons[0].name}.training"
    base = PLANS["studio"] if parsed.new else StyleFile.from_bytes(SHIPPED.read_bytes(), SHIPPED.name)
    file, ended = train(lessons, parsed.photos, base, options, folder, restart=parsed.restart, quiet=parsed.quiet)
    if parsed.output:
        parsed.output.write_bytes(file.to_bytes())
    else:
        styles.add(file.to_bytes(), instead=True)
    print(parsed.output or "\n".join(file.styles))
    return 0 if ended else 130


def train(
    lessons: Sequence[Lesson],
    photos: Path,
    base: StyleFile | Plan,
    options: TrainOptions,
    folder: Path,
    *,
    restart: bool = False,
    quiet: bool = True,
) -> tuple[StyleFile, bool]:
    """Learn styles, with all that can be seen of it in `folder`; go on from there if it has this training.

    Args:
        lessons: the styles.
        photos: the folder of photos.
        base: a network that gets the styles and is not changed itself, or the plan of a new one.
        options: how, and for how long.
        folder: of the checkpoint, the previews and the report; made if it is not there.
        restart: begin anew whatever is in it.
        quiet: no progress bar.

    Returns:
        (the network with these styles, whether it came to its end; False if it was interrupted).

    Raises:
        InputError: no photos, or the folder has another training, or a damaged one.
        WeightsError: the loss network is not there. Diverged: the loss became NaN again and again.
    """
    from nst.engine.photos import Photos

    found = Photos(photos, options.crop, options.seed, tell)  # before TensorFlow loads, which takes seconds
    try:
        from nst.engine.networks import choose_extractor
        from nst.engine.train import Previewed, Retreated, Trained, Training
    except (ImportError, ValueError) as error:  # it is not installed, or there is none of that name
        said = str(error).partition("\n")[0]
        raise InputError(f"KERAS_BACKEND is {os.environ.get('KERAS_BACKEND')!r}, which does not load: {said}") from None

    extractor, note = choose_extractor(options.extractor, precision="float32", best="vgg16")
    options = options.settled(extractor.architecture.name, adding=isinstance(base, StyleFile))
    if note:
        tell(note)
    shelf = TrainingFolder(folder, lessons, base, found, options, _machine())
    checkpoint = shelf.open(restart)
    pictures = [lesson.picture for lesson in lessons]
    network = _transformer(base, lessons, options.seed)
    training = Training(network, pictures, found, extractor, options, only_styles=isinstance(base, StyleFile))
    if checkpoint:
        _take_up(training, checkpoint, folder)
    console = Console(stderr=True, quiet=quiet)

    def look(preview: Previewed) -> None:
        shelf.keep(preview.pictures, training.history, training.state())
        line = f"step {preview.step}, {duration(preview.seconds)}: on photos held out, {_losses(preview.losses)}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    try:
        with _progress(console) as progress, _asked_to_end() as asked:
            task = progress.add_task("starting", total=1.0)
            if not training.history:
                _look_once(training, look)
            for record in training.records():
                if isinstance(record, Trained):
                    line = f"step {record.step}  {_losses(record.losses)}  {roughly(record.left)} left"
                    done = record.seconds / (record.seconds + record.left)
                    progress.update(task, completed=done, description=line)
                elif isinstance(record, Previewed):
                    look(record)
                elif isinstance(record, Retreated):
                    tell(f"the loss became NaN: back to step {record.step}, with steps {record.rate:g} times as large")
                if asked.is_set():
                    tell(f"interrupted after step {training.step}: the styles stay as they are")
                    break
            if training.step > training.history[-1].step:
                _look_once(training, look)
    finally:
        shelf.close(training.history)
    told = shelf.provenance(training.history[-1])
    styles = {
        lesson.name: Style(lesson.title, provenance={"picture": lesson.sha256, **told}, picture=lesson.thumbnail)
        for lesson in lessons
    }
    return network.file(styles), not asked.is_set()


def lessons_of(texts: Sequence[str], title: str | None, side: int) -> list[Lesson]:
    """The styles to learn, their pictures' long sides `side` px. Raises InputError."""
    if title and len(texts) > 1:
        raise OptionError(f"--title is for one style, got {len(texts)}")
    lessons: dict[str, Lesson] = {}
    for text in texts:
        name, path = _named(text)
        if name in lessons:
            raise OptionError(f"two styles are called {name!r}; name one of them otherwise, as NAME=PICTURE")
        data = read_bytes(path)
        rgb = read(data, path.name, side, least=LEAST).rgb
        height, width = fit(rgb.shape[0], rgb.shape[1], side)
        if min(height, width) < SHORTEST:
            rule = f"must have sides of at least {SHORTEST} px at `style_size` {side}"
            raise ImageError(f"{path.name!r} {rule}, got {width} x {height} px")
        shown = check_title(title or name.replace("-", " ").title())
        sha256 = hashlib.sha256(data).hexdigest()
        lessons[name] = Lesson(name, shown, resize(rgb, height, width), thumbnail(data, THUMBNAIL), sha256)
    return list(lessons.values())


def _named(text: str) -> tuple[str, Path]:
    """("starry-night", path) from "starry-night=FILE", or from a file of such a name. Raises StyleError."""
    name, sign, path = text.partition("=")
    if sign and not os.path.exists(text):
        return check_name(name), Path(path)
    name = name_of(Path(text).stem)
    if not name:
        raise StyleError(f"{Path(text).name!r} gives no name for a style; give one, as NAME=PICTURE")
    return name, Path(text)


def _check_free(styles: Library, lessons: Sequence[Lesson]) -> None:
    """Raise StyleError if a name is taken by a style that did not learn from the same picture here."""
    there = {entry.name: entry for entry in styles.entries()}
    for lesson in lessons:
        entry = there.get(lesson.name)
        if entry and (entry.shipped or entry.style.provenance.get("picture") != lesson.sha256):
            raise StyleError(f"there is a style {lesson.name!r} already; name this one otherwise, as NAME=PICTURE")


def _transformer(base: StyleFile | Plan, lessons: Sequence[Lesson], seed: int) -> "Transformer":
    """What is trained: a new network, or that of `base`, whose new styles begin as the mean of those it has."""
    from nst.engine.transformer import Transformer

    if isinstance(base, Plan):
        return Transformer(base, len(lessons), seed)
    mean = np.mean([style.vector for style in base.styles.values()], axis=0)
    return Transformer.of(dataclasses.replace(base, styles={one.name: Style(one.title, mean) for one in lessons}))


def _take_up(training: "Training", checkpoint: bytes, folder: Path) -> None:
    try:
        training.take_up(checkpoint)
    except InputError as error:
        raise InputError(f"{str(folder)!r}: {error}; --restart begins anew") from None
    tell(f"the training in {str(folder)!r} goes on after step {training.step}")


def _look_once(training: "Training", look: Callable[["Previewed"], None]) -> None:
    """A preview between those that the training makes."""
    preview = training.preview()
    training.history.append(preview)
    look(preview)


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM; the second one interrupts."""
    asked = threading.Event()

    def ask(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        os.write(2, b"\nnst: the training ends after this step; once more, and it ends at once\n")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress(console: Console) -> Progress:
    return Progress(SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), console=console, transient=True)


def _losses(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {losses[name]:.3g}" for name in ("content", "style", "tv"))


def _machine() -> dict[str, str]:
    """What it is trained with, in words."""
    from nst.engine.backend import keras

    backend = keras.backend.backend()
    return {
        "nst": __version__,
        "Python": platform.python_version(),
        "Keras": keras.version(),
        backend: importlib.import_module(backend).__version__,
        "devices": ", ".join(keras.distribution.list_devices()),
        "processor": f"{platform.machine()}, {os.cpu_count()} threads",
    }
