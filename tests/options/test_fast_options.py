"""The weights of a mix of styles."""

from typing import Any

import pytest

from nst.errors import StyleError
from nst.options.fast_options import mix_of


def test_a_mix_has_weights_of_sum_one() -> None:
    assert mix_of("waves") == {"waves": 1.0}
    assert mix_of({"waves": 3, "dots": 1.0}) == {"waves": 0.75, "dots": 0.25}


@pytest.mark.parametrize("wanted", [{}, {"a": 0}, {"a": -1}, {"a": float("nan")}, {"a": True}, {"a": "1"}, {"a": 1e7}])
def test_a_mix_without_styles_or_weights_is_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(StyleError, match=r"^[^\n]+$"):
        mix_of(wanted)


def test_a_mix_of_too_many_styles_is_refused() -> None:
    with pytest.raises(StyleError, match="1 to 4 styles, got 5"):
        mix_of(dict.fromkeys("abcde", 1.0))
