"""Fit the built-in network: VGG19 up to block5_conv1 with kernels of low rank, and write it to nst/builtin.

Run `python -m tools.low_rank --photos FOLDER ... --paintings FOLDER ... --held-out FOLDER`; VGG19's weights are those
that `nst weights` finds. It takes some minutes.

Layer after layer, from the activations that the fitted layers before it give, a product of small kernels is fitted to
VGG19's own responses, so that a layer corrects the errors of those before it (Zhang, Zou, He and Sun 2015,
"Accelerating Very Deep Convolutional Networks for Classification and Detection"). The first 1x1 kernel keeps the
directions of the input that the layer's kernel responds to most; the 3x3 and the last 1x1 kernel are a reduced-rank
regression (Izenman 1975). Where VGG19's response is negative, any negative one will do: its ReLU is 0.

An optimization finds what a network sees wrong. So some of the pictures are painted with the network that ships, and
each run is another round (dataset aggregation, Ross, Gordon and Bagnell 2011).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.atomic_write import atomic_write
from nst.engine.backend import tf
from nst.engine.devices import choose_precision
from nst.engine.networks import weights as weight_files
from nst.engine.networks.choose_extractor import load_extractor
from nst.engine.networks.extractors import ARCHITECTURES, IMAGENET_BGR_MEAN, PADDING, Extractor, Weights
from nst.engine.optimization.optimize import stylize
from nst.options.style_options import StyleOptions
from tools.crops import Array, pictures_in, random_crop

CROP = 256  # px, side of the pictures that are fitted on
PICTURES = 240  # photographs, and as many paintings
DISTURBED = 60  # of these again, with other colors or with noise
PAINTED = 36  # with the network that ships
PICTURES_OF_BLOCK = (24, 48, 96, 256, 600)  # at most; the deeper a block, the fewer positions a picture has
POSITIONS = 100_000  # of a layer's activations that are fitted on, at most
RIDGE = 1e-6  # of the mean square of an input
RELU_ROUNDS = 3  # of a fit: what a negative response should be depends on the fit before
HELD_OUT = 24  # pictures to measure on
BATCH = 4  # pictures that are convolved at once
ARCHITECTURE = ARCHITECTURES["compact"]


def main() -> None:
    """Fit from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.low_rank", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="folders of photographs")
    parser.add_argument("--paintings", type=Path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--held-out", type=Path, nargs="+", required=True, help="folders of pictures to measure on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=weight_files.BUILTIN)
    given = parser.parse_args()
    random = np.random.default_rng(given.seed)
    vgg19 = weight_files.load("vgg19", ARCHITECTURES["vgg19"].shapes())
    photos, paintings, held_out = (
        pictures_in(folders, CROP) for folders in (given.photos, given.paintings, given.held_out)
    )
    pictures = [*crops(photos, PICTURES, random), *crops(paintings, PICTURES, random)]
    pictures += disturbed(pictures, DISTURBED, random)
    pictures += painted(photos, paintings, random)
    weights = fit(vgg19, random.permutation(np.stack(pictures)), random)
    save(given.output, weights)
    errors = held_out_errors(vgg19, weights, np.stack(crops(held_out, HELD_OUT, random)))
    save_provenance(given, len(pictures), errors)


def crops(paths: Sequence[Path], count: int, random: np.random.Generator) -> list[Array]:
    """Random squares of that many of the pictures, [CROP, CROP, 3] in 0..1."""
    chosen = random.permutation(len(paths))[:count]
    return [random_crop(Image.open(paths[index]).convert("RGB"), CROP, random) for index in chosen]


def disturbed(pictures: Sequence[Array], count: int, random: np.random.Generator) -> list[Array]:
    """Some of `pictures` again, every other one with its colors mixed, the rest with noise."""
    result = []
    for index in random.choice(len(pictures), count, replace=False):
        x = pictures[index]
        if len(result) % 2:
            x = (x - 0.5) @ (np.eye(3) + random.normal(0, 0.3, (3, 3))) + 0.5
        else:
            x = x + random.normal(0, 0.15, x.shape)
        result.append(np.clip(x, 0, 1).astype(np.float32))
    return result


def painted(photos: Sequence[Path], paintings: Sequence[Path], random: np.random.Generator) -> list[Array]:
    """Pictures painted with the network that ships, each up to a random epoch, [CROP, CROP, 3] in 0..1."""
    extractor, results = load_extractor("compact", dtype=choose_precision("auto")), []
    for content, style in zip(crops(photos, PAINTED, random), crops(paintings, PAINTED, random), strict=True):
        options = StyleOptions(
            size=CROP,
            epochs=int(random.integers(4, 30)),
            strength=float(np.exp(random.uniform(np.log(0.3), np.log(4)))),
            init=str(random.choice(["noise", "noise", "content"])),
            seed=int(random.integers(2**31)),
            extractor="compact",
        )
        for step in stylize(content, style, options, extractor=extractor):
            last = step
        results.append(last.image)
    return results


def fit(vgg19: Weights, pictures: Array, random: np.random.Generator) -> dict[str, tuple[Array, ...]]:
    """The weights of the built-in network, fitted to the responses of `vgg19` on `pictures` [N, CROP, CROP, 3]."""
    weights: dict[str, tuple[Array, ...]] = {}
    for layer, ranks in ((layer, ARCHITECTURE.ranks.get(layer, (0, 0))) for layer in ARCHITECTURE.layers):
        if layer.endswith("_conv1"):
            chosen = pictures[: PICTURES_OF_BLOCK[int(layer[5]) - 1]]
            true, fitted = (block_inputs(network, chosen, list(weights)) for network in (vgg19, weights))
        kernel, bias = vgg19[layer]
        responses = convolved(true, [kernel], layer) + bias
        weights[layer] = fit_layer(kernel, ranks, fitted, responses, edges_of(layer), random)
        *kernels, bias = weights[layer]
        true, fitted = np.maximum(responses, 0), np.maximum(convolved(fitted, kernels, layer) + bias, 0)
        print(layer, ranks, *(f"{error:.4f}" for error in errors_of(fitted, true)), flush=True)
    return weights


def block_inputs(weights: Weights, pictures: Array, layers: Sequence[str]) -> Array:
    """The input of the block after `layers`, all those of the blocks before it, for `pictures` [N, H, W, 3] in 0..1."""
    parts = []
    for start in range(0, len(pictures), BATCH):
        x = pictures[start : start + BATCH, ..., ::-1] * np.float32(255) - np.float32(IMAGENET_BGR_MEAN)
        for layer in layers:
            if layer.endswith("_conv1") and layer != layers[0]:
                x = pool(x)
            *kernels, bias = weights[layer]
            x = np.maximum(convolved(x, kernels, layer) + bias, 0)
        parts.append(pool(x) if layers else x)
    return np.concatenate(parts)


def fit_layer(
    kernel: Array, ranks: tuple[int, int], inputs: Array, responses: Array, edges: str, random: np.random.Generator
) -> tuple[Array, ...]:
    """Kernels and bias of one layer.

    Args:
        kernel: VGG19's, [3, 3, C, D].
        ranks: channels after the first and before the last kernel; 0 omits that kernel.
        inputs: [N, h, w, C], the activations of the fitted layers before it.
        responses: [N, h, w, D], those of VGG19 before the ReLU.
        edges: the mode of padding, of NumPy.
        random: chooses the positions.
    """
    first: tuple[Array, ...] = ()
    if ranks[0]:
        first = (projection(kernel, ranks[0], inputs),)
        inputs = inputs @ first[0][0, 0]
    count, height, width, channels = inputs.shape
    chosen = random.choice(count * height * width, min(POSITIONS, count * height * width), replace=False)
    position = np.unravel_index(chosen, (count, height, width))
    x, true = patches(inputs, position, edges), responses[position]
    x = np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)
    squares = (x.T @ x).astype(np.float64)
    penalty = np.full(len(squares), RIDGE * np.trace(squares[:-1, :-1]) / (len(squares) - 1))
    penalty[-1] = 0.0  # of the bias
    inverse = np.linalg.inv(squares + np.diag(penalty))
    target = true
    for _ in range(RELU_ROUNDS):
        regression = inverse @ (x.T @ target).astype(np.float64)
        found = x @ regression.astype(np.float32)
        mean, directions = found.mean(axis=0), np.eye(found.shape[1])
        if ranks[1]:
            directions = np.linalg.eigh(np.cov(found, rowvar=False))[1][:, -ranks[1] :]
            found = (found - mean) @ directions @ directions.T + mean
        target = np.where(true > 0, true, np.minimum(found, 0)).astype(np.float32)
    bias = (regression[-1] - mean) @ directions @ directions.T + mean
    last: tuple[Array, ...] = ()
    if ranks[1]:
        regression = regression[:-1] @ directions
        last = (directions.T[None, None],)
    middle = (regression if ranks[1] else regression[:-1]).reshape(3, 3, channels, -1)
    return tuple(np.ascontiguousarray(array, np.float32) for array in (*first, middle, *last, bias))


def projection(kernel: Array, rank: int, inputs: Array) -> Array:
    """The 1x1 kernel [1, 1, C, rank] that keeps the directions of `inputs` [N, h, w, C] that `kernel` responds to.

    These are the principal directions of the inputs in the metric of the kernel: the sum of K K^T over its positions.
    """
    taps = kernel.reshape(9, *kernel.shape[2:]).astype(np.float64)
    metric = np.einsum("tcd,ted->ce", taps, taps)
    values, vectors = np.linalg.eigh(metric)
    root = (vectors * np.sqrt(np.maximum(values, 1e-9 * values[-1]))) @ vectors.T
    flat = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
    energies, principal = np.linalg.eigh(root @ (flat.T @ flat / len(flat)) @ root)
    kept = root @ principal[:, -rank:] / np.sqrt(np.maximum(energies[-rank:], 1e-12 * energies[-1]))
    return kept.astype(np.float32)[None, None]


def patches(inputs: Array, position: tuple[NDArray[np.intp], ...], edges: str) -> Array:
    """The 3x3 neighborhoods of positions, [P, 9 C]; `edges` is the mode of padding, of NumPy."""
    padded = np.pad(inputs, PADDING, mode=edges)  # type: ignore[call-overload]
    picture, row, column = position
    parts = [padded[picture, row + down, column + right] for down in range(3) for right in range(3)]
    return np.concatenate(parts, axis=1)


def convolved(x: Array, kernels: Sequence[Array], layer: str) -> Array:
    """`x` [N, h, w, C] after the kernels, one after the other, padded as in `Extractor`."""
    padding = "SAME"
    if edges_of(layer) != "constant":
        x, padding = np.pad(x, PADDING, mode=edges_of(layer)), "VALID"  # type: ignore[call-overload]
    parts = []
    for start in range(0, len(x), BATCH):
        part = tf.constant(x[start : start + BATCH])
        for kernel in kernels:
            part = tf.nn.conv2d(part, kernel, 1, padding)
        parts.append(part.numpy())
    return np.concatenate(parts)


def edges_of(layer: str) -> str:
    """The mode of padding, of NumPy, before the kernels of a layer, as in `Extractor`."""
    return "symmetric" if layer == "block1_conv1" else "constant"


def pool(x: Array) -> Array:
    """`x` [N, h, w, C], sides even, after 2x2 maximum pooling."""
    count, height, width, channels = x.shape
    return x.reshape(count, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def errors_of(found: Array, true: Array) -> tuple[float, float]:
    """(squared error of activations over their variance, mean of the channels; relative error of Gram matrices)."""
    variance = np.maximum(true.var(axis=(0, 1, 2)), 1e-6)
    activations = float(np.mean(np.square(found - true).mean(axis=(0, 1, 2)) / variance))
    flat = (x.reshape(len(x), -1, x.shape[3]) for x in (found, true))
    gram, target = (np.matmul(x.transpose(0, 2, 1), x) for x in flat)
    return activations, float(np.mean(np.square(gram - target).sum(axis=(1, 2)) / np.square(target).sum(axis=(1, 2))))


def held_out_errors(vgg19: Weights, weights: Weights, pictures: Array) -> dict[str, list[float]]:
    """{layer: `errors_of`} on pictures that were not fitted on; a layer at a time, because all take much memory."""
    networks = Extractor(ARCHITECTURE, weights), Extractor(ARCHITECTURES["vgg19"], vgg19)
    errors = {}
    for layer in ARCHITECTURE.layers:
        found, true = (
            np.concatenate([np.asarray(network(picture[None], [layer])[layer]) for picture in pictures])
            for network in networks
        )
        errors[layer] = [round(error, 4) for error in errors_of(found, true)]
    return errors


def save(path: Path, weights: Weights) -> None:
    """Write the weights as float16."""
    arrays = {}
    for layer, (*kernels, bias) in weights.items():
        names = ["kernel"] if len(kernels) == 1 else [f"kernel{n}" for n in range(1, len(kernels) + 1)]
        arrays |= {f"{layer}/{name}": kernel for name, kernel in zip(names, kernels, strict=True)}
        arrays[f"{layer}/bias"] = bias
    with atomic_write(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{name: x.astype(np.float16) for name, x in arrays.items()})


def save_provenance(given: argparse.Namespace, count: int, errors: dict[str, list[float]]) -> None:
    """Write what the network is and where it comes from to a .json beside it."""
    provenance = {
        "what": "built-in network `compact`: VGG19 up to block5_conv1 with kernels of low rank, float16",
        "script": "python -m tools.low_rank",
        "adapted_from": "VGG19 (Simonyan and Zisserman 2014), weights by the Visual Geometry Group, University of"
        " Oxford, trained on ImageNet",
        "license": "CC BY 4.0, as that of the weights it is adapted from; changes: see `what`",
        "data": f"{count} pictures of {CROP} px: crops of photographs and paintings, some with other colors or noise,"
        f" {PAINTED} painted with the network of the round before",
        "seed": given.seed,
        "ranks": {layer: list(ranks) for layer, ranks in ARCHITECTURE.ranks.items()},
        "held_out_errors": {"columns": ["activations", "Gram matrices"], **errors},
    }
    with atomic_write(given.output.with_suffix(".json")) as part:
        part.write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
