"""Operations of networks that are faster than those of Keras, some with gradients of their own."""

from collections.abc import Callable
from typing import Any

from nst.engine.backend import Tensor, ops, tf

NORM_EPSILON = 1e-5  # added to the variance of instance normalization


def convolve(x: Tensor, kernel: Tensor, bias: Tensor | None = None, stride: int = 1, padding: str = "valid") -> Tensor:
    """`x` [N, H, W, C] convolved with `kernel` [kh, kw, C, D], plus `bias` [D]; TensorFlow can fuse it with a ReLU."""
    if tf is None:
        found = ops.conv(x, kernel, stride, padding)
        return found if bias is None else found + bias
    found = tf.nn.conv2d(x, kernel, stride, padding.upper())
    return found if bias is None else tf.nn.bias_add(found, bias)


def gradient_kernel(kernel: Tensor) -> Tensor:
    """The kernel [kh, kw, D, C] whose convolution is the gradient of one with `kernel` [kh, kw, C, D].

    It is `kernel` rotated by 180 degrees, its input and output channels exchanged.
    """
    return ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))


def convolve_fixed(
    x: Tensor, kernel: Tensor, back: Tensor, bias: Tensor | None = None, rectify: bool = False
) -> Tensor:
    """`x` [N, H, W, C] convolved with a `kernel` that is not trained, at padding "same".

    The gradient is a convolution, too: TensorFlow's own operation takes up to four times as long, if channels are few.

    Args:
        x: activations.
        kernel: [kh, kw, C, D] with odd kh and kw.
        back: its `gradient_kernel`.
        bias: [D], added.
        rectify: whether a ReLU follows.
    """
    if tf is None:
        found = convolve(x, kernel, bias, padding="same")
        return ops.relu(found) if rectify else found

    @tf.custom_gradient
    def convolution(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        found = convolve(x, kernel, bias, padding="same")
        if rectify:
            found = tf.nn.relu(found)

        def gradient(upstream: Tensor) -> Tensor:
            if rectify:
                upstream = tf.raw_ops.ReluGrad(gradients=upstream, features=found)
            return convolve(upstream, back, padding="same")

        return found, gradient

    return convolution(x)


def read_beside(read: Callable[[Tensor], Any], x: Tensor) -> tuple[Tensor, Any]:
    """`x`, and `read(x)`: a structure of tensors whose gradient is computed only after that of the `x` returned.

    TensorFlow runs an operation of a graph as soon as its inputs are there. Gradients of losses on early layers would
    be computed first, and held until the backward pass reaches these layers. That takes memory, but less time where
    pictures are small: what is independent runs side by side. The gradient can be computed once.
    """

    @tf.custom_gradient
    def both(x: Tensor) -> tuple[tuple[Tensor, Any], Callable[..., Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = read(x)

        def gradient(upstream: Tensor, *of_found: Tensor) -> Tensor:
            with tf.control_dependencies([upstream]):
                waiting = [tf.identity(each) for each in of_found]
                return tf.add_n([upstream, tape.gradient(tf.nest.flatten(found), x, waiting)])

        return (tf.identity(x), found), gradient

    return both(x)


def max_pool(x: Tensor) -> Tensor:
    """2x2 maximum pooling of `x` [N, H, W, C], sides rounded up.

    Values that share a maximum share its gradient. TensorFlow's own gradient gives it to one of them, and takes three
    times as long.
    """
    if tf is None:
        return ops.max_pool(x, 2, 2, padding="same")

    @tf.custom_gradient
    def pool(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        found = tf.nn.max_pool2d(x, 2, 2, "SAME")
        return found, lambda upstream: _max_pool_gradient(x, found, upstream)

    return pool(x)


def _max_pool_gradient(x: Tensor, found: Tensor, upstream: Tensor) -> Tensor:
    """The gradient to `x` [N, H, W, C] from `upstream`, that to its maxima `found` [N, ceil(H / 2), ceil(W / 2), C]."""
    count, height, width, channels = tf.unstack(tf.shape(x))
    rows, columns = tf.unstack(tf.shape(found)[1:3])
    beyond = [[0, 0], [0, 2 * rows - height], [0, 2 * columns - width], [0, 0]]
    is_even = tf.equal(height + width, 2 * (rows + columns))
    whole = tf.cond(is_even, lambda: x, lambda: tf.pad(x, beyond, constant_values=x.dtype.min))
    windows = tf.reshape(whole, [count * rows, 2, columns, 2, channels])
    per_window = [count * rows, 1, columns, 1, channels]
    is_maximum = tf.equal(windows, tf.reshape(found, per_window))
    shares = 4 * tf.nn.avg_pool2d(tf.cast(tf.reshape(is_maximum, tf.shape(whole)), x.dtype), 2, 2, "VALID")
    gradient = tf.where(is_maximum, tf.reshape(upstream / shares, per_window), tf.zeros([], x.dtype))
    gradient = tf.reshape(gradient, tf.shape(whole))
    return tf.cond(is_even, lambda: gradient, lambda: gradient[:, :height, :width])


def as_one_picture(features: Tensor) -> Tensor:
    """Activations [N, h, w, C] of N pictures as those of one, the pictures one below the other, [1, N h, w, C]."""
    return ops.reshape(features, (1, -1, *ops.shape(features)[2:]))


def instance_norm(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Instance normalization of `x` [N, H, W, C] (Ulyanov et al. 2016), with `scale` and `offset` [N, C] per picture.

    Each channel of each picture gets mean 0 and variance 1, then is multiplied by its scale and moved by its offset
    (Dumoulin et al. 2017).
    """
    if tf is None:
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        scale = scale[:, None, None] * ops.rsqrt(variance + NORM_EPSILON)
        return (x - mean) * scale + offset[:, None, None]
    return _fused_instance_norm(x, scale, offset) if x.shape[0] == 1 else _batched_instance_norm(x, scale, offset)


def _fused_instance_norm(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """`instance_norm` of one picture: it is batch normalization then, whose kernel reads the memory once."""
    none = tf.zeros([0], tf.float32)
    return tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale[0], offset=offset[0], mean=none, variance=none, epsilon=NORM_EPSILON, is_training=True
    ).y


def _batched_instance_norm(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """`instance_norm` of several pictures, with a gradient that takes half the time of TensorFlow's."""

    @tf.custom_gradient
    def normalize(x: Tensor, scale: Tensor, offset: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, ...]]]:
        count, height, width, channels = tf.unstack(tf.shape(x))
        flat = tf.reshape(x, [count, height * width, channels])
        centered = flat - tf.reduce_mean(flat, axis=1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centered), axis=1, keepdims=True)
        inverse = tf.math.rsqrt(variance + NORM_EPSILON)
        normal = centered * inverse

        def gradient(upstream: Tensor) -> tuple[Tensor, ...]:
            upstream = tf.reshape(upstream, tf.shape(flat))
            mean = tf.reduce_mean(upstream, axis=1, keepdims=True)
            projection = tf.reduce_mean(upstream * normal, axis=1, keepdims=True)
            of_x = (upstream - mean - projection * normal) * (inverse * scale[:, None])
            positions = tf.cast(height * width, x.dtype)
            return tf.reshape(of_x, tf.shape(x)), positions * projection[:, 0], positions * mean[:, 0]

        return tf.reshape(normal * scale[:, None] + offset[:, None], tf.shape(x)), gradient

    return normalize(x, scale, offset)
