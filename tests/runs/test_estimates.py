import dataclasses
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OutOfMemory
from nst.options.style_options import StyleOptions
from nst.runs import estimates
from nst.runs.estimates import (
    AUTO_SECONDS,
    GIGABYTE,
    NETWORKS,
    TILES,
    Calibration,
    auto_network,
    calibration_for,
    estimate,
    largest_size,
    pairs,
    seconds_of,
)
from nst.runs.schedule import MARGIN, Scale, margins, schedule

modest = settings(max_examples=50, deadline=None, derandomize=True)

SPEED = Calibration("compact", "float32", step_seconds=0.01, pixel_seconds=1e-6, vector_seconds=1e-9)
RUNS = st.fixed_dictionaries(
    {
        "height": st.integers(200, 3000),
        "width": st.integers(200, 3000),
        "network": st.sampled_from(sorted(NETWORKS)),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "options": st.builds(
            StyleOptions,
            size=st.sampled_from(range(64, 4097, 32)),
            epochs=st.integers(1, 40),
            optimizer=st.sampled_from(["adam", "lbfgs"]),
            init=st.sampled_from(["noise", "content", "style"]),
            style_scale=st.sampled_from([0.5, 1.0, 2.0]),
        ),
    }
)


@modest
@given(RUNS, st.floats(0.5, 40))
def test_a_run_fits_its_budget_or_is_refused_with_the_largest_size_that_does(run, gigabytes):
    budget = round(gigabytes * GIGABYTE)
    place = {name: run[name] for name in ("height", "width", "network", "precision")}
    largest = largest_size(options=run["options"], budget=budget, **place)
    if largest >= run["options"].size:
        assert estimate(budget=budget, **run).bytes <= budget
    else:
        words = f"the largest size that fits is {largest}" if largest else "no size fits"
        with pytest.raises(OutOfMemory, match=rf"^`size` {run['options'].size} needs .*; {words}$"):
            estimate(budget=budget, **run)
    if largest:
        fitting = dataclasses.replace(run["options"], size=largest)
        assert estimate(options=fitting, budget=budget, **place).bytes <= budget


@modest
@given(RUNS)
def test_what_fits_whole_is_not_cut_and_what_does_not_is_cut_into_less(run):
    whole = estimate(calibration=SPEED.on(run["network"]), **run)
    assert not whole.tiled
    assert estimate(calibration=SPEED.on(run["network"]), budget=whole.bytes, **run) == whole
    try:
        cut = estimate(calibration=SPEED.on(run["network"]), budget=whole.bytes - 1, **run)
    except OutOfMemory:
        return
    assert cut.tiled
    assert cut.tile in TILES
    assert cut.bytes < whole.bytes
    assert cut.seconds >= whole.seconds  # the same where only the style picture is cut


@modest
@given(RUNS)
def test_more_of_anything_takes_no_less(run):
    first = estimate(calibration=SPEED.on(run["network"]), **run)
    options = run["options"]
    more = [
        dataclasses.replace(options, size=min(4096, options.size + 256)),
        dataclasses.replace(options, epochs=options.epochs + 10),
        dataclasses.replace(options, style_scale=4.0),
        dataclasses.replace(options, optimizer="lbfgs"),
    ]
    for larger in more:
        then = estimate(calibration=SPEED.on(run["network"]), **{**run, "options": larger})
        assert then.bytes >= first.bytes
        if options.init != "noise":  # more scales leave fewer steps for the full size
            assert then.seconds >= first.seconds


def test_seconds_are_those_of_the_steps_and_of_the_targets():
    options = StyleOptions(size=400, init="content", epochs=2, steps_per_epoch=5, optimizer="adam")
    canvas = (300 + 2 * 8) * (400 + 2 * 8)  # by hand: margins of 8 px
    steps = (1 + 10) * (0.01 + canvas * 1e-6)  # the start is evaluated, too
    targets = estimates.TARGET_STEPS * 2 * canvas * 1e-6
    assert estimate(3, 4, options, "compact", calibration=SPEED).seconds == pytest.approx(
        estimates.START_SECONDS + steps + targets
    )


def test_coarse_scales_are_cheaper_than_as_many_steps_at_full_size():
    noise, content = (
        estimate(3, 4, StyleOptions(init=init), "compact", calibration=SPEED).seconds for init in ("noise", "content")
    )
    assert noise < content


def test_the_result_has_the_contents_shape_and_auto_is_an_upper_bound():
    found = estimate(1500, 1000, StyleOptions(size=300, epochs="auto"), "compact")
    assert (found.height, found.width, found.at_most, found.seconds) == (300, 200, True, None)
    assert not estimate(1500, 1000, StyleOptions(size=300), "compact").at_most


def test_half_the_precision_takes_less_memory_but_for_what_may_go_on_in_float32():
    half, full = (
        {
            name: estimate(1, 1, StyleOptions(size=1024, optimizer=name), "vgg19", dtype).bytes
            for name in ("adam", "lbfgs")
        }
        for dtype in ("bfloat16", "float32")
    )
    assert half["adam"] < full["adam"]
    assert half["lbfgs"] == full["lbfgs"]


def test_the_aims_of_memory_are_met():
    assert estimate(3, 4, StyleOptions(size=1024), "vgg19").bytes <= 3 * GIGABYTE
    for optimizer in ("adam", "lbfgs"):
        large = StyleOptions(size=4096, optimizer=optimizer)
        assert estimate(3, 4, large, "vgg19", budget=6 * GIGABYTE).tiled


def test_a_refusal_names_the_largest_size():
    with pytest.raises(OutOfMemory) as caught:
        estimate(3, 4, StyleOptions(size=4096), "vgg19", budget=2 * GIGABYTE)
    largest = largest_size(3, 4, StyleOptions(size=4096), "vgg19", budget=2 * GIGABYTE)
    assert 1000 < largest < 4096
    assert str(caught.value).startswith("`size` 4096 needs ")
    assert str(caught.value).endswith(
        f" GB of memory even by tiles, but the painting may take 2.0 GB; the largest size that fits is {largest}"
    )
    with pytest.raises(OutOfMemory, match="no size fits"):
        estimate(3, 4, StyleOptions(), "compact", budget=1000)


def test_pairs_of_l_bfgs_are_fewer_where_each_is_large():
    assert pairs(512 * 512) == pairs(1024 * 1024) == estimates.PAIRS
    assert 3 <= pairs(4096 * 3072) < 10
    assert pairs(10**9) == 3


def test_seconds_are_those_of_the_estimate_whether_it_is_tiled_or_not():
    options = StyleOptions(size=1024)
    whole = estimate(3, 4, options, "compact", calibration=SPEED)
    cut = estimate(3, 4, options, "compact", calibration=SPEED, budget=whole.bytes - 1)
    assert cut.tile
    for found in (whole, cut):
        assert seconds_of(3, 4, options, SPEED, found.tile) == found.seconds


def test_a_calibration_survives_json():
    assert Calibration.from_json(json.loads(json.dumps(SPEED.to_json()))) == SPEED


def test_another_network_is_guessed_from_the_nearest_that_was_measured():
    half = dataclasses.replace(SPEED, precision="bfloat16", pixel_seconds=5e-7)
    vgg = Calibration("vgg19", "float32", 0.02, 7e-6)
    assert calibration_for("compact", "float32", []) is None
    assert calibration_for("vgg19", "float32", [half, SPEED, vgg]) == vgg
    assert calibration_for("compact", "bfloat16", [SPEED, vgg, half]) == half
    guess = calibration_for("vgg19", "float32", [half, SPEED])
    assert (guess.network, guess.precision, guess.step_seconds) == ("vgg19", "float32", SPEED.step_seconds)
    ratio = NETWORKS["vgg19"].multiply_adds / NETWORKS["compact"].multiply_adds
    assert guess.pixel_seconds == pytest.approx(ratio * SPEED.pixel_seconds)
    assert calibration_for("compact", "bfloat16", [SPEED]).precision == "bfloat16"


@modest
@given(st.integers(1, 4096), st.integers(1, 4096))
def test_a_canvas_is_wider_all_round_and_never_too_small_to_be_halved_four_times(height, width):
    rows, columns = margins(height, width)
    assert min(rows, columns) >= MARGIN
    assert min(height + 2 * rows, width + 2 * columns) >= 32
    assert estimates.canvas_pixels(Scale(height, width, 1)) == (height + 2 * rows) * (width + 2 * columns)


def test_only_noise_is_painted_coarse_to_fine():
    assert len(schedule(3, 4, StyleOptions(init="noise"))) > 1
    assert [scale.steps for scale in schedule(3, 4, StyleOptions(init="style", epochs=2, steps_per_epoch=3))] == [6]


# --- what "auto" stands for

SECOND = Calibration("vgg19", "float32", 0.0, 1.0 / (96 * 96))  # a step of a small square takes about one


def auto(options: StyleOptions, speed: float = 1.0, budget: int = 10**11, known: bool = True) -> tuple[str, str]:
    faster = dataclasses.replace(SECOND, pixel_seconds=SECOND.pixel_seconds / speed)
    return auto_network(100, 100, options, "float32", [faster] if known else [], budget)


def test_auto_is_vgg19_where_the_run_is_quick_enough_with_it_and_says_why() -> None:
    options = StyleOptions(size=128, epochs=20)
    seconds = estimate(100, 100, options, "vgg19", "float32", SECOND).seconds
    assert seconds
    for share in (0.9, 0.99):
        network, why = auto(options, seconds / AUTO_SECONDS / share)
        assert (network, why) == ("vgg19", "VGG19 is here and quick enough for this run.")
    network, why = auto(options, seconds / AUTO_SECONDS / 1.2)
    assert network == "compact"
    assert why == (
        "VGG19 would take about 1 min 50 s here, and `auto` waits 1 min 30 s at most;"
        " choose `vgg19` to have it all the same."
    )


def test_auto_counts_a_run_that_ends_by_itself_as_its_longest() -> None:
    quick, slow = StyleOptions(size=128, epochs=10), StyleOptions(size=128, epochs="auto")
    speed = estimate(100, 100, quick, "vgg19", "float32", SECOND).seconds / AUTO_SECONDS * 1.1  # type: ignore[operator]
    assert auto(quick, speed)[0] == "vgg19"
    network, why = auto(slow, speed)
    assert network == "compact"
    assert "would take up to" in why


def test_auto_is_compact_where_vgg19_would_not_fit_and_vgg19_where_nothing_was_measured() -> None:
    options = StyleOptions(size=1024)
    assert auto(options, 10**6, budget=10**9) == ("compact", "VGG19 would need more memory than there is.")
    assert auto(options, known=False)[0] == "vgg19"


def test_auto_guesses_from_the_speed_of_another_network() -> None:
    compact = Calibration("compact", "float32", 0.03, 3.7e-6)
    assert auto_network(480, 640, StyleOptions(size=512), "float32", [compact], 10**11)[0] == "compact"
    assert auto_network(480, 640, StyleOptions(size=64, epochs=5), "float32", [compact], 10**11)[0] == "vgg19"


def test_each_further_painting_takes_memory_and_time():
    options = StyleOptions(size=512)
    found = [estimate(3, 4, options, "compact", calibration=SPEED, styles=[(3, 4)] * count) for count in (1, 2, 3)]
    assert found[0] == estimate(3, 4, options, "compact", calibration=SPEED)
    more = [after.bytes - before.bytes for before, after in itertools.pairwise(found)]
    assert more[0] == pytest.approx(more[1], abs=1)
    assert more[0] > 2 * 512 * 384 * 12  # the picture and its canvas, besides the Gram matrices
    assert found[0].seconds < found[1].seconds < found[2].seconds


def test_scales_of_several_paintings_count_without_their_shapes():
    scaled = StyleOptions(style_scales=[2, 2])
    assert estimate(3, 4, scaled, "compact").bytes == estimate(3, 4, scaled, "compact", styles=[(3, 4)] * 2).bytes


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_mask_takes_memory(precision):
    plain, masked = (estimate(3, 4, StyleOptions(), "compact", precision, masked=masked) for masked in (False, True))
    assert masked.bytes > plain.bytes + 512 * 384 * 32
    assert largest_size(3, 4, StyleOptions(), "compact", budget=plain.bytes) >= 512
    with pytest.raises(OutOfMemory):
        estimate(3, 4, StyleOptions(size=4096), "compact", budget=10**9, masked=True)
