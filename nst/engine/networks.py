"""Which network looks at the pictures, ready to be used: extractors with their weights."""

import functools
from collections.abc import Callable

from nst.engine import weights as weight_files
from nst.engine.devices import choose_precision
from nst.engine.extractors import ARCHITECTURES, Extractor
from nst.errors import WeightsError


def choose_extractor(
    name: str,
    pooling: str = "auto",
    precision: str = "auto",
    best: str = "vgg19",
    judge: Callable[[Extractor], tuple[str, str]] | None = None,
) -> tuple[Extractor, str]:
    """(the network of that name, note: why "auto" stands for this one, "" where there is nothing to tell).

    "auto" is compact unless the weights of `best` are installed and whole; then it is what `judge`, which is given that
    network, answers with its reason: see `estimates.auto_network`. Without a judge it is `best`. Raises WeightsError.
    """
    dtype = choose_precision(precision)
    if name != "auto":
        return load_extractor(name, pooling, dtype), ""
    try:
        network = load_extractor(best, pooling, dtype)
    except WeightsError as error:
        return load_extractor("compact", pooling, dtype), _why_not(best, error)
    chosen, note = judge(network) if judge else (best, "")
    return load_extractor(chosen, pooling, dtype), note


def _why_not(best: str, error: WeightsError) -> str:
    """Why `best` cannot be used, what is used instead, and how to get it."""
    spoken, instead = best.upper(), "The built-in compact network is used."
    if weight_files.locate(best) is not None:
        return f"{spoken}'s weights cannot be used: {str(error).rstrip('.')}. {instead}"
    if weight_files.being_fetched(best):
        return f"{spoken}'s weights are being fetched: a later run can have them. {instead}"
    return f"{spoken}'s weights are not installed. {instead} {weight_files.how_to_get(best)}"


@functools.lru_cache(maxsize=3)
def load_extractor(name: str, pooling: str = "auto", dtype: str = "float32") -> Extractor:
    """The network of that name with its weights; kept for the next run. Raises WeightsError."""
    architecture = ARCHITECTURES[name]
    weights = weight_files.load(name, architecture.shapes())
    return Extractor(architecture, weights, None if pooling == "auto" else pooling, dtype)
