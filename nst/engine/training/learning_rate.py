"""The learning rate of trainings: a linear warm-up, then half a cosine (Loshchilov and Hutter 2017).

`nst train` and tools/train_fast_styles.py use it.
"""

import math

WARM_UP_STEPS = 100
FINAL_SHARE = 0.005  # of the peak, at the end


def warm_cosine(steps: int, progress: float) -> float:
    """The share of the peak learning rate, 0..1, after `steps` steps, at a `progress` of the training from 0 to 1."""
    warm = min(1.0, (steps + 1) / WARM_UP_STEPS)
    return warm * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * progress)))
