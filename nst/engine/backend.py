"""TensorFlow and Keras, loaded without their start-up messages; the engine imports them from here.

`tf` is None if Keras runs on another backend.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

Tensor = Any  # of the backend; Keras has no public name for it


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

__all__ = ["Tensor", "keras", "ops", "tf"]
