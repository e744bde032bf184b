"""Train an image transformation network on the photos of a folder (Johnson, Alahi and Fei-Fei 2016, section 3).

The objective is that of objective.py, in its relative form: content of the photo, Gram matrices of the style, total
variation. A step paints a batch of crops in one of the styles, most at full strength; at strength t the style weighs t,
and 1 - t weighs how far the pictures are from the photos themselves. The crops have the style's statistics together, as
one picture would: had each to have them, a plain sky would be made to show every colour of the painting, in blotches.
Written on Keras: the same training runs on TensorFlow and on JAX.
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
from nst.engine.extractors import Extractor
from nst.engine.losses import content_loss
from nst.engine.objective import Comparison, Targets
from nst.engine.photos import Photos
from nst.engine.transformer import Transformer
from nst.errors import Diverged, InputError
from nst.options.layer_presets import PRESETS
from nst.options.train_options import TrainOptions

Array = NDArray[np.float32]
Tensor = Any

FULL = 0.85  # share of the batches that are painted at full strength
NOTHING = 0.3  # of the others, about, at none
WARM_UP = 100  # steps until the learning rate is at its height
LEAST_RATE = 0.005  # of the learning rate, at the end
CLIP = 5.0  # the gradient's norm
SMOOTHING = 0.02  # share that the newest step has in the losses that are told
BETTER = 0.001  # share by which the held-out loss must fall to count as better
RETREATS = 5  # times that a loss may become NaN


@dataclass(frozen=True)
class Trained:
    """A step, with the means of the losses over the last steps: `total`, `content`, `style` and `tv`, unweighted."""

    step: int
    seconds: float
    left: float  # seconds, at most
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Previewed:
    """How far it is: the held-out losses, and each style on the first of the held-out crops."""

    step: int
    seconds: float
    losses: Mapping[str, float]
    best: bool
    pictures: tuple[Array, ...] = field(repr=False)  # the photo, then each style's, [crop, crop, 3] in 0..1


@dataclass(frozen=True)
class Retreated:
    """The loss became NaN: back to the state of `step`, with a smaller learning rate."""

    step: int
    rate: float  # times that of the options


Record = Trained | Previewed | Retreated


class Learner(keras.Model):
    """What Keras trains: a transformer, and the loss of what it paints."""

    def __init__(
        self, transformer: Transformer, extractor: Extractor, styles: Sequence[Array], options: TrainOptions
    ) -> None:
        super().__init__()
        self.transformer, self._settings = transformer, options
        content, style = (dict(layers) for layers in PRESETS["fast"].layers())
        self._content_weights, self._style_weights = (
            np.array(list(layers.values()), np.float32) for layers in (content, style)
        )
        self._comparison = comparison = Comparison(extractor, list(content), list(style), "relative")
        matrices = [comparison.summary(extractor(picture[None], comparison.style_sources)) for picture in styles]
        self._matrices = {layer: ops.stack([each[layer] for each in matrices]) for layer in comparison.style_layers}
        self._means = {name: keras.metrics.Mean(name) for name in ("content", "style", "tv")}

    def call(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Paint the crops "photos" [N, h, w, 3], all in the style "mix" [N, styles] and at the "strength" [N]."""
        return self.transformer(inputs["photos"], inputs["mix"], inputs["strength"])

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Tensor:
        """The loss of what was painted, `y_pred`, of the inputs `x`."""
        comparison, options = self._comparison, self._settings
        found = comparison.extractor(y_pred, comparison.layers)
        wanted = comparison.extractor(x["photos"], comparison.content_layers)
        targets = Targets(
            {layer: _joined(wanted[layer]) for layer in comparison.content_layers},
            {layer: ops.tensordot(x["mix"][0], stacked, 1) for layer, stacked in self._matrices.items()},
        )
        contents, styles, tv = comparison.parts({layer: _joined(found[layer]) for layer in found}, y_pred, targets)
        content, style = ops.sum(self._content_weights * contents), ops.sum(self._style_weights * styles)
        for name, part in zip(self._means, (content, style, tv), strict=True):
            self._means[name].update_state(part)
        painting = options.style_weight * style + options.tv_weight * tv
        itself = options.identity_weight * content_loss(_joined(y_pred), _joined(x["photos"]), "relative")
        strength = x["strength"][0]
        return options.content_weight * content + strength * painting + (1.0 - strength) * itself


def _joined(features: Tensor) -> Tensor:
    """[N, h, w, C] as those of one picture, [1, N h, w, C]."""
    return ops.reshape(features, (1, -1, *features.shape[2:]))


class Training:
    """The training of a network in its styles.

    Args:
        transformer: what is trained. `only_styles` leaves its kernels as they are.
        styles: the styles' pictures, [h, w, 3] in 0..1, in the transformer's order.
        photos: what it is trained on.
        extractor: the loss network.
        options: for how long, and how.
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
        for weight in (*transformer.kernels.values(), transformer.own):
            weight.trainable = not only_styles
        self._learner = Learner(transformer, extractor, styles, options)
        self._optimizer = keras.optimizers.Adam(options.learning_rate, global_clipnorm=CLIP)
        self._learner.compile(self._optimizer, jit_compile=tf is None)
        self._optimizer.build(self._learner.trainable_variables)
        self._photos = photos
        self._held_out = photos.held_out()
        self.step, self.seconds = 0, 0.0
        self.history: list[Previewed] = []
        self._rate = 1.0

    def records(self) -> Iterator[Record]:
        """Train until the options say that it is enough; `step` and `seconds` go on from where they are.

        Raises:
            Diverged: the loss became NaN again and again.
            InputError: no photo is left.
        """
        options = self.options
        batches = self._photos.batches(options.batch, self.step)
        random = np.random.default_rng((options.seed, self.step))
        good, retreats, previewed = self.state(), 0, self.seconds
        recent: dict[str, float] = {}
        try:
            while not self._is_over():
                began = time.monotonic()
                losses = self._train(next(batches), random)
                self.seconds += time.monotonic() - began
                self.step += 1
                due = self.seconds - previewed >= options.preview * 60 or self._is_over()
                preview = self.preview() if due else None
                if not _finite(losses) or (preview and not _finite(preview.losses)):  # such a state is not to be kept
                    retreats += 1
                    if retreats > RETREATS:
                        raise Diverged(
                            f"the training's loss became NaN {retreats} times; try a smaller `learning_rate`"
                        )
                    rate = self._rate / 2
                    self.take_up(good)
                    self._rate, recent = rate, {}
                    yield Retreated(self.step, rate)
                    continue
                for name, loss in losses.items():
                    recent[name] = recent.get(name, loss) + SMOOTHING * (loss - recent.get(name, loss))
                yield Trained(self.step, self.seconds, self._left(), dict(recent))
                if preview:
                    self.history.append(preview)
                    good, previewed = self.state(), self.seconds
                    yield preview
        finally:
            batches.close()  # type: ignore[attr-defined]

    def preview(self) -> Previewed:
        """How good it is on photos it was not trained on, in the mean of the styles."""
        photo, names = self._held_out[:1], np.eye(self.transformer.styles.shape[0], dtype=np.float32)
        found = [self._told(self._learner.test_on_batch, self._held_out, name, 1.0) for name in names]
        losses = {part: sum(one[part] for one in found) / len(found) for part in found[0]}
        best = losses["total"] < (1 - BETTER) * min((past.losses["total"] for past in self.history), default=math.inf)
        pictures = [np.asarray(self.transformer(photo, name[None]))[0] for name in names]
        return Previewed(self.step, self.seconds, losses, best, (photo[0], *pictures))

    def _train(self, photos: Array, random: np.random.Generator) -> dict[str, float]:
        styles = self.transformer.styles.shape[0]
        lower = max(0.0, random.uniform(-NOTHING / (1 - NOTHING), 1.0))
        strength = 1.0 if random.random() < FULL else lower
        self._optimizer.learning_rate = self._learning_rate()
        return self._told(self._learner.train_on_batch, photos, np.eye(styles)[self.step % styles], strength)

    def _told(self, do: Callable[..., Any], photos: Array, style: Array, strength: float) -> dict[str, float]:
        """The losses that one of Keras' methods tells of a batch in a style."""
        count = len(photos)
        inputs = {
            "photos": photos,
            "mix": np.tile(style.astype(np.float32), (count, 1)),
            "strength": np.full(count, strength, np.float32),
        }
        self._learner.reset_metrics()
        losses = do(inputs, return_dict=True)
        return {"total": float(losses["loss"]), **{name: float(losses[name]) for name in ("content", "style", "tv")}}

    def _learning_rate(self) -> float:
        """Up in a straight line, then down by half a cosine."""
        height = 0.5 * (1 + math.cos(math.pi * self._progress()))
        warm = min(1.0, (self.step + 1) / WARM_UP)
        return self.options.learning_rate * self._rate * warm * (LEAST_RATE + (1 - LEAST_RATE) * height)

    def _progress(self) -> float:
        """0 at the start, 1 where time or steps are used up."""
        assert self.options.minutes is not None  # resolved
        shares = [self.seconds / (60 * self.options.minutes)]
        if self.options.steps:
            shares.append(self.step / self.options.steps)
        return min(1.0, max(shares))

    def _left(self) -> float:
        done = self._progress()
        return self.seconds / done * (1 - done) if done else math.inf

    def _is_over(self) -> bool:
        since = next((n for n, past in enumerate(reversed(self.history)) if past.best), 0)
        stalled = 0 < self.options.patience <= since
        return self._progress() >= 1.0 or stalled

    def state(self) -> bytes:
        """Everything that `take_up` needs to go on."""
        variables = [*self.transformer.weights, *self._optimizer.variables]
        arrays = {f"variable{n}": np.asarray(variable) for n, variable in enumerate(variables)}
        told = [{**asdict(past), "pictures": ()} for past in self.history]
        progress = {"step": self.step, "seconds": self.seconds, "rate": self._rate, "history": told}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, progress=np.array(json.dumps(progress)), **arrays)
        return buffer.getvalue()

    def take_up(self, state: bytes) -> None:
        """Go on from `state`, of a training of the same network. Raises InputError."""
        variables = [*self.transformer.weights, *self._optimizer.variables]
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as file:
                arrays = [file[f"variable{n}"] for n in range(len(variables))]
                progress = json.loads(str(file["progress"]))
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        except Exception:  # NumPy and json raise whatever a damaged file makes them stumble on
            raise InputError("the checkpoint is damaged, or of another training") from None
        self.step, self.seconds, self._rate = progress["step"], progress["seconds"], progress["rate"]
        self.history = [Previewed(**past) for past in progress["history"]]


def _finite(losses: Mapping[str, float]) -> bool:
    return all(map(math.isfinite, losses.values()))
