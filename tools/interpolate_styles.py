"""Interpolate the weights that ship and those of a training that began with them.

Run `python -m tools.interpolate_styles trained.style --share 0.4 -o between.style`, before `python -m tools.ship`.
Between the weights before and after a training on, every style changes gradually (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models", do so with classifiers): a share keeps what was gained without all that was lost.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nst.engine.feed_forward.style_predictor import load_predictor
from nst.styles.style_file import Style, StyleFile
from nst.styles.style_library import shipped_file
from tools.crops import Array
from tools.train_fast_styles import TRAINED_MAPS


def main() -> None:
    """Write the interpolated style file, and the predictor beside it (.predictor.npz)."""
    parser = argparse.ArgumentParser(prog="python -m tools.interpolate_styles", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="what `tools.train_fast_styles --from-shipped` wrote")
    parser.add_argument("--share", type=float, required=True, help="0 is what ships, 1 what was trained")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    trained = StyleFile.from_bytes(given.file.read_bytes(), given.file.name)
    given.output.write_bytes(interpolated(shipped_file(), trained, given.share).to_bytes())
    with np.load(given.file.with_suffix(".predictor.npz"), allow_pickle=False) as file:
        arrays = interpolated_maps(load_predictor().arrays, dict(file), given.share)
    np.savez_compressed(given.output.with_suffix(".predictor.npz"), allow_pickle=False, **arrays)


def interpolated(first: StyleFile, second: StyleFile, share: float) -> StyleFile:
    """`second`, whose network and styles are 1 - `share` of those of `first`, which has the same plan and names."""

    def mixed(before: Array, after: Array) -> Array:
        return (1 - share) * before.astype(np.float32) + share * after.astype(np.float32)

    kernels = {name: mixed(first.kernels[name], after).astype(np.float16) for name, after in second.kernels.items()}
    styles: dict[str, Style] = {
        name: replace(style, vector=mixed(first.styles[name].vector, style.vector))
        for name, style in second.styles.items()
    }
    identity = mixed(first.identity_vector, second.identity_vector)
    return replace(second, kernels=kernels, identity_vector=identity, styles=styles)


def interpolated_maps(first: Mapping[str, Array], second: Mapping[str, Array], share: float) -> dict[str, Array]:
    """The arrays of a predictor, `second`'s but for the trained maps, which are 1 - `share` of those of `first`.

    Where `first` has fewer hidden units it gets those of `second`, with no effect: it predicts the same.
    """
    width = len(first["hidden/bias"])
    padded = {name: second[name].astype(np.float32) for name in TRAINED_MAPS}
    padded["hidden/kernel"][:, :width], padded["hidden/bias"][:width] = first["hidden/kernel"], first["hidden/bias"]
    padded["out/kernel"][:] = 0
    padded["out/kernel"][:width], padded["out/bias"] = first["out/kernel"], first["out/bias"]
    mixed = {name: (1 - share) * padded[name] + share * second[name].astype(np.float32) for name in TRAINED_MAPS}
    return {name: (mixed.get(name, array)).astype(array.dtype) for name, array in second.items()}


if __name__ == "__main__":
    main()
