"""The training of an image transformation network on a folder of photos (Johnson, Alahi and Fei-Fei 2016, section 3).

The objective is that of objective.py with relative losses: content of the photo, Gram matrices of the style, total
variation; and patches of color cost, see patchiness.py. Each step paints a batch of crops in one of the styles, most
batches at full strength. At strength t, all but the content weigh t, and the distance of the pictures from the photos
themselves weighs 1 - t.

All crops of a batch are normalized together, and have the Gram matrices together, as if they were one picture. If each
crop had to match the style's statistics, a plain sky would have to show every color of the painting, and would be
covered with blotches. The Gram matrices of a style are of crops as well, see style_crops.py.

The code is written on Keras and runs on TensorFlow and on JAX.
"""

import io
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.engine.backend import keras, ops, tf
from nst.engine.feed_forward.transformer import Transformer
from nst.engine.networks.extractors import Extractor
from nst.engine.operations import as_one_picture
from nst.engine.optimization.layer_losses import LayerLosses, Targets
from nst.engine.optimization.losses import content_loss
from nst.engine.training.learning_rate import warm_cosine
from nst.engine.training.patchiness import patchiness
from nst.engine.training.photos import Photos
from nst.engine.training.style_crops import crops_of
from nst.errors import Diverged, InputError
from nst.options.layer_presets import LAYER_PRESETS
from nst.options.train_options import TrainOptions

Array = NDArray[np.float32]
Tensor = Any

FULL_STRENGTH_SHARE = 0.85  # of the batches
ZERO_STRENGTH_SHARE = 0.3  # of the others; the rest of them have a random strength
GRADIENT_CLIP_NORM = 5.0
LOSS_SMOOTHING = 0.02  # share of the newest step in the losses that are reported
LEAST_IMPROVEMENT = 0.001  # share by which the held-out loss must fall to be better than before
MOST_ROLLBACKS = 5  # after losses that are NaN, before the training gives up


@dataclass(frozen=True)
class Trained:
    """A step, with the means of the losses over the last steps: `total`, `content`, `style` and `tv`, unweighted."""

    step: int
    seconds: float
    left: float  # seconds, at most
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Previewed:
    """The losses on the held-out crops after a step, and the first of these crops in each style."""

    step: int
    seconds: float
    losses: Mapping[str, float]
    best: bool
    pictures: tuple[Array, ...] = field(repr=False)  # the photo, then it in each style, [crop, crop, 3] in 0..1


@dataclass(frozen=True)
class RolledBack:
    """The loss became NaN: the training is back in the state of `step` and continues with a smaller learning rate."""

    step: int
    rate: float  # times the learning rate of the options


Record = Trained | Previewed | RolledBack


class Learner(keras.Model):
    """The model that Keras trains: a transformer, and the loss of what it paints.

    Args:
        transformer: the network.
        extractor: the loss network.
        styles: pictures, [h, w, 3] in 0..1, in the order of the transformer's styles.
        options: the weights of the losses.
    """

    def __init__(
        self, transformer: Transformer, extractor: Extractor, styles: Sequence[Array], options: TrainOptions
    ) -> None:
        super().__init__()
        self.transformer, self._settings = transformer, options
        content, style = (dict(layers) for layers in LAYER_PRESETS["fast"].layers())
        self._content_weights, self._style_weights = (
            np.array(list(layers.values()), np.float32) for layers in (content, style)
        )
        self._layer_losses = layers = LayerLosses(extractor, list(content), list(style), "relative")
        matrices = [self._matrices_of(picture) for picture in styles]
        self._matrices = {layer: ops.stack([each[layer] for each in matrices]) for layer in layers.style_layers}
        self._means = {name: keras.metrics.Mean(name) for name in ("content", "style", "tv")}

    def _matrices_of(self, picture: Array) -> dict[str, Tensor]:
        """The Gram matrices of the crops of a style's picture together, [C, C], by layer."""
        layers, crops = self._layer_losses, crops_of(picture, self._settings.crop)
        each = [layers.gram_matrices(layers.extractor(crop[None], layers.style_layers)) for crop in crops]
        return {layer: sum(one[layer] for one in each) / len(each) for layer in layers.style_layers}

    def call(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Paint the crops "photos" [N, h, w, 3], all in the style "mix" [1, styles] and at the "strength" [1]."""
        return self.transformer(inputs["photos"], inputs["mix"], inputs["strength"], pooled=True)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Tensor:
        """The loss of the painted pictures `y_pred`, where `x` are the inputs."""
        layers, options = self._layer_losses, self._settings
        found = layers.extractor(y_pred, layers.layers)
        content_of_photos = layers.extractor(x["photos"], layers.content_layers)
        targets = Targets(
            {layer: as_one_picture(content_of_photos[layer]) for layer in layers.content_layers},
            {layer: ops.tensordot(x["mix"][0], stacked, 1) for layer, stacked in self._matrices.items()},
        )
        joined = {layer: as_one_picture(features) for layer, features in found.items()}
        contents, styles, tv = layers.losses(joined, y_pred, targets)
        content, style = ops.sum(self._content_weights * contents), ops.sum(self._style_weights * styles)
        for name, part in zip(self._means, (content, style, tv), strict=True):
            self._means[name].update_state(part)
        patches = options.patch_weight * patchiness(y_pred, x["photos"])
        painting = options.style_weight * style + options.tv_weight * tv + patches
        distance = content_loss(as_one_picture(y_pred), as_one_picture(x["photos"]), "relative")
        strength = x["strength"][0]
        identity = options.identity_weight * distance
        return options.content_weight * content + strength * painting + (1.0 - strength) * identity


class Training:
    """The training of a network in its styles.

    Args:
        transformer: the network; `only_styles` trains its style vectors and nothing else.
        styles: pictures, [h, w, 3] in 0..1, in the order of the transformer's styles.
        photos: what it is trained on.
        extractor: the loss network.
        options: how long, and how.
    """

    def __init__(
        self,
        transformer: Transformer,
        styles: Sequence[Array],
        photos: Photos,
        extractor: Extractor,
        options: TrainOptions,
        only_styles: bool = False,
    ) -> None:
        self.transformer = transformer
        self.options = options = options.resolved(extractor.architecture.name, only_styles)
        for weight in (*transformer.kernels.values(), transformer.identity_vector):
            weight.trainable = not only_styles
        self._learner = Learner(transformer, extractor, styles, options)
        self._optimizer = keras.optimizers.Adam(options.learning_rate, global_clipnorm=GRADIENT_CLIP_NORM)
        self._learner.compile(self._optimizer, jit_compile=tf is None)
        self._optimizer.build(self._learner.trainable_variables)
        self._photos = photos
        self._held_out = photos.held_out()
        self.step, self.seconds = 0, 0.0
        self.history: list[Previewed] = []
        self._rate = 1.0  # times the learning rate of the options; halved by each rollback

    def records(self) -> Iterator[Record]:
        """Train until the options end it, from where `step` and `seconds` are; yields what happens.

        Raises:
            Diverged: the loss became NaN again after `MOST_ROLLBACKS` rollbacks.
            InputError: no photo is left that can be read.
        """
        options = self.options
        batches = self._photos.batches(options.batch, self.step)
        random = np.random.default_rng((options.seed, self.step))
        good_state, rollbacks, previewed = self.state(), 0, self.seconds
        recent: dict[str, float] = {}
        try:
            while not self._is_over():
                began = time.monotonic()
                losses = self._train_step(next(batches), random)
                self.seconds += time.monotonic() - began
                self.step += 1
                due = self.seconds - previewed >= options.preview * 60 or self._is_over()
                preview = self.preview() if due else None
                if not _is_finite(losses) or (preview and not _is_finite(preview.losses)):
                    rollbacks += 1
                    if rollbacks > MOST_ROLLBACKS:
                        raise Diverged(
                            f"the training's loss became NaN {rollbacks} times; try a smaller `learning_rate`"
                        )
                    rate = self._rate / 2
                    self.load_state(good_state)
                    self._rate, recent = rate, {}
                    yield RolledBack(self.step, rate)
                    continue
                for name, loss in losses.items():
                    recent[name] = recent.get(name, loss) + LOSS_SMOOTHING * (loss - recent.get(name, loss))
                yield Trained(self.step, self.seconds, self._seconds_left(), dict(recent))
                if preview:
                    self.history.append(preview)
                    good_state, previewed = self.state(), self.seconds
                    yield preview
        finally:
            batches.close()  # type: ignore[attr-defined]

    def preview(self) -> Previewed:
        """The losses on the held-out crops, in the mean of the styles; `history` is not changed."""
        photo, styles = self._held_out[:1], np.eye(self.transformer.styles.shape[0], dtype=np.float32)
        found = [self._losses(self._learner.test_on_batch, self._held_out, style, 1.0) for style in styles]
        losses = {part: sum(one[part] for one in found) / len(found) for part in found[0]}
        lowest = min((past.losses["total"] for past in self.history), default=math.inf)
        pictures = [np.asarray(self.transformer(photo, style[None]))[0] for style in styles]
        best = losses["total"] < (1 - LEAST_IMPROVEMENT) * lowest
        return Previewed(self.step, self.seconds, losses, best, (photo[0], *pictures))

    def _train_step(self, photos: Array, random: np.random.Generator) -> dict[str, float]:
        """One step on a batch, in the next style and at a random strength; returns its losses."""
        styles = self.transformer.styles.shape[0]
        lower = max(0.0, random.uniform(-ZERO_STRENGTH_SHARE / (1 - ZERO_STRENGTH_SHARE), 1.0))
        strength = 1.0 if random.random() < FULL_STRENGTH_SHARE else lower
        rate = self.options.learning_rate * self._rate
        self._optimizer.learning_rate = rate * warm_cosine(self.step, self._progress())
        return self._losses(self._learner.train_on_batch, photos, np.eye(styles)[self.step % styles], strength)

    def _losses(self, run: Callable[..., Any], photos: Array, style: Array, strength: float) -> dict[str, float]:
        """The losses of a batch in a style, by `run`: the learner's `train_on_batch` or `test_on_batch`."""
        inputs = {
            "photos": photos,
            "mix": style[None].astype(np.float32),
            "strength": np.full(1, strength, np.float32),
        }
        self._learner.reset_metrics()
        losses = run(inputs, return_dict=True)
        return {"total": float(losses["loss"]), **{name: float(losses[name]) for name in ("content", "style", "tv")}}

    def _progress(self) -> float:
        """0 at the start, 1 when the time or the steps are used up."""
        assert self.options.minutes is not None  # `resolved` decides it
        shares = [self.seconds / (60 * self.options.minutes)]
        if self.options.steps:
            shares.append(self.step / self.options.steps)
        return min(1.0, max(shares))

    def _seconds_left(self) -> float:
        done = self._progress()
        return self.seconds / done * (1 - done) if done else math.inf

    def _is_over(self) -> bool:
        """Whether time or steps are used up, or the last previews were no better than those before."""
        since_best = next((n for n, past in enumerate(reversed(self.history)) if past.best), 0)
        return self._progress() >= 1.0 or 0 < self.options.patience <= since_best

    def state(self) -> bytes:
        """Everything that `load_state` needs, as an .npz file."""
        variables = [*self.transformer.weights, *self._optimizer.variables]
        arrays = {f"variable{n}": np.asarray(variable) for n, variable in enumerate(variables)}
        history = [{**asdict(past), "pictures": ()} for past in self.history]
        progress = {"step": self.step, "seconds": self.seconds, "rate": self._rate, "history": history}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, progress=np.array(json.dumps(progress)), **arrays)
        return buffer.getvalue()

    def load_state(self, state: bytes) -> None:
        """Continue from the `state` of a training of the same network. Raises InputError."""
        variables = [*self.transformer.weights, *self._optimizer.variables]
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as file:
                arrays = [file[f"variable{n}"] for n in range(len(variables))]
                progress = json.loads(str(file["progress"]))
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        except Exception:  # NumPy and json raise errors of many kinds on a damaged file
            raise InputError("the checkpoint is damaged, or of another training") from None
        self.step, self.seconds, self._rate = progress["step"], progress["seconds"], progress["rate"]
        self.history = [Previewed(**past) for past in progress["history"]]


def _is_finite(losses: Mapping[str, float]) -> bool:
    return all(map(math.isfinite, losses.values()))
