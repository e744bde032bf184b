"""TensorFlow and Keras, loaded without their start-up messages; the engine imports them from here.

`tf` is None if Keras runs on another backend. Operations that are faster in TensorFlow than in Keras are here, too.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

Tensor = Any
NORM_EPSILON = 1e-5  # added to the variance of instance normalisation


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error; exceptions of Python pass unchanged."""
    sys.stderr.flush()
    original, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(null)


# Everything runs on TensorFlow; the training of fast styles also runs on JAX, if KERAS_BACKEND names it.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# In each process TensorFlow writes lines about CUDA and oneDNN to standard error, whatever its log level, the last of
# them when devices are first listed. So they are listed here, with standard error discarded.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Activations take tens of megabytes. malloc would request them from the system in each step, a page fault per 4 kB.
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
    """Instance normalisation of `x` [N, H, W, C] (Ulyanov et al. 2016), with `scale` and `offset` [N, C] per picture.

    Each channel of each picture gets mean 0 and variance 1, then is multiplied by its scale and moved by its offset
    (Dumoulin et al. 2017).
    """
    if tf is None:
        mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
        scale = scale[:, None, None] * ops.rsqrt(variance + NORM_EPSILON)
        return (x - mean) * scale + offset[:, None, None]
    none = tf.zeros([0], tf.float32)
    each = [  # batch normalisation of one picture is instance normalisation, and its kernel reads the memory once
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
