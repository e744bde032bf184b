"""`nst train`: from pictures of styles and a folder of photos to a style file.

A folder beside the result, NAME.training, holds a checkpoint, previews and a report page; the same command continues
from it. The first Ctrl-C or SIGTERM ends the training after the current step and keeps the styles as they are, with
exit status 130; the second one ends it at once. Where KERAS_BACKEND names another backend, TensorFlow is not needed.
"""

import argparse
import dataclasses
import importlib
import os
import platform
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from nst import __version__
from nst.cli.console import note, print_plain, progress_bar
from nst.cli.flags import add_flag, flags_given
from nst.cli.paths import check_output, write_whole
from nst.errors import InputError, OptionError, StyleError
from nst.options.layer_presets import FETCHED_NETWORKS
from nst.options.option_field import options_of
from nst.options.train_options import TrainOptions
from nst.pictures.images import Array
from nst.runs.humanize import duration, roughly
from nst.styles.network_plan import PLANS, Plan
from nst.styles.style_file import SUFFIX, Style, StyleFile, check_name, name_of
from nst.styles.style_library import Library, shipped_file, user_library
from nst.styles.style_to_learn import StyleToLearn
from nst.styles.training_folder import TrainingFolder

if TYPE_CHECKING:
    from nst.engine.feed_forward.transformer import Transformer
    from nst.engine.training.train import Previewed, Training

HELP = "train fast styles of your own"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
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
    """Run the command; returns the exit status."""
    options = TrainOptions.from_json(flags_given(parsed, options_of(TrainOptions)))
    styles = styles_to_learn(parsed.styles, parsed.title, options.style_size)
    library = user_library()
    if parsed.output:
        check_output(parsed.output, (SUFFIX,))
        folder = parsed.output.with_suffix(".training")
    else:
        _check_free(library, styles)
        folder = library.folder / f"{styles[0].name}.training"
    base = PLANS["studio"] if parsed.new else shipped_file()
    file, ended = train(styles, parsed.photos, base, options, folder, restart=parsed.restart, quiet=parsed.quiet)
    if parsed.output:
        write_whole(parsed.output, file.to_bytes())
    else:
        library.add(file.to_bytes(), replace_existing=True)
    print(parsed.output or "\n".join(file.styles))
    return 0 if ended else 130


def train(
    styles: Sequence[StyleToLearn],
    photos: Path,
    base: StyleFile | Plan,
    options: TrainOptions,
    folder: Path,
    *,
    restart: bool = False,
    quiet: bool = True,
) -> tuple[StyleFile, bool]:
    """Learn styles. If `folder` has a checkpoint of this training, continue from it.

    Args:
        styles: to be learned.
        photos: the folder of photos.
        base: a network that the styles are added to, which does not change, or the plan of a new one.
        options: of the training.
        folder: of the checkpoint, the previews and the report; made if it does not exist.
        restart: begin anew whatever is in `folder`.
        quiet: no progress bar.

    Returns:
        (the network with these styles, whether the training ended by itself; False if it was interrupted).

    Raises:
        InputError: no photos, or the folder has another training, or a damaged one.
        WeightsError: the weights of the loss network are missing. Diverged: the loss became NaN again and again.
    """
    from nst.engine.training.photos import Photos

    crops = Photos(photos, options.crop, options.seed, note)  # checked before TensorFlow loads, which takes seconds
    _load_keras()
    from nst.engine.networks.choose_extractor import choose_extractor
    from nst.engine.networks.weights import locate
    from nst.engine.training.train import Training

    best = next((name for name in FETCHED_NETWORKS if locate(name)), FETCHED_NETWORKS[0])
    extractor, remark = choose_extractor(options.extractor, precision="float32", best=best)
    if remark:
        note(remark)
    adding = isinstance(base, StyleFile)
    options = options.resolved(extractor.architecture.name, adding)
    kept = TrainingFolder(folder, styles, base, crops, options, _machine())
    checkpoint = kept.open(restart)
    network = _transformer(base, styles, options.seed)
    training = Training(network, [style.picture for style in styles], crops, extractor, options, only_styles=adding)
    if checkpoint:
        _resume(training, checkpoint, folder)
    try:
        ended = _run_training(training, kept, Console(stderr=True, quiet=quiet))
    finally:
        kept.close(training.history)
    provenance = kept.provenance(training.history[-1])
    learned = {
        style.name: Style(style.title, provenance={"picture": style.sha256, **provenance}, picture=style.thumbnail)
        for style in styles
    }
    return network.file(learned), ended


def _load_keras() -> None:
    """Load Keras on its backend. Raises InputError if that cannot be loaded."""
    try:
        import nst.engine.backend  # noqa: F401
    except (ImportError, ValueError) as error:  # the backend is not installed, or has an unknown name
        reason = str(error).partition("\n")[0]
        backend = os.environ.get("KERAS_BACKEND")
        raise InputError(f"KERAS_BACKEND is {backend!r}, which does not load: {reason}") from None


def _run_training(training: "Training", kept: TrainingFolder, console: Console) -> bool:
    """Train with a progress bar, keeping every preview; returns whether it ended by itself."""
    from nst.engine.training.train import Previewed, RolledBack, Trained

    def keep(preview: Previewed) -> None:
        kept.keep(preview.pictures, training.history, training.state())
        line = f"step {preview.step}, {duration(preview.seconds)}: on photos held out, {_losses(preview.losses)}"
        print_plain(console, line)

    with progress_bar(console) as progress, _interruptible() as interrupted:
        task = progress.add_task("starting", total=1.0)
        if not training.history:
            keep(_extra_preview(training))
        for record in training.records():
            if isinstance(record, Trained):
                line = f"step {record.step}  {_losses(record.losses)}  {roughly(record.left)} left"
                done = record.seconds / (record.seconds + record.left)
                progress.update(task, completed=done, description=line)
            elif isinstance(record, Previewed):
                keep(record)
            elif isinstance(record, RolledBack):
                note(f"the loss became NaN: back to step {record.step}, with steps {record.rate:g} times as large")
            if interrupted.is_set():
                note(f"interrupted after step {training.step}: the styles stay as they are")
                break
        if training.step > training.history[-1].step:
            keep(_extra_preview(training))
        return not interrupted.is_set()


def styles_to_learn(texts: Sequence[str], title: str | None, side: int) -> list[StyleToLearn]:
    """The styles of the arguments PICTURE or NAME=PICTURE, at a long side of `side` px. Raises InputError."""
    if title and len(texts) > 1:
        raise OptionError(f"--title is for one style, got {len(texts)}")
    styles: dict[str, StyleToLearn] = {}
    for text in texts:
        name, path = _name_and_path(text)
        if name in styles:
            raise OptionError(f"two styles are called {name!r}; name one of them otherwise, as NAME=PICTURE")
        styles[name] = StyleToLearn.read(name, path, side, title)
    return list(styles.values())


def _name_and_path(text: str) -> tuple[str, Path]:
    """("starry-night", path) from "starry-night=FILE", or from a file of that name. Raises StyleError."""
    name, sign, path = text.partition("=")
    if sign and not os.path.exists(text):
        return check_name(name), Path(path)
    name = name_of(Path(text).stem)
    if not name:
        raise StyleError(f"{Path(text).name!r} gives no name for a style; give one, as NAME=PICTURE")
    return name, Path(text)


def _check_free(library: Library, styles: Sequence[StyleToLearn]) -> None:
    """Raise StyleError if the name of a style belongs to one that was not learned from the same picture here."""
    existing = {entry.name: entry for entry in library.entries()}
    for style in styles:
        entry = existing.get(style.name)
        if entry and (entry.shipped or entry.style.provenance.get("picture") != style.sha256):
            raise StyleError(f"there is a style {style.name!r} already; name this one otherwise, as NAME=PICTURE")


def _transformer(base: StyleFile | Plan, styles: Sequence[StyleToLearn], seed: int) -> "Transformer":
    """The network to train: a new one, or that of `base`, where new styles start from their first vectors."""
    from nst.engine.feed_forward.transformer import Transformer

    if isinstance(base, Plan):
        return Transformer(base, len(styles), seed)
    vectors = _first_vectors(base, styles)
    learned = {style.name: Style(style.title, vector) for style, vector in zip(styles, vectors, strict=True)}
    return Transformer.of(dataclasses.replace(base, styles=learned))


def _first_vectors(base: StyleFile, styles: Sequence[StyleToLearn]) -> list[Array]:
    """The predicted vectors in the shipped network; in another one, the mean of its styles."""
    if base.network != shipped_file().network:
        return [np.mean([style.vector for style in base.styles.values()], axis=0)] * len(styles)
    from nst.engine.feed_forward.style_predictor import predict_vector

    return [predict_vector(style.picture) for style in styles]


def _resume(training: "Training", checkpoint: bytes, folder: Path) -> None:
    try:
        training.load_state(checkpoint)
    except InputError as error:
        raise InputError(f"{str(folder)!r}: {error}; --restart begins anew") from None
    note(f"the training in {str(folder)!r} goes on after step {training.step}")


def _extra_preview(training: "Training") -> "Previewed":
    """A preview beside those that the training makes at its intervals."""
    preview = training.preview()
    training.history.append(preview)
    return preview


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Gives an event that the first Ctrl-C or SIGTERM sets; the second one raises KeyboardInterrupt."""
    interrupted = threading.Event()

    def handle(number: int, frame: object) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()
        os.write(2, b"\nnst: the training ends after this step; once more, and it ends at once\n")

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _losses(losses: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {losses[name]:.3g}" for name in ("content", "style", "tv"))


def _machine() -> dict[str, str]:
    """Hardware and versions, for the report."""
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
