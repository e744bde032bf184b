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
    NETWORK_COSTS,
    TILES,
    Calibration,
    PlannedRun,
    auto_network,
    calibration_for,
    pairs,
)
from nst.runs.schedule import MARGIN, Scale, margins, schedule

modest = settings(max_examples=50, deadline=None, derandomize=True)

SPEED = Calibration("compact", "float32", step_seconds=0.01, pixel_seconds=1e-6, vector_seconds=1e-9)
RUNS = st.builds(
    PlannedRun,
    height=st.integers(200, 3000),
    width=st.integers(200, 3000),
    network=st.sampled_from(sorted(NETWORK_COSTS)),
    precision=st.sampled_from(["float32", "bfloat16"]),
    options=st.builds(
        StyleOptions,
        size=st.sampled_from(range(64, 4097, 32)),
        epochs=st.integers(1, 40),
        optimizer=st.sampled_from(["adam", "lbfgs"]),
        init=st.sampled_from(["noise", "content", "style"]),
        style_scale=st.sampled_from([0.5, 1.0, 2.0]),
    ),
)


def with_options(run, **options):
    return dataclasses.replace(run, options=dataclasses.replace(run.options, **options))


@modest
@given(RUNS, st.floats(0.5, 40))
def test_a_run_fits_its_budget_or_is_refused_with_the_largest_size_that_does(run, gigabytes):
    budget = round(gigabytes * GIGABYTE)
    largest, size = run.largest_size(budget), run.options.size
    if largest >= size:
        assert run.estimate(budget=budget).bytes <= budget
    else:
        words = f"the largest size that fits is {largest}" if largest else "no size fits"
        with pytest.raises(OutOfMemory, match=rf"^`size` {size} needs .*; {words}$"):
            run.estimate(budget=budget)
    if largest:
        assert with_options(run, size=largest).estimate(budget=budget).bytes <= budget


@modest
@given(RUNS)
def test_what_fits_whole_is_not_cut_and_what_does_not_is_cut_into_less(run):
    speed = SPEED.scaled_to(run.network)
    whole = run.estimate(speed)
    assert not whole.tiled
    assert run.estimate(speed, whole.bytes) == whole
    try:
        cut = run.estimate(speed, whole.bytes - 1)
    except OutOfMemory:
        return
    assert cut.tiled
    assert cut.tile in TILES
    assert cut.bytes < whole.bytes
    assert cut.seconds >= whole.seconds  # the same where only the style picture is cut


@modest
@given(RUNS)
def test_more_of_anything_takes_no_less(run):
    speed, options = SPEED.scaled_to(run.network), run.options
    first = run.estimate(speed)
    more = [
        {"size": min(4096, options.size + 256)},
        {"epochs": options.epochs + 10},
        {"style_scale": 4.0},
        {"optimizer": "lbfgs"},
    ]
    for larger in more:
        then = with_options(run, **larger).estimate(speed)
        assert then.bytes >= first.bytes
        if options.init != "noise":  # more scales leave fewer steps for the full size
            assert then.seconds >= first.seconds


def test_seconds_are_those_of_the_steps_and_of_the_targets():
    without = {"init": "content", "epochs": 2, "steps_per_epoch": 5, "optimizer": "adam", "neighbor_weight": 0}
    options = StyleOptions(size=400, **without)
    canvas = (300 + 2 * 8) * (400 + 2 * 8)  # by hand: margins of 8 px
    steps = (1 + 10) * (0.01 + canvas * 1e-6)  # the start is evaluated, too
    targets = estimates.TARGET_STEPS * 2 * canvas * 1e-6
    assert PlannedRun(3, 4, options, "compact").seconds(SPEED, None) == pytest.approx(
        estimates.START_SECONDS + steps + targets
    )
    with_neighbors = dataclasses.replace(options, neighbor_weight=1.0)  # four turns of the painting, all of its places
    cosines = canvas / 16 * min(2**14, 4 * canvas / 16)
    search = estimates.SEARCH * cosines * 256 / (3 * NETWORK_COSTS["compact"].multiply_adds)
    targets += (estimates.TARGET_STEPS * 5 * canvas + search) * 1e-6
    assert PlannedRun(3, 4, with_neighbors, "compact").seconds(SPEED, None) == pytest.approx(
        estimates.START_SECONDS + steps + targets
    )


def test_coarse_scales_are_cheaper_than_as_many_steps_at_full_size():
    noise, content = (
        PlannedRun(3, 4, StyleOptions(init=init), "compact").seconds(SPEED, None) for init in ("noise", "content")
    )
    assert noise < content


def test_the_result_has_the_contents_shape_and_auto_is_an_upper_bound():
    found = PlannedRun(1500, 1000, StyleOptions(size=300, epochs="auto"), "compact").estimate()
    assert (found.height, found.width, found.at_most, found.seconds) == (300, 200, True, None)
    assert not PlannedRun(1500, 1000, StyleOptions(size=300), "compact").estimate().at_most


def test_half_the_precision_takes_less_memory_but_for_what_may_go_on_in_float32():
    half, full = (
        {
            name: PlannedRun(1, 1, StyleOptions(size=1024, optimizer=name), "vgg19", dtype).estimate().bytes
            for name in ("adam", "lbfgs")
        }
        for dtype in ("bfloat16", "float32")
    )
    assert half["adam"] < full["adam"]
    assert half["lbfgs"] == full["lbfgs"]


def test_the_aims_of_memory_are_met():
    assert PlannedRun(3, 4, StyleOptions(size=1024), "vgg19").estimate().bytes <= 4 * GIGABYTE
    for optimizer in ("adam", "lbfgs"):
        large = StyleOptions(size=4096, optimizer=optimizer)
        assert PlannedRun(3, 4, large, "vgg19").estimate(budget=6 * GIGABYTE).tiled


def test_a_refusal_names_the_largest_size():
    large = PlannedRun(3, 4, StyleOptions(size=4096), "vgg19")
    with pytest.raises(OutOfMemory) as caught:
        large.estimate(budget=2 * GIGABYTE)
    largest = large.largest_size(2 * GIGABYTE)
    assert 800 < largest < 4096
    assert str(caught.value).startswith("`size` 4096 needs ")
    assert str(caught.value).endswith(
        f" GB of memory even by tiles, but the painting may take 2.0 GB; the largest size that fits is {largest}"
    )
    with pytest.raises(OutOfMemory, match="no size fits"):
        PlannedRun(3, 4, StyleOptions(), "compact").estimate(budget=1000)


def test_pairs_of_l_bfgs_are_fewer_where_each_is_large():
    assert pairs(512 * 512) == pairs(1024 * 1024) == estimates.PAIRS
    assert 3 <= pairs(4096 * 3072) < 10
    assert pairs(10**9) == 3


def test_seconds_are_those_of_the_estimate_whether_it_is_tiled_or_not():
    run = PlannedRun(3, 4, StyleOptions(size=1024), "compact")
    whole = run.estimate(SPEED)
    cut = run.estimate(SPEED, whole.bytes - 1)
    assert cut.tile
    for found in (whole, cut):
        assert run.seconds(SPEED, found.tile) == found.seconds


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
    ratio = NETWORK_COSTS["vgg19"].multiply_adds / NETWORK_COSTS["compact"].multiply_adds
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
    return auto_network(PlannedRun(100, 100, options, "vgg19"), [faster] if known else [], budget)


def test_auto_is_vgg19_where_the_run_is_quick_enough_with_it_and_says_why() -> None:
    options = StyleOptions(size=128, epochs=20)
    seconds = PlannedRun(100, 100, options, "vgg19").seconds(SECOND, None)
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
    speed = PlannedRun(100, 100, quick, "vgg19").seconds(SECOND, None) / AUTO_SECONDS * 1.1
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
    slow, quick = StyleOptions(size=512), StyleOptions(size=64, epochs=5)
    assert auto_network(PlannedRun(480, 640, slow, "vgg19"), [compact], 10**11)[0] == "compact"
    assert auto_network(PlannedRun(480, 640, quick, "vgg19"), [compact], 10**11)[0] == "vgg19"


def test_each_further_painting_takes_memory_and_time():
    run = PlannedRun(3, 4, StyleOptions(size=512), "compact")
    found = [dataclasses.replace(run, styles=[(3, 4)] * count).estimate(SPEED) for count in (1, 2, 3, 4)]
    assert found[0] == run.estimate(SPEED)
    more = [after.bytes - before.bytes for before, after in itertools.pairwise(found)]
    assert more[1] == pytest.approx(more[2], abs=1)
    assert more[0] > more[1]  # of several paintings vectors are kept twice
    assert more[1] > 2 * 512 * 384 * 12  # the picture and its canvas, besides the Gram matrices
    assert found[0].seconds < found[1].seconds < found[2].seconds


def test_scales_of_several_paintings_count_without_their_shapes():
    run = PlannedRun(3, 4, StyleOptions(style_scales=[2, 2]), "compact")
    assert run.estimate() == dataclasses.replace(run, styles=[(3, 4)] * 2).estimate()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_mask_takes_memory(precision):
    run = PlannedRun(3, 4, StyleOptions(), "compact", precision)
    plain, masked = run.estimate(), dataclasses.replace(run, masked=True).estimate()
    assert masked.bytes > plain.bytes + 512 * 384 * 32
    assert run.largest_size(plain.bytes) >= 512
    with pytest.raises(OutOfMemory):
        PlannedRun(3, 4, StyleOptions(size=4096), "compact", masked=True).estimate(budget=10**9)
