"""The weights of the losses: their options' names, what they are when automatic, and the form the objective uses."""

from dataclasses import dataclass
from typing import Any

from nst.options.option_field import declare

LOSS_WEIGHTS = ("content_weight", "style_weight", "tv_weight", "neighbor_weight")  # options
# What they are when automatic, for each normalization; see nst/engine/optimization/losses.py.
NORMALIZATION_WEIGHTS = {
    "relative": (1.0, 32.0, 12.0, 4.0),
    "gatys": (1.0, 1000.0, 0.0, 0.0),  # Gatys 2016, section 2.3: content over style 1e-3, and no other loss
}

USUAL_STYLE_WEIGHT = NORMALIZATION_WEIGHTS["relative"][1]


def declare_weight(help: str, high: float = 1e6, **described: Any) -> Any:
    """Declare the option of a loss weight, which the normalization chooses unless it is given."""
    text = f"{help}; automatic is the normalization's own"
    return declare(None, text, "weights", low=0.0, high=high, **described)


@dataclass(frozen=True)
class LossWeights:
    """The loss weights of a run: multiplied by strength, none left automatic."""

    content: float
    style: float
    tv: float
    neighbors: float
