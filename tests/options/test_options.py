import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import OptionError
from nst.options.layer_presets import PRESETS, nearest_layer
from nst.options.option_field import LayerWeights, Option, did_you_mean, options_of
from nst.options.style_options import NORMALISATION_WEIGHTS, StyleOptions

modest = settings(max_examples=50, deadline=None, derandomize=True)

OPTIONS = {option.name: option for option in options_of(StyleOptions)}
NUMBERS = [name for name, option in OPTIONS.items() if option.type in (int, float)]
CHOICES = [name for name, option in OPTIONS.items() if option.choices]
BOOLEANS = [name for name, option in OPTIONS.items() if option.type is bool]
LAYERS = [name for name, option in OPTIONS.items() if option.type is LayerWeights]


def test_every_option_is_of_a_kind_that_these_tests_know():
    assert sorted(NUMBERS + CHOICES + BOOLEANS + LAYERS) == sorted(OPTIONS)


def valid(option: Option) -> st.SearchStrategy:
    if option.name in LAYERS:
        layers = st.sampled_from(["block1_conv1", "block4_conv2", "fire4"])
        values = st.dictionaries(layers, st.floats(0, 1e6), min_size=1)
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
def test_what_is_no_number_in_bounds_is_refused(name, value):
    assert "number between" in refusal(name, value)


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
def test_a_mistyped_choice_is_guessed(name):
    for choice in OPTIONS[name].choices:
        mistyped = choice[0] + choice
        assert f"did you mean {choice!r}?" in refusal(name, mistyped)


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("value", [1, 0, "true", None, []])
def test_only_true_and_false_are_booleans(name, value):
    assert f"must be true or false, got {value!r}" in refusal(name, value)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_mistyped_name_is_guessed(name):
    mistyped = name[1:]
    with pytest.raises(OptionError, match=f"there is no option {mistyped!r}; did you mean {name!r}") as caught:
        StyleOptions.from_json({mistyped: 1})
    assert caught.value.option == mistyped


def test_a_name_like_no_other_is_refused_without_a_guess():
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
        ({"a": -1}, "the weight of 'a' must be between 0 and 1e6, got -1"),
        ("a=nan", "the weight of 'a' must be between 0 and 1e6, got nan"),
        ({"a\nb": 1e7}, "between 0 and 1e6, got 1e+07"),
        ("=2", "must name a layer"),
        ("a,a=2", "names a layer twice"),
    ],
)
def test_layers_that_make_no_sense_are_refused(name, value, words):
    assert words in refusal(name, value)


def test_automatic_weights_are_those_of_the_normalisation_and_strength_multiplies_style():
    for normalisation, (content, style, tv) in NORMALISATION_WEIGHTS.items():
        weights = StyleOptions(normalisation=normalisation, strength=2.0).weights
        assert dataclasses.astuple(weights) == (content, 2 * style, tv)
    mine = StyleOptions(content_weight=0.0, style_weight=3.0, tv_weight=0.25, strength=10.0).weights
    assert dataclasses.astuple(mine) == (0.0, 30.0, 0.25)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("extractor", ["vgg19", "vgg16", "compact"])
def test_the_layers_of_a_preset_share_one(preset, extractor):
    for layers in StyleOptions(preset=preset).layers(extractor):
        assert sum(weight for _, weight in layers) == pytest.approx(1)


@pytest.mark.parametrize("extractor", ["vgg19", "compact"])
def test_the_studio_hears_the_early_style_layers_most(extractor):
    _, style = StyleOptions().layers(extractor)
    assert [weight for _, weight in style] == [0.4, 0.2, 0.2, 0.1, 0.1]


def test_chosen_layers_come_before_the_preset():
    content, style = StyleOptions(preset="johnson", style_layers="block1_conv1=3").layers("vgg19")
    assert content == (("block3_conv3", 1.0),)
    assert style == (("block1_conv1", 3.0),)


def test_a_layer_that_the_built_in_network_lacks_is_replaced_by_the_nearest_before_it():
    options = StyleOptions(preset="johnson")
    assert options.layers("compact") == (
        (("block3_conv1", 1.0),),
        (("block1_conv1", 0.25), ("block2_conv1", 0.25), ("block3_conv1", 0.25), ("block4_conv2", 0.25)),
    )
    assert options.replaced_layers("compact")["block4_conv3"] == "block4_conv2"
    assert options.replaced_layers("vgg19") == {}
    for preset in ("studio", "gatys", "fast"):
        assert StyleOptions(preset=preset).replaced_layers("compact") == {}


@pytest.mark.parametrize("extractor", ["vgg19", "compact"])
def test_the_layers_of_version_0_1_are_those_of_vgg_at_their_resolution(extractor):
    options = StyleOptions(content_layers="fire3=2", style_layers="conv1=1,fire7=0.5,fire8=0.25,block2_conv1=1")
    content, style = options.layers(extractor)
    assert content == (("block3_conv1", 2.0),)
    assert style == (("block1_conv1", 1.0), ("block5_conv1", 0.75), ("block2_conv1", 1.0))
    assert options.replaced_layers(extractor) == {
        "fire3": "block3_conv1",
        "conv1": "block1_conv1",
        "fire7": "block5_conv1",
        "fire8": "block5_conv1",
    }
    steered = options.steered({"style_layers": {"conv1": 3.0}}, extractor)
    assert dict(steered.layers(extractor)[1]) == {"block1_conv1": 3.0, "block5_conv1": 0.0, "block2_conv1": 0.0}


@pytest.mark.parametrize("layer", ["fire9", "stage3_conv2", "block9_conv1", "block3", ""])
def test_a_layer_that_no_network_has_is_left_for_the_network_to_refuse(layer):
    assert nearest_layer(layer, "compact") == layer


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        StyleOptions().epochs = 3
    assert StyleOptions.choices("init") == OPTIONS["init"].choices


def test_an_endless_wrong_value_is_not_repeated_in_full():
    for wrong in (
        {"size": "x" * 100_000},
        {"y" * 100_000: 1},
        {"style_layers": "z" * 100_000 + "=a"},
        {"preset": "p" * 9999},
    ):
        with pytest.raises(OptionError) as refused:
            StyleOptions.from_json(wrong)
        assert len(str(refused.value)) < 300


# Changed while the picture forms --------------------------------------------------------------------------------------


def test_what_is_live_may_change_and_nothing_else():
    options = StyleOptions(strength=2.0)
    assert options.steered({"strength": 3.0, "tv_weight": 1.0}, "compact") == StyleOptions(strength=3.0, tv_weight=1.0)
    assert options.steered({}, "compact") == options
    for name in ("size", "optimizer", "colour"):
        with pytest.raises(OptionError, match=f"'{name}' cannot change during a run; what can: strength"):
            options.steered({name: 1}, "compact")
    with pytest.raises(OptionError, match="`strength` must be a number between"):
        options.steered({"strength": -1}, "compact")


def test_layers_keep_their_places_and_those_that_are_not_named_weigh_nothing():
    before = StyleOptions().layers("compact")[1]
    names = [layer for layer, _ in before]
    options = StyleOptions().steered({"style_layers": {names[2]: 3.0}}, "compact")
    assert options.layers("compact")[1] == tuple((name, 3.0 if name == names[2] else 0.0) for name in names)
    assert options.layers("compact")[0] == StyleOptions().layers("compact")[0]
    back = options.steered({"style_layers": None}, "compact")
    assert back.layers("compact")[1] == before
    with pytest.raises(OptionError, match=r"`style_layers`: this run does not use the layer 'fire9'"):
        options.steered({"style_layers": {"fire9": 1.0}}, "compact")
