"""Train the built-in network: a small VGG-shaped student learns to predict the activations of VGG19.

The student predicts six layers of VGG19 through linear 1x1 heads (Romero et al. 2015 distil hidden layers so). It
learns standardised activations, each channel less its mean over its standard deviation: an error of 1 is that of
predicting the mean. Mean and deviation are then folded into the heads, which so predict VGG's own numbers. Two things
are asked at each layer: the activations, in which channels with much energy count for more because Gram matrices see
energy, and the Gram matrix of the crop itself.

A loop that optimises a picture against a student finds every colour and grain that the student sees wrong. So the
student paints while it learns, several times, and what it painted is added to the training pictures for the teacher
to correct (dataset aggregation, Ross, Gordon and Bagnell 2011).

The teacher costs more than the student: each crop stays for a while in a pool with the teacher's activations, and is
learned from several times.

Run `python -m nst.engine.distill --photos FOLDER --paintings FOLDER --minutes 60 -o compact.npz`; VGG19's weights are
those that `nst weights` finds. A second call with the same output goes on from the checkpoint beside it; `--refine`
begins with the weights that ship.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.atomic_write import atomic_write
from nst.engine import weights as weight_files
from nst.engine.backend import tf
from nst.engine.devices import choose_precision
from nst.engine.distill_data import BATCH, CROP, Array, Crops, Halves, Pool, Scales, as_array, read, statistics, teacher
from nst.engine.extractors import ARCHITECTURES, Architecture, Extractor, Weights, he_normal
from nst.engine.losses import linear_gram
from nst.engine.optimize import stylize
from nst.options.style_options import StyleOptions

PEAK_LEARNING_RATE = 2e-3
WARM_UP = 100  # steps until it is reached
CLIP = 5.0  # norm of the gradient
AVERAGE = 0.998  # decay of the averaged weights, which are what is exported
ENERGY = 0.5  # share of a layer's error in which channels count by their energy instead of alike
GRAM = 1.0  # weight of the relative errors of Gram matrices beside those of activations
GRAM_WARM_UP = 1000  # steps until it is reached: a student that sees nothing yet is led astray by them

# Shares of the time after which the student paints, and how much.
ROUNDS = (0.06, 0.12, 0.20, 0.28, 0.36, 0.44, 0.52, 0.60, 0.68, 0.76, 0.84)
PAINTINGS = 20  # a round
SIZES = (64, 384)  # px, long side
STRENGTHS = (0.08, 2.5)
KEPT = 6  # frames of each


class Distillation:
    """One training: student, optimiser, averaged weights, and how long it has run.

    `dtype` is that of the convolutions; weights, heads and errors are float32.
    """

    def __init__(self, architecture: Architecture, scales: Scales, seed: int, dtype: str = "float32") -> None:
        self.architecture = architecture
        self.scales = scales
        self.weights = {
            layer: (tf.Variable(kernel), tf.Variable(bias))
            for layer, (kernel, bias) in he_normal(architecture, seed).items()
        }
        self.student = Extractor(architecture, self.weights, dtype=dtype)
        self.optimizer = tf.keras.optimizers.Adam(PEAK_LEARNING_RATE, global_clipnorm=CLIP)
        self.optimizer.build(self.variables)
        self.average = [tf.Variable(variable) for variable in self.variables]
        # The painter is the averaged student with the scales folded in; its graph is traced once.
        self._painter_weights = {layer: tuple(map(tf.Variable, pair)) for layer, pair in self.folded().items()}
        self.painter = Extractor(architecture, self._painter_weights, dtype=dtype)
        self.seconds = 0.0
        self.steps = 0

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained: kernel and bias of each layer, in order."""
        return [variable for pair in self.weights.values() for variable in pair]

    def errors(self, pictures: tf.Tensor, truth: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """(errors of activations, errors of Gram matrices), each [layers]; 1 is as bad as the mean, or as nothing."""
        sources = {layer: source for layer, (source, _) in self.architecture.heads.items()}
        found = self.student(pictures, sources.values())
        pairs = [self._layer_errors(found[source], truth[layer], layer) for layer, source in sources.items()]
        activations, matrices = zip(*pairs, strict=True)
        return tf.stack(activations), tf.stack(matrices)

    def _layer_errors(self, source: tf.Tensor, truth: tf.Tensor, layer: str) -> tuple[tf.Tensor, tf.Tensor]:
        """Both errors of one layer from what its head reads, [N, h, w, c], and the teacher's, [N, h, w, C]."""
        (kernel, bias), (mean, deviation) = self.weights[layer], self.scales[layer]
        count, height, width, channels = truth.shape
        truth = tf.reshape(tf.cast(truth, tf.float32), [count, height * width, channels])
        source = tf.reshape(tf.cast(source, tf.float32), [count, height * width, -1])
        guess = source @ kernel[0, 0] + bias
        energy = np.square(deviation) / np.mean(np.square(deviation))
        importance = ENERGY * energy + (1 - ENERGY)
        error = tf.reduce_mean(importance * tf.square(guess - (truth - mean) / deviation))

        positions = float(height * width)
        narrow = tf.matmul(source, source, transpose_a=True) / positions, tf.reduce_mean(source, axis=1)
        matrix = linear_gram(*narrow, kernel[0, 0] * deviation, bias * deviation + mean)
        target = tf.matmul(truth, truth, transpose_a=True) / positions
        off, norm = (tf.reduce_sum(tf.square(x), axis=(1, 2)) for x in (matrix - target, target))
        return error, tf.reduce_mean(off / (norm + 1e-12))

    @tf.function
    def step(
        self, pictures: tf.Tensor, truth: dict[str, tf.Tensor], gram_weight: tf.Tensor, decay: tf.Tensor
    ) -> tf.Tensor:
        """One step of Adam and of the average; returns the errors before it, [2, layers]."""
        with tf.GradientTape() as tape:
            activations, matrices = self.errors(pictures, truth)
            loss = tf.reduce_sum(activations) + gram_weight * tf.reduce_sum(matrices)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
        for mean, variable in zip(self.average, self.variables, strict=True):
            mean.assign(decay * mean + (1 - decay) * variable)
        return tf.stack([activations, matrices])

    def train(self, pool: Pool, minutes: float) -> Iterator[NDArray[np.float32]]:
        """Train until `minutes` are spent in all, those before a resumption included; yields the errors of each step.

        The learning rate falls by half a cosine over that time, which the caller may spend on other things too.
        """
        last = time.monotonic()
        with ThreadPoolExecutor(1) as ahead:  # the teacher works on the next batch while the student learns
            coming = ahead.submit(pool.next_batch)
            while self.seconds < minutes * 60:
                pictures, truth = coming.result()
                coming = ahead.submit(pool.next_batch)
                decay = 0.5 * (1 + math.cos(math.pi * self.seconds / (minutes * 60)))
                warm = min(1.0, (self.steps + 1) / WARM_UP)
                self.optimizer.learning_rate.assign(PEAK_LEARNING_RATE * warm * (decay + 0.005))
                gram_weight = GRAM * min(1.0, self.steps / GRAM_WARM_UP)
                kept = min(AVERAGE, (1 + self.steps) / (10 + self.steps))
                errors = self.step(pictures, truth, tf.constant(gram_weight), tf.constant(kept))
                self.steps += 1
                yield errors.numpy()
                now = time.monotonic()
                self.seconds, last = self.seconds + now - last, now

    def folded(self) -> dict[str, tuple[Array, Array]]:
        """The averaged weights as they paint: heads predict the teacher's numbers."""
        arrays = iter(variable.numpy() for variable in self.average)
        weights = {layer: (next(arrays), next(arrays)) for layer in self.weights}
        for layer, (mean, deviation) in self.scales.items():
            kernel, bias = weights[layer]
            weights[layer] = kernel * deviation, bias * deviation + mean
        return weights

    def start_from(self, weights: Weights) -> None:
        """Take up exported weights, the reverse of `folded`."""
        values = []
        for layer in self.weights:
            kernel, bias = weights[layer]
            if layer in self.scales:
                mean, deviation = self.scales[layer]
                kernel, bias = kernel / deviation, (bias - mean) / deviation
            values += [kernel, bias]
        for variables in (self.variables, self.average):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def paint(self, crops: Crops, folder: Path) -> None:
        """Paint pairs of the training pictures with the student as it is; add frames to the crops and to `folder`."""
        for layer, pair in self.folded().items():
            for variable, array in zip(self._painter_weights[layer], pair, strict=True):
                variable.assign(array)
        random = crops.random
        crops.newest = len(crops.groups["frames"])
        for _ in range(PAINTINGS):
            photos, paintings = crops.groups["photos"], crops.groups["paintings"]
            content, style = (as_array(group[random.integers(len(group))]) for group in (photos, paintings))
            steps = stylize(content, style, _drawn_options(random), extractor=self.painter)
            frames = [step.image for step in steps if step.ends_epoch]
            for number in np.linspace(0, len(frames) - 1, KEPT).round().astype(int):
                picture = Image.fromarray(np.uint8(np.round(frames[number] * 255)))
                crops.groups["frames"].append(picture)
                folder.mkdir(parents=True, exist_ok=True)
                picture.save(folder / f"{len(crops.groups['frames']):05d}.png")

    def evaluate(self, held_out: Sequence[tuple[Array, dict[str, Halves]]]) -> dict[str, list[float]]:
        """{layer: [error of activations, error of Gram matrices]} of the averaged student."""
        trained = [variable.numpy() for variable in self.variables]
        for variable, mean in zip(self.variables, self.average, strict=True):
            variable.assign(mean)
        found = np.mean([np.stack([x.numpy() for x in self.errors(*batch)]) for batch in held_out], axis=0)
        for variable, array in zip(self.variables, trained, strict=True):
            variable.assign(array)
        return {
            layer: [round(float(x), 4) for x in pair]
            for layer, pair in zip(self.architecture.heads, found.T, strict=True)
        }

    def save(self, path: Path) -> None:
        """Write everything needed to resume, whole or not at all."""
        state = {f"variable_{i}": v.numpy() for i, v in enumerate(self._state())}
        scales = {f"scale_{layer}": np.stack(pair) for layer, pair in self.scales.items()}
        progress = {"seconds": np.float64(self.seconds), "steps": np.int64(self.steps)}
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **progress, **state, **scales)

    def load(self, path: Path) -> None:
        """Continue from `save`."""
        with np.load(path, allow_pickle=False) as file:
            for i, variable in enumerate(self._state()):
                variable.assign(file[f"variable_{i}"])
            self.seconds, self.steps = float(file["seconds"]), int(file["steps"])

    def _state(self) -> list[tf.Variable]:
        return [*self.variables, *self.average, *self.optimizer.variables]

    def export(self, path: Path, provenance: dict[str, object]) -> None:
        """Write the weights as float16 `path` (.npz) and their provenance beside it (.json)."""
        arrays = {}
        for layer, (kernel, bias) in self.folded().items():
            arrays[f"{layer}/kernel"] = kernel.astype(np.float16)
            arrays[f"{layer}/bias"] = bias.astype(np.float16)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        path.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")


def _drawn_options(random: np.random.Generator) -> StyleOptions:
    """Options to paint with: what people may ask for, at sizes that take seconds."""

    def log_uniform(low: float, high: float) -> float:
        return math.exp(random.uniform(math.log(low), math.log(high)))

    return StyleOptions(
        size=int(log_uniform(*SIZES)),
        strength=log_uniform(*STRENGTHS),
        epochs=int(random.integers(8, 30)),
        init=str(random.choice(["noise", "noise", "noise", "content"])),
        optimizer=str(random.choice(["lbfgs", "lbfgs", "lbfgs", "adam"])),
        style_scale=log_uniform(0.6, 1.6),
        seed=int(random.integers(2**31)),
        extractor="compact",
    )


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of photographs that are not trained on")
    parser.add_argument("--refine", action="store_true", help="begin with the weights that ship, not with random ones")
    parser.add_argument("--minutes", type=float, default=60, help="training time, painting included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("compact.npz"))
    given = parser.parse_args()

    checkpoint, folder = given.output.with_suffix(".checkpoint.npz"), given.output.with_suffix(".frames")
    groups = {"photos": read(given.photos), "paintings": read(given.paintings)}
    frames = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
    seed = given.seed + len(frames)  # a resumed training shall not see the same crops again
    architecture = ARCHITECTURES["compact"]
    dtype = choose_precision("auto")
    crops, see = Crops({**groups, "frames": frames}, seed), teacher(tuple(architecture.heads), dtype)
    unseen = Pool(see, Crops({"photos": read([given.held_out])}, given.seed + 1), 8 * BATCH)
    held_out = [unseen.batch() for _ in range(8)]
    if checkpoint.exists():
        with np.load(checkpoint, allow_pickle=False) as file:
            scales: Scales = {layer: tuple(file[f"scale_{layer}"]) for layer in architecture.heads}
    else:
        scales = statistics(see, crops, 30)
    distillation = Distillation(architecture, scales, given.seed, dtype)
    if checkpoint.exists():
        distillation.load(checkpoint)
    elif given.refine:
        distillation.start_from(weight_files.load("compact", architecture.shapes()))
        distillation.paint(crops, folder)

    def keep() -> dict[str, list[float]]:
        errors = distillation.evaluate(held_out)
        distillation.save(checkpoint)
        distillation.export(
            given.output,
            {
                "what": "built-in network `compact`: VGG-shaped student with linear heads, float16",
                "script": "python -m nst.engine.distill",
                "teacher": "VGG19 (Simonyan and Zisserman 2014), weights by the Visual Geometry Group, University of"
                " Oxford, trained on ImageNet (CC BY 4.0)",
                "data": f"{len(groups['photos'])} photographs, {len(groups['paintings'])} paintings,"
                f" {len(crops.groups['frames'])} frames that the student painted while it learned",
                "licence": "MIT",
                "seed": given.seed,
                "minutes": round(distillation.seconds / 60, 1),
                "steps": distillation.steps,
                "batch": BATCH,
                "crop": CROP,
                "held_out_errors": {"columns": ["activations", "Gram matrices"], **errors},
            },
        )
        return errors

    pool, kept, recent = Pool(see, crops), distillation.seconds, np.ones((2, len(architecture.heads)))
    rounds = sum(share * given.minutes * 60 <= distillation.seconds for share in ROUNDS)
    for errors in distillation.train(pool, given.minutes):
        recent += 0.02 * (errors - recent)
        if distillation.steps % 100 == 0:
            line = "  ".join(f"{n[5:]} {a:.3f}/{g:.3f}" for n, a, g in zip(scales, *recent, strict=True))
            print(f"{distillation.seconds / 60:6.1f} min  step {distillation.steps}  {line}", flush=True)
        if rounds < len(ROUNDS) and distillation.seconds >= ROUNDS[rounds] * given.minutes * 60:
            distillation.paint(crops, folder)
            rounds += 1
            print(f"{distillation.seconds / 60:6.1f} min  painted; {len(crops.groups['frames'])} frames", flush=True)
        if distillation.seconds - kept > 240:
            print("held out:", keep(), flush=True)
            kept = distillation.seconds
    print("held out:", keep(), flush=True)


if __name__ == "__main__":
    main()
