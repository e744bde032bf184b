"""jcjohnson's Gram loop in PyTorch, as its ports have it: noise, Adam 10 of 255; eager or compiled, two precisions.

PyTorch is no requirement; without it there are no such loops. The network is written anew from our weights, so here the
convolutions are PyTorch's own. Compiling happens before the clock starts.
"""

import functools
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.formulas import layer_of, style_layers_of
from benchmarks.published_loops import Frame, Loop, Problem, noise_start
from nst.engine.networks.extractors import IMAGENET_BGR_MEAN, Architecture
from nst.pictures.images import fit, resize

Weights = dict[str, tuple[np.ndarray, ...]]

VARIANTS = tuple((mode, precision) for mode in ("eager", "compiled") for precision in ("float32", "bfloat16"))


def available() -> bool:
    return importlib.util.find_spec("torch") is not None


def names() -> tuple[str, ...]:
    """The loops' names, whether PyTorch is there or not."""
    return tuple(f"torch-{mode}-{precision}" for mode, precision in VARIANTS)


def torch_loops(problem: Problem, weights: Weights) -> dict[str, Loop]:
    """The loops by name; `weights` are those of the problem's extractor."""
    return {
        name: Loop(
            f"PyTorch {mode}, {precision}",
            "noise",
            functools.partial(descend, problem, gradient_of(problem, weights, mode, precision)),
            problem.steps,
            problem.steps,
        )
        for name, (mode, precision) in zip(names(), VARIANTS, strict=True)
    }


def network(architecture: Architecture, weights: Weights, layers: tuple[str, ...], device: Any, dtype: Any) -> Callable:
    """A function [1, 3, H, W] in 0..1 -> {layer: [1, C, h, w]}: our extractor in PyTorch."""
    import torch
    from torch.nn import functional as F

    kernels, biases = {}, {}
    for layer, (*stored, bias) in weights.items():
        turned = [np.ascontiguousarray(np.transpose(kernel, (3, 2, 0, 1))) for kernel in stored]
        kernels[layer] = [torch.tensor(kernel, device=device, dtype=dtype) for kernel in turned]
        biases[layer] = torch.tensor(bias, device=device, dtype=dtype)
    mean = torch.tensor(IMAGENET_BGR_MEAN, device=device).reshape(1, 3, 1, 1)
    last = max(map(architecture.layers.index, layers))

    def see(image: Any) -> dict[str, Any]:
        x = (image.flip(1) * 255.0 - mean).to(dtype)
        found, block = {}, "block1"
        for layer in architecture.layers[: last + 1]:
            if not layer.startswith(block):
                x = F.max_pool2d(x, 2) if architecture.pooling == "max" else F.avg_pool2d(x, 2)
                block = layer.split("_")[0]
            for kernel in kernels[layer]:
                edge = kernel.shape[2] // 2
                x = F.pad(x, (edge,) * 4, mode="replicate" if layer == "block1_conv1" else "constant")
                x = F.conv2d(x, kernel)
            x = F.relu(x + biases[layer][:, None, None])
            if layer in layers:
                found[layer] = x
        return found

    return see


def gradient_of(problem: Problem, weights: Weights, mode: str, precision: str) -> Callable[[], tuple[Callable, Any]]:
    """A function that gives (image -> loss, the device it is on), built on first use and kept."""

    @functools.cache
    def built() -> tuple[Callable, Any]:
        import torch

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        architecture = problem.extractor.architecture
        content_layer, styles = layer_of(architecture.name, "relu4_2"), style_layers_of(architecture.name)
        see = network(architecture, weights, (content_layer, *styles), device, getattr(torch, precision))

        def gram(features: Any) -> Any:
            flat = features[0].flatten(1).float()
            return (flat @ flat.T) / flat.shape[1]

        with torch.no_grad():
            target = see(channels_first(problem.content, device))[content_layer].float()
            style = resize(problem.style, *fit(*problem.style.shape[:2], problem.size))
            grams = {
                layer: gram(found) for layer, found in see(channels_first(style, device)).items() if layer in styles
            }

        def loss(image: Any) -> Any:
            found = see(image)
            total = 5.0 * (found[content_layer].float() - target).square().mean()
            for layer in styles:
                total = total + 100.0 * (gram(found[layer]) - grams[layer]).square().mean() / len(grams[layer]) ** 2
            corner = 255.0 * image[..., :-1, :-1]
            down, right = 255.0 * image[..., 1:, :-1] - corner, 255.0 * image[..., :-1, 1:] - corner
            return total + 1e-3 * (down.square().sum() + right.square().sum()) / 2

        return torch.compile(loss) if mode == "compiled" else loss, device

    return built


def channels_first(picture: np.ndarray, device: Any) -> Any:
    """[H, W, 3] as a tensor [1, 3, H, W]."""
    import torch

    return torch.tensor(np.ascontiguousarray(np.moveaxis(picture, -1, 0))[None], device=device)


def descend(problem: Problem, build: Callable[[], tuple[Callable, Any]]) -> Iterator[Frame]:
    """Adam's steps from noise; on a GPU a frame's picture waits for them."""
    import torch

    loss, device = build()
    image = channels_first(noise_start(problem).numpy()[0], device).requires_grad_()
    optimizer = torch.optim.Adam([image], lr=10 / 255)
    height, width = problem.content.shape[:2]
    while True:
        yield Frame(height, width, lambda: np.moveaxis(image.detach()[0].cpu().numpy(), 0, -1))
        optimizer.zero_grad()
        loss(image).backward()
        optimizer.step()
