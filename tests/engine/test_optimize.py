import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from nst.engine import optimize
from nst.engine.checkpoint import Checkpoint
from nst.engine.extractors import Extractor, he_normal
from nst.engine.networks import choose_extractor, load_extractor
from nst.engine.objective import LiveWeights, Objective
from nst.engine.optimize import start_from, stylize
from nst.errors import Diverged, InputError, OptionError, WeightsError
from nst.options.style_options import StyleOptions
from nst.pictures.images import fit, resize
from nst.runs.events import Losses
from nst.runs.schedule import Scale, of_length

LAYERS = {"content_layers": "block3_conv3", "style_layers": "block1_conv1,block2_conv2,block4_conv1"}


def options(**given) -> StyleOptions:
    return StyleOptions(**{"epochs": 4, "steps_per_epoch": 5, "size": 128, **LAYERS, **given})


@pytest.fixture(scope="module")
def painted(tiny):
    """All steps of one run from noise, with the options that made them."""
    random = np.random.default_rng(8)
    content, style = (random.uniform(0, 1, (h, w, 3)).astype(np.float32) for h, w in ((60, 100), (50, 50)))
    return list(stylize(content, style, options(), extractor=tiny))


def test_the_steps_tell_their_place_in_the_run(painted):
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


def test_the_start_is_near_grey_noise(painted):
    start = painted[0].image
    assert start.mean() == pytest.approx(0.5, abs=0.02)
    assert 0.05 < start.std() < 0.15


def test_detail_of_the_content_enters_with_each_scale(tiny, pictures, monkeypatch):
    """What the finer content shows and the coarser could not: together with the coarser, the content itself."""
    grown = []

    class Watched(optimize.OPTIMIZERS["lbfgs"]):
        def grow(self, carry, detail):
            grown.append((carry, detail))
            super().grow(carry, detail)

    monkeypatch.setitem(optimize.OPTIMIZERS, "lbfgs", Watched)
    content = np.random.default_rng(5).uniform(0, 1, (96, 128, 3)).astype(np.float32)
    list(stylize(content, pictures[1], options(), extractor=tiny))
    [(carry, detail)] = grown
    small, large = (fit(*content.shape[:2], side) for side in (64, 128))
    carried = carry(optimize._canvas(content, *small), "bicubic")
    np.testing.assert_allclose(detail + carried, optimize._canvas(content, *large), atol=1e-5)
    assert np.abs(detail).mean() > 0.01


def test_a_run_may_end_when_its_picture_hardly_changes(tiny, pictures, monkeypatch):
    monkeypatch.setattr(optimize, "STILL", 1.0)  # every epoch changes less
    steps = list(stylize(*pictures, options(epochs="auto"), extractor=tiny))
    last = steps[-1]
    assert [step.step for step in steps if step.ends_epoch] == [0, 5, 10, 15, 20]
    assert [rung.steps for rung in last.rungs] == [10, 10]  # the change is taken over ten steps at least
    assert (last.step, last.steps, last.epoch, last.epochs) == (20, 20, 4, 4)
    assert max(last.scale.height, last.scale.width) == 128


def test_a_run_that_never_rests_takes_the_whole_schedule(tiny, pictures, monkeypatch):
    monkeypatch.setattr(optimize, "STILL", 0.0)
    chosen = options(epochs="auto", size=64, steps_per_epoch=1)
    *_, last = stylize(*pictures, chosen, extractor=tiny)
    assert (last.step, last.steps, last.epoch) == (100, 100, 100)


def test_a_last_epoch_of_fewer_steps_ends_too(tiny, pictures, monkeypatch):
    monkeypatch.setattr(optimize, "STILL", 1.0)
    monkeypatch.setattr(optimize, "schedule", lambda *_: (Scale(64, 64, 20), Scale(128, 128, 3)))
    *_, last = stylize(*pictures, options(epochs="auto"), extractor=tiny)
    assert (last.step, last.steps, last.epoch, last.epochs, last.ends_epoch) == (13, 13, 3, 3, True)


# A search that gets no further ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_half(tiny) -> Extractor:
    return Extractor(tiny.architecture, he_normal(tiny.architecture, seed=3), dtype="bfloat16")


def evaluations(monkeypatch) -> list[str]:
    """The precision of each evaluation from now on."""
    done, evaluate = [], Objective.evaluate

    def counted(self, *given, **named):
        done.append(self.extractor.dtype)
        return evaluate(self, *given, **named)

    monkeypatch.setattr(Objective, "evaluate", counted)
    return done


def test_a_long_run_in_bfloat16_goes_on_in_float32_where_it_gets_no_further(tiny_half, pictures, monkeypatch):
    done, steps, spent = evaluations(monkeypatch), [], [0]
    for step in stylize(*pictures, options(size=64, init="content", epochs=30), extractor=tiny_half):
        steps.append(step)
        spent.append(len(done))
    each = np.diff(spent[1:])
    assert max(each) <= 5
    assert max(np.convolve(each, np.ones(10), "valid")) <= 40
    turn = next(n for n, step in enumerate(steps) if step.in_float32)  # 118
    assert done == ["bfloat16"] * spent[turn + 1] + ["float32"] * (len(done) - spent[turn + 1])
    totals = [step.losses.total for step in steps]
    assert totals[turn + 1] == pytest.approx(totals[turn], rel=0.005)  # no jump
    for half in (totals[1 : turn + 1], totals[turn + 1 :]):
        assert all(later <= earlier for earlier, later in itertools.pairwise(half))
    assert totals[-1] < 0.99 * totals[turn]
    assert (len(steps), steps[-1].converged) == (151, False)


def test_a_run_that_never_stalls_sees_nothing_in_float32(tiny_half, pictures, monkeypatch):
    done = evaluations(monkeypatch)
    steps = list(stylize(*pictures, options(), extractor=tiny_half))
    assert set(done) == {"bfloat16"}
    assert not any(step.in_float32 for step in steps)


def test_a_run_with_nothing_to_gain_ends_at_once_and_says_so(tiny, pictures):
    chosen = options(size=64, init="content", style_weight=0, tv_weight=0)
    *_, last = stylize(*pictures, chosen, extractor=tiny)
    assert (last.step, last.steps, last.epoch, last.epochs) == (5, 5, 1, 1)  # a whole epoch, of one search
    assert last.converged
    assert last.ends_epoch


def test_a_rung_that_has_converged_leaves_its_steps_to_the_next_one(tiny, pictures, monkeypatch):
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "gain", 1e9)  # nobody gains so much
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "window", 4)
    monkeypatch.setattr(optimize, "schedule", lambda *_: (Scale(32, 64, 13), Scale(48, 96, 5), Scale(64, 128, 2)))
    steps = list(stylize(*pictures, options(), extractor=tiny))
    assert [rung.steps for rung in steps[4].rungs] == [13, 5, 2]
    assert [rung.steps for rung in steps[5].rungs] == [5, 13, 2]
    assert [rung.steps for rung in steps[10].rungs] == [5, 5, 10]
    assert [rung.steps for rung in steps[15].rungs] == [5, 5, 5]
    assert [step.converged for step in steps] == [False] * 15 + [True]
    assert {step.epochs for step in steps[:15]} == {4}
    assert (steps[15].epoch, steps[15].epochs) == (3, 3)


def test_a_run_that_ends_by_itself_passes_no_steps_on(tiny, pictures, monkeypatch):
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "gain", 1e9)
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "window", 4)
    *_, last = stylize(*pictures, options(epochs="auto"), extractor=tiny)
    assert [rung.steps for rung in last.rungs] == [5, 5]
    assert last.converged


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_same_seed_paints_the_same_picture_and_another_one_another(tiny, pictures, optimizer):
    def paint(seed: int) -> np.ndarray:
        *_, last = stylize(*pictures, options(epochs=1, seed=seed, size=64, optimizer=optimizer), extractor=tiny)
        return last.image

    np.testing.assert_array_equal(paint(1), paint(1))
    assert np.abs(paint(1) - paint(2)).mean() > 0.01


@pytest.mark.parametrize(("init", "picture"), [("content", 0), ("style", 1), ("image", 2)])
def test_a_start_with_details_is_painted_at_full_size_from_the_first_step(tiny, pictures, init, picture):
    mine = np.full((40, 56, 3), (0.9, 0.1, 0.4), np.float32)
    run = stylize(*pictures, options(init=init), init=mine, extractor=tiny)
    start = next(run)
    assert start.image.shape == (91, 128, 3)
    expected = (*pictures, mine)[picture]
    np.testing.assert_allclose(start.image.mean((0, 1)), expected.mean((0, 1)), atol=0.1)


def test_a_start_that_is_not_given_is_asked_for(tiny, pictures):
    with pytest.raises(InputError, match="`init` is image, but no picture"):
        next(stylize(*pictures, options(init="image"), extractor=tiny))


def test_weights_may_change_while_the_picture_forms(tiny, pictures):
    chosen = options(size=64, init="content", style_weight=8.0, tv_weight=4.0)
    live = LiveWeights.of(chosen, "tiny")
    run = stylize(*pictures, chosen, live=live, extractor=tiny)
    before = list(itertools.islice(run, 5))[-1].losses
    live.style = live.style * 3
    after = next(run).losses
    assert after.style == pytest.approx(3 * before.style, rel=0.5)
    assert after.style > 1.5 * before.style
    live.tv = 0.0
    assert next(run).losses.tv == 0


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_changed_weights_are_used_from_the_next_step_on(tiny, pictures, optimizer):
    chosen = options(size=64, optimizer=optimizer)
    live = LiveWeights.of(chosen, "tiny")
    run = stylize(*pictures, chosen, live=live, extractor=tiny)
    next(run), next(run)
    live.content = live.style = 0.0
    losses = next(run).losses
    assert (losses.content, losses.style) == (0, 0)
    assert losses.total == pytest.approx(losses.tv)


def test_stopping_is_to_stop_asking(tiny, pictures):
    run = stylize(*pictures, options(), extractor=tiny)
    kept = list(itertools.islice(run, 3))
    run.close()
    assert kept[-1].image.shape[2] == 3


def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_picture(tiny, pictures):
    chosen = options(size=64)
    live = LiveWeights.of(chosen, "tiny")
    run = stylize(*pictures, chosen, live=live, extractor=tiny)
    good = list(itertools.islice(run, 4))[-1]
    live.style = float("nan")
    with pytest.raises(Diverged, match="no longer a finite number at step 4; lower the learning rate"):
        next(run)
    assert np.all(np.isfinite(good.image))


def test_a_loss_that_runs_away_ends_the_run(tiny, pictures):
    flat = np.full((40, 40, 3), 0.5, np.float32)
    chosen = options(
        init="image", size=64, content_weight=0, style_weight=0, tv_weight=1, learning_rate=0.0001, optimizer="adam"
    )
    live = LiveWeights.of(chosen, "tiny")
    nearly = flat + np.random.default_rng(0).normal(0, 1e-4, flat.shape).astype(np.float32)
    run = stylize(flat, flat, chosen, init=nearly, live=live, extractor=tiny)
    next(run), next(run)
    live.learning_rate = 1.0  # the weights stay, only the steps explode
    with pytest.raises(Diverged, match="the loss ran away at step"):
        list(run)


@pytest.mark.parametrize("shape", [(16, 300), (300, 16), (16, 16), (17, 23), (500, 33)])
def test_any_aspect_ratio_is_painted_exactly(tiny, pictures, shape):
    content = np.random.default_rng(0).uniform(0, 1, (*shape, 3)).astype(np.float32)
    *_, last = stylize(content, pictures[1], options(epochs=1, steps_per_epoch=2, size=96), extractor=tiny)
    factor = 96 / max(shape)
    assert last.image.shape == (round(shape[0] * factor), round(shape[1] * factor), 3)


def test_an_elongated_style_is_no_trouble(tiny, pictures):
    style = np.random.default_rng(0).uniform(0, 1, (16, 700, 3)).astype(np.float32)
    *_, last = stylize(pictures[0], style, options(epochs=1, size=64), extractor=tiny)
    assert np.isfinite(last.losses.total)


def test_no_coloured_frame_is_painted(tiny, pictures):
    """The outermost pixels are as near to their neighbours as those inside are to theirs."""
    *_, last = stylize(*pictures, options(epochs=12, size=64), extractor=tiny)
    rows = np.abs(np.diff(last.image, axis=0)).mean((1, 2))
    columns = np.abs(np.diff(last.image, axis=1)).mean((0, 2))
    for steps in (rows, columns):
        assert steps[0] < 1.6 * np.mean(steps[1:5])
        assert steps[-1] < 1.6 * np.mean(steps[-5:-1])


def test_a_picture_has_more_of_the_style_once_it_is_cropped_because_its_margins_do_not_count(pictures, monkeypatch):
    options = StyleOptions(epochs=12, size=96, tv_weight=0, content_weight=0, extractor="compact")
    content_layers, style_layers = (tuple(name for name, _ in layers) for layers in options.layers("compact"))
    without_margin = Objective(load_extractor("compact"), content_layers, style_layers, "relative")
    content, style = (tf.constant(resize(picture, *fit(*picture.shape[:2], 96))[None]) for picture in pictures)
    targets, weights = without_margin.targets(content, style), LiveWeights.of(options, "compact")

    def style_of_the_cropped() -> float:
        optimize._objective.cache_clear()
        *_, last = stylize(*pictures, options)
        return without_margin.evaluate(tf.constant(last.image[None]), targets, weights)[0].style

    as_it_is = style_of_the_cropped()
    monkeypatch.setattr(optimize, "MARGIN", 0)
    where_they_count = style_of_the_cropped()
    optimize._objective.cache_clear()
    assert as_it_is < 0.85 * where_they_count  # 0.64


def test_smoothness_and_content_weigh_more_on_coarse_scales(tiny, pictures):
    def start(size: int) -> Losses:
        return next(stylize(*pictures, options(size=size), extractor=tiny)).losses

    fine, coarse = start(64), start(256)  # the same rung of 64 px: the only one, and the first of three
    assert coarse.tv == pytest.approx(8 * fine.tv)
    assert coarse.content == pytest.approx(8 * fine.content, rel=0.05)  # the content came to 64 px another way
    assert coarse.style == pytest.approx(fine.style, rel=0.05)


def test_keeping_colours_keeps_the_contents_mean_colour(tiny, pictures):
    content, style = pictures
    red = np.clip(style * (1.0, 0.2, 0.2), 0, 1).astype(np.float32)

    def mean_colour(keep: bool) -> np.ndarray:
        *_, last = stylize(content, red, options(size=64, epochs=8, keep_colors=keep, content_weight=0), extractor=tiny)
        return last.image.mean((0, 1))

    away = {keep: np.abs(mean_colour(keep) - content.mean((0, 1))).max() for keep in (True, False)}
    assert away[True] < away[False]


def test_the_built_in_network_paints_with_the_defaults(pictures):
    steps = list(stylize(*pictures, StyleOptions(epochs=6, size=64, extractor="compact")))
    assert steps[-1].losses.total < 0.7 * steps[0].losses.total
    assert load_extractor("compact") is load_extractor("compact")


@pytest.mark.parametrize("preset", StyleOptions.choices("preset"))
@pytest.mark.parametrize("normalisation", StyleOptions.choices("normalisation"))
def test_every_preset_and_normalisation_runs_on_the_built_in_network(pictures, preset, normalisation):
    chosen = StyleOptions(
        epochs=1, steps_per_epoch=3, size=64, extractor="compact", preset=preset, normalisation=normalisation
    )
    steps = list(stylize(*pictures, chosen))
    assert steps[-1].losses.total < steps[0].losses.total


def test_an_unknown_layer_is_refused_before_anything_is_painted(tiny, pictures):
    with pytest.raises(OptionError, match="no layer 'block9_conv1'"):
        next(stylize(*pictures, options(style_layers="block9_conv1"), extractor=tiny))


def test_auto_is_compact_without_vgg_weights_and_says_how_to_get_them(monkeypatch, tmp_path):
    for variable in ("NST_CACHE", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("NST_VGG19_WEIGHTS", "NST_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    network, note = choose_extractor("auto")
    assert network.architecture.name == "compact"
    assert "nst weights fetch vgg19" in note
    with pytest.raises(WeightsError, match="vgg19"):
        load_extractor("vgg19")


def test_auto_is_compact_where_vgg_weights_are_damaged_and_says_so(monkeypatch, tmp_path):
    damaged = tmp_path / "vgg19.h5"
    damaged.write_bytes(b"half a file")
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(damaged))
    network, note = choose_extractor("auto")
    assert network.architecture.name == "compact"
    assert str(damaged) in note
    assert "compact network is used" in note


@pytest.mark.parametrize("shape", [(60, 180), (180, 36), (90, 120)])
def test_a_picture_keeps_its_place_when_it_grows(shape):
    """Growing resizes the picture itself: its margins, which have a size of their own, do not push it about."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    content = np.stack([x, y, (x + y) / 2], -1).astype(np.float32)
    start = resize(content, *fit(*shape, 64))
    small, large = (Scale(*fit(*shape, side), 1) for side in (64, 128))
    canvas = optimize._mirrored(start, small.height, small.width)
    grown = optimize._inside(optimize._carry(small, large, canvas, "bicubic"), large)[0]
    np.testing.assert_allclose(grown, resize(content, large.height, large.width), atol=0.02)


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
@pytest.mark.parametrize("place", ["content", "style", "init"])
def test_what_is_no_picture_is_refused_by_name(tiny, pictures, place, wrong, words):
    given = {"content": pictures[0], "style": pictures[1], "init": None, place: wrong}
    with pytest.raises(InputError, match=f"`{place}` must be an array .*{words}"):
        next(stylize(**given, options=options(), extractor=tiny))


# Taken up again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("epochs", [4, "auto"])
def test_what_is_taken_up_from_a_checkpoint_goes_on_as_if_nothing_had_been(tiny, pictures, optimizer, epochs):
    given = options(optimizer=optimizer, epochs=epochs, steps_per_epoch=5)
    steps, kept = [], {}
    for step in stylize(*pictures, given, extractor=tiny):
        steps.append((step, step.image))
        kept[step.step] = step.checkpoint().to_bytes() if step.step <= 20 else b""
    for number in (1, 7, 13, 14, 20):  # within a scale, at the end of one, at the end
        rest = list(stylize(*pictures, given, extractor=tiny, resume=Checkpoint.from_bytes(kept[number])))
        assert [step.step for step in rest] == [step.step for step, _ in steps[number:]]
        for step, (was, image) in zip(rest[1:], steps[number + 1 :], strict=True):
            assert (step.losses, step.rungs, step.epoch, step.ends_epoch) == (
                *(was.losses, was.rungs),
                *(was.epoch, was.ends_epoch),
            )
            np.testing.assert_array_equal(step.image, image)


@pytest.mark.parametrize("epochs", [7, "auto"])
def test_a_search_that_stalled_is_taken_up_as_if_nothing_had_been(tiny_half, pictures, monkeypatch, epochs):
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "gain", 1e9)
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "window", 4)
    steps, kept = [], []
    for step in stylize(*pictures, options(epochs=epochs), extractor=tiny_half):
        steps.append((step, step.image))
        kept.append(step.checkpoint().to_bytes())
    assert [step.in_float32 for step, _ in steps] == [*[False] * 5, *[True] * 6, *[False] * 4, *[True] * 6]
    for number in (4, 5, 7, 10, 12, 17, 20):
        at = Checkpoint.from_bytes(kept[number])
        rest = list(stylize(*pictures, options(epochs=epochs), extractor=tiny_half, resume=at))
        assert [step.step for step in rest] == [step.step for step, _ in steps[number:]]
        assert rest[0].converged == steps[number][0].converged == (number == 20)
        for step, (was, image) in zip(rest[1:], steps[number + 1 :], strict=True):
            assert (step.losses, step.rungs, step.in_float32, step.converged) == (
                *(was.losses, was.rungs),
                *(was.in_float32, was.converged),
            )
            np.testing.assert_array_equal(step.image, image)


def test_a_run_that_converged_ends_soon_again_when_it_is_continued_and_is_no_worse(tiny_half, pictures, monkeypatch):
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "gain", 1e9)
    monkeypatch.setattr(optimize.OPTIMIZERS["lbfgs"], "window", 4)
    *_, last = stylize(*pictures, options(size=64), extractor=tiny_half)
    assert (last.step, last.converged) == (10, True)
    longer = of_length(last.rungs, 30)
    more = list(stylize(*pictures, options(size=64), extractor=tiny_half, resume=last.checkpoint(None), rungs=longer))
    assert all(step.in_float32 for step in more)
    assert [step.converged for step in more] == [False] * 5 + [True]
    assert more[-1].losses.total <= more[0].losses.total <= last.losses.total


def test_a_longer_schedule_takes_up_a_finished_run_at_full_size(tiny, pictures):
    *_, last = stylize(*pictures, options(), extractor=tiny)
    longer = of_length(last.rungs, 26)
    more = list(stylize(*pictures, options(), extractor=tiny, resume=last.checkpoint(None), rungs=longer))
    assert [step.step for step in more] == list(range(20, 27))
    assert {max(step.image.shape) for step in more} == {128}
    assert more[-1].losses.total < more[0].losses.total


def test_a_frame_is_enough_to_go_on_from(tiny, pictures):
    steps = {step.step: (step, step.image) for step in stylize(*pictures, options(), extractor=tiny)}
    step, image = steps[10]
    rest = list(stylize(*pictures, options(), extractor=tiny, resume=start_from(image, 10, step.rungs)))
    assert [step.step for step in rest] == list(range(10, 21))
    np.testing.assert_allclose(rest[0].image, image, atol=1e-6)
    with pytest.raises(InputError, match="never painted at 7 x 7 px"):
        start_from(np.zeros((7, 7, 3), np.float32), 10, step.rungs)


@pytest.mark.parametrize("damage", [b"", b"PK", b"no zip at all", None])
def test_a_damaged_checkpoint_is_refused(tiny, pictures, damage):
    first = next(stylize(*pictures, options(), extractor=tiny)).checkpoint()
    with pytest.raises(InputError, match="the checkpoint is damaged"):
        Checkpoint.from_bytes(first.to_bytes()[:-40] if damage is None else damage)
    wrong = dataclasses.replace(first, canvas=first.canvas[:, 1:])
    with pytest.raises(InputError, match="its canvas is"):
        Checkpoint.from_bytes(wrong.to_bytes())


def test_a_checkpoint_of_another_optimizer_is_refused(tiny, pictures):
    adam = list(itertools.islice(stylize(*pictures, options(optimizer="adam"), extractor=tiny), 3))[-1].checkpoint()
    with pytest.raises(InputError, match="not one of lbfgs"):
        next(stylize(*pictures, options(optimizer="lbfgs"), extractor=tiny, resume=adam))


def test_of_a_long_history_the_newest_is_kept(tiny, pictures):
    step = next(step for step in stylize(*pictures, options(), extractor=tiny) if step.step == 4)
    assert len(step.checkpoint().state["places"]) > 2
    pair = 2 * 4 * step.checkpoint().canvas.size
    short = Checkpoint.from_bytes(step.checkpoint(2 * pair).to_bytes())
    assert len(short.state["places"]) == 2
    *_, last = stylize(*pictures, options(), extractor=tiny, resume=short)
    assert last.step == 20
