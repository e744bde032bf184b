"""The options of a training of fast styles, each declared once."""

import dataclasses
from dataclasses import dataclass
from typing import Self

from nst.options.layer_presets import NETWORKS
from nst.options.option_field import Options, declare

MINUTES_TO_ADD, MINUTES_NEW = 12.0, 60.0  # default minutes: to add styles to a network, and for a new network


@dataclass(frozen=True)
class TrainOptions(Options):
    """Settings of the training of fast styles. Raises OptionError on a value out of its bounds."""

    minutes: float | None = declare(
        None,
        f"how long to train at most; automatic is {MINUTES_TO_ADD:g} to add styles to a network, {MINUTES_NEW:g} for a "
        "new network",
        "basic",
        low=0.01,
        high=100_000.0,
        step=1.0,
        unit="min",
    )
    steps: int | None = declare(
        None, "how many steps to train at most; automatic is as many as the minutes allow", "basic", low=1, high=10**7
    )
    extractor: str = declare(
        "auto",
        "the loss network; auto is vgg19 where its weights are installed, else vgg16, else compact",
        "basic",
        choices=("auto", *NETWORKS),
    )
    patience: int = declare(
        12, "previews without a better loss after which training ends early; 0 never does", "basic", low=0, high=1000
    )
    preview: float = declare(3.0, "time between two previews", "basic", low=0.01, high=1000.0, unit="min")
    seed: int = declare(0, "same seed, same order of photos", "basic", low=0, high=2**31 - 1, step=1)
    content_weight: float = declare(1.0, "weight of the content loss", "weights", low=0.0, high=1e6)
    style_weight: float = declare(4.0, "weight of the style loss", "weights", low=0.0, high=1e9)
    tv_weight: float = declare(1.0, "weight of total variation, which smooths", "weights", low=0.0, high=1e6)
    patch_weight: float = declare(
        3.0, "weight of patches of color where the photo has none", "weights", low=0.0, high=1e6
    )
    identity_weight: float = declare(
        2.0, "weight of the picture itself where the strength is low", "weights", low=0.0, high=1e6
    )
    crop: int = declare(160, "side of the pieces of photos to train on", "pictures", low=64, high=1024, unit="px")
    style_size: int = declare(
        384,
        "long side of the style's picture: the larger, the larger the brushwork",
        "pictures",
        low=64,
        high=2048,
        unit="px",
    )
    batch: int = declare(4, "pieces of photos a step", "pictures", low=1, high=64)
    learning_rate: float = declare(
        0.002, "size of the steps of Adam at first; falls to nothing", "optimizer", low=1e-6, high=0.1, log=True
    )

    def resolved(self, extractor: str, adding: bool) -> Self:
        """These options with the loss network and, where they are automatic, the minutes filled in."""
        return dataclasses.replace(
            self, extractor=extractor, minutes=self.minutes or (MINUTES_TO_ADD if adding else MINUTES_NEW)
        )
