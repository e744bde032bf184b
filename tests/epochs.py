"""Epochs as a run reports them, for tests that care for a few of their fields."""

from typing import Any

from nst.runs.events import Epoch, Losses


def epoch_event(number: int, **fields: Any) -> Epoch:
    """The event of an epoch; `fields` are those that matter."""
    usual = {
        "step": 10 * number,
        "losses": Losses(3.0, 1.0, 1.5, 0.5),
        "width": 64,
        "height": 48,
        "seconds": 1.0,
        "steps_per_second": 10.0,
        "seconds_left": 0.0,
    }
    return Epoch(epoch=number, **usual | fields)
