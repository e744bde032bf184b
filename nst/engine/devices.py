"""What TensorFlow sees, set up for a process that shares the machine with others."""

import os

from nst.engine.backend import tf


def set_up() -> str:
    """Let GPU memory grow as needed instead of taking it all; returns the device in words, "CPU, 2 threads".

    Harmless when repeated; without effect once the GPU is in use.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # already in use, with the setting it has
            break
    if not gpus:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return f"CPU, {cores} threads"
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
