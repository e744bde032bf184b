"""The loops of the field, the formulas they follow, the judge that compares them, and ours as one of them."""

import itertools
import math
import threading

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks import formulas, our_loops, published_loops, torch_loop
from benchmarks.formulas import CROWSONKB, GATYS, JCJOHNSON, KERAS, TENSORFLOW, YARDSTICK, Pull
from benchmarks.judge import as_seen, judge_by, on_grid
from benchmarks.published_loops import Problem, loops_of_the_field
from benchmarks.random_weights import he_normal
from nst.engine.networks.extractors import Architecture, Extractor
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.options.style_options import StyleOptions
from nst.pictures.images import resize
from nst.runs.schedule import coarse_to_fine
from tests.engine import textbook

TINY = Architecture("tiny", (4, 6, 8, 8, 8), (2, 2, 2, 2, 2), "average", {"block2_conv2": (0, 4)})


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    # Without biases, noise around the mean color has next to no activations: there the gradient of a Gram loss is lost
    # in the rounding of the loss, and a line search finds nothing.
    weights = he_normal(TINY, seed=4)
    return Extractor(TINY, {layer: (*kernels, bias + 20) for layer, (*kernels, bias) in weights.items()})


@pytest.fixture(scope="module")
def problem(extractor: Extractor, content: NDArray, style: NDArray) -> Problem:
    return Problem(content, style, extractor, steps=20)  # [48, 64, 3]


def test_the_judge_agrees_with_its_twin(extractor: Extractor, problem: Problem) -> None:
    picture = np.random.default_rng(0).uniform(-0.2, 1.2, problem.content.shape).astype(np.float32)
    seen = np.round(255 * np.clip(picture, 0, 1)) / 255
    style = np.round(255 * resize(problem.style, 64, 64)) / 255
    layers = ("block4_conv2", *(f"block{b}_conv1" for b in range(1, 6)))

    def look(image: NDArray) -> dict[str, NDArray]:
        found = extractor(tf.constant(image[None], tf.float32), layers)
        return {layer: np.asarray(found[layer][0], np.float64) for layer in layers}

    f, p, s = look(seen), look(problem.content), look(style)
    content_loss = 5 * np.mean((f["block4_conv2"] - p["block4_conv2"]) ** 2)
    style_loss = 0.0
    for layer in layers[1:]:
        channels = f[layer].shape[2]
        difference = textbook.gram(f[layer]) - textbook.gram(s[layer])  # already over M
        style_loss += 100 * np.sum(difference**2) / channels**4
    verdict = judge_by(extractor, problem.content, problem.style)(picture)
    np.testing.assert_allclose(verdict, (content_loss + style_loss, content_loss, style_loss), rtol=2e-3)


def test_a_small_picture_is_judged_enlarged_and_clipped() -> None:
    seen = as_seen(np.full((8, 12, 3), 1.3, np.float32), 16, 24)
    assert seen.shape == (16, 24, 3)
    np.testing.assert_array_equal(seen, 1.0)
    assert on_grid(50, 7) == (48, 16)


LOOPS = ("tensorflow", "keras", "jcjohnson-lbfgs", "jcjohnson-adam", "gatys", "crowsonkb")
FORMULAS = dict(zip(LOOPS, (TENSORFLOW, KERAS, JCJOHNSON, JCJOHNSON, GATYS, CROWSONKB), strict=True))


@pytest.mark.parametrize("name", LOOPS)
def test_each_loop_of_the_field_lowers_its_own_loss(name: str, problem: Problem) -> None:
    loop = loops_of_the_field(problem)[name]
    pull = next(argument for argument in loop.run.args if isinstance(argument, Pull))  # type: ignore[attr-defined]
    assert pull.formula is FORMULAS[name]
    frames = loop.run()
    taken = list(itertools.islice(frames, 16))
    frames.close()  # type: ignore[attr-defined]
    pictures = [frame.picture() for frame in taken]
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    if name in ("tensorflow", "crowsonkb"):  # the ones that clamp
        assert min(map(np.min, pictures)) >= -1e-6
        assert max(map(np.max, pictures)) <= 1 + 1e-6
    targets = problem.targets(pull, problem.size)
    losses = [float(pull(published_loops.as_tensor(picture), targets)[0]) for picture in pictures]
    assert all(map(math.isfinite, losses))
    # The tutorial's first steps throw the picture off the content that it starts from; from there it comes down.
    assert losses[-1] < (max(losses) / 1.5 if name == "tensorflow" else losses[0])


def test_our_loop_runs_with_the_defaults_and_stays_in_range(problem: Problem) -> None:
    loop = our_loops.our_loops(problem)["ours"]
    assert loop.run.args[1] == StyleOptions(size=64)  # type: ignore[attr-defined]
    for frame in itertools.islice(loop.run(), 6):
        picture = frame.picture()
        assert picture.shape == (frame.height, frame.width, 3)
        assert 0 <= picture.min() <= picture.max() <= 1


def test_a_step_of_lbfgs_is_one_evaluation(problem: Problem) -> None:
    counted = []

    class Counting(Pull):
        def __call__(self, image, targets):  # type: ignore[no-untyped-def]
            loss, gradient = super().__call__(image, targets)
            counted.append(float(loss))
            return loss, gradient

    before = threading.active_count()
    frames = published_loops.lbfgs(problem, Counting(problem.extractor, YARDSTICK), published_loops.content_start)
    shown = [next(frames)]
    assert counted == []
    for steps in range(1, 8):
        shown.append(next(frames))
        assert len(counted) == steps
    judged = judge_by(problem.extractor, problem.content, problem.style)
    assert judged(shown[-1].picture()).total < judged(shown[0].picture()).total
    frames.close()
    assert threading.active_count() == before


def test_an_error_of_an_evaluation_ends_lbfgs(problem: Problem) -> None:
    class Failing(Pull):
        def __call__(self, image, targets):  # type: ignore[no-untyped-def]
            raise MemoryError("no room")

    frames = published_loops.lbfgs(problem, Failing(problem.extractor, YARDSTICK), published_loops.content_start)
    next(frames)
    with pytest.raises(MemoryError, match="no room"):
        next(frames)


def test_crowsonkbs_scales_are_a_root_of_two_apart() -> None:
    assert published_loops.crowsonkb_sides(512) == (128, 181, 256, 362, 512)
    assert published_loops.crowsonkb_sides(96) == (96,)


def test_crowsonkbs_schedule_enlarges_picture_and_moments(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    grown = []

    class Watched(published_loops.Adam):
        def grow(self, height: int, width: int) -> None:
            super().grow(height, width)
            assert self.moments
            grown.append((self.steps, *(tuple(moment.shape) for moment in self.moments)))
            assert float(tf.reduce_min(self.moments[1])) >= 0

    monkeypatch.setattr(published_loops, "Adam", Watched)
    frames = list(published_loops.climb(problem, Pull(problem.extractor, CROWSONKB), (32, 64), (4, 3)))
    assert [frame.width for frame in frames] == [32] * 5 + [64] * 3
    assert grown == [(4, (1, 48, 64, 3), (1, 48, 64, 3))]


def test_adam_agrees_with_its_twin() -> None:
    random = np.random.default_rng(6)
    x = random.uniform(0, 1, (1, 4, 5, 3)).astype(np.float32)
    adam, image = published_loops.Adam(0.02, 0.9, 0.99, 1e-3), tf.constant(x)
    m = v = np.zeros(x.shape)
    for step in range(1, 6):
        gradient = random.normal(0, 1, x.shape).astype(np.float32)
        image = adam(image, tf.constant(gradient))
        m, v = 0.9 * m + 0.1 * gradient, 0.99 * v + 0.01 * gradient**2
        x = x - 0.02 * math.sqrt(1 - 0.99**step) / (1 - 0.9**step) * m / (np.sqrt(v) + 1e-3)
    np.testing.assert_allclose(image, x, rtol=1e-4, atol=1e-5)


def test_the_gradient_of_the_wasserstein_distance_is_that_of_its_value() -> None:
    random = np.random.default_rng(1)
    flat, other = (random.normal(0, 1, (1, 9, 9, 4)).astype(np.float32) for _ in range(2))
    target = formulas.mean_and_root(formulas.mean_and_covariance(tf.constant(other), 1.0))

    def distance(features: tf.Tensor) -> tf.Tensor:
        return formulas.wasserstein(formulas.mean_and_covariance(features, 1.0), target)

    x, direction = tf.constant(flat), random.normal(0, 1, flat.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = distance(x)
    slope = float(tf.reduce_sum(tape.gradient(value, x) * direction))
    numeric = float(distance(x + 0.01 * direction) - distance(x - 0.01 * direction)) / 0.02
    assert slope == pytest.approx(numeric, rel=0.02)


def test_the_wasserstein_distance_agrees_with_scipys_matrix_root() -> None:
    from scipy.linalg import sqrtm

    random = np.random.default_rng(2)
    found, other = (random.normal(m, s, (1, 12, 12, 5)).astype(np.float32) for m, s in ((0.3, 1.0), (0.0, 1.5)))
    (mean, cov), (mean2, cov2) = (
        (f.reshape(-1, 5).mean(0), np.cov(f.reshape(-1, 5).T, bias=True) + 1e-4 * np.eye(5)) for f in (found, other)
    )
    half = sqrtm(cov2)
    expected = np.sum((mean - mean2) ** 2) + np.trace(cov + cov2 - 2 * np.real(sqrtm(half @ cov @ half)))
    target = formulas.mean_and_root(formulas.mean_and_covariance(tf.constant(other), 1.0))
    ours = formulas.wasserstein(formulas.mean_and_covariance(tf.constant(found), 1.0), target)
    assert float(ours) == pytest.approx(expected / 5, rel=1e-3)


def test_the_fields_variations_agree_with_their_twins() -> None:
    x = np.random.default_rng(4).uniform(0, 1, (5, 6, 3))
    image = tf.constant(x[None], tf.float32)
    dy, dx = 255 * np.diff(x, axis=0)[:, :-1], 255 * np.diff(x, axis=1)[:-1]
    assert float(formulas.squared_variation(image)) == pytest.approx(np.sum(dx**2 + dy**2) / 2, rel=1e-4)
    assert float(formulas.powered_variation(image)) == pytest.approx(np.sum((dx**2 + dy**2) ** 1.25), rel=1e-4)
    p = np.pad(x, [(1, 1), (1, 1), (0, 0)], mode="edge")
    straight = np.mean((p[1:-1, 2:] - p[1:-1, 1:-1]) ** 2) + np.mean((p[2:, 1:-1] - p[1:-1, 1:-1]) ** 2)
    slanted = np.mean((p[1:, 1:] - p[:-1, :-1]) ** 2) + np.mean((p[1:, :-1] - p[:-1, 1:]) ** 2)
    expected = 2 * (straight / 3 + slanted / 12)
    assert float(formulas.nine_point_variation(image)) == pytest.approx(expected, rel=1e-4)


def test_kerass_style_loss_is_published_over_the_image_not_the_layer(extractor: Extractor, problem: Problem) -> None:
    style = problem.style[:32, :32]
    pull = Pull(extractor, KERAS)
    image, content, target = (
        published_loops.as_tensor(resize(p, 32, 32)) for p in (problem.content, problem.content, style)
    )
    expected = 1e-6 * float(formulas.powered_variation(image))
    for block in range(1, 6):
        layer = f"block{block}_conv1"
        f, s = (np.asarray(extractor(x, [layer])[layer][0], np.float64) for x in (image, target))
        flat, other = f.reshape(-1, f.shape[2]), s.reshape(-1, s.shape[2])
        expected += 1e-6 / 5 * np.sum((flat.T @ flat - other.T @ other) ** 2) / (4 * 9 * (32 * 32) ** 2)
    assert float(pull(image, pull.targets(content, target))[0]) == pytest.approx(expected, rel=2e-3)


def test_our_objective_can_compute_the_loss_that_loops_are_compared_by(extractor: Extractor, problem: Problem) -> None:
    options = StyleOptions(size=64, **our_loops.yardstick_weights(problem))
    contents, styles = options.layers("tiny")
    objective = Objective(extractor, [n for n, _ in contents], [n for n, _ in styles], options.normalization)
    picture = np.round(255 * resize(problem.style, 48, 64)) / 255
    content = np.round(255 * problem.content) / 255
    style = np.round(255 * resize(problem.style, 64, 64)) / 255
    targets = objective.targets(published_loops.as_tensor(content), published_loops.as_tensor(style))
    losses, _ = objective.evaluate(published_loops.as_tensor(picture), targets, LiveWeights.of(options, "tiny"))
    verdict = judge_by(extractor, content, style)(picture)
    np.testing.assert_allclose((losses.total, losses.content, losses.style), verdict, rtol=1e-3)
    assert losses.tv == 0


def test_published_layers_are_found_on_every_network() -> None:
    assert formulas.style_layers_of("vgg19") == tuple(f"block{b}_conv1" for b in range(1, 6))
    assert formulas.layer_of("vgg19", "relu5_2") == "block5_conv2"
    assert formulas.style_layers_of("compact") == formulas.style_layers_of("vgg19")
    assert [formulas.layer_of("compact", name) for name in ("relu4_2", "relu5_2")] == ["block4_conv2", "block5_conv1"]


def test_pytorchs_activations_agree_with_ours(extractor: Extractor, problem: Problem) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    layers = ("block1_conv1", "block3_conv1", "block5_conv1")
    see = torch_loop.network(TINY, he_normal(TINY, seed=4), layers, torch.device("cpu"), torch.float32)
    found = see(torch_loop.channels_first(problem.content, torch.device("cpu")))
    ours = extractor(published_loops.as_tensor(problem.content), layers)
    for layer in layers:
        np.testing.assert_allclose(np.moveaxis(found[layer][0].numpy(), 0, -1), ours[layer][0], rtol=1e-3, atol=1e-4)


def test_full_size_steps_by_hand() -> None:
    # 160 / 64 + 120 / 16 + 80 / 4 + 40
    assert our_loops.full_size_steps(coarse_to_fine(300, 400, 512, 400)) == 70
    assert our_loops.full_size_steps(coarse_to_fine(300, 400, 512, 400, coarse=False)) == 400
