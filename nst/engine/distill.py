"""Train the compact extractor: a small VGG-shaped student learns to predict SqueezeNet's activations.

The teacher is SqueezeNet 1.1 (Iandola et al. 2016) trained on ImageNet. The student sees crops of photographs and
paintings and predicts the teacher's standardised activations at seven depths through linear 1x1 heads; the mean squared
errors of the levels are summed (Hinton et al. 2015 distil outputs, Romero et al. 2015 hidden layers). Standardised
means: each channel less its mean over its standard deviation, so an error of 1 is that of predicting the mean.

Run `python -m nst.engine.distill --teacher FILE.h5 --photos FOLDER --paintings FOLDER --minutes 60 -o compact.npz`.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from nst.engine.backend import tf
from nst.engine.extractors import ARCHITECTURES, IMAGENET_BGR_MEAN, Extractor, he_normal

CROP = 128
BATCH = 12
PEAK_LEARNING_RATE = 2e-3
LEVELS = tuple(ARCHITECTURES["compact"].heads)


class SqueezeNet:
    """The teacher: SqueezeNet 1.1's convolutions, edges padded so that every level lies on the student's grid.

    The original pads nothing in conv1 and in its poolings, which moves a level by up to half a cell; padding
    alternately after and before keeps the centres within 2.5 px of the student's. Borders are reflected, never black:
    the student shall not learn to see a frame.
    """

    def __init__(self, path: Path, dtype: str = "float32") -> None:
        self.dtype = dtype
        self._weights: dict[str, tuple[tf.Tensor, tf.Tensor]] = {}
        with h5py.File(path) as file:
            for layer in (name.decode() for name in file.attrs["layer_names"]):
                arrays: dict[str, np.ndarray] = {}
                file[layer].visititems(lambda name, item, found=arrays: _keep_array(found, name, item))
                if arrays:  # pooling and activation layers own none
                    self._weights[layer] = (tf.cast(arrays["kernel"], dtype), tf.cast(arrays["bias"], dtype))

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """{level: [N, h, w, C]} float32 for `image` [N, H, W, 3] in 0..1 RGB, H and W multiples of 16."""
        x = tf.cast(image[..., ::-1] * 255.0 - tf.constant(IMAGENET_BGR_MEAN), self.dtype)
        levels = {}
        x = self._convolve(tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]], "REFLECT"), "conv1", 2)
        levels["conv1"] = x
        for before, modules in ((1, (2, 3)), (0, (4, 5)), (1, (6, 7, 8))):
            edge = [before, 1 - before]
            x = tf.nn.max_pool2d(tf.pad(x, [[0, 0], edge, edge, [0, 0]], "SYMMETRIC"), 3, 2, "VALID")
            for module in modules:
                x = levels[f"fire{module}"] = self._fire(x, f"fire{module}")
        return {level: tf.cast(levels[level], tf.float32) for level in LEVELS}

    def _convolve(self, x: tf.Tensor, layer: str, stride: int = 1) -> tf.Tensor:
        kernel, bias = self._weights[layer]
        return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, "VALID") + bias)

    def _fire(self, x: tf.Tensor, module: str) -> tf.Tensor:
        x = self._convolve(x, f"{module}/squeeze1x1")
        wide = self._convolve(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"), f"{module}/expand3x3")
        return tf.concat([self._convolve(x, f"{module}/expand1x1"), wide], axis=-1)


def _keep_array(found: dict[str, np.ndarray], name: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Dataset):
        found["bias" if name.endswith("_b") else "kernel"] = item[()]


def crops(folders: list[Path], seed: int) -> Iterator[np.ndarray]:
    """Endless batches [BATCH, CROP, CROP, 3], float32 0..1, of pictures disturbed as an optimised image is.

    15 % carry Gaussian noise and 7 % are blends with uniform noise: the extractor must be right on noisy pictures,
    because that is where runs start.
    """
    random = np.random.default_rng(seed)
    paths = sorted(path for folder in folders for path in folder.rglob("*.jpg"))
    pictures = [Image.open(path).convert("RGB") for path in paths]

    def crop() -> np.ndarray:
        picture = pictures[random.integers(len(pictures))]
        side = math.exp(random.uniform(math.log(90), math.log(min(picture.size))))
        left, top = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
        box = (left, top, left + side, top + side)
        x = np.asarray(picture.resize((CROP, CROP), Image.Resampling.BICUBIC, box), np.float32) / 255
        if random.random() < 0.5:
            x = x[:, ::-1]
        x = (x - 0.5) * random.uniform(0.7, 1.3) + 0.5 + random.uniform(-0.15, 0.15)
        kind = random.random()
        if kind < 0.15:
            x = x + random.normal(0, random.uniform(0.02, 0.25), x.shape)
        elif kind < 0.22:
            share = random.uniform(0.3, 1.0)
            x = (1 - share) * x + share * random.uniform(0, 1, x.shape)
        return np.clip(x, 0, 1).astype(np.float32)

    while True:
        yield np.stack([crop() for _ in range(BATCH)])


def batches(folders: list[Path], seed: int) -> tf.data.Dataset:
    """`crops`, drawn in the background."""
    signature = tf.TensorSpec([BATCH, CROP, CROP, 3], tf.float32)
    return tf.data.Dataset.from_generator(lambda: crops(folders, seed), output_signature=signature).prefetch(8)


def statistics(
    teacher: SqueezeNet, pictures: Iterator[tf.Tensor], count: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{level: (mean [C], standard deviation [C])} of the teacher's activations over `count` batches."""
    sums = {level: np.zeros((2, channels)) for level, (_, channels) in ARCHITECTURES["compact"].heads.items()}
    for _ in range(count):
        for level, activation in teacher(next(pictures)).items():
            sums[level] += np.stack([np.mean(activation, (0, 1, 2)), np.mean(np.square(activation), (0, 1, 2))])
    return {
        level: (mean / count, np.sqrt(np.maximum(square / count - np.square(mean / count), 1e-6)))
        for level, (mean, square) in sums.items()
    }


class Distillation:
    """One training: student, optimiser, the teacher's statistics, and how long it has run."""

    def __init__(
        self, teacher: SqueezeNet, scale: dict[str, tuple[np.ndarray, np.ndarray]], seed: int, dtype: str
    ) -> None:
        self.teacher = teacher
        self.scale = scale
        self.weights = {
            layer: (tf.Variable(kernel), tf.Variable(bias))
            for layer, (kernel, bias) in he_normal(ARCHITECTURES["compact"], seed).items()
        }
        self.student = Extractor(ARCHITECTURES["compact"], self.weights, dtype=dtype)
        self.optimizer = tf.keras.optimizers.Adam(PEAK_LEARNING_RATE, global_clipnorm=5.0)
        self.optimizer.build(self.variables)
        self.seconds = 0.0
        self.steps = 0

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained: kernel and bias of each layer, in order."""
        return [variable for pair in self.weights.values() for variable in pair]

    @tf.function
    def errors(self, pictures: tf.Tensor) -> tf.Tensor:
        """Mean squared error of each level, [len(LEVELS)] float32, in units of the teacher's variance."""
        truth, guess = self.teacher(pictures), self.student(pictures, LEVELS)
        return tf.stack(
            [
                tf.reduce_mean(tf.square(tf.cast(guess[level], tf.float32) - (truth[level] - mean) / deviation))
                for level, (mean, deviation) in self.scale.items()
            ]
        )

    @tf.function
    def step(self, pictures: tf.Tensor) -> tf.Tensor:
        """One Adam step on the sum of the levels' errors; returns the errors before it."""
        with tf.GradientTape() as tape:
            errors = self.errors(pictures)
            loss = tf.reduce_sum(errors)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
        return errors

    def train(self, pictures: Iterator[tf.Tensor], minutes: float, checkpoint: Path) -> None:
        """Train until `minutes` are spent in all, those before a resumption included; cosine decay over that time."""
        last, saved = time.monotonic(), time.monotonic()
        recent = np.ones(len(LEVELS))
        while self.seconds < minutes * 60:
            decay = 0.5 * (1 + math.cos(math.pi * self.seconds / (minutes * 60)))
            self.optimizer.learning_rate.assign(PEAK_LEARNING_RATE * min(1, (self.steps + 1) / 100) * (decay + 0.005))
            recent += 0.02 * (self.step(next(pictures)).numpy() - recent)
            now = time.monotonic()
            self.seconds, last, self.steps = self.seconds + now - last, now, self.steps + 1
            if self.steps % 200 == 0:
                print(f"{self.seconds / 60:6.1f} min  step {self.steps}  {_line(recent)}", flush=True)
            if now - saved > 180:
                self.save(checkpoint)
                saved = now
        self.save(checkpoint)

    def evaluate(self, pictures: Iterator[tf.Tensor], count: int) -> dict[str, float]:
        """Mean error of each level over `count` batches."""
        mean = np.mean([self.errors(next(pictures)).numpy() for _ in range(count)], axis=0)
        return {level: round(float(error), 4) for level, error in zip(LEVELS, mean, strict=True)}

    def save(self, path: Path) -> None:
        """Write everything needed to resume, whole or not at all."""
        half = path.with_suffix(".half.npz")
        state = {f"variable_{i}": v.numpy() for i, v in enumerate([*self.variables, *self.optimizer.variables])}
        scale = {f"scale_{level}": np.stack(pair) for level, pair in self.scale.items()}
        progress = {"seconds": np.float64(self.seconds), "steps": np.int64(self.steps)}
        np.savez(half, allow_pickle=False, **progress, **state, **scale)
        half.replace(path)

    def load(self, path: Path) -> None:
        """Continue from `save`."""
        with np.load(path, allow_pickle=False) as file:
            for i, variable in enumerate([*self.variables, *self.optimizer.variables]):
                variable.assign(file[f"variable_{i}"])
            self.scale = {level: tuple(file[f"scale_{level}"]) for level in LEVELS}
            self.seconds, self.steps = float(file["seconds"]), int(file["steps"])

    def export(self, path: Path, provenance: dict[str, object]) -> None:
        """Write the weights as float16 `path` (.npz) and their provenance beside it (.json)."""
        arrays = {}
        for layer, (kernel, bias) in self.weights.items():
            arrays[f"{layer}/kernel"] = kernel.numpy().astype(np.float16)
            arrays[f"{layer}/bias"] = bias.numpy().astype(np.float16)
        np.savez_compressed(path, **arrays)
        path.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")


def _line(errors: np.ndarray) -> str:
    return "  ".join(f"{level} {error:.3f}" for level, error in zip(LEVELS, errors, strict=True))


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, required=True, help="squeezenet_v1.1_notop.h5 (keras-squeezenet)")
    parser.add_argument("--photos", type=Path, required=True, help="folder with train/ and val/ photographs")
    parser.add_argument("--paintings", type=Path, required=True, help="folder of paintings")
    parser.add_argument("--minutes", type=float, default=60, help="training time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("-o", "--output", type=Path, default=Path("compact.npz"))
    arguments = parser.parse_args()

    checkpoint = arguments.output.with_suffix(".checkpoint.npz")
    teacher = SqueezeNet(arguments.teacher, arguments.dtype)
    training = iter(batches([arguments.photos / "train", arguments.paintings], arguments.seed))
    held_out = iter(batches([arguments.photos / "val"], arguments.seed + 1))
    if checkpoint.exists():
        with np.load(checkpoint) as file:
            scale = {level: tuple(file[f"scale_{level}"]) for level in LEVELS}
    else:
        scale = statistics(teacher, training, 40)
    scale = {
        level: (mean.astype(np.float32), deviation.astype(np.float32)) for level, (mean, deviation) in scale.items()
    }
    distillation = Distillation(teacher, scale, arguments.seed, arguments.dtype)
    if checkpoint.exists():
        distillation.load(checkpoint)
    distillation.train(training, arguments.minutes, checkpoint)
    errors = distillation.evaluate(held_out, 40)
    distillation.export(
        arguments.output,
        {
            "what": "compact extractor: VGG-shaped student with linear heads, float16",
            "script": "python -m nst.engine.distill",
            "teacher": "SqueezeNet 1.1 (Iandola et al., BSD 2-clause) trained on ImageNet, from keras-squeezenet (MIT)",
            "data": "Berkeley segmentation photographs (train split) and ten public-domain paintings",
            "licence": "MIT",
            "seed": arguments.seed,
            "minutes": round(distillation.seconds / 60, 1),
            "steps": distillation.steps,
            "batch": BATCH,
            "crop": CROP,
            "dtype": arguments.dtype,
            "held_out_errors": errors,
        },
    )
    print("held out:", errors)


if __name__ == "__main__":
    main()
