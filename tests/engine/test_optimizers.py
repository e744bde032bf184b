import functools
import itertools
import zlib

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf

from nst.engine.optimization.adam import Adam
from nst.engine.optimization.lbfgs import LBFGS, CurvaturePairs
from nst.engine.optimization.loop import OPTIMIZERS
from nst.runs.events import Losses

RANDOM = np.random.default_rng(0)
SHAPE = (1, 6, 7, 3)
CURVATURE = np.exp(RANDOM.uniform(-3, 3, SHAPE)).astype(np.float32)
CENTRE = RANDOM.uniform(-0.4, 1.4, SHAPE).astype(np.float32)  # partly outside the box


def evaluator(function):
    """A function of an image as the optimizers take it: with its gradient."""

    def evaluate(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = function(image)
        return Losses(float(loss), 0.0, 0.0, 0.0), tape.gradient(loss, image)

    return evaluate


def quadratic(x):
    return tf.reduce_sum(CURVATURE * tf.square(x - CENTRE))


def rosenbrock(x):
    flat = 2.0 * tf.reshape(x, (-1,))
    return tf.reduce_sum(100.0 * tf.square(flat[1:] - tf.square(flat[:-1])) + tf.square(1.0 - flat[:-1]))


def to(height, width):
    """A function that resizes an image to that size, as `Optimizer.resize` takes it."""
    return lambda image, method: tf.image.resize(image, (height, width), method=method, antialias=True)


NO_DETAIL = tf.zeros([])
OBJECTIVES = {"quadratic": quadratic, "rosenbrock": rosenbrock}


def start() -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).uniform(0.3, 0.7, SHAPE), tf.float32)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_descends_every_objective_inside_the_box(name, objective):
    optimizer, evaluate = OPTIMIZERS[name](start()), evaluator(OBJECTIVES[objective])
    first = evaluate(optimizer.image)[0].total
    for _ in range(60):
        optimizer.step(evaluate, 0.02)
        assert tf.reduce_all((optimizer.image >= 0) & (optimizer.image <= 1))
    assert evaluate(optimizer.image)[0].total < 0.3 * first
    assert optimizer.shown.shape == SHAPE


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_lbfgs_reaches_what_scipy_reaches(objective):
    evaluate = evaluator(OBJECTIVES[objective])

    def flat(x):
        losses, gradient = evaluate(tf.constant(x.reshape(SHAPE), tf.float32))
        return losses.total, np.float64(gradient).ravel()

    reference = scipy.optimize.minimize(
        flat, np.float64(start()).ravel(), jac=True, method="L-BFGS-B", bounds=[(0, 1)] * start().numpy().size,
        options={"maxiter": 150, "maxcor": 20},
    )  # fmt: skip
    optimizer = LBFGS(start())
    for _ in range(150):
        optimizer.step(evaluate, 0.1)
    first = evaluate(start())[0].total
    assert evaluate(optimizer.image)[0].total <= reference.fun + 1e-3 * (first - reference.fun)


def test_lbfgs_never_climbs():
    optimizer, evaluate = LBFGS(start()), evaluator(rosenbrock)
    totals = [optimizer.step(evaluate, 0.1).total for _ in range(50)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(totals))


def test_adam_agrees_with_its_twin():
    optimizer, evaluate = Adam(start()), evaluator(quadratic)
    x = np.float64(start())
    first, second, mean = np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(SHAPE)
    for t in range(1, 21):
        gradient = 2 * CURVATURE * (x - CENTRE)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        debiased = second / (1 - 0.99**t)
        size = np.sqrt(debiased) + Adam.epsilon * np.sqrt(debiased.mean())
        x = np.clip(x - 0.02 * first / (1 - 0.9**t) / size, 0, 1)
        mean = Adam.average * mean + (1 - Adam.average) * x
        optimizer.step(evaluate, 0.02)
    np.testing.assert_allclose(optimizer.image, x, atol=1e-4)
    np.testing.assert_allclose(optimizer.shown, mean / (1 - Adam.average**20), atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resized_optimizer_has_the_picture_and_keeps_descending(name):
    y, x = np.mgrid[0:1:6j, 0:1:7j]
    smooth = tf.constant(np.stack([x, y, x * y], -1)[None], tf.float32)
    optimizer = OPTIMIZERS[name](smooth)
    for _ in range(3):
        optimizer.step(evaluator(lambda image: tf.reduce_sum((image - 0.5) ** 4)), 0.01)
    before = optimizer.image
    optimizer.resize(to(12, 14), NO_DETAIL)
    assert optimizer.image.shape == (1, 12, 14, 3)
    back = tf.image.resize(optimizer.image, (6, 7), antialias=True)
    assert float(tf.reduce_max(tf.abs(back - before))) < 0.1
    evaluate = evaluator(lambda image: tf.reduce_sum((image - 0.5) ** 4))
    first = optimizer.step(evaluate, 0.01).total
    optimizer.on_objective_changed()
    assert optimizer.step(evaluate, 0.01).total < first


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_detail_is_added_to_the_resized_picture_and_clipped(name):
    detail = tf.random.stateless_uniform((1, 12, 14, 3), (1, 2), -0.6, 0.6)
    plain, detailed = (OPTIMIZERS[name](start()) for _ in range(2))
    plain.resize(to(12, 14), NO_DETAIL)
    detailed.resize(to(12, 14), detail)
    carried = to(12, 14)(start(), "bicubic")
    np.testing.assert_allclose(plain.image, np.clip(carried, 0, 1), atol=1e-6)
    np.testing.assert_allclose(detailed.image, np.clip(carried + detail, 0, 1), atol=1e-6)


def test_the_direction_is_that_of_the_two_loops_of_the_book():
    """Nocedal and Wright 2006, algorithm 7.4, a vector at a time, on more pairs than are kept."""
    random = np.random.default_rng(3)
    pairs = CurvaturePairs(tf.zeros(SHAPE))
    kept = []
    for _ in range(14):
        s = random.normal(size=SHAPE).astype(np.float32)
        y = (np.float32(1.5) * s + 0.1 * random.normal(size=SHAPE)).astype(np.float32)
        pairs.add(tf.constant(s), tf.constant(y))
        kept.append((np.float64(s).ravel(), np.float64(y).ravel()))
    kept = kept[-len(pairs) :]
    assert len(pairs) == 10
    g = random.normal(size=SHAPE).astype(np.float32)
    q, alphas = np.float64(g).ravel(), []
    for s, y in reversed(kept):
        alphas.append(s @ q / (s @ y))
        q = q - alphas[-1] * y
    s, y = kept[-1]
    q = q * (s @ y) / (y @ y)
    for (s, y), alpha in zip(kept, reversed(alphas), strict=True):
        q = q + (alpha - y @ q / (s @ y)) * s
    np.testing.assert_allclose(np.ravel(pairs.times_inverse_hessian(tf.constant(g))), q, atol=1e-5)


def test_a_pair_without_positive_curvature_is_not_stored():
    pairs = CurvaturePairs(tf.zeros(SHAPE))
    pairs.add(tf.ones(SHAPE), -tf.ones(SHAPE))
    assert len(pairs) == 0
    np.testing.assert_array_equal(pairs.times_inverse_hessian(tf.ones(SHAPE)), np.ones(SHAPE))


def test_adams_steps_are_as_long_after_resizing_as_before():
    """On a loss that is a mean, as ours are: each pixel's gradient is a quarter at twice the size."""
    optimizer, evaluate = Adam(start()), evaluator(lambda image: tf.reduce_mean(tf.abs(image - 2.0)))
    for _ in range(20):
        optimizer.step(evaluate, 0.001)
    optimizer.resize(to(12, 14), NO_DETAIL)
    before = optimizer.image
    optimizer.step(evaluate, 0.001)
    moved = float(tf.reduce_mean(tf.abs(optimizer.image - before)))
    assert moved == pytest.approx(0.001 / (1 + Adam.epsilon), rel=0.02)


def test_adams_second_moment_is_never_negative_after_resizing():
    optimizer = Adam(start())
    for _ in range(3):
        optimizer.step(evaluator(quadratic), 0.02)
    optimizer.resize(to(13, 17), NO_DETAIL)
    assert float(tf.reduce_min(optimizer._second)) >= 0


# Stalling among the noise of loss and gradient ------------------------------------------------------------------------


class Noisy:
    """`function` with noise in value and gradient, that `share` of their size at the start.

    The noise of an image is always the same. `evaluations` counts the calls.
    """

    def __init__(self, function, share: float, seed: int = 0) -> None:
        self.exact, self.seed, self.evaluations = evaluator(function), seed, 0
        losses, gradient = self.exact(start())
        self.noise = share * losses.total
        self.gradient_noise = share * float(tf.sqrt(tf.reduce_mean(tf.square(gradient))))

    def __call__(self, image):
        self.evaluations += 1
        losses, gradient = self.exact(image)
        random = np.random.default_rng([self.seed, zlib.crc32(image.numpy().tobytes())])
        total = losses.total + self.noise * random.uniform(-1, 1)
        noise = self.gradient_noise * random.normal(size=SHAPE)
        return Losses(total, 0.0, 0.0, 0.0), gradient + tf.constant(noise, tf.float32)


def search(optimizer: LBFGS, evaluate: Noisy) -> tuple[list[float], list[int]]:
    """(total, evaluations) of each step until it stalls."""
    totals, spent = [], []
    while not optimizer.stalled:
        before = evaluate.evaluations
        totals.append(optimizer.step(evaluate, 0.03).total)
        spent.append(evaluate.evaluations - before)
        assert len(spent) < 200
    return totals, spent


@functools.cache
def least(objective: str) -> float:
    """The loss at the minimum within the box; `test_lbfgs_reaches_what_scipy_reaches` proves that L-BFGS finds it."""
    optimizer, evaluate = LBFGS(start()), Noisy(OBJECTIVES[objective], 0.0)
    search(optimizer, evaluate)
    return evaluate.exact(optimizer.image)[0].total


noisy = pytest.mark.parametrize(
    ("objective", "share"), [(name, share) for name in OBJECTIVES for share in (0.0, 1e-6, 1e-4, 1e-2)]
)


@noisy
def test_a_search_among_noise_never_climbs_and_costs_little(objective, share):
    totals, spent = search(LBFGS(start()), Noisy(OBJECTIVES[objective], share))
    assert all(later <= earlier for earlier, later in itertools.pairwise(totals))
    assert max(spent) <= LBFGS.trials + 1
    assert max(sum(spent[first : first + 10]) for first in range(len(spent))) <= 40


@noisy
def test_a_search_stalls_where_the_noise_begins_and_goes_on_where_there_is_less(objective, share):
    optimizer, evaluate = LBFGS(start()), Noisy(OBJECTIVES[objective], share)
    first = evaluate.exact(start())[0].total
    search(optimizer, evaluate)
    assert evaluate.exact(optimizer.image)[0].total - least(objective) <= 5 * evaluate.noise + 1e-6 * first
    optimizer.on_objective_changed()
    search(optimizer, Noisy(OBJECTIVES[objective], 0.0))
    assert evaluate.exact(optimizer.image)[0].total - least(objective) <= 1e-6 * first


def test_a_search_that_has_stalled_costs_nothing_until_the_objective_changes():
    optimizer, evaluate = LBFGS(start()), Noisy(quadratic, 1e-3)
    totals, _ = search(optimizer, evaluate)
    before, image = evaluate.evaluations, optimizer.image
    assert optimizer.step(evaluate, 0.03).total <= totals[-1]
    assert (evaluate.evaluations, optimizer.image) == (before, image)
    optimizer.on_objective_changed()
    optimizer.step(evaluate, 0.03)
    assert evaluate.evaluations > before
    optimizer.resize(to(12, 14), NO_DETAIL)
    assert not optimizer.stalled


def test_a_search_that_gains_next_to_nothing_has_stalled():
    """Each step lowers the loss by a little less than counts."""
    calls = itertools.count()

    def evaluate(image):
        return Losses(
            1000.0 - 0.4 * LBFGS.stall_gain * 1000.0 / LBFGS.stall_window * next(calls), 0, 0, 0
        ), 0.1 * tf.ones(SHAPE)

    optimizer = LBFGS(start())
    for step in range(1, LBFGS.stall_window + 2):
        assert not optimizer.stalled, step
        optimizer.step(evaluate, 0.001)
    assert optimizer.stalled


def test_adam_never_stalls():
    optimizer = Adam(start())
    optimizer.step(evaluator(lambda image: 0.0 * tf.reduce_sum(image)), 0.02)
    assert not optimizer.stalled
