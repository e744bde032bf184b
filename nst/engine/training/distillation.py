"""The training of the built-in network: a small VGG-shaped student learns to predict the activations of VGG19.

The student predicts six layers of VGG19 through linear 1x1 heads (Romero et al. 2015 distil hidden layers so). It
learns standardised activations, each channel less its mean, over its standard deviation: an error of 1 is that of
predicting the mean. Mean and deviation are then folded into the heads, which so predict VGG19's own numbers. The loss
of a layer is the error of its activations, in which channels with much energy count for more, as they do in Gram
matrices, plus the error of the Gram matrix of each crop.

A picture that is optimized against a student gets every colour and grain that the student mistakes for the style.
Therefore the student paints several times while it learns, and its frames become training pictures, for which the
teacher has the right answer (dataset aggregation, Ross, Gordon and Bagnell 2011).
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.atomic_write import atomic_write
from nst.engine.backend import tf
from nst.engine.networks.extractors import Architecture, Extractor, Weights, he_normal
from nst.engine.optimization.losses import EPSILON, linear_gram
from nst.engine.optimization.optimize import stylize
from nst.engine.training.distill_data import Array, Crops, Halves, Pool, Scales, as_array
from nst.engine.training.learning_rate import warm_cosine
from nst.engine.training.random_crops import log_uniform
from nst.options.style_options import StyleOptions

PEAK_LEARNING_RATE = 2.01e-3
GRADIENT_CLIP_NORM = 5.0
AVERAGE_DECAY = 0.998  # of the averaged weights, which are the ones that are exported
ENERGY_SHARE = 0.5  # of a layer's error, in which channels count by their energy; in the rest they count alike
GRAM_WEIGHT = 1.0  # of the relative errors of Gram matrices; those of activations have a weight of 1
GRAM_WARM_UP_STEPS = 1000  # until that weight is reached: at first these errors would mislead the student

# What the student paints in one round.
PAINTINGS = 20
FRAMES_KEPT = 6  # of each painting
SIZES = (64, 384)  # px, long side
STRENGTHS = (0.08, 2.5)


class Distillation:
    """One training: the student, its optimizer, its averaged weights, and the time and steps it has had.

    Args:
        architecture: of the student; each head has the name of the teacher's layer that it predicts.
        scales: mean and standard deviation of the teacher's channels, see `channel_statistics`.
        seed: of the initial weights.
        dtype: of the convolutions; weights, heads and errors are float32.
    """

    def __init__(self, architecture: Architecture, scales: Scales, seed: int, dtype: str = "float32") -> None:
        self.architecture = architecture
        self.scales = scales
        self.weights = {
            layer: (tf.Variable(kernel), tf.Variable(bias))
            for layer, (kernel, bias) in he_normal(architecture, seed).items()
        }
        self.student = Extractor(architecture, self.weights, dtype=dtype)
        self.optimizer = tf.keras.optimizers.Adam(PEAK_LEARNING_RATE, global_clipnorm=GRADIENT_CLIP_NORM)
        self.optimizer.build(self.variables)
        self.average = [tf.Variable(variable) for variable in self.variables]
        # The painter is the averaged student with the scales folded in. It has variables of its own, so that its graph
        # is traced once.
        self._painter_weights = {layer: tuple(map(tf.Variable, pair)) for layer, pair in self.folded().items()}
        self.painter = Extractor(architecture, self._painter_weights, dtype=dtype)
        self.seconds = 0.0
        self.steps = 0

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained: kernel and bias of each layer, in order."""
        return [variable for pair in self.weights.values() for variable in pair]

    def errors(self, pictures: tf.Tensor, truth: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """The student's errors on a batch.

        Args:
            pictures: [N, H, W, 3] in 0..1.
            truth: {layer: the teacher's activations [N, h, w, C]}.

        Returns:
            (errors of activations, errors of Gram matrices), each [layers]; 1 is the error of predicting the mean, or
            a Gram matrix of zeros.
        """
        sources = {layer: source for layer, (source, _) in self.architecture.heads.items()}
        found = self.student(pictures, sources.values())
        pairs = [self._layer_errors(found[source], truth[layer], layer) for layer, source in sources.items()]
        activations, matrices = zip(*pairs, strict=True)
        return tf.stack(activations), tf.stack(matrices)

    def _layer_errors(self, source: tf.Tensor, truth: tf.Tensor, layer: str) -> tuple[tf.Tensor, tf.Tensor]:
        """Both errors of one layer, from what its head reads, [N, h, w, c], and the teacher's, [N, h, w, C]."""
        (kernel, bias), (mean, deviation) = self.weights[layer], self.scales[layer]
        count, height, width, channels = truth.shape
        truth = tf.reshape(tf.cast(truth, tf.float32), [count, height * width, channels])
        source = tf.reshape(tf.cast(source, tf.float32), [count, height * width, -1])
        predicted = source @ kernel[0, 0] + bias
        energy = np.square(deviation) / np.mean(np.square(deviation))
        importance = ENERGY_SHARE * energy + (1 - ENERGY_SHARE)
        error = tf.reduce_mean(importance * tf.square(predicted - (truth - mean) / deviation))

        positions = float(height * width)
        moments = tf.matmul(source, source, transpose_a=True) / positions, tf.reduce_mean(source, axis=1)
        matrix = linear_gram(*moments, kernel[0, 0] * deviation, bias * deviation + mean)
        target = tf.matmul(truth, truth, transpose_a=True) / positions
        difference, norm = (tf.reduce_sum(tf.square(x), axis=(1, 2)) for x in (matrix - target, target))
        return error, tf.reduce_mean(difference / (norm + EPSILON))

    @tf.function
    def step(
        self, pictures: tf.Tensor, truth: dict[str, tf.Tensor], gram_weight: tf.Tensor, decay: tf.Tensor
    ) -> tf.Tensor:
        """One step of Adam, and of the averaged weights with that decay; returns the errors before it, [2, layers]."""
        with tf.GradientTape() as tape:
            activations, matrices = self.errors(pictures, truth)
            loss = tf.reduce_sum(activations) + gram_weight * tf.reduce_sum(matrices)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.variables), self.variables, strict=True))
        for mean, variable in zip(self.average, self.variables, strict=True):
            mean.assign(decay * mean + (1 - decay) * variable)
        return tf.stack([activations, matrices])

    def train(self, pool: Pool, minutes: float) -> Iterator[NDArray[np.float32]]:
        """Train until `minutes` have passed in all, those before a resumption included; yields the errors of each step.

        What the caller does between two steps counts as time, too.
        """
        last = time.monotonic()
        with ThreadPoolExecutor(1) as ahead:  # the teacher works on the next batch while the student learns
            coming = ahead.submit(pool.next_batch)
            while self.seconds < minutes * 60:
                pictures, truth = coming.result()
                coming = ahead.submit(pool.next_batch)
                rate = PEAK_LEARNING_RATE * warm_cosine(self.steps, self.seconds / (minutes * 60))
                self.optimizer.learning_rate.assign(rate)
                gram_weight = GRAM_WEIGHT * min(1.0, self.steps / GRAM_WARM_UP_STEPS)
                decay = min(AVERAGE_DECAY, (1 + self.steps) / (10 + self.steps))  # early weights are soon forgotten
                errors = self.step(pictures, truth, tf.constant(gram_weight), tf.constant(decay))
                self.steps += 1
                yield errors.numpy()
                now = time.monotonic()
                self.seconds, last = self.seconds + now - last, now

    def folded(self) -> dict[str, tuple[Array, Array]]:
        """The averaged weights with the scales folded into the heads, which then predict the teacher's numbers."""
        arrays = iter(variable.numpy() for variable in self.average)
        weights = {layer: (next(arrays), next(arrays)) for layer in self.weights}
        for layer, (mean, deviation) in self.scales.items():
            kernel, bias = weights[layer]
            weights[layer] = kernel * deviation, bias * deviation + mean
        return weights

    def start_from(self, weights: Weights) -> None:
        """Continue from exported weights; the reverse of `folded`."""
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
        """Paint pairs of the training pictures with the averaged student; its frames go to `crops` and to `folder`."""
        for layer, pair in self.folded().items():
            for variable, array in zip(self._painter_weights[layer], pair, strict=True):
                variable.assign(array)
        random = crops.random
        crops.newest = len(crops.groups["frames"])
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(PAINTINGS):
            photos, paintings = crops.groups["photos"], crops.groups["paintings"]
            content, style = (as_array(group[random.integers(len(group))]) for group in (photos, paintings))
            steps = stylize(content, style, random_options(random), extractor=self.painter)
            frames = [step.image for step in steps if step.ends_epoch]
            for index in np.linspace(0, len(frames) - 1, FRAMES_KEPT).round().astype(int):
                picture = Image.fromarray(np.uint8(np.round(frames[index] * 255)))
                crops.groups["frames"].append(picture)
                picture.save(folder / f"{len(crops.groups['frames']):05d}.png")

    def evaluate(self, held_out: Sequence[tuple[Array, dict[str, Halves]]]) -> dict[str, list[float]]:
        """{layer: [error of activations, error of Gram matrices]} of the averaged student on batches held out."""
        trained = [variable.numpy() for variable in self.variables]
        for variable, mean in zip(self.variables, self.average, strict=True):
            variable.assign(mean)
        errors = np.mean([np.stack([x.numpy() for x in self.errors(*batch)]) for batch in held_out], axis=0)
        for variable, array in zip(self.variables, trained, strict=True):
            variable.assign(array)
        return {
            layer: [round(float(x), 4) for x in pair]
            for layer, pair in zip(self.architecture.heads, errors.T, strict=True)
        }

    def save(self, path: Path) -> None:
        """Write everything that `load` needs to an .npz file, whole or not at all."""
        state = {f"variable_{i}": v.numpy() for i, v in enumerate(self._state())}
        scales = {f"scale_{layer}": np.stack(pair) for layer, pair in self.scales.items()}
        progress = {"seconds": np.float64(self.seconds), "steps": np.int64(self.steps)}
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **progress, **state, **scales)

    def load(self, path: Path) -> None:
        """Continue from a file that `save` wrote for the same architecture and `scales`."""
        with np.load(path, allow_pickle=False) as file:
            for i, variable in enumerate(self._state()):
                variable.assign(file[f"variable_{i}"])
            self.seconds, self.steps = float(file["seconds"]), int(file["steps"])

    def _state(self) -> list[tf.Variable]:
        return [*self.variables, *self.average, *self.optimizer.variables]

    def export(self, path: Path, provenance: dict[str, object]) -> None:
        """Write the folded weights as float16 to `path` (.npz), and `provenance` beside it (.json)."""
        arrays = {}
        for layer, (kernel, bias) in self.folded().items():
            arrays[f"{layer}/kernel"] = kernel.astype(np.float16)
            arrays[f"{layer}/bias"] = bias.astype(np.float16)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        path.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")


def scales_of(checkpoint: Path, layers: Sequence[str]) -> Scales:
    """The scales in a file that `Distillation.save` wrote."""
    with np.load(checkpoint, allow_pickle=False) as file:
        return {layer: tuple(file[f"scale_{layer}"]) for layer in layers}


def random_options(random: np.random.Generator) -> StyleOptions:
    """Options to paint with: such as people use, at sizes that take seconds."""
    return StyleOptions(
        size=int(log_uniform(random, *SIZES)),
        strength=log_uniform(random, *STRENGTHS),
        epochs=int(random.integers(8, 30)),
        init=str(random.choice(["noise", "noise", "noise", "content"])),
        optimizer=str(random.choice(["lbfgs", "lbfgs", "lbfgs", "adam"])),
        style_scale=log_uniform(random, 0.6, 1.6),
        seed=int(random.integers(2**31)),
        extractor="compact",
    )
