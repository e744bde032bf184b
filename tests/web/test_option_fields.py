"""The fields that the form and the steering card make of options: whatever option is declared, they can show it."""

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from dash.development.base_component import Component

from nst.options.option_field import Option
from nst.options.style_options import StyleOptions
from nst.web.components.form.option_fields import OPTIONS, check_groups, field, page_help
from nst.web.components.run import steering

STRENGTH = StyleOptions.option("strength")  # a live option, from 0.01 to 100


def parts(tree: Component, kind: str) -> list[Any]:
    return [each for each in tree._traverse() if isinstance(each, Component) and each._type == kind]


def choices(option: Option) -> list[str]:
    """The labels of the choices of an option."""
    (select,) = parts(field(option), "Select")
    return [each["label"] for each in select.options]


def test_an_option_of_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`strength` must be in one of the groups .*, got 'mood'"):
        check_groups([replace(STRENGTH, group="mood")])


def test_a_choice_has_the_label_of_its_own_option() -> None:
    assert choices(replace(StyleOptions.option("init"), choices=("styles", "content"))) == ["Styles", "Content"]
    assert choices(StyleOptions.option("mask_use"))[1] == "A painting in white, the other in black"
    assert choices(StyleOptions.option("precision")) == ["Automatic", "float32", "bfloat16"]


def test_the_help_of_an_option_names_choices_and_options_as_the_page_does() -> None:
    assert "“Automatic” is “VGG19” where" in page_help(StyleOptions.option("extractor"))
    assert "else “Built-in network”" in page_help(StyleOptions.option("extractor"))
    assert "none with Keep colors" in page_help(StyleOptions.option("color_transfer"))
    for option in OPTIONS:
        assert not re.search(r"\b(auto|vgg19|compact|lbfgs|gatys|keep_colors|style_scale)\b", page_help(option))


@pytest.mark.parametrize(("word", "label"), [("auto", "Stop when it converges"), ("never", "Never")])
def test_a_word_in_place_of_a_number_is_a_switch_with_a_label(word: str, label: str) -> None:
    (switch,) = parts(field(replace(StyleOptions.option("epochs"), words=(word,))), "Switch")
    assert switch.label == label


@pytest.mark.parametrize(
    ("option", "ends"),
    [
        (STRENGTH, (-2.0, 2.0)),
        (replace(STRENGTH, low=0.0), (-2.0, 2.0)),
        (replace(STRENGTH, low=0.0, slider=(0.1, 1e4)), (-1.0, 4.0)),
    ],
)
def test_a_steering_slider_of_an_option_that_may_be_0_begins_above_it(
    option: Option, ends: tuple[float, float]
) -> None:
    assert steering.decades(option) == pytest.approx(ends)


@pytest.mark.parametrize("value", [0.0, None])
def test_a_live_option_without_a_value_or_of_value_0_has_its_slider_at_the_low_end(value: float | None) -> None:
    slider = next(
        each
        for each in parts(steering._field("grain", "Grain", value, replace(STRENGTH, low=0.0)), "Input")
        if each.type == "range"
    )
    assert (slider.min, slider.value) == (-2.0, -2.0)


def test_every_steering_slider_reaches_the_value_that_its_option_has_at_first() -> None:
    for name, option in steering.LIVE.items():
        low, high = steering.decades(option)
        value = StyleOptions().weights_before_strength.get(name, option.default)
        assert low <= math.log10(value) <= high, name
