import json

import pytest

from nst.errors import OptionError
from nst.options.option_field import option_text, options_of
from nst.options.style_options import StyleOptions
from nst.options.variations import MOST_RUNS, OPTIONS, Axis, Variations, proposed_values


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("strength", "0.5, 1,2", (0.5, 1.0, 2.0)),
        ("seed", "0,1,2,", (0, 1, 2)),
        ("epochs", "5,auto", (5, "auto")),
        ("keep_colors", "yes,false", (True, False)),
        ("preset", "studio,gatys", ("studio", "gatys")),
        ("style_mix", "1,3; 1,1", ((1.0, 3.0), (1.0, 1.0))),
        ("tv_weight", "automatic,0,8", (None, 0.0, 8.0)),
        (
            "style_layers",
            "block1_conv1=1,block2_conv1=0.5; block3_conv1",
            ((("block1_conv1", 1.0), ("block2_conv1", 0.5)), (("block3_conv1", 1.0),)),
        ),
    ],
)
def test_values_of_every_kind_of_option_are_read_from_text(name: str, text: str, values: tuple[object, ...]) -> None:
    assert Axis.parse(name, text).values == values


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"strenght": "1,2"}, "there is no option 'strenght'; did you mean 'strength'?"),
        ({"strength": "1,1000"}, "`strength` must be a number between 0.01 and 100, got 1000"),
        ({"strength": "1,1.0"}, "`strength` must have each value once, got 1, 1"),
        ({"strength": ""}, "`strength` must have at least one value to vary"),
        ({"strength": 3}, "`strength` must have a list of values to vary, got 3"),
        ({"preset": ["studio", "gatis"]}, "did you mean 'gatys'"),
        ({"keep_colors": "maybe,no"}, "`keep_colors` must be true or false, got 'maybe'"),
        ({}, "one or two options can vary at once, got none"),
        ({"seed": "1,2", "strength": "1,2", "size": "64,128"}, "got seed, strength, size"),
        ({"seed": "1"}, f"variations must be between 2 and {MOST_RUNS} runs, got 1"),
        ({"seed": list(range(6)), "strength": [1, 2, 3, 4, 5]}, "got 30"),
    ],
)
def test_wrong_variations_are_refused_in_one_line(vary: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Variations.parse(StyleOptions(), vary)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_first_option_makes_rows_and_the_second_columns() -> None:
    grid = Variations.parse(StyleOptions(), {"strength": [0.5, 2], "seed": "0,1,2"})
    assert (grid.rows, grid.columns) == (2, 3)
    assert grid.changes()[3] == {"strength": 2.0, "seed": 0}
    assert grid.titles() == (["Strength 0.5", "Strength 2"], ["Seed 0", "Seed 1", "Seed 2"])
    single = Variations.parse(StyleOptions(), {"seed": "0,1,2"})
    assert (single.rows, single.columns, single.titles()[0]) == (1, 3, [""])


def test_a_painting_varies_by_its_number_and_is_alone_in_its_runs() -> None:
    options = StyleOptions(style_mix=(3, 1), style_scales=(0.5, 2), style_scale=1.5)
    grid = Variations.parse(options, {"style": "1,2,3", "strength": [1, 2]})
    names = {"content": "owl", "style": "waves", "style2": "stars"}
    assert grid.titles(names) == (["waves", "stars", "Style 3"], ["Strength 1", "Strength 2"])
    second, third = grid.changes()[2], grid.changes()[4]
    for made in (grid.quick(second), grid.full(second)):
        assert (made.style_mix, made.style_scales, made.style_scale) == (None, None, 2)
    assert grid.quick(third).style_scale == 1.5
    assert grid.pictures_of(second, {**names, "mask": "face"}) == {"content": "owl", "style": "stars", "mask": "face"}
    assert grid.pictures_of({"strength": 1.0}, names) == names
    assert grid.pictures_of(second, {"style2": "stars", "style": "waves"}) == {"style": "stars"}
    assert grid.pictures_of(second, {"content": "owl", "style": "waves"}) == {
        "content": "owl"
    }  # the second has no name
    alike = {"style": "pasted.png", "style2": "pasted.png", "style3": "stars"}
    assert grid.titles(alike)[0] == ["1: pasted.png", "2: pasted.png", "3: stars"]
    grid.check_pictures(3, masked=False)


@pytest.mark.parametrize(
    ("paintings", "message"),
    [
        (1, "`style` must be at most 1, as many paintings as were chosen, got 2"),
        (2, "`style` must be at most 2, as many paintings as were chosen, got 3"),
    ],
)
def test_only_chosen_paintings_vary(paintings: int, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Variations.parse(StyleOptions(), {"style": "1,2,3"}).check_pictures(paintings, masked=False)
    assert str(caught.value) == message
    halves = Variations.parse(StyleOptions(mask_use="styles"), {"style": "1,2"})
    with pytest.raises(OptionError, match="`style` paints each painting alone: it cannot vary with `mask_use` styles"):
        halves.check_pictures(2, masked=True)
    with pytest.raises(OptionError, match="`style` must be a whole number between 1 and 4, got 5"):
        Variations.parse(StyleOptions(), {"style": [1, 5]})


def test_a_quick_run_is_small_and_the_full_one_has_the_settings_of_the_form() -> None:
    options = StyleOptions(size=1024, epochs=80, optimizer="adam")
    grid = Variations.parse(options, {"strength": "1,2"})
    quick, full = grid.quick({"strength": 2.0}), grid.full({"strength": 2.0})
    assert (quick.size, quick.epochs, quick.extractor) == (256, 12, "compact")
    assert (full.size, full.epochs, full.extractor) == (1024, 80, "auto")
    assert (quick.strength, quick.optimizer) == (full.strength, full.optimizer) == (2.0, "adam")


def test_what_varies_wins_over_what_makes_a_run_quick() -> None:
    grid = Variations.parse(StyleOptions(extractor="vgg19"), {"size": "64,512", "epochs": "1,2"})
    assert [grid.quick(each).size for each in grid.changes()] == [64, 64, 512, 512]
    assert grid.quick({}).extractor == "vgg19"


def test_variations_survive_json() -> None:
    layers = "block1_conv1; block1_conv1=1,block3_conv1=2; automatic"
    grid = Variations.parse(StyleOptions(strength=2), {"style_layers": layers, "seed": "1,2"}, size=128, epochs=3)
    assert Variations.from_json(json.loads(json.dumps(grid.to_json()))) == grid


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_proposed_values_that_can_be_varied(name: str) -> None:
    axis = Axis.parse(name, proposed_values(OPTIONS[name]))
    assert 2 <= len(axis.values) <= 5


@pytest.mark.parametrize("option", options_of(StyleOptions), ids=lambda option: option.name)
def test_the_text_of_a_value_is_read_back(option) -> None:
    default = option.check(option.default)
    assert option.parse(option_text(default)) == default


def test_what_varies_may_be_named_as_before() -> None:
    grid = Variations.parse(StyleOptions(), {"normalisation": "relative, gatys"})
    assert grid.changes() == [{"normalization": "relative"}, {"normalization": "gatys"}]
