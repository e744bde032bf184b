"""Which network looks at the pictures, ready to be used: extractors with their weights."""

import functools

from nst.engine import weights as weight_files
from nst.engine.devices import choose_precision
from nst.engine.extractors import ARCHITECTURES, Extractor
from nst.errors import WeightsError


def choose_extractor(
    name: str, pooling: str = "auto", precision: str = "auto", best: str = "vgg19"
) -> tuple[Extractor, str]:
    """(the network of that name, note: why this one and how to get a better one, or "").

    "auto" is `best` where its weights are installed and whole, else compact. Raises WeightsError.
    """
    dtype = choose_precision(precision)
    if name != "auto":
        return load_extractor(name, pooling, dtype), ""
    try:
        return load_extractor(best, pooling, dtype), ""
    except WeightsError as error:
        missing = weight_files.locate(best) is None
        spoken = best.upper()
        why = f"{spoken}'s weights are not installed" if missing else f"{spoken}'s weights cannot be used: {error}"
        how = f" {weight_files.how_to_get(best)}" if missing else ""
        note = f"{why.rstrip('.')}. The built-in compact network is used.{how}"
        return load_extractor("compact", pooling, dtype), note


@functools.lru_cache(maxsize=3)
def load_extractor(name: str, pooling: str = "auto", dtype: str = "float32") -> Extractor:
    """The network of that name with its weights; kept for the next run. Raises WeightsError."""
    architecture = ARCHITECTURES[name]
    weights = weight_files.load(name, architecture.shapes())
    return Extractor(architecture, weights, None if pooling == "auto" else pooling, dtype)
