"""The command that trains the built-in network.

Run `python -m nst.engine.training.distill --photos FOLDER --paintings FOLDER --held-out FOLDER --minutes 60 -o
compact.npz`; the teacher's weights are those that `nst weights` finds. Called again with the same output, it continues
from the checkpoint beside it. `--refine` begins with the weights that ship. See distillation.py for the method.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from nst.engine.devices import choose_precision
from nst.engine.networks import weights as weight_files
from nst.engine.networks.extractors import ARCHITECTURES
from nst.engine.training.distill_data import (
    BATCH,
    CROP,
    Array,
    Crops,
    Halves,
    Pool,
    Teacher,
    channel_statistics,
    load_teacher,
    read_pictures,
)
from nst.engine.training.distillation import Distillation, scales_of

ARCHITECTURE = ARCHITECTURES["compact"]
LAYERS = tuple(ARCHITECTURE.heads)
PAINTING_TIMES = (0.06, 0.12, 0.20, 0.28, 0.36, 0.44, 0.52, 0.60, 0.68, 0.76, 0.84)  # shares of the time
STATISTICS_BATCHES = 30
HELD_OUT_BATCHES = 8
SAVE_SECONDS = 240  # between two checkpoints
LOG_STEPS = 100  # between two lines of output
LOG_SMOOTHING = 0.02  # share of the newest errors in those that are printed


def main() -> None:
    """Train from the command line."""
    given = parse_arguments()
    dtype = choose_precision("auto")
    crops, teacher = read_crops(given), load_teacher(LAYERS, dtype)
    held_out = read_held_out(given, teacher)
    train(prepare(given, crops, teacher, dtype), Pool(teacher, crops), crops, held_out, given)


def parse_arguments() -> argparse.Namespace:
    """The arguments, and the paths `checkpoint` (.npz) and `frames` (a folder) beside the output."""
    parser = argparse.ArgumentParser(description="Train the built-in network to predict the activations of VGG19.")
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of photographs that are not trained on")
    parser.add_argument("--refine", action="store_true", help="begin with the weights that ship, not with random ones")
    parser.add_argument("--minutes", type=float, default=60, help="training time, painting included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("compact.npz"))
    given = parser.parse_args()
    given.checkpoint, given.frames = given.output.with_suffix(".checkpoint.npz"), given.output.with_suffix(".frames")
    return given


def read_crops(given: argparse.Namespace) -> Crops:
    """Crops of the photographs, the paintings, and the frames that an earlier call has painted."""
    frames = [Image.open(path).convert("RGB") for path in sorted(given.frames.glob("*.png"))]
    groups = {"photos": read_pictures(given.photos), "paintings": read_pictures(given.paintings), "frames": frames}
    return Crops(groups, given.seed + len(frames))  # another seed, so that a resumed training gets other crops


def read_held_out(given: argparse.Namespace, teacher: Teacher) -> list[tuple[Array, dict[str, Halves]]]:
    """Batches of crops of the photographs that are not trained on."""
    crops = Crops({"photos": read_pictures([given.held_out])}, given.seed + 1)
    pool = Pool(teacher, crops, HELD_OUT_BATCHES * BATCH)
    return [pool.batch() for _ in range(HELD_OUT_BATCHES)]


def prepare(given: argparse.Namespace, crops: Crops, teacher: Teacher, dtype: str) -> Distillation:
    """The training: that of the checkpoint if there is one, else from the weights that ship or from random ones."""
    resumes = given.checkpoint.exists()
    scales = scales_of(given.checkpoint, LAYERS) if resumes else channel_statistics(teacher, crops, STATISTICS_BATCHES)
    distillation = Distillation(ARCHITECTURE, scales, given.seed, dtype)
    if resumes:
        distillation.load(given.checkpoint)
    elif given.refine:
        distillation.start_from(weight_files.load("compact", ARCHITECTURE.shapes()))
        distillation.paint(crops, given.frames)
    return distillation


def train(
    distillation: Distillation,
    pool: Pool,
    crops: Crops,
    held_out: Sequence[tuple[Array, dict[str, Halves]]],
    given: argparse.Namespace,
) -> None:
    """Train for the given time; paint, print and save at intervals."""
    seconds, saved = given.minutes * 60, distillation.seconds
    rounds = sum(share * seconds <= distillation.seconds for share in PAINTING_TIMES)
    recent = np.ones((2, len(LAYERS)))
    for errors in distillation.train(pool, given.minutes):
        recent += LOG_SMOOTHING * (errors - recent)
        if distillation.steps % LOG_STEPS == 0:
            line = "  ".join(f"{n[5:]} {a:.3f}/{g:.3f}" for n, a, g in zip(LAYERS, *recent, strict=True))
            print(f"{distillation.seconds / 60:6.1f} min  step {distillation.steps}  {line}", flush=True)
        if rounds < len(PAINTING_TIMES) and distillation.seconds >= PAINTING_TIMES[rounds] * seconds:
            distillation.paint(crops, given.frames)
            rounds += 1
            print(f"{distillation.seconds / 60:6.1f} min  painted; {len(crops.groups['frames'])} frames", flush=True)
        if distillation.seconds - saved > SAVE_SECONDS:
            save(distillation, crops, held_out, given)
            saved = distillation.seconds
    save(distillation, crops, held_out, given)


def save(
    distillation: Distillation,
    crops: Crops,
    held_out: Sequence[tuple[Array, dict[str, Halves]]],
    given: argparse.Namespace,
) -> None:
    """Write the checkpoint and the weights, and print the errors on what was held out."""
    errors = distillation.evaluate(held_out)
    distillation.save(given.checkpoint)
    groups = crops.groups
    provenance = {
        "what": "built-in network `compact`: VGG-shaped student with linear heads, float16",
        "script": "python -m nst.engine.training.distill",
        "teacher": "VGG19 (Simonyan and Zisserman 2014), weights by the Visual Geometry Group, University of"
        " Oxford, trained on ImageNet (CC BY 4.0)",
        "data": f"{len(groups['photos'])} photographs, {len(groups['paintings'])} paintings,"
        f" {len(groups['frames'])} frames that the student painted while it learned",
        "licence": "MIT",
        "seed": given.seed,
        "minutes": round(distillation.seconds / 60, 1),
        "steps": distillation.steps,
        "batch": BATCH,
        "crop": CROP,
        "held_out_errors": {"columns": ["activations", "Gram matrices"], **errors},
    }
    distillation.export(given.output, provenance)
    print("held out:", errors, flush=True)


if __name__ == "__main__":
    main()
