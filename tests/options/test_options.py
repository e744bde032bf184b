import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OptionError
from nst.options.loss_weights import NORMALIZATION_WEIGHTS
from nst.options.option_field import LayerWeights, Numbers, Option, did_you_mean, options_of
from nst.options.style_options import StyleOptions

modest = settings(max_examples=50, deadline=None, derandomize=True)

OPTIONS = {option.name: option for option in options_of(StyleOptions)}
NUMBERS = [name for name, option in OPTIONS.items() if option.type in (int, float)]
CHOICES = [name for name, option in OPTIONS.items() if option.choices]
BOOLEANS = [name for name, option in OPTIONS.items() if option.type is bool]
LAYERS = [name for name, option in OPTIONS.items() if option.type is LayerWeights]
SEVERAL = [name for name, option in OPTIONS.items() if option.type is Numbers]


def test_every_option_is_of_a_kind_covered_by_these_tests():
    assert sorted(NUMBERS + CHOICES + BOOLEANS + LAYERS + SEVERAL) == sorted(OPTIONS)


def valid(option: Option) -> st.SearchStrategy:
    if option.name in LAYERS:
        layers = st.sampled_from(["block1_conv1", "block4_conv2", "fire4"])
        values = st.dictionaries(layers, st.floats(0, 1e6), min_size=1)
    elif option.name in SEVERAL:
        numbers = st.lists(st.floats(option.low, option.high), min_size=1, max_size=option.most)
        values = numbers.filter(any)
    elif option.type is bool:
        values = st.booleans()
    elif option.choices:
        values = st.sampled_from(option.choices)
    else:
        make = st.integers if option.type is int else st.floats
        values = make(option.type(option.low), option.type(option.high))
    return values if option.default is not None else st.none() | values


SETS = st.fixed_dictionaries({}, optional={name: valid(option) for name, option in OPTIONS.items()})


@modest
@given(SETS)
def test_options_survive_json(values):
    options = StyleOptions.from_json(values)
    again = StyleOptions.from_json(json.loads(json.dumps(options.to_json())))
    assert again == options
    assert hash(again) == hash(options)
    assert again.to_json() == options.to_json()
    for name, value in values.items():
        assert options.to_json()[name] == value


@modest
@given(SETS)
def test_every_valid_set_has_weights_layers_and_steps(values):
    options = StyleOptions.from_json(values)
    assert options.steps == options.epochs * options.steps_per_epoch
    assert all(math.isfinite(weight) for weight in dataclasses.astuple(options.weights))
    for extractor in ("vgg19", "compact"):
        content, style = options.layers(extractor)
        assert content
        assert style


def test_defaults_are_valid_and_the_json_form_names_every_option():
    assert list(StyleOptions().to_json()) == list(OPTIONS)
    assert StyleOptions.from_json({}) == StyleOptions()
    assert StyleOptions.from_json(StyleOptions().to_json()) == StyleOptions()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_help_a_label_and_a_group(name):
    option = OPTIONS[name]
    assert option.help
    assert option.group
    assert option.label[0].isupper()
    assert "_" not in option.label


def refusal(name: str, value: object) -> str:
    with pytest.raises(OptionError) as caught:
        StyleOptions.from_json({name: value})
    assert caught.value.option == name
    message = str(caught.value)
    assert f"`{name}`" in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("side", ["low", "high"])
def test_a_number_is_good_up_to_its_bound_and_refused_beyond(name, side):
    option = OPTIONS[name]
    bound = getattr(option, side)
    assert getattr(StyleOptions.from_json({name: bound}), name) == bound
    step = 1 if option.type is int else abs(bound) * 1e-9 + 1e-12
    beyond = bound - step if side == "low" else bound + step
    message = refusal(name, beyond)
    assert f"between {option.low:.10g} and {option.high:.10g}" in message
    assert f"got {beyond!r}" in message


def test_a_bound_is_written_out_in_digits():
    assert "between 0 and 2147483647, got -1" in refusal("seed", -1)
    assert "between 0 and 1000000000" in refusal("style_weight", 1e10)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["12", True, [1], {}, math.nan, math.inf, -math.inf, 10**400, -(10**400), 1j],
    ids=lambda value: f"{value!r:.9}",
)
def test_a_value_that_is_no_number_is_refused(name, value):
    assert "number between" in refusal(name, value)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_text_is_answered_with_what_to_enter(text):
    assert refusal("epochs", text) == "`epochs`: enter a whole number between 1 and 1000 or auto"


@pytest.mark.parametrize("name", [name for name in NUMBERS if OPTIONS[name].type is int])
def test_a_whole_number_may_come_as_a_float_but_not_as_a_fraction(name):
    low = OPTIONS[name].low
    read = getattr(StyleOptions.from_json({name: float(low)}), name)
    assert (read, type(read)) == (low, int)
    assert "a whole number" in refusal(name, low + 0.5)


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["no such thing", "", 3, None, ["max"], "x\ny"])
def test_an_unknown_choice_is_refused_with_the_list(name, value):
    message = refusal(name, value)
    assert f"must be one of {', '.join(OPTIONS[name].choices)}; got {value!r}" in message


@pytest.mark.parametrize("name", CHOICES)
def test_an_error_suggests_the_choice_that_was_mistyped(name):
    for choice in OPTIONS[name].choices:
        mistyped = choice[0] + choice
        assert f"did you mean {choice!r}?" in refusal(name, mistyped)


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("value", [1, 0, "true", None, []])
def test_only_true_and_false_are_booleans(name, value):
    assert f"must be true or false, got {value!r}" in refusal(name, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_error_suggests_the_name_that_was_mistyped(name):
    mistyped = name[1:]
    with pytest.raises(OptionError, match=f"there is no option {mistyped!r}; did you mean {name!r}") as caught:
        StyleOptions.from_json({mistyped: 1})
    assert caught.value.option == mistyped


def test_a_name_like_no_other_is_refused_without_a_suggestion():
    with pytest.raises(OptionError) as caught:
        StyleOptions.from_json({"zzzz": 1})
    assert str(caught.value) == "there is no option 'zzzz'"
    assert did_you_mean("zzzz", OPTIONS) == ""


@pytest.mark.parametrize("value", [None, [], "epochs=3", 3])
def test_options_that_are_no_object_are_refused(value):
    with pytest.raises(OptionError, match="must be an object of names and values"):
        StyleOptions.from_json(value)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("block1_conv1", (("block1_conv1", 1.0),)),
        (" block1_conv1 = 0.5, block2_conv1,", (("block1_conv1", 0.5), ("block2_conv1", 1.0))),
        ({"fire4": 2}, (("fire4", 2.0),)),
        ([["fire4", 2], ["fire5", 0]], (("fire4", 2.0), ("fire5", 0.0))),
        ("", None),
        ({}, None),
        (None, None),
    ],
)
def test_layers_are_read_in_every_form(name, value, expected):
    assert getattr(StyleOptions.from_json({name: value}), name) == expected


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("block1_conv1=much", "must look like block1_conv1=1"),
        (7, "must look like"),
        ({"a": None}, "must look like"),
        (["block1_conv1"], "must look like"),
        ({"a": 10**400}, "must look like"),
        ({"a": -1}, "the weight of 'a' must be between 0 and 1000000, got -1"),
        ("a=nan", "the weight of 'a' must be between 0 and 1000000, got nan"),
        ({"a\nb": 1e7}, "between 0 and 1000000, got 1e+07"),
        ("=2", "must name a layer"),
        ("a,a=2", "names a layer twice"),
    ],
)
def test_wrong_layers_are_refused(name, value, words):
    assert words in refusal(name, value)


@pytest.mark.parametrize(
    ("options", "amount"),
    [
        ({}, 1.0),
        ({"strength": 10}, 1.0),
        ({"strength": 0.25}, 0.25),
        ({"strength": 4, "style_weight": 4}, 0.5),
        ({"style_weight": 0}, 0.0),
        ({"normalization": "gatys"}, 0.0),
        ({"keep_colors": True}, 0.0),
        ({"keep_colors": True, "color_transfer": 1}, 0.0),
        ({"normalization": "gatys", "color_transfer": 0.3}, 0.3),
        ({"strength": 10, "color_transfer": 0}, 0.0),
    ],
)
def test_how_far_the_content_takes_on_colors(options, amount):
    assert StyleOptions(**options).color_transfer_amount == pytest.approx(amount)


def test_automatic_weights_are_those_of_the_normalization_and_strength_multiplies_style():
    for normalization, (content, style, tv, neighbors) in NORMALIZATION_WEIGHTS.items():
        weights = StyleOptions(normalization=normalization, strength=2.0).weights
        assert dataclasses.astuple(weights) == (content, 2 * style, tv, 2 * neighbors)
    mine = StyleOptions(content_weight=0.0, style_weight=3.0, tv_weight=0.25, neighbor_weight=0.5, strength=10.0)
    assert dataclasses.astuple(mine.weights) == (0.0, 30.0, 0.25, 5.0)


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        StyleOptions().epochs = 3
    assert StyleOptions.option("init").choices == OPTIONS["init"].choices


def test_a_long_wrong_value_is_shortened_in_the_error():
    for wrong in (
        {"size": "x" * 100_000},
        {"y" * 100_000: 1},
        {"style_layers": "z" * 100_000 + "=a"},
        {"preset": "p" * 9999},
    ):
        with pytest.raises(OptionError) as refused:
            StyleOptions.from_json(wrong)
        assert len(str(refused.value)) < 300


def test_only_live_options_may_change_during_a_run():
    options = StyleOptions(strength=2.0)
    assert options.steered({"strength": 3.0, "tv_weight": 1.0}, "compact") == StyleOptions(strength=3.0, tv_weight=1.0)
    assert options.steered({}, "compact") == options
    for name in ("size", "optimizer", "colour"):
        with pytest.raises(OptionError, match=f"'{name}' cannot change during a run; what can: strength"):
            options.steered({name: 1}, "compact")
    with pytest.raises(OptionError, match="`strength` must be a number between"):
        options.steered({"strength": -1}, "compact")


@pytest.mark.parametrize("given", [[0.7, 0.3], (0.7, 0.3), "0.7,0.3", "0.7 0.3", " 0.7, 0.3 "])
def test_numbers_for_several_paintings_are_read_as_a_list_and_as_text(given):
    assert StyleOptions(style_mix=given).style_mix == (0.7, 0.3)
    assert StyleOptions.from_json({"style_mix": given}).to_json()["style_mix"] == [0.7, 0.3]


@pytest.mark.parametrize("given", [None, "", []])
def test_no_numbers_are_automatic(given):
    assert StyleOptions(style_mix=given).style_mix is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("1,2,3,4,5", "at most 4 numbers, got '1,2,3,4,5'"),
        ({"a": 1}, "at most 4 numbers, got {'a': 1}"),
        ([1, -1], "a number between 0 and 1000000, got -1"),
        ("1,heavy", "a number between 0 and 1000000, got 'heavy'"),
        ([0.5, True], "got True"),
        ([0, 0], "a weight above 0"),
    ],
)
def test_wrong_numbers_are_refused(given, words):
    assert words in refusal("style_mix", given)


def test_shares_of_paintings_sum_to_1_and_are_equal_by_default():
    assert StyleOptions(style_mix=[3, 1]).style_shares(2) == (0.75, 0.25)
    assert StyleOptions().style_shares(4) == (0.25,) * 4
    assert StyleOptions(style_mix=[0.3]).style_shares(1) == (1.0,)


def test_each_painting_has_a_scale_of_its_own_or_that_of_all():
    assert StyleOptions(style_scale=2.0).scale_of_each(2) == (2.0, 2.0)
    assert StyleOptions(style_scale=2.0, style_scales=[1, 0.5]).scale_of_each(2) == (1.0, 0.5)


@pytest.mark.parametrize(("count", "words"), [(1, "one number for one painting"), (3, "each of the 3 paintings")])
def test_a_number_for_each_of_other_paintings_is_refused(count, words):
    for name, method in (("style_mix", "style_shares"), ("style_scales", "scale_of_each")):
        options = StyleOptions.from_json({name: [1, 2]})
        with pytest.raises(OptionError, match=f"^`{name}` must have .*{words}, got 2$") as caught:
            getattr(options, method)(count)
        assert caught.value.option == name


def test_weights_of_paintings_may_change_during_a_run_but_not_their_scales():
    assert StyleOptions().steered({"style_mix": [1, 3]}, "compact").style_mix == (1.0, 3.0)
    with pytest.raises(OptionError, match="'style_scales' cannot change during a run"):
        StyleOptions().steered({"style_scales": [1, 3]}, "compact")


def test_of_several_changes_of_an_option_the_last_counts():
    options = StyleOptions(size=256, style_layers={"block1_conv1": 1.0})
    changed = options.with_changes({"strength": 2.0}, {}, {"strength": 3, "style_layers": {"block2_conv1": 1}})
    assert changed == StyleOptions(size=256, strength=3.0, style_layers={"block2_conv1": 1.0})
    with pytest.raises(OptionError, match="`strength` must be a number between"):
        options.with_changes({"strength": -1})


@pytest.mark.parametrize("name", [name for name, option in OPTIONS.items() if option.slider])
def test_a_slider_spans_a_part_of_the_range_that_has_the_default(name):
    option = OPTIONS[name]
    low, high = option.slider
    default = StyleOptions().weights_before_strength.get(name, option.default)
    assert option.low <= low <= default <= high <= option.high


def test_records_and_requests_may_name_an_option_as_before():
    assert StyleOptions.from_json({"normalisation": "gatys"}).normalization == "gatys"
    assert StyleOptions.from_record({"normalisation": "gatys"}).normalization == "gatys"
    assert StyleOptions().with_changes({"normalisation": "gatys"}).normalization == "gatys"
    assert "normalisation" not in StyleOptions().to_json()
    with pytest.raises(OptionError, match=r"`normalization` must be one of relative, gatys; got 'gattys'"):
        StyleOptions.from_json({"normalisation": "gattys"})
