import itertools

import numpy as np
import pytest
import tensorflow as tf

from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.optimization import optimize, scale_objective
from nst.engine.optimization.objective import LiveWeights, Objective
from nst.engine.optimization.optimize import stylize
from nst.errors import Diverged, InputError, OptionError, OutOfMemory
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit, resize

from .conftest import small_options


@pytest.fixture(scope="module")
def painted(tiny):
    """All steps of one run from noise."""
    random = np.random.default_rng(8)
    content, style = (random.uniform(0, 1, (h, w, 3)).astype(np.float32) for h, w in ((60, 100), (50, 50)))
    return list(stylize(content, style, small_options(), extractor=tiny))


def test_each_step_has_its_place_in_the_run(painted):
    assert [step.step for step in painted] == list(range(21))
    assert [step.epoch for step in painted if step.ends_epoch] == [0, 1, 2, 3, 4]
    assert {(step.steps, step.epochs) for step in painted} == {(20, 4)}
    sides = [max(step.scale.height, step.scale.width) for step in painted]
    assert sides == sorted(sides)
    assert (sides[0], sides[-1]) == (64, 128)


def test_every_picture_has_the_contents_shape_and_stays_between_black_and_white(painted):
    for step in painted:
        assert step.image.shape == (step.scale.height, step.scale.width, 3)
        assert step.image.dtype == np.float32
        assert 0 <= step.image.min() <= step.image.max() <= 1
    assert painted[-1].image.shape == (77, 128, 3)  # 60 x 100 at long side 128


def test_the_loss_falls_on_every_scale(painted):
    for _, steps in itertools.groupby(painted[1:], key=lambda step: step.scale):
        totals = [step.losses.total for step in steps]
        assert totals[-1] < totals[0]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_seed_paints_the_same_picture_and_another_one_another(tiny, pictures, optimizer):
    def paint(seed: int) -> np.ndarray:
        options = small_options(epochs=1, seed=seed, size=64, optimizer=optimizer)
        *_, last = stylize(*pictures, options, extractor=tiny)
        return last.image

    np.testing.assert_array_equal(paint(1), paint(1))
    assert np.abs(paint(1) - paint(2)).mean() > 0.01


def test_a_run_that_is_not_continued_ends_and_its_last_step_keeps_its_picture(tiny, pictures, evaluations):
    *_, expected = itertools.islice(stylize(*pictures, small_options(), extractor=tiny), 4)
    run = stylize(*pictures, small_options(), extractor=tiny)
    *_, last = itertools.islice(run, 4)
    spent = len(evaluations)
    run.close()
    assert list(run) == []
    assert len(evaluations) == spent
    np.testing.assert_array_equal(last.image, expected.image)


@pytest.mark.parametrize("shape", [(16, 300), (300, 16), (16, 16), (17, 23), (500, 33)])
def test_any_aspect_ratio_is_painted_exactly(tiny, pictures, shape):
    content = np.random.default_rng(0).uniform(0, 1, (*shape, 3)).astype(np.float32)
    first, *_, last = stylize(content, pictures[1], small_options(epochs=1, steps_per_epoch=2, size=96), extractor=tiny)
    factor = 96 / max(shape)
    assert last.image.shape == (round(shape[0] * factor), round(shape[1] * factor), 3)
    assert last.losses.total < first.losses.total
    assert last.image.std() > 0.05


def test_a_style_that_is_one_pixel_high_on_a_scale_is_painted_in(tiny, pictures):
    style = np.random.default_rng(0).uniform(0, 1, (16, 1024, 3)).astype(np.float32)
    assert fit(*style.shape[:2], 64) == (1, 64)
    first, *_, last = stylize(pictures[0], style, small_options(size=64, content_weight=0.1), extractor=tiny)
    assert last.losses.style < 0.5 * first.losses.style


def test_no_coloured_frame_is_painted(tiny, pictures):
    """The outermost pixels are as near to their neighbours as those inside are to theirs."""
    *_, last = stylize(*pictures, small_options(epochs=12, size=64), extractor=tiny)
    rows = np.abs(np.diff(last.image, axis=0)).mean((1, 2))
    columns = np.abs(np.diff(last.image, axis=1)).mean((0, 2))
    for steps in (rows, columns):
        assert steps[0] < 1.6 * np.mean(steps[1:5])
        assert steps[-1] < 1.6 * np.mean(steps[-5:-1])


def test_a_picture_has_more_of_the_style_because_its_margins_do_not_count(pictures, monkeypatch):
    options = StyleOptions(epochs=12, size=96, tv_weight=0, content_weight=0, neighbor_weight=0, extractor="compact")
    content_layers, style_layers = (tuple(name for name, _ in layers) for layers in options.layers("compact"))
    without_margin = Objective(load_extractor("compact"), content_layers, style_layers, "relative")
    content, style = (tf.constant(resize(picture, *fit(*picture.shape[:2], 96))[None]) for picture in pictures)
    targets, weights = without_margin.targets(content, style), LiveWeights.of(options, "compact")

    def style_loss_of_the_result() -> float:
        scale_objective._whole_objective.cache_clear()
        *_, last = stylize(*pictures, options)
        return without_margin.evaluate(tf.constant(last.image[None]), targets, weights)[0].style

    as_it_is = style_loss_of_the_result()
    monkeypatch.setattr(scale_objective, "MARGIN", 0)
    where_margins_count = style_loss_of_the_result()
    scale_objective._whole_objective.cache_clear()
    assert as_it_is < 0.85 * where_margins_count  # 0.64


def test_keeping_colours_keeps_the_contents_mean_colour(tiny, pictures):
    content, style = pictures
    red = np.clip(style * (1.0, 0.2, 0.2), 0, 1).astype(np.float32)

    def distance_of_mean_colours(keep: bool) -> float:
        options = small_options(size=64, epochs=8, keep_colors=keep, content_weight=0)
        *_, last = stylize(content, red, options, extractor=tiny)
        return np.abs(last.image.mean((0, 1)) - content.mean((0, 1))).max()

    assert distance_of_mean_colours(True) < 0.5 * distance_of_mean_colours(False)


def test_the_built_in_network_paints_with_the_defaults(pictures):
    steps = list(stylize(*pictures, StyleOptions(epochs=6, size=64, extractor="compact")))
    assert steps[-1].losses.total < 0.7 * steps[0].losses.total


@pytest.mark.parametrize(
    ("preset", "normalization"),
    [("gatys", "gatys"), *((preset, "relative") for preset in StyleOptions.option("preset").choices)],
)
def test_every_preset_and_normalization_runs_on_the_built_in_network(pictures, preset, normalization):
    options = StyleOptions(
        epochs=1, steps_per_epoch=3, size=64, extractor="compact", preset=preset, normalization=normalization
    )
    steps = list(stylize(*pictures, options))
    assert steps[-1].losses.total < steps[0].losses.total


def test_an_unknown_layer_is_refused_before_anything_is_painted(tiny, pictures):
    with pytest.raises(OptionError, match="no layer 'block9_conv1'"):
        next(stylize(*pictures, small_options(style_layers="block9_conv1"), extractor=tiny))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((40, 40, 3), np.uint8), "got uint8"),
        (np.zeros((40, 40)), r"got \(40, 40\)"),
        (np.zeros((40, 40, 4)), r"got \(40, 40, 4\)"),
        (np.full((40, 40, 3), 200.0), "got 200 to 200"),
        (np.full((40, 40, 3), np.nan), "got nan"),
        ("photo.jpg", "got str"),
    ],
)
@pytest.mark.parametrize("name", ["content", "style", "init"])
def test_what_is_no_picture_is_refused_by_name(tiny, pictures, name, wrong, words):
    given = {"content": pictures[0], "style": pictures[1], "init": None, name: wrong}
    with pytest.raises(InputError, match=f"`{name}` must be an array .*{words}"):
        next(stylize(**given, options=small_options(), extractor=tiny))


def test_a_run_that_does_not_fit_the_free_memory_is_refused_unless_its_tiles_are_given(pictures, monkeypatch):
    monkeypatch.setattr(optimize, "budget", lambda: 10**6)
    options = StyleOptions(extractor="compact", size=128)
    with pytest.raises(OutOfMemory, match="`size` 128 needs"):
        next(stylize(*pictures, options))
    assert next(stylize(*pictures, options, tile=None)).step == 0


def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_picture(tiny, pictures):
    options = small_options(size=64)
    live = LiveWeights.of(options, "tiny")
    run = stylize(*pictures, options, live=live, extractor=tiny)
    good = list(itertools.islice(run, 4))[-1]
    live.style = float("nan")
    with pytest.raises(Diverged, match="no longer a finite number at step 4; lower the learning rate"):
        next(run)
    assert np.all(np.isfinite(good.image))


def test_a_loss_that_runs_away_ends_the_run(tiny):
    flat = np.full((40, 40, 3), 0.5, np.float32)
    options = small_options(
        init="image", size=64, content_weight=0, style_weight=0, tv_weight=1, learning_rate=0.0001, optimizer="adam"
    )
    live = LiveWeights.of(options, "tiny")
    nearly = flat + np.random.default_rng(0).normal(0, 1e-4, flat.shape).astype(np.float32)
    run = stylize(flat, flat, options, init=nearly, live=live, extractor=tiny)
    next(run), next(run)
    live.learning_rate = 1.0  # the weights stay, only the steps explode
    with pytest.raises(Diverged, match="the loss ran away at step"):
        list(run)
