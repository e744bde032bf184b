"""TensorFlow and `keras.ops`, loaded without their greetings; the engine imports them from here."""

import contextlib
import os
import sys
from collections.abc import Iterator


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


# TensorFlow greets every process with lines about CUDA and oneDNN, whatever its log level; asking for the devices
# draws the last of them. Who called `nst` asked for a painting.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Activations are tens of megabytes; from malloc each step would ask the system for them anew, a page fault per 4 kB.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
with _quiet_stderr():
    import tensorflow as tf
    from keras import ops

    tf.config.list_physical_devices()

__all__ = ["ops", "tf"]
