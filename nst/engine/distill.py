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
those that `nst weights` finds. A second call with the same output goes on from the checkpoint beside it.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.engine import weights as weight_files
from nst.engine.backend import tf
from nst.engine.extractors import ARCHITECTURES, Architecture, Extractor, he_normal
from nst.engine.optimize import stylize
from nst.images import SUFFIXES
from nst.options import StyleOptions

Array = NDArray[np.float32]
Halves = NDArray[np.float16]
Teacher = Callable[[tf.Tensor], dict[str, tf.Tensor]]  # [N, H, W, 3] in 0..1 -> {layer: [N, h, w, C]}, float32
Scales = dict[str, tuple[Array, Array]]  # layer -> (mean [C], standard deviation [C]) of the teacher's activations

CROP = 128  # px, side of what is learned from
BATCH = 8  # crops a step
NEW = 2  # of them that are new to the pool in each step: each is learned from four times
POOL = 480  # crops
PEAK_LEARNING_RATE = 2e-3
WARM_UP = 100  # steps until it is reached
CLIP = 5.0  # norm of the gradient
AVERAGE = 0.998  # decay of the averaged weights, which are what is exported
ENERGY = 0.5  # share of a layer's error in which channels count by their energy instead of alike
GRAM = 0.25  # weight of the relative errors of Gram matrices beside those of activations
GRAM_WARM_UP = 1000  # steps until it is reached: a student that sees nothing yet is led astray by them

# Shares of the time after which the student paints, and how much.
ROUNDS = (0.06, 0.14, 0.24, 0.34, 0.46, 0.58, 0.70, 0.82)
PAINTINGS = 14  # a round
SIZES = (64, 288)  # px, long side
STRENGTHS = (0.3, 10.0)
KEPT = 6  # frames of each
SHARES = {"photos": 0.4, "paintings": 0.3, "frames": 0.3}  # of the crops


def teacher(layers: Sequence[str]) -> Teacher:
    """VGG19, its borders reflected: the student shall not learn to see a frame. Raises WeightsError."""
    architecture = replace(ARCHITECTURES["vgg19"], padding="reflect")
    network = Extractor(architecture, weight_files.load("vgg19", architecture.shapes()))
    return tf.function(lambda pictures: network(pictures, layers))


class Crops:
    """Crops of photographs, paintings and frames of the student's own, disturbed as an optimised picture is."""

    def __init__(self, groups: dict[str, list[Image.Image]], seed: int) -> None:
        self.groups = groups
        self.random = np.random.default_rng(seed)

    def batch(self, count: int) -> Array:
        """[count, CROP, CROP, 3] in 0..1."""
        names = [name for name, pictures in self.groups.items() if pictures]
        shares = np.array([SHARES[name] for name in names])
        chosen = self.random.choice(names, count, p=shares / shares.sum())
        return np.stack([self._frame() if name == "frames" else self._picture(name) for name in chosen])

    def _picture(self, group: str) -> Array:
        """A piece of a photograph or a painting, enlarged or reduced, in other light and other colours."""
        random, pictures = self.random, self.groups[group]
        picture = pictures[random.integers(len(pictures))]
        side = math.exp(random.uniform(math.log(90), math.log(max(91, min(picture.size)))))
        side = min(side, *picture.size)
        left, top = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
        box = (left, top, left + side, top + side)
        x: NDArray[Any] = self._turned(_array(picture.resize((CROP, CROP), Image.Resampling.BICUBIC, box)))
        x = (x - 0.5) * random.uniform(0.7, 1.3) + 0.5 + random.uniform(-0.15, 0.15)
        if random.random() < 0.25:  # other hues: optimisation finds those that the student has never seen
            x = x[..., random.permutation(3)]
        if random.random() < 0.25:
            x = x * random.uniform(0.6, 1.4, 3) + random.uniform(-0.15, 0.15, 3)
        kind = random.random()
        if kind < 0.15:
            x = x + random.normal(0, random.uniform(0.02, 0.25), x.shape)
        elif kind < 0.22:  # runs start from noise
            share = random.uniform(0.3, 1.0)
            x = (1 - share) * x + share * random.uniform(0, 1, x.shape)
        return np.clip(x, 0, 1).astype(np.float32)

    def _frame(self) -> Array:
        """A piece of what the student painted, pixel by pixel: its grain is what is to be corrected."""
        frames = self.groups["frames"]
        newest = PAINTINGS * KEPT
        first = max(0, len(frames) - newest) if self.random.random() < 0.5 else 0
        x = _array(frames[self.random.integers(first, len(frames))])
        x = np.pad(x, [(0, max(0, CROP - x.shape[0])), (0, max(0, CROP - x.shape[1])), (0, 0)], "symmetric")
        top, left = (self.random.integers(side - CROP + 1) for side in x.shape[:2])
        return self._turned(x[top : top + CROP, left : left + CROP])

    def _turned(self, x: Array) -> Array:
        return x[:, ::-1] if self.random.random() < 0.5 else x


class Pool:
    """Crops with the teacher's activations, the oldest replaced by new ones."""

    def __init__(self, teacher: Teacher, crops: Crops, size: int = POOL) -> None:
        self._teacher, self._crops = teacher, crops
        self._pictures = np.zeros((size, CROP, CROP, 3), np.float32)
        shapes = {layer: activation.shape[1:] for layer, activation in teacher(self._pictures[:1]).items()}
        self._truth = {layer: np.zeros((size, *shape), np.float16) for layer, shape in shapes.items()}
        self._next = 0
        for _ in range(-(-size // BATCH)):
            self.renew(BATCH)

    def renew(self, count: int) -> None:
        """Put `count` new crops in the places of the oldest."""
        pictures = self._crops.batch(count)
        places = (self._next + np.arange(count)) % len(self._pictures)
        self._next = int(places[-1] + 1)
        self._pictures[places] = pictures
        for layer, activation in self._teacher(pictures).items():
            self._truth[layer][places] = activation.numpy()

    def next_batch(self) -> tuple[Array, dict[str, Halves]]:
        """`batch`, after `NEW` crops came into the pool."""
        self.renew(NEW)
        return self.batch()

    def batch(self) -> tuple[Array, dict[str, Halves]]:
        """(crops [BATCH, CROP, CROP, 3], {layer: activations [BATCH, h, w, C]})."""
        places = self._crops.random.choice(len(self._pictures), BATCH, replace=False)
        return self._pictures[places], {layer: truth[places] for layer, truth in self._truth.items()}


def statistics(teacher: Teacher, crops: Crops, count: int) -> Scales:
    """Mean and standard deviation of the teacher's channels over `count` batches of crops.

    A channel that hardly ever speaks gets a deviation of at least a hundredth of the layer's mean one.
    """
    sums: dict[str, Any] = {}
    for _ in range(count):
        for layer, activation in teacher(crops.batch(BATCH)).items():
            x = activation.numpy()
            moments = np.stack([x.mean((0, 1, 2)), np.square(x).mean((0, 1, 2))])
            sums[layer] = sums.get(layer, 0.0) + moments / count
    scales = {}
    for layer, (mean, square) in sums.items():
        variance = square - np.square(mean)
        deviation = np.sqrt(np.maximum(variance, 1e-4 * variance.mean()))
        scales[layer] = mean.astype(np.float32), deviation.astype(np.float32)
    return scales


class Distillation:
    """One training: student, optimiser, averaged weights, and how long it has run."""

    def __init__(self, architecture: Architecture, scales: Scales, seed: int) -> None:
        self.architecture = architecture
        self.scales = scales
        self.weights = {
            layer: (tf.Variable(kernel), tf.Variable(bias))
            for layer, (kernel, bias) in he_normal(architecture, seed).items()
        }
        self.student = Extractor(architecture, self.weights)
        self.optimizer = tf.keras.optimizers.Adam(PEAK_LEARNING_RATE, global_clipnorm=CLIP)
        self.optimizer.build(self.variables)
        self.average = [tf.Variable(variable) for variable in self.variables]
        # The painter is the averaged student with the scales folded in; its graph is traced once.
        self._painter_weights = {layer: tuple(map(tf.Variable, pair)) for layer, pair in self.folded().items()}
        self.painter = Extractor(architecture, self._painter_weights)
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
        source = tf.reshape(source, [count, height * width, -1])
        guess = source @ kernel[0, 0] + bias
        energy = np.square(deviation) / np.mean(np.square(deviation))
        importance = ENERGY * energy + (1 - ENERGY)
        error = tf.reduce_mean(importance * tf.square(guess - (truth - mean) / deviation))

        # The Gram matrix of F K + b is that of (F, 1) between (K over b) and its transpose: the narrow side is summed.
        padded = tf.concat([source, tf.ones([count, height * width, 1])], axis=-1)
        affine = tf.concat([kernel[0, 0] * deviation, (bias * deviation + mean)[None]], axis=0)
        positions = float(height * width)
        matrix = tf.transpose(affine) @ (tf.matmul(padded, padded, transpose_a=True) / positions) @ affine
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

    def paint(self, crops: Crops, folder: Path) -> None:
        """Paint pairs of the training pictures with the student as it is; add frames to the crops and to `folder`."""
        for layer, pair in self.folded().items():
            for variable, array in zip(self._painter_weights[layer], pair, strict=True):
                variable.assign(array)
        random = crops.random
        for _ in range(PAINTINGS):
            photos, paintings = crops.groups["photos"], crops.groups["paintings"]
            content, style = (_array(group[random.integers(len(group))]) for group in (photos, paintings))
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
        half = path.with_suffix(".half.npz")
        state = {f"variable_{i}": v.numpy() for i, v in enumerate(self._state())}
        scales = {f"scale_{layer}": np.stack(pair) for layer, pair in self.scales.items()}
        progress = {"seconds": np.float64(self.seconds), "steps": np.int64(self.steps)}
        np.savez(half, allow_pickle=False, **progress, **state, **scales)
        half.replace(path)

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
        half = path.with_suffix(".half.npz")
        np.savez_compressed(half, allow_pickle=False, **arrays)
        half.replace(path)
        path.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")


def read(folders: Sequence[Path]) -> list[Image.Image]:
    """The pictures in some folders and the folders in them, RGB, but for those smaller than 96 px."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    pictures = (Image.open(path).convert("RGB") for path in paths)
    return [picture for picture in pictures if min(picture.size) >= 96]


def _array(picture: Image.Image) -> Array:
    """[H, W, 3] in 0..1."""
    return np.asarray(picture, np.float32) / np.float32(255)


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
    parser.add_argument("--minutes", type=float, default=60, help="training time, painting included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=Path("compact.npz"))
    given = parser.parse_args()

    checkpoint, folder = given.output.with_suffix(".checkpoint.npz"), given.output.with_suffix(".frames")
    groups = {"photos": read(given.photos), "paintings": read(given.paintings)}
    frames = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
    seed = given.seed + len(frames)  # a resumed training shall not see the same crops again
    architecture = ARCHITECTURES["compact"]
    crops, see = Crops({**groups, "frames": frames}, seed), teacher(tuple(architecture.heads))
    unseen = Pool(see, Crops({"photos": read([given.held_out])}, given.seed + 1), 8 * BATCH)
    held_out = [unseen.batch() for _ in range(8)]
    if checkpoint.exists():
        with np.load(checkpoint, allow_pickle=False) as file:
            scales: Scales = {layer: tuple(file[f"scale_{layer}"]) for layer in architecture.heads}
    else:
        scales = statistics(see, crops, 30)
    distillation = Distillation(architecture, scales, given.seed)
    if checkpoint.exists():
        distillation.load(checkpoint)

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
                "data": f"{len(groups['photos'])} photographs, {len(groups['paintings'])} public-domain paintings,"
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
