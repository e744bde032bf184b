"""The looks that the page offers."""

import pytest

from nst.options.shipped_presets import LOOK_OPTIONS, LOOKS, Look
from nst.options.style_options import StyleOptions


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.title)
def test_a_look_is_a_set_of_valid_options(look: Look) -> None:
    assert StyleOptions(**look.options)
    assert look.title
    assert look.help


def test_balanced_is_the_defaults_and_the_looks_differ_in_strength() -> None:
    subtle, balanced, bold = (StyleOptions(**look.options) for look in LOOKS)
    assert balanced == StyleOptions()
    assert subtle.strength < balanced.strength < bold.strength
    assert set(LOOK_OPTIONS) == {name for look in LOOKS for name in look.options}
