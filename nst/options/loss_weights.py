"""The weights of the losses: their options' names, what they are when automatic, and the form the objective uses."""

from dataclasses import dataclass

LOSS_WEIGHTS = ("content_weight", "style_weight", "tv_weight", "neighbor_weight")  # options
# What they are when automatic, for each normalisation; see nst/engine/optimization/losses.py.
NORMALISATION_WEIGHTS = {
    "relative": (1.0, 32.0, 12.0, 4.0),
    "gatys": (1.0, 1000.0, 0.0, 0.0),  # Gatys 2016, section 2.3: content over style 1e-3, and no other loss
}

USUAL_STYLE_WEIGHT = NORMALISATION_WEIGHTS["relative"][1]


@dataclass(frozen=True)
class LossWeights:
    """The loss weights of a run: multiplied by strength, none left automatic."""

    content: float
    style: float
    tv: float
    neighbors: float
