"""The options of a picture painted in one pass, each declared once, and the weights of a mix of styles."""

from collections.abc import Mapping
from dataclasses import dataclass

from nst.errors import StyleError
from nst.options.option_field import MOST_WEIGHT, Options, declare, shown

MOST_MIXED = 4  # styles
WORKING_SIDE = 512  # px, long side of the picture that the network paints: strokes keep their share of every result
LARGEST_WORKING = 2048  # px, long side; in larger results strokes become finer in proportion


@dataclass(frozen=True)
class FastOptions(Options):
    """Settings of one picture painted in one pass. Raises OptionError on a value out of its bounds."""

    strength: float = declare(
        1.0,
        "how strong the style is: 0 leaves the picture as it is, 1 is the full style",
        "basic",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    stroke_size: float = declare(
        1.0,
        "size of the brushwork; at 1 strokes have the same share of the picture at every size up to 2048 px",
        "basic",
        low=0.5,
        high=3.0,
        step=0.1,
        log=True,
    )
    keep_colors: bool = declare(False, "keep the content's colors, take only the brushwork", "basic")
    size: int | None = declare(
        None, "long side of the result; automatic is the picture's own", "basic", low=64, high=8192, step=32, unit="px"
    )


def working_side(long_side: int, stroke_size: float) -> int:
    """The long side, px, of the picture that is painted for a result of that long side."""
    return round(WORKING_SIDE * max(1.0, long_side / LARGEST_WORKING) / stroke_size)


def mix_of(wanted: str | Mapping[str, float]) -> dict[str, float]:
    """Weights of sum 1 by style, from the name of one or from weights of any sum. Raises StyleError."""
    given = {wanted: 1.0} if isinstance(wanted, str) else dict(wanted)
    if not 1 <= len(given) <= MOST_MIXED:
        raise StyleError(f"a mix must be of 1 to {MOST_MIXED} styles, got {len(given)}")
    for name, weight in given.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MOST_WEIGHT:
            rule = f"a number from 0 to {MOST_WEIGHT:.10g}"
            raise StyleError(f"the weight of {str(name)[:80]!r} must be {rule}, got {shown(weight)}")
    total = sum(given.values())
    if not total > 0:
        raise StyleError("some style of a mix must have a weight above 0")
    return {name: weight / total for name, weight in given.items()}
