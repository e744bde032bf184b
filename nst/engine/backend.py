"""TensorFlow and Keras, loaded without their greetings; the engine imports them from here.

What differs between Keras' backends is here too: `tf` is None where Keras runs on another one.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

Tensor = Any
NORM_EPSILON = 1e-5  # variance of activations that is taken for none


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what native code writes to standard error; Python's own exceptions still come through."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


# The TensorFlow engine is what paints; training also runs where Keras is told to use JAX.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow greets every process with lines about CUDA and oneDNN, whatever its log level; asking for the devices
# draws the last of them. Who called `nst` asked for a painting.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Activations are tens of megabytes; from malloc each step would ask the system for them anew, a page fault per 4 kB.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
with _quiet_stderr():
    import keras
    from keras import ops

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.list_physical_devices()
    else:
        tf = None

__all__ = ["convolve", "instance_norm", "keras", "ops", "tf"]


def convolve(x: Tensor, kernel: Tensor, bias: Tensor | None = None, stride: int = 1, padding: str = "valid") -> Tensor:
    """`x` [N, H, W, C] convolved with `kernel` [kh, kw, C, D], plus `bias` [D]; TensorFlow fuses a ReLU after it."""
    if tf is None:
        found = ops.conv(x, kernel, stride, padding)
        return found if bias is None else found + bias
    found = tf.nn.conv2d(x, kernel, stride, padding.upper())
    return found if bias is None else tf.nn.bias_add(found, bias)


def instance_norm(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Each channel of each of `x` [N, H, W, C] at mean 0 and variance 1, times `scale` plus `offset`, [N, C].

    Ulyanov et al. 2016, with the scales of each picture its own (Dumoulin et al. 2017).
    """
    if tf is None:
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        scale = scale[:, None, None] * ops.rsqrt(variance + NORM_EPSILON)
        return (x - mean) * scale + offset[:, None, None]
    none = tf.zeros([0], tf.float32)
    each = [  # over one picture, batch normalisation is just that, and its kernel passes over the memory once
        tf.raw_ops.FusedBatchNormV3(
            x=x[n : n + 1],
            scale=scale[n],
            offset=offset[n],
            mean=none,
            variance=none,
            epsilon=NORM_EPSILON,
            is_training=True,
        ).y
        for n in range(x.shape[0])
    ]
    return each[0] if len(each) == 1 else tf.concat(each, axis=0)
