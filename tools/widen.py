"""Larger networks that paint as smaller ones do, to train on from (Chen, Goodfellow and Shlens 2016, Net2Net)."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nst.engine.feed_forward.transformer import Transformer
from nst.styles.network_plan import Plan
from nst.styles.style_file import StyleFile

Array = NDArray[np.float32]


def widened(file: StyleFile, plan: Plan) -> StyleFile:
    """The network of `file` in the larger shape `plan`, which has no fewer channels or blocks, with the same paintings.

    New channels are computed by random kernels, and what was there does not read them yet. New residual blocks add
    nothing yet.
    """
    kernels = {name: np.asarray(kernel).copy() for name, kernel in Transformer(plan, 1).kernels.items()}
    for name, old in file.kernels.items():
        _, _, inputs, outputs = old.shape
        kernels[name][:, :, inputs:, :outputs] = 0
        kernels[name][:, :, :inputs, :outputs] = old
    neutral = _neutral(file.plan, plan)
    styles = {
        name: replace(style, vector=widened_vector(style.vector, file.plan, plan, neutral))
        for name, style in file.styles.items()
    }
    # At strength 0 nothing is normalized, so that random channels might grow from block to block.
    identity = widened_vector(file.identity_vector, file.plan, plan, np.zeros_like(neutral))
    return StyleFile(plan, {n: k.astype(np.float16) for n, k in kernels.items()}, identity, styles)


def widened_maps(maps: Mapping[str, Array], old: Plan, plan: Plan) -> dict[str, Array]:
    """The maps of a predictor of style vectors for the shape `old`, for that of `plan`."""
    nothing = np.zeros(plan.length, np.float32)
    kernel = np.stack([widened_vector(row, old, plan, nothing) for row in maps["out/kernel"]])
    bias = widened_vector(maps["out/bias"], old, plan, _neutral(old, plan))
    return {**maps, "out/kernel": kernel, "out/bias": bias}


def widened_vector(vector: Array, old: Plan, plan: Plan, others: Array) -> Array:
    """A style `vector` [old.length] for the shape `plan`; what is new comes from `others` [plan.length]."""
    found = others.copy()
    for name, part in old.slices.items():
        start = plan.slices[name].start
        found[start : start + part.stop - part.start] = vector[part]
    return found


def _neutral(old: Plan, plan: Plan) -> Array:
    """The neutral vector of `plan`, in which residual blocks that `old` has not add nothing."""
    vector = plan.neutral()
    for _, second in plan.middle[old.blocks :]:
        vector[plan.slices[f"{second.name}/scale"]] = 0
    return vector
