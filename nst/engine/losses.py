"""The losses, as equations. Activations are [1, h, w, C]; every loss is a float32 scalar, zero at its target.

Two normalisations. `gatys`: Gatys, Ecker and Bethge 2016, equations 1 and 4. `relative`: each squared error over the
squared norm of its target, so that the same weight means the same at every size, layer and network. Both Gram matrices
are divided by their own number of positions, so content and style may differ in size; where they do not, the `gatys`
style loss is the paper's to the letter.
"""

from typing import Any

from nst.engine.backend import ops

Tensor = Any
EPSILON = 1e-12  # a layer that is silent on its target must not divide by zero


def gram(features: Tensor) -> Tensor:
    """Gram matrix over the positions, [C, C] float32, divided by their number: G = F^T F / (h w)."""
    if len(features.shape) != 4 or features.shape[0] not in (1, None):
        raise ValueError(f"`features` must be one image's activations [1, h, w, C], got shape {tuple(features.shape)}")
    flat = ops.cast(ops.reshape(features, (-1, features.shape[-1])), "float32")  # [h*w, C]
    return ops.matmul(ops.transpose(flat), flat) / ops.cast(ops.shape(flat)[0], "float32")


def content_loss(features: Tensor, target: Tensor, normalisation: str) -> Tensor:
    """Content loss of one layer; `features` and `target` are [1, h, w, C].

    relative: sum (F - P)^2 / sum P^2. gatys: 1/2 sum (F - P)^2 (equation 1).
    """
    _same_shape(features, target)
    target = ops.cast(target, "float32")
    error = ops.sum(ops.square(ops.cast(features, "float32") - target))
    return error / (ops.sum(ops.square(target)) + EPSILON) if normalisation == "relative" else error / 2


def style_loss(matrix: Tensor, target: Tensor, normalisation: str) -> Tensor:
    """Style loss of one layer; `matrix` and `target` are Gram matrices [C, C].

    relative: sum (G - A)^2 / sum A^2. gatys: 1 / (4 C^2) sum (G - A)^2 (equation 4, its M inside the matrices).
    """
    _same_shape(matrix, target)
    error = ops.sum(ops.square(matrix - target))
    if normalisation == "relative":
        return error / (ops.sum(ops.square(target)) + EPSILON)
    return error / (4.0 * target.shape[-1] ** 2)


def tv_loss(image: Tensor) -> Tensor:
    """Total variation of `image` [1, H, W, 3] in 0..1, H, W > 1: mean squared difference down plus to the right."""
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    return ops.mean(ops.square(down)) + ops.mean(ops.square(right))


def _same_shape(a: Tensor, b: Tensor) -> None:
    """Refuse to broadcast by accident; a side that is unknown while a graph is traced matches any."""
    if len(a.shape) != len(b.shape) or any(
        n != m and None not in (n, m) for n, m in zip(a.shape, b.shape, strict=True)
    ):
        raise ValueError(f"shapes must agree, got {tuple(a.shape)} and {tuple(b.shape)}")
