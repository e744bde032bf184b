"""Loaded extractors: the choice of one by name, and a cache of those that are loaded."""

import functools
from collections.abc import Callable

from nst.engine.devices import choose_precision
from nst.engine.networks import weights as weight_files
from nst.engine.networks.extractors import ARCHITECTURES, Extractor
from nst.errors import WeightsError
from nst.options.layer_presets import SHIPPED_NETWORK


def choose_extractor(
    name: str,
    pooling: str = "auto",
    precision: str = "auto",
    best: str = "vgg19",
    decide: Callable[[Extractor], tuple[str, str]] | None = None,
) -> tuple[Extractor, str]:
    """The extractor of that name with its weights, and, for "auto", the reason for the choice.

    Args:
        name: "vgg19", "vgg16", "compact" or "auto", which is compact if the weights of `best` are missing or damaged,
            else what `decide` returns.
        pooling: "max", "average" or "auto", that of the training.
        precision: "float32", "bfloat16" or "auto", see `choose_precision`.
        best: the network that "auto" prefers.
        decide: called with the network `best`; returns the name of the network that "auto" is, and a sentence why, as
            `estimates.auto_network` does. Without it, "auto" is `best`.

    Returns:
        (the extractor, the reason in a sentence or more; "" if there is none to give).

    Raises:
        WeightsError: the weights of the named network are missing or damaged.
    """
    dtype = choose_precision(precision)
    if name != "auto":
        return load_extractor(name, pooling, dtype), ""
    try:
        network = load_extractor(best, pooling, dtype)
    except WeightsError as error:
        return load_extractor(SHIPPED_NETWORK, pooling, dtype), _why_not(best, error)
    auto_name, reason = decide(network) if decide else (best, "")
    return load_extractor(auto_name, pooling, dtype), reason


def _why_not(best: str, error: WeightsError) -> str:
    """Why `best` cannot be used, which network replaces it, and how to get its weights."""
    title, instead = best.upper(), "The built-in network is used."
    if weight_files.locate(best) is not None:
        return f"{title}'s weights cannot be used: {str(error).rstrip('.')}. {instead}"
    if weight_files.being_fetched(best):
        return f"{title}'s weights are being fetched: a later run can have them. {instead}"
    return f"{title}'s weights are not installed. {instead} {weight_files.how_to_get(best)}"


@functools.lru_cache(maxsize=3)
def load_extractor(name: str, pooling: str = "auto", dtype: str = "float32") -> Extractor:
    """The network of that name with its weights; later calls return the same object. Raises WeightsError."""
    architecture = ARCHITECTURES[name]
    weights = weight_files.load(name, architecture.shapes())
    return Extractor(architecture, weights, None if pooling == "auto" else pooling, dtype)
