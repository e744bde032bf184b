"""The speed of each network on this machine, measured once in a worker process."""

from nst.engine.calibrate import calibrate
from nst.engine.networks.extractors import Extractor
from nst.runs.estimates import Calibration

_measured: dict[Extractor, Calibration] = {}


def calibration_of(network: Extractor) -> Calibration:
    """The calibration of a network, which takes about a second if it was not measured before."""
    if network not in _measured:
        _measured[network] = calibrate(network)
    return _measured[network]


def measured() -> list[Calibration]:
    """All calibrations so far, in the order in which they were measured."""
    return list(_measured.values())
