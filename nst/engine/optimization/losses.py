"""The losses. Activations are [1, h, w, C]; each loss is a float32 scalar that is zero at its target.

There are two normalizations. `gatys` has equations 1 and 4 of Gatys, Ecker and Bethge 2016. `relative` divides each
squared error by the squared norm of its target, so that a weight has the same effect at all sizes and on all layers and
networks. Each Gram matrix is divided by its own number of positions, so content and style may differ in size; where
they have the same size, the `gatys` style loss is exactly that of the paper.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nst.engine.backend import Tensor, ops

EPSILON = 1e-12  # added to a squared norm: a target whose activations are all 0 must not divide by zero


def gram(features: Tensor) -> Tensor:
    """Gram matrix [C, C], float32, of one image's activations [1, h, w, C] over their positions: G = F^T F / (h w).

    Products of bfloat16 activations are summed in float32 and rounded once, to bfloat16: by 2^-9 of an entry at most.
    The derivative by G is rounded likewise, before it is multiplied with them.
    """
    if len(features.shape) != 4 or features.shape[0] not in (1, None):
        raise ValueError(f"`features` must be one image's activations [1, h, w, C], got shape {tuple(features.shape)}")
    return _gram(ops.reshape(features, (-1, features.shape[-1])))


@ops.custom_gradient
def _gram(flat: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Gram matrix of `flat` [positions, C]; the gradient takes one matrix product, TensorFlow's own takes two."""
    positions = ops.cast(ops.shape(flat)[0], "float32")

    def gradient(upstream: Tensor) -> Tensor:
        return ops.matmul(flat, _both_ways(upstream / positions, flat.dtype))

    return ops.cast(ops.matmul(ops.transpose(flat), flat), "float32") / positions, gradient


def _both_ways(upstream: Tensor, dtype: Any) -> Tensor:
    """The derivative by F^T F as one by F: U + U^T, in the precision of F."""
    return ops.cast(upstream + ops.transpose(upstream), dtype)


def guided_gram(features: Tensor, guidance: Tensor) -> Tensor:
    """Gram matrices [R, C, C], float32, of the regions of one image's activations [1, h, w, C].

    That is F_r^T F_r with F_r = T_r * F (Gatys et al. 2017, section 4); its guidance channel T_r is normalized so that
    sum T_r^2 = 1. Here T_r^2 is a region's weight over the sum of its weights, so that the weights of two regions sum
    to 1 along a soft edge, too; for a mask of black and white that is the paper's channel. Rounded as `gram` is.

    Args:
        features: activations.
        guidance: the weight of each position in each region, [1, h, w, R] in 0..1; of a region without any, all is 0.
    """
    flat = ops.reshape(features, (-1, features.shape[-1]))
    weights = [ops.reshape(guidance[..., region], (-1, 1)) for region in range(guidance.shape[-1])]
    return ops.stack([_guided_gram(flat, of_region) for of_region in weights])


@ops.custom_gradient
def _guided_gram(flat: Tensor, weights: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
    """Gram matrix of `flat` [positions, C] with `weights` [positions, 1], which are constants."""
    total = ops.maximum(ops.sum(weights), EPSILON)
    weights = ops.cast(weights, flat.dtype)  # not yet divided: 0 and 1 are exact in bfloat16

    def gradient(upstream: Tensor) -> tuple[Tensor, None]:
        return weights * ops.matmul(flat, _both_ways(upstream / total, flat.dtype)), None

    return ops.cast(ops.matmul(ops.transpose(flat * weights), flat), "float32") / total, gradient


def mix_matrices(matrices: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """The Gram matrices of a mix of paintings: the mean of those of each painting, weighted by `shares` of sum 1.

    Matrices are averaged, not losses. In the `gatys` normalization a sum of losses with these weights would have the
    same gradient: sum_k s_k |G - A_k|^2 = |G - sum_k s_k A_k|^2 + constant. In `relative` each term of that sum
    would be divided by the norm of its own painting, and that of the lowest contrast would outweigh the others.

    Args:
        matrices: of each painting, {layer: [C, C]}.
        shares: of each painting.
    """
    return {
        layer: sum(share * of_painting[layer] for of_painting, share in zip(matrices, shares, strict=True))
        for layer in matrices[0]
    }


def content_loss(features: Tensor, target: Tensor, normalization: str) -> Tensor:
    """Content loss of one layer; `features` and `target` are [1, h, w, C].

    relative: sum (F - P)^2 / sum P^2. gatys: 1/2 sum (F - P)^2 (equation 1).
    """
    _same_shape(features, target)
    target = ops.cast(target, "float32")
    error = ops.sum(ops.square(ops.cast(features, "float32") - target))
    return error / content_divisor(ops.sum(ops.square(target)), normalization)


def content_divisor(norm: Tensor, normalization: str) -> Tensor:
    """What the squared errors of a content layer are divided by; `norm` is the squared norm of its target."""
    return norm + EPSILON if normalization == "relative" else 2.0


def style_loss(matrix: Tensor, target: Tensor, normalization: str) -> Tensor:
    """Style loss of one layer; `matrix` and `target` are Gram matrices [C, C].

    relative: sum (G - A)^2 / sum A^2. gatys: 1 / (4 C^2) sum (G - A)^2 (equation 4, its M inside the matrices).
    """
    _same_shape(matrix, target)
    error = ops.sum(ops.square(matrix - target))
    if normalization == "relative":
        return error / (ops.sum(ops.square(target)) + EPSILON)
    return error / (4.0 * target.shape[-1] ** 2)


def tv_loss(image: Tensor) -> Tensor:
    """Total variation of `image` [N, H, W, 3], H, W > 1: the mean squared difference down plus that to the right."""
    return _tv(image)


@ops.custom_gradient
def _tv(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Total variation with a gradient of its own, because TensorFlow's gradient of a slice is slow."""
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]

    def gradient(upstream: Tensor) -> Tensor:
        rows, columns = (2 * upstream / ops.cast(ops.size(d), "float32") * d for d in (down, right))
        return (
            ops.pad(rows, [[0, 0], [1, 0], [0, 0], [0, 0]])
            - ops.pad(rows, [[0, 0], [0, 1], [0, 0], [0, 0]])
            + ops.pad(columns, [[0, 0], [0, 0], [1, 0], [0, 0]])
            - ops.pad(columns, [[0, 0], [0, 0], [0, 1], [0, 0]])
        )

    return ops.mean(ops.square(down)) + ops.mean(ops.square(right)), gradient


def _same_shape(a: Tensor, b: Tensor) -> None:
    """Raise ValueError if the shapes would broadcast; a side that is unknown while a graph is traced matches any."""
    if len(a.shape) != len(b.shape) or any(
        n != m and None not in (n, m) for n, m in zip(a.shape, b.shape, strict=True)
    ):
        raise ValueError(f"shapes must agree, got {tuple(a.shape)} and {tuple(b.shape)}")
