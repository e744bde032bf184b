"""Train the fast styles that ship, and the predictor of a painting's style vector, together.

Run `python -m tools.train_fast_styles --photos FOLDER ... --paintings FOLDER ... --styles NAME=FILE ... --minutes 90
-o trained.style`; called again it goes on from the checkpoint beside the output. With `--from-shipped` it begins with
the network, the vectors and the predictor that ship. Then `python -m tools.ship`.

The objective is that of nst/engine/training/train.py, with these differences:

- Steps with a named style and with the style of a painting, whose vector is predicted from its activations, take turns.
- The Gram matrices of a style are, on deep layers, the mean over random crops of the painting that have the size of
  those of the photos, see nst/engine/training/style_crops.py; few crops, because there are a thousand paintings. On the
  other layers they are those of the whole painting, since random crops seldom show its corners.
- The logarithm of a style error counts, because that of a dark painting, relative to its own small Gram matrices, would
  outweigh all others.
- The weights of named styles and of paintings are moved until the content error of both stays at `CONTENT_ERROR`.
- The distance of the activations at each place from the painting's most similar ones costs: the loss of neighbors of
  nst/engine/optimization/neighbors. The crops of a step are one picture for the search, without color transfer, and
  paintings are not turned.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst.atomic_write import atomic_write
from nst.engine.backend import tf
from nst.engine.devices import choose_precision
from nst.engine.feed_forward.style_predictor import SIDE, StylePredictor, load_predictor
from nst.engine.feed_forward.transformer import Transformer
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.operations import as_one_picture
from nst.engine.optimization.losses import tv_loss
from nst.engine.optimization.neighbors.hypercolumns import (
    Cells,
    Hypercolumns,
    cell_sides,
    hypercolumn_count,
    neighbor_layers,
    to_cells,
    to_hypercolumns,
)
from nst.engine.optimization.neighbors.loss import Goals, mix_neighbors, neighbor_error
from nst.engine.optimization.neighbors.search import find_neighbors
from nst.engine.training.learning_rate import warm_cosine
from nst.engine.training.patchiness import patchiness
from nst.options.layer_presets import GATYS_STYLE
from nst.runs.estimates import MOST_CANDIDATES, NEIGHBOR_STRIDE
from nst.styles.network_plan import PLANS
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_library import shipped_file
from tools.crops import Array, pictures_in, random_crop, recolored
from tools.widen import widened, widened_maps

CROP = 224  # px
CROPS = 3  # of photos in a step, which have the Gram matrices of the style together
NAMED_CROPS, PAINTING_CROPS = 48, 3  # that a style's Gram matrices are the mean of
PHOTO_SCALES = (0.75, 1.25)
STYLE_SIDE = 608  # px, long side of a painting; larger than that of photos, for broader strokes
LEAST_PART = 0.6  # of the sides of a painting, in its second variant
DIRECTIONS, COMPONENTS, HIDDEN = 32, 96, 320  # of the predictor
STATISTICS_PAINTINGS = 600  # that its fixed arrays are computed from
PREDICTOR_RATE, VECTORS_RATE = 0.7, 4.0  # times the learning rate, for the predictor and the vectors of named styles
CLIP_NORM, AVERAGE_DECAY = 5.0, 0.998
CONTENT_LAYER, CONTENT_ERROR = "block4_conv2", 0.78
STYLE_WEIGHTS, FIRST_STYLE_WEIGHT = (2.0, 400.0), 40.0  # smallest and largest; of both styles at the start
WHOLE_LAYERS, CROP_LAYERS = GATYS_STYLE[:3], GATYS_STYLE[3:]  # whose Gram matrices are of whole paintings; of crops
SMOOTHNESS, PATCHINESS_WEIGHT, IDENTITY_WEIGHT = 1.0, 60.0, 2.0
NEIGHBOR_SHARE = 0.2  # of the loss of neighbors, times the weight of the style
SEARCHED_SHARE = 0.25  # of the places of a painting, taken at random, that neighbors are looked for among
FULL_STRENGTH_SHARE = 0.88  # of the steps
RECOLORED_SHARE = 0.5  # of the second variants of the paintings
PHOTOS_A_STYLE = 20  # photographs for one that is a style as well
DROPOUT = 0.1  # of the components
TRAINED_MAPS = ("hidden/kernel", "hidden/bias", "out/kernel", "out/bias")  # of the predictor
LOG_SECONDS, SAVE_SECONDS = 30, 180


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.train_fast_styles", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--styles", nargs="+", required=True, metavar="NAME=FILE", help="the named styles")
    parser.add_argument("--minutes", type=float, default=90, help="training time in all")
    parser.add_argument("--rate", type=float, default=1e-3, help="the largest learning rate")
    parser.add_argument("--from-shipped", action="store_true", help="begin with the weights that ship")
    parser.add_argument("--extractor", default="vgg19", help="the loss network: vgg19, or compact, the built-in one")
    parser.add_argument("-o", "--output", type=Path, default=Path("trained.style"))
    given = parser.parse_args()
    named = dict(each.split("=", 1) for each in given.styles)
    photos = pictures_in(given.photos, CROP)
    paintings = pictures_in(given.paintings, CROP) + photos[::PHOTOS_A_STYLE]
    checkpoint = given.output.with_suffix(".checkpoint.npz")
    goes_on, fixed = checkpoint.exists(), None
    if goes_on:
        fixed = fixed_arrays_of(checkpoint)
    elif given.from_shipped:
        fixed = {name: array for name, array in load_predictor().arrays.items() if name not in TRAINED_MAPS}
    styles = {name: _reduced(Path(path), STYLE_SIDE) for name, path in named.items()}
    training = Training(styles, [_reduced(path, SIDE) for path in photos], paintings, given.extractor, fixed)
    if goes_on:
        training.load(checkpoint)
    elif given.from_shipped:
        training.assign(shipped_file(), load_predictor())
    logged = saved = time.monotonic()
    for errors in training.steps(given.minutes, given.rate):
        now = time.monotonic()
        if now - logged > LOG_SECONDS:
            logged = now
            numbers = " ".join(f"{error:.3f}" for error in errors)
            weights = training.weights.round(2)
            print(f"{training.seconds / 60:.1f} min, step {training.step}, weights {weights}: {numbers}", flush=True)
        if now - saved > SAVE_SECONDS:
            saved = now
            training.save(checkpoint)
    training.save(checkpoint)
    training.export(given.output, len(photos), len(paintings))


class Training:
    """The network, the named vectors and the predictor in training.

    Args:
        named: pictures of the named styles.
        photos: what crops are taken of.
        paintings: files of paintings.
        extractor: the loss network.
        fixed: the arrays of the predictor that are not trained; None computes them.
    """

    def __init__(
        self,
        named: Mapping[str, Image.Image],
        photos: Sequence[Image.Image],
        paintings: Sequence[Path],
        extractor: str,
        fixed: dict[str, Array] | None = None,
    ) -> None:
        self.names, self._photos, self._paintings = tuple(named), photos, paintings
        self._random = np.random.default_rng()
        self._precision = precision = choose_precision("auto")
        self.extractor, self._extractor = extractor, load_extractor(extractor, dtype=precision)
        architecture = self._extractor.architecture
        self._neighbor_layers = neighbor_layers(architecture, GATYS_STYLE)
        self._cell_sides = cell_sides(architecture, self._neighbor_layers)
        self._reader = load_extractor("compact", dtype=precision)  # whose activations the predictor reads
        self.network = Transformer(PLANS["studio"], len(named), precision=precision)
        self.fixed = fixed or self._fixed_arrays()
        random = np.random.default_rng(0)
        first = (
            random.normal(0, COMPONENTS**-0.5, (COMPONENTS, HIDDEN)),
            np.zeros(HIDDEN),
            random.normal(0, 0.02 * HIDDEN**-0.5, (HIDDEN, PLANS["studio"].length)),
            PLANS["studio"].neutral(),
        )
        maps = zip(TRAINED_MAPS, first, strict=True)
        self.maps = {name: tf.Variable(array.astype(np.float32)) for name, array in maps}
        network = self.network
        shared = [each.value for each in (*network.kernels.values(), network.identity_vector)]
        self._variables = [*shared, network.styles.value, *self.maps.values()]
        self._rates = [1.0] * len(shared) + [VECTORS_RATE] + [PREDICTOR_RATE] * len(self.maps)
        self._average = [tf.Variable(variable) for variable in self._variables]
        self._moments = [[tf.Variable(tf.zeros_like(v)) for v in self._variables] for _ in range(2)]
        grams = [self._grams_of(picture, NAMED_CROPS) for picture in named.values()]
        self._named_grams = {layer: tf.stack([each[layer] for each in grams]) for layer in GATYS_STYLE}
        self._named = [np.asarray(picture) for picture in named.values()]
        self._targets: dict[tuple[int, bool], tuple[Array, dict[str, Any], Any]] = {}
        self.seconds, self.step, self.weights = 0.0, 0, np.full(2, FIRST_STYLE_WEIGHT, np.float32)

    def _fixed_arrays(self) -> dict[str, Array]:
        """The arrays of the predictor that are not trained, from paintings."""
        fixed: dict[str, Array] = {}
        predictor = StylePredictor(fixed)
        count = min(STATISTICS_PAINTINGS, len(self._paintings))
        chosen = self._random.choice(len(self._paintings), count, replace=False)
        pictures = (np.asarray(_reduced(self._paintings[n], SIDE), np.float32)[None] / 255 for n in chosen)
        found = [self._reader(picture, GATYS_STYLE) for picture in pictures]
        for layer in GATYS_STYLE:
            x = np.concatenate([np.float32(each[layer]).reshape(-1, each[layer].shape[-1])[::16] for each in found])
            values, vectors = np.linalg.eigh(np.cov(x, rowvar=False))
            fixed[f"{layer}/mean"] = x.mean(axis=0)
            fixed[f"{layer}/deviation"] = np.float32(np.sqrt(values.sum() / len(values)))
            fixed[f"{layer}/directions"] = (vectors / np.sqrt(np.maximum(values, 1e-9)))[:, -DIRECTIONS:].astype(
                np.float32
            )
        statistics = np.concatenate([predictor.statistics(each) for each in found])
        fixed["mean"], fixed["deviation"] = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), 1e-3)
        standardized = np.concatenate([predictor.standardized(each) for each in found])
        fixed["center"] = standardized.mean(axis=0)
        _, values, rows = np.linalg.svd(standardized - fixed["center"], full_matrices=False)
        deviations = values[:COMPONENTS, None] / np.sqrt(len(found))
        fixed["components"] = (rows[:COMPONENTS] / deviations).T.astype(np.float32)
        return fixed

    def steps(self, minutes: float, peak_rate: float) -> Iterator[Array]:
        """Train until `minutes` have passed in all; yields smoothed errors.

        These are of content (named style, painting), of style, of patches and of neighbors (the same), of the steps at
        full strength.
        """
        random, recent = self._random, np.full((4, 2), np.nan, np.float32)
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._batch, (self.step + 1) % 2)
            while self.seconds < 60 * minutes:
                began = time.monotonic()
                kind = (self.step + 1) % 2  # 0: a named style
                photos, grams, goals, style = coming.result()
                coming = ahead.submit(self._batch, 1 - kind)
                full = random.random() < FULL_STRENGTH_SHARE
                strength = None if full else tf.constant(max(0.0, random.uniform(-0.4, 1.0)), tf.float32)
                rate = peak_rate * warm_cosine(self.step, self.seconds / (60 * minutes))
                self.step += 1
                scalars = (tf.constant(x, tf.float32) for x in (self.weights[kind], rate, self.step))
                errors = self._train(photos, grams, goals, style, strength, *scalars).numpy()
                self.seconds += time.monotonic() - began
                if full and np.isfinite(errors).all():
                    before = np.where(np.isnan(recent[:, kind]), errors, recent[:, kind])
                    recent[:, kind] = before + 0.02 * (errors - before)
                    change = np.exp(0.02 * (CONTENT_ERROR - recent[0, kind]))
                    self.weights[kind] = np.clip(self.weights[kind] * change, *STYLE_WEIGHTS)
                    yield recent.reshape(-1)

    @tf.function
    def _train(
        self,
        photos: Any,
        grams: Mapping[str, Any],
        goals: Goals,
        style: Any,
        strength: Any,
        weight: Any,
        rate: Any,
        step: Any,
    ) -> Any:
        """One step of Adam, and of the averaged variables.

        Returns the errors of content, style, patches and neighbors, [4].

        Args:
            photos: crops, [CROPS, CROP, CROP, 3].
            grams: the Gram matrices of the style, [C, C], by layer.
            goals: what the crops, one below the other, are compared with at their places.
            style: the number of a named style, [] int32, or the components of a painting, [1, COMPONENTS].
            strength: of the style, 0..1; None is 1, and faster.
            weight: of the style error.
            rate: the learning rate.
            step: the number of this step, from 1.
        """
        content = tf.cast(self._extractor(photos, [CONTENT_LAYER])[CONTENT_LAYER], tf.float32)
        with tf.GradientTape() as tape:
            if style.dtype == tf.int32:
                vector = self.network.styles.value[style][None]
            else:
                vector = StylePredictor(self.maps).vectors(tf.nn.dropout(style, DROPOUT))
            strengths = None if strength is None else strength[None]
            painted = self.network.paint(photos, vector, strengths, pooled=True)
            found = self._extractor(painted, [*GATYS_STYLE, CONTENT_LAYER])
            content_error = tf.reduce_mean(_relative_errors(tf.cast(found[CONTENT_LAYER], tf.float32), content))
            painted_grams = self._grams(found, CROPS)
            of_layers = [
                _relative_errors(painted_grams[layer], tf.cast(grams[layer], tf.float32)[None]) for layer in GATYS_STYLE
            ]
            style_error = tf.add_n(of_layers)[0] / len(GATYS_STYLE)
            patches = patchiness(painted, photos)
            cells = self._cells(found)
            neighbors = neighbor_error(cells, goals) / hypercolumn_count(cells)
            matched = tf.math.log1p(style_error) + NEIGHBOR_SHARE * neighbors
            styled = weight * matched + SMOOTHNESS * tv_loss(painted) + PATCHINESS_WEIGHT * patches
            loss = content_error
            if strength is None:
                loss += styled
            else:
                distance = IDENTITY_WEIGHT * tf.reduce_mean(_relative_errors(painted, photos))
                loss += strength * styled + (1 - strength) * distance
        gradients = tape.gradient(loss, self._variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        self._descend([tf.convert_to_tensor(each) for each in gradients], rate, step)
        return tf.stack([content_error, style_error, patches, neighbors])

    def _descend(self, gradients: Sequence[Any], rate: Any, step: Any) -> None:
        """Adam with clipped gradients; a step whose gradient is not finite changes nothing but the moments' decay."""
        norm = tf.linalg.global_norm(gradients)
        factor = tf.minimum(1.0, CLIP_NORM / norm)
        for variable, gradient, share, first, second, average in zip(
            self._variables, gradients, self._rates, *self._moments, self._average, strict=True
        ):
            clipped = tf.where(tf.math.is_finite(norm), factor * gradient, tf.zeros_like(gradient))
            first.assign(0.9 * first + 0.1 * clipped)
            second.assign(0.999 * second + 0.001 * tf.square(clipped))
            ratio = (first / (1 - 0.9**step)) / (tf.sqrt(second / (1 - 0.999**step)) + 1e-8)
            variable.assign_sub(share * rate * ratio)
            average.assign(AVERAGE_DECAY * average + (1 - AVERAGE_DECAY) * variable)

    def _cells(self, activations: Mapping[str, Any]) -> Cells:
        """What neighbors are found by, and compared with: activations [N, h, w, C] of pictures, one below the other."""
        joined = {layer: as_one_picture(activations[layer]) for layer in self._neighbor_layers}
        return to_cells(joined, self._neighbor_layers, self._extractor.architecture)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def _hypercolumns(self, pictures: Any) -> Hypercolumns:
        """The activations at each place of `pictures` [N, h, w, 3], one below the other."""
        return to_hypercolumns(self._cells(self._extractor(pictures, self._neighbor_layers)), self._cell_sides)

    def _goals(self, photos: Array, painting: Array) -> Goals:
        """The neighbors of `photos` [N, h, w, 3] in 0..1 in `painting` [H, W, 3] in 0..255."""
        content, picture = self._hypercolumns(photos), self._hypercolumns(np.float32(painting)[None] / 255)
        turns = [[[lambda: picture]]]
        pixels = MOST_CANDIDATES * NEIGHBOR_STRIDE**2 / SEARCHED_SHARE  # of a painting of which this share is searched
        found = find_neighbors([[lambda: content]], turns, pixels, self._precision)
        return mix_neighbors([found], [1.0], tf.ones(1), self._cell_sides).goals

    def _grams(
        self, activations: Mapping[str, Any], group: int = 1, layers: Sequence[str] = GATYS_STYLE
    ) -> dict[str, Any]:
        """Gram matrices of `layers`, [N / group, C, C], each of `group` pictures together."""
        grams = {}
        for layer in layers:
            x = tf.cast(activations[layer], tf.float32)
            flat = tf.reshape(x, [x.shape[0] // group, -1, x.shape[-1]])
            grams[layer] = tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[1], tf.float32)
        return grams

    def _grams_of(self, picture: Image.Image, crops: int) -> dict[str, Any]:
        """The Gram matrices of `picture`, [C, C], by layer; of deep layers the mean of those of random crops."""
        taken = np.stack([random_crop(picture, CROP, self._random, (1.0, 1.0)) for _ in range(crops)])
        parts = [self._mean_grams(part) for part in np.split(taken, crops // PAINTING_CROPS)]
        means = {layer: tf.add_n([part[layer] for part in parts]) / len(parts) for layer in CROP_LAYERS}
        return means | self._whole_grams(np.asarray(picture, np.float32)[None] / 255)

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])
    def _whole_grams(self, picture: Any) -> dict[str, Any]:
        """The Gram matrices of a whole `picture` [1, h, w, 3], [C, C], by layer in WHOLE_LAYERS."""
        grams = self._grams(self._extractor(picture, WHOLE_LAYERS), layers=WHOLE_LAYERS)
        return {layer: gram[0] for layer, gram in grams.items()}

    @tf.function
    def _mean_grams(self, crops: Any) -> dict[str, Any]:
        """The mean Gram matrices of `crops` [PAINTING_CROPS, CROP, CROP, 3], [C, C], by layer in CROP_LAYERS."""
        grams = self._grams(self._extractor(crops, CROP_LAYERS), PAINTING_CROPS, CROP_LAYERS)
        return {layer: gram[0] for layer, gram in grams.items()}

    def _batch(self, kind: int) -> tuple[Array, dict[str, Any], Goals, Any]:
        """(crops of photos [CROPS, CROP, CROP, 3], Gram matrices of a style, goals, what `_train` takes as style).

        `kind` 0 is a named style, 1 a painting.
        """
        random = self._random
        chosen = random.integers(len(self._photos), size=CROPS)
        photos = np.stack([random_crop(self._photos[n], CROP, random, PHOTO_SCALES) for n in chosen])
        if kind:
            number, varied = int(random.integers(len(self._paintings))), bool(random.integers(2))
            picture, grams, components = self._painting(number, varied)
            return photos, grams, self._goals(photos, picture), components
        number = random.integers(len(self.names))
        grams = {layer: gram[number] for layer, gram in self._named_grams.items()}
        goals = self._goals(photos, self._named[number])
        return photos, grams, goals, tf.constant(number, tf.int32)  # a Python number would be traced anew

    def _painting(self, number: int, varied: bool) -> tuple[Array, dict[str, Any], Any]:
        """A painting, or a part of it that may be recolored: ([H, W, 3] uint8, Gram matrices, components [1, K]).

        They are computed once. Matrices are kept in bfloat16: all, with the pictures, take some gigabytes.
        """
        if (number, varied) not in self._targets:
            picture = _reduced(self._paintings[number], STYLE_SIDE, self._random if varied else None)
            grams = self._grams_of(picture, PAINTING_CROPS)
            components = self._components(np.asarray(_resized(picture, SIDE), np.float32)[None] / 255)
            kept = {layer: tf.cast(gram, tf.bfloat16) for layer, gram in grams.items()}
            self._targets[number, varied] = np.asarray(picture), kept, components
        return self._targets[number, varied]

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])
    def _components(self, painting: Any) -> Any:
        """The components of a painting [1, h, w, 3], [1, K]."""
        return StylePredictor(self.fixed).components(self._reader(painting, GATYS_STYLE))

    def save(self, path: Path) -> None:
        """Write everything that `load` needs to an .npz file."""
        arrays = {f"variable{n}": variable.numpy() for n, variable in enumerate(self._state())}
        progress = {"seconds": self.seconds, "step": self.step, "weights": self.weights}
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays, **{f"fixed/{k}": v for k, v in self.fixed.items()}, **progress)

    def load(self, path: Path) -> None:
        """Go on from a file that `save` wrote for the same named styles."""
        with np.load(path, allow_pickle=False) as file:
            for n, variable in enumerate(self._state()):
                variable.assign(file[f"variable{n}"])
            self.seconds, self.step, self.weights = float(file["seconds"]), int(file["step"]), file["weights"]

    def assign(self, file: StyleFile, predictor: StylePredictor) -> None:
        """Begin with the weights of `file`, whose styles must be the named ones, and the maps of `predictor`."""
        ordered = replace(file, styles={name: file.styles[name] for name in self.names})
        start = Transformer.of(widened(ordered, self.network.plan))
        for name, kernel in self.network.kernels.items():
            kernel.assign(start.kernels[name])
        self.network.identity_vector.assign(start.identity_vector)
        self.network.styles.assign(start.styles)
        maps = widened_maps({name: predictor.arrays[name] for name in TRAINED_MAPS}, file.plan, self.network.plan)
        for name, variable in self.maps.items():
            variable.assign(maps[name])
        for variable, average in zip(self._variables, self._average, strict=True):
            average.assign(variable)

    def _state(self) -> list[tf.Variable]:
        return [*self._variables, *self._average, *self._moments[0], *self._moments[1]]

    def export(self, path: Path, photos: int, paintings: int) -> None:
        """Write the averaged network to the style file `path`, and the predictor beside it (.predictor.npz)."""
        for variable, average in zip(self._variables, self._average, strict=True):
            variable.assign(average)
        provenance = {
            "photos": photos,
            "paintings": paintings,
            "extractor": self.extractor,
            "minutes": round(self.seconds / 60),
            "steps": self.step,
        }
        file = self.network.file({name: Style(name, provenance=provenance) for name in self.names})
        path.write_bytes(file.to_bytes())
        arrays = {**self.fixed, **{name: variable.numpy() for name, variable in self.maps.items()}}
        halved = {name: array.astype(np.float16) if array.ndim == 2 else array for name, array in arrays.items()}
        np.savez_compressed(path.with_suffix(".predictor.npz"), allow_pickle=False, **halved)


def fixed_arrays_of(checkpoint: Path) -> dict[str, Array]:
    """The arrays of the predictor that are not trained, in a file that `Training.save` wrote."""
    with np.load(checkpoint, allow_pickle=False) as file:
        return {name.removeprefix("fixed/"): file[name] for name in file.files if name.startswith("fixed/")}


def _relative_errors(found: Any, target: Any) -> Any:
    """Squared distance over the squared norm of the target, [N], of tensors [N, ...]."""
    axes = list(range(1, len(found.shape)))
    return tf.reduce_sum(tf.square(found - target), axes) / (tf.reduce_sum(tf.square(target), axes) + 1e-12)


def _reduced(path: Path, side: int, random: np.random.Generator | None = None) -> Image.Image:
    """A picture with a long side of `side` px; with `random` a part of it, which may be recolored."""
    with Image.open(path) as opened:
        opened.draft("RGB", (2 * side, 2 * side))
        picture = opened.convert("RGB")
    if random is not None:
        sides = [side * random.uniform(LEAST_PART, 1) for side in picture.size]
        corner = [random.uniform(0, whole - side) for whole, side in zip(picture.size, sides, strict=True)]
        picture = picture.crop((*map(round, corner), *(round(c + s) for c, s in zip(corner, sides, strict=True))))
    picture = _resized(picture, side)
    if random is None or random.random() > RECOLORED_SHARE:
        return picture
    return Image.fromarray(np.rint(recolored(np.asarray(picture, np.float32) / 255, random) * 255).astype(np.uint8))


def _resized(picture: Image.Image, side: int) -> Image.Image:
    """`picture` with a long side of `side` px."""
    factor = side / max(picture.size)
    return picture.resize([round(factor * length) for length in picture.size], Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
